#include "leopard16.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define LEVEL_INLINE(target_name) \
  static inline __attribute__((always_inline, target(target_name)))

/* ---- SSSE3: nibble tables of 16 bytes ---- */

struct chunk_128 {
  __m128i part[4]; /* low, low, high, high bytes */
};
struct tables_128 {
  __m128i table[4][2];
};

LEVEL_INLINE("ssse3") struct tables_128
expand_ssse3(const struct pf_leopard16 *code, uint32_t element) {
  struct tables_128 sum;
  for (uint32_t n = 0; n < 8; n++) {
    __m128i table = _mm_setzero_si128();
    for (uint32_t p = 0; p < 4; p++) {
      const struct pf_leopard16_nibbles *part = &code->nibbles[p][element >> 4 * p & 15];
      table = _mm_xor_si128(table, _mm_load_si128((const __m128i *)part->table[n / 2][n % 2]));
    }
    sum.table[n / 2][n % 2] = table;
  }
  return sum;
}

LEVEL_INLINE("ssse3") struct chunk_128 load_ssse3(const uint8_t *bytes) {
  const __m128i *at = (const __m128i *)bytes;
  return (struct chunk_128){{_mm_loadu_si128(at), _mm_loadu_si128(at + 1), _mm_loadu_si128(at + 2),
                             _mm_loadu_si128(at + 3)}};
}

LEVEL_INLINE("ssse3") void store_ssse3(uint8_t *bytes, struct chunk_128 x) {
  for (uint32_t n = 0; n < 4; n++) _mm_storeu_si128((__m128i *)bytes + n, x.part[n]);
}

LEVEL_INLINE("ssse3") struct chunk_128 add_ssse3(struct chunk_128 a, struct chunk_128 b) {
  for (uint32_t n = 0; n < 4; n++) a.part[n] = _mm_xor_si128(a.part[n], b.part[n]);
  return a;
}

LEVEL_INLINE("ssse3") struct chunk_128
add_product_ssse3(struct chunk_128 a, struct chunk_128 b, const struct tables_128 *m) {
  const __m128i mask = _mm_set1_epi8(15);
  for (uint32_t half = 0; half < 2; half++) {
    const __m128i low = b.part[half], high = b.part[2 + half];
    const __m128i nibbles[4] = {
        _mm_and_si128(low, mask), _mm_and_si128(_mm_srli_epi64(low, 4), mask),
        _mm_and_si128(high, mask), _mm_and_si128(_mm_srli_epi64(high, 4), mask)};
    for (uint32_t n = 0; n < 4; n++) {
      a.part[half] = _mm_xor_si128(a.part[half], _mm_shuffle_epi8(m->table[n][0], nibbles[n]));
      a.part[2 + half] =
          _mm_xor_si128(a.part[2 + half], _mm_shuffle_epi8(m->table[n][1], nibbles[n]));
    }
  }
  return a;
}

#define LEVEL(name) name##_ssse3
#define TARGET __attribute__((target("ssse3")))
#define BITS_MAX 1
#define VECTOR struct chunk_128
#define MULTIPLIER struct tables_128
#include "leopard16_pass.h"

/* ---- AVX2: the same tables in both halves of a register ---- */

struct chunk_256 {
  __m256i low, high;
};
struct tables_256 {
  __m256i table[4][2];
};

LEVEL_INLINE("avx2") struct tables_256
expand_avx2(const struct pf_leopard16 *code, uint32_t element) {
  struct tables_256 sum;
  for (uint32_t n = 0; n < 4; n++) {
    __m256i both = _mm256_setzero_si256();
    for (uint32_t p = 0; p < 4; p++) {
      const struct pf_leopard16_nibbles *part = &code->nibbles[p][element >> 4 * p & 15];
      both = _mm256_xor_si256(both, _mm256_load_si256((const __m256i *)part->table[n]));
    }
    sum.table[n][0] = _mm256_permute2x128_si256(both, both, 0x00);
    sum.table[n][1] = _mm256_permute2x128_si256(both, both, 0x11);
  }
  return sum;
}

LEVEL_INLINE("avx2") struct chunk_256 load_avx2(const uint8_t *bytes) {
  const __m256i *at = (const __m256i *)bytes;
  return (struct chunk_256){_mm256_loadu_si256(at), _mm256_loadu_si256(at + 1)};
}

LEVEL_INLINE("avx2") void store_avx2(uint8_t *bytes, struct chunk_256 x) {
  _mm256_storeu_si256((__m256i *)bytes, x.low);
  _mm256_storeu_si256((__m256i *)bytes + 1, x.high);
}

LEVEL_INLINE("avx2") struct chunk_256 add_avx2(struct chunk_256 a, struct chunk_256 b) {
  return (struct chunk_256){_mm256_xor_si256(a.low, b.low), _mm256_xor_si256(a.high, b.high)};
}

LEVEL_INLINE("avx2") struct chunk_256
add_product_avx2(struct chunk_256 a, struct chunk_256 b, const struct tables_256 *m) {
  const __m256i mask = _mm256_set1_epi8(15);
  const __m256i nibbles[4] = {_mm256_and_si256(b.low, mask),
                              _mm256_and_si256(_mm256_srli_epi64(b.low, 4), mask),
                              _mm256_and_si256(b.high, mask),
                              _mm256_and_si256(_mm256_srli_epi64(b.high, 4), mask)};
  for (uint32_t n = 0; n < 4; n++) {
    a.low = _mm256_xor_si256(a.low, _mm256_shuffle_epi8(m->table[n][0], nibbles[n]));
    a.high = _mm256_xor_si256(a.high, _mm256_shuffle_epi8(m->table[n][1], nibbles[n]));
  }
  return a;
}

#define LEVEL(name) name##_avx2
#define TARGET __attribute__((target("avx2")))
#define BITS_MAX 1
#define VECTOR struct chunk_256
#define MULTIPLIER struct tables_256
#include "leopard16_pass.h"

/* ---- GFNI in 256 bits: a byte times a matrix in one instruction ---- */

struct matrices_256 {
  __m256i low_low, high_high, high_low, low_high;
};

/* The four matrices of an element, in the order of pf_leopard16_affine. */
LEVEL_INLINE("avx2") __m256i matrices_of(const struct pf_leopard16 *code, uint32_t element) {
  __m256i sum = _mm256_setzero_si256();
  for (uint32_t p = 0; p < 4; p++) {
    const struct pf_leopard16_affine *part = &code->affine[p][element >> 4 * p & 15];
    sum = _mm256_xor_si256(sum, _mm256_load_si256((const __m256i *)part->matrix));
  }
  return sum;
}

LEVEL_INLINE("gfni,avx2") struct matrices_256
expand_gfni_avx2(const struct pf_leopard16 *code, uint32_t element) {
  const __m256i all = matrices_of(code, element);
  return (struct matrices_256){
      _mm256_permute4x64_epi64(all, 0x00), _mm256_permute4x64_epi64(all, 0x55),
      _mm256_permute4x64_epi64(all, 0xaa), _mm256_permute4x64_epi64(all, 0xff)};
}

LEVEL_INLINE("gfni,avx2") struct chunk_256
add_product_gfni_avx2(struct chunk_256 a, struct chunk_256 b, const struct matrices_256 *m) {
  const __m256i low = _mm256_xor_si256(_mm256_gf2p8affine_epi64_epi8(b.low, m->low_low, 0),
                                       _mm256_gf2p8affine_epi64_epi8(b.high, m->high_low, 0));
  const __m256i high = _mm256_xor_si256(_mm256_gf2p8affine_epi64_epi8(b.low, m->low_high, 0),
                                        _mm256_gf2p8affine_epi64_epi8(b.high, m->high_high, 0));
  return (struct chunk_256){_mm256_xor_si256(a.low, low), _mm256_xor_si256(a.high, high)};
}

#define load_gfni_avx2 load_avx2
#define store_gfni_avx2 store_avx2
#define add_gfni_avx2 add_avx2
#define LEVEL(name) name##_gfni_avx2
#define TARGET __attribute__((target("gfni,avx2")))
#define BITS_MAX 2
#define VECTOR struct chunk_256
#define MULTIPLIER struct matrices_256
#include "leopard16_pass.h"

/* ---- AVX-512: a chunk in one register, its halves changing places for the cross products ---- */

struct tables_512 {
  __m512i straight[2], crossed[2]; /* by nibble of a byte */
};

LEVEL_INLINE("avx512f,avx512bw") __m512i load_avx512(const uint8_t *bytes) {
  return _mm512_loadu_si512(bytes);
}

LEVEL_INLINE("avx512f,avx512bw") void store_avx512(uint8_t *bytes, __m512i x) {
  _mm512_storeu_si512(bytes, x);
}

LEVEL_INLINE("avx512f,avx512bw") __m512i add_avx512(__m512i a, __m512i b) {
  return _mm512_xor_si512(a, b);
}

LEVEL_INLINE("avx512f,avx512bw") __m512i swapped(__m512i x) {
  return _mm512_shuffle_i64x2(x, x, 0x4e);
}

LEVEL_INLINE("avx512f,avx512bw") __m512i add3(__m512i a, __m512i b, __m512i c) {
  return _mm512_ternarylogic_epi64(a, b, c, 0x96);
}

LEVEL_INLINE("avx512f,avx512bw") struct tables_512
expand_avx512(const struct pf_leopard16 *code, uint32_t element) {
  __m512i low = _mm512_setzero_si512(), high = low;
  for (uint32_t p = 0; p < 4; p++) {
    const struct pf_leopard16_nibbles *part = &code->nibbles[p][element >> 4 * p & 15];
    low = _mm512_xor_si512(low, _mm512_loadu_si512(part->table[0]));
    high = _mm512_xor_si512(high, _mm512_loadu_si512(part->table[2]));
  }
  /* Each of them holds four tables: nibble 0 to low and high byte, nibble 1 to low and high byte. */
  return (struct tables_512){
      {_mm512_shuffle_i64x2(low, high, 0x50), _mm512_shuffle_i64x2(low, high, 0xfa)},
      {_mm512_shuffle_i64x2(high, low, 0x50), _mm512_shuffle_i64x2(high, low, 0xfa)}};
}

LEVEL_INLINE("avx512f,avx512bw") __m512i
add_product_avx512(__m512i a, __m512i b, const struct tables_512 *m) {
  const __m512i mask = _mm512_set1_epi8(15);
  const __m512i first = _mm512_and_si512(b, mask);
  const __m512i second = _mm512_and_si512(_mm512_srli_epi64(b, 4), mask);
  a = add3(a, _mm512_shuffle_epi8(m->straight[0], first),
           _mm512_shuffle_epi8(m->straight[1], second));
  return add3(a, _mm512_shuffle_epi8(m->crossed[0], swapped(first)),
              _mm512_shuffle_epi8(m->crossed[1], swapped(second)));
}

#define LEVEL(name) name##_avx512
#define TARGET __attribute__((target("avx512f,avx512bw")))
#define BITS_MAX 2
#define VECTOR __m512i
#define MULTIPLIER struct tables_512
#include "leopard16_pass.h"

/* ---- GFNI in 512 bits ---- */

struct matrices_512 {
  __m512i straight, crossed;
};

LEVEL_INLINE("gfni,avx512f,avx512bw,avx2") struct matrices_512
expand_gfni_avx512(const struct pf_leopard16 *code, uint32_t element) {
  const __m512i all = _mm512_castsi256_si512(matrices_of(code, element));
  return (struct matrices_512){
      _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 0, 0, 0, 1, 1, 1, 1), all),
      _mm512_permutexvar_epi64(_mm512_setr_epi64(2, 2, 2, 2, 3, 3, 3, 3), all)};
}

LEVEL_INLINE("gfni,avx512f,avx512bw") __m512i
add_product_gfni_avx512(__m512i a, __m512i b, const struct matrices_512 *m) {
  return add3(a, _mm512_gf2p8affine_epi64_epi8(b, m->straight, 0),
              _mm512_gf2p8affine_epi64_epi8(swapped(b), m->crossed, 0));
}

#define load_gfni_avx512 load_avx512
#define store_gfni_avx512 store_avx512
#define add_gfni_avx512 add_avx512
#define LEVEL(name) name##_gfni_avx512
#define TARGET __attribute__((target("gfni,avx512f,avx512bw,avx2")))
#define BITS_MAX 3
#define VECTOR __m512i
#define MULTIPLIER struct matrices_512
#include "leopard16_pass.h"
#endif
