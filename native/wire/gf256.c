#include "gf256.h"

#include <string.h>

#include "level.h"
#include "wire.h"

#define POLYNOMIAL 0x11du

static uint8_t multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (; b != 0; b >>= 1) {
    if (b & 1) product ^= a;
    a <<= 1;
    if (a & 0x100) a ^= POLYNOMIAL;
  }
  return (uint8_t)product;
}

/* Byte 7 − i of the matrix selects the input bits that make output bit i. */
static uint64_t affine_matrix(uint32_t coefficient) {
  uint64_t matrix = 0;
  for (uint32_t input = 0; input < 8; input++) {
    const uint8_t image = multiply(coefficient, 1u << input);
    for (uint32_t output = 0; output < 8; output++) {
      if (image >> output & 1) matrix |= 1ull << ((7 - output) * 8 + input);
    }
  }
  return matrix;
}

void pf_gf256_init(struct pf_gf256 *gf) {
  memset(gf, 0, sizeof *gf);
  for (uint32_t c = 0; c < 256; c++) {
    for (uint32_t nibble = 0; nibble < 16; nibble++) {
      gf->nibbles[c][nibble] = multiply(c, nibble);
      gf->nibbles[c][16 + nibble] = multiply(c, nibble << 4);
    }
    gf->affine[c] = affine_matrix(c);
  }
  uint8_t power = 1, inverse_power = 1;
  const uint8_t half = 0x8e; /* 1 / 2 */
  for (uint32_t exponent = 0; exponent < 255; exponent++) {
    gf->inverse[power] = inverse_power;
    power = multiply(power, 2);
    inverse_power = multiply(inverse_power, half);
  }
  gf->level = pf_level_best();
}

void pf_gf256_cauchy(const struct pf_gf256 *gf, uint32_t data_count, uint32_t parity_count,
                     uint8_t *columns) {
  for (uint32_t i = 0; i < data_count; i++) {
    for (uint32_t j = 0; j < parity_count; j++) {
      *columns++ = gf->inverse[((parity_count + i) ^ j) & 0xff];
    }
  }
}

static void encode_scalar(const struct pf_gf256 *gf, const struct pf_gf256_parity *job) {
  for (uint32_t j = 0; j < job->parity_count; j++) {
    uint8_t *parity = job->parity + j * job->parity_stride;
    memset(parity, 0, job->length);
    for (uint32_t i = 0; i < job->data_count; i++) {
      const uint8_t *data = job->data + i * job->data_stride;
      const uint8_t *table = gf->nibbles[job->columns[(size_t)i * job->parity_count + j]];
      for (size_t at = 0; at < job->length; at++) {
        parity[at] ^= (uint8_t)(table[data[at] & 15] ^ table[16 + (data[at] >> 4)]);
      }
    }
  }
}

#if defined(__x86_64__)
#include <immintrin.h>

/*
 * Each level has one function that makes `rows` parity shards over two vectors' width of columns, with the sums in
 * registers: data is read once for all those rows, and parity is written once. `rows` is a constant wherever it is
 * inlined, so that the arrays become registers.
 *
 * A width of columns of all data shards is small enough to stay in the first-level cache while every group of rows
 * passes over it. The last width overlaps the one before: sums are stored, never added to.
 */
#define ROWS_FUNCTION(target_name) \
  static inline __attribute__((always_inline, target(target_name))) void
#define EACH_ROW(rows) _Pragma("GCC unroll 16") for (uint32_t r = 0; r < (rows); r++)

struct strip {
  const uint8_t *data;
  const uint8_t *columns;
  uint8_t *parity;
};

ROWS_FUNCTION("ssse3")
rows_ssse3(const uint32_t rows, const struct pf_gf256 *gf, const struct pf_gf256_parity *job,
           struct strip at) {
  const __m128i mask = _mm_set1_epi8(15);
  __m128i sum0[4], sum1[4];
  EACH_ROW(rows) sum0[r] = sum1[r] = _mm_setzero_si128();
  for (uint32_t i = 0; i < job->data_count; i++) {
    const __m128i x0 = _mm_loadu_si128((const __m128i *)at.data);
    const __m128i x1 = _mm_loadu_si128((const __m128i *)(at.data + 16));
    const __m128i low0 = _mm_and_si128(x0, mask), low1 = _mm_and_si128(x1, mask);
    const __m128i high0 = _mm_and_si128(_mm_srli_epi64(x0, 4), mask);
    const __m128i high1 = _mm_and_si128(_mm_srli_epi64(x1, 4), mask);
    EACH_ROW(rows) {
      const __m128i *table = (const __m128i *)gf->nibbles[at.columns[r]];
      const __m128i low = _mm_load_si128(table), high = _mm_load_si128(table + 1);
      sum0[r] = _mm_xor_si128(sum0[r], _mm_xor_si128(_mm_shuffle_epi8(low, low0),
                                                     _mm_shuffle_epi8(high, high0)));
      sum1[r] = _mm_xor_si128(sum1[r], _mm_xor_si128(_mm_shuffle_epi8(low, low1),
                                                     _mm_shuffle_epi8(high, high1)));
    }
    at.data += job->data_stride;
    at.columns += job->parity_count;
  }
  EACH_ROW(rows) {
    _mm_storeu_si128((__m128i *)at.parity, sum0[r]);
    _mm_storeu_si128((__m128i *)(at.parity + 16), sum1[r]);
    at.parity += job->parity_stride;
  }
}

ROWS_FUNCTION("avx2")
rows_avx2(const uint32_t rows, const struct pf_gf256 *gf, const struct pf_gf256_parity *job,
          struct strip at) {
  const __m256i mask = _mm256_set1_epi8(15);
  __m256i sum0[4], sum1[4];
  EACH_ROW(rows) sum0[r] = sum1[r] = _mm256_setzero_si256();
  for (uint32_t i = 0; i < job->data_count; i++) {
    const __m256i x0 = _mm256_loadu_si256((const __m256i *)at.data);
    const __m256i x1 = _mm256_loadu_si256((const __m256i *)(at.data + 32));
    const __m256i low0 = _mm256_and_si256(x0, mask), low1 = _mm256_and_si256(x1, mask);
    const __m256i high0 = _mm256_and_si256(_mm256_srli_epi64(x0, 4), mask);
    const __m256i high1 = _mm256_and_si256(_mm256_srli_epi64(x1, 4), mask);
    EACH_ROW(rows) {
      const __m128i *table = (const __m128i *)gf->nibbles[at.columns[r]];
      const __m256i low = _mm256_broadcastsi128_si256(table[0]);
      const __m256i high = _mm256_broadcastsi128_si256(table[1]);
      sum0[r] = _mm256_xor_si256(sum0[r], _mm256_xor_si256(_mm256_shuffle_epi8(low, low0),
                                                           _mm256_shuffle_epi8(high, high0)));
      sum1[r] = _mm256_xor_si256(sum1[r], _mm256_xor_si256(_mm256_shuffle_epi8(low, low1),
                                                           _mm256_shuffle_epi8(high, high1)));
    }
    at.data += job->data_stride;
    at.columns += job->parity_count;
  }
  EACH_ROW(rows) {
    _mm256_storeu_si256((__m256i *)at.parity, sum0[r]);
    _mm256_storeu_si256((__m256i *)(at.parity + 32), sum1[r]);
    at.parity += job->parity_stride;
  }
}

ROWS_FUNCTION("gfni,avx2")
rows_gfni_avx2(const uint32_t rows, const struct pf_gf256 *gf, const struct pf_gf256_parity *job,
               struct strip at) {
  __m256i sum0[6], sum1[6];
  EACH_ROW(rows) sum0[r] = sum1[r] = _mm256_setzero_si256();
  for (uint32_t i = 0; i < job->data_count; i++) {
    const __m256i x0 = _mm256_loadu_si256((const __m256i *)at.data);
    const __m256i x1 = _mm256_loadu_si256((const __m256i *)(at.data + 32));
    EACH_ROW(rows) {
      const __m256i matrix = _mm256_set1_epi64x((long long)gf->affine[at.columns[r]]);
      sum0[r] = _mm256_xor_si256(sum0[r], _mm256_gf2p8affine_epi64_epi8(x0, matrix, 0));
      sum1[r] = _mm256_xor_si256(sum1[r], _mm256_gf2p8affine_epi64_epi8(x1, matrix, 0));
    }
    at.data += job->data_stride;
    at.columns += job->parity_count;
  }
  EACH_ROW(rows) {
    _mm256_storeu_si256((__m256i *)at.parity, sum0[r]);
    _mm256_storeu_si256((__m256i *)(at.parity + 32), sum1[r]);
    at.parity += job->parity_stride;
  }
}

ROWS_FUNCTION("gfni,avx512f,avx512bw")
rows_gfni_avx512(const uint32_t rows, const struct pf_gf256 *gf, const struct pf_gf256_parity *job,
                 struct strip at) {
  __m512i sum0[12], sum1[12];
  EACH_ROW(rows) sum0[r] = sum1[r] = _mm512_setzero_si512();
  for (uint32_t i = 0; i < job->data_count; i++) {
    const __m512i x0 = _mm512_loadu_si512(at.data);
    const __m512i x1 = _mm512_loadu_si512(at.data + 64);
    EACH_ROW(rows) {
      const __m512i matrix = _mm512_set1_epi64((long long)gf->affine[at.columns[r]]);
      sum0[r] = _mm512_xor_si512(sum0[r], _mm512_gf2p8affine_epi64_epi8(x0, matrix, 0));
      sum1[r] = _mm512_xor_si512(sum1[r], _mm512_gf2p8affine_epi64_epi8(x1, matrix, 0));
    }
    at.data += job->data_stride;
    at.columns += job->parity_count;
  }
  EACH_ROW(rows) {
    _mm512_storeu_si512(at.parity, sum0[r]);
    _mm512_storeu_si512(at.parity + 64, sum1[r]);
    at.parity += job->parity_stride;
  }
}

#define ROWS_CASE(function, n)   \
  case n:                        \
    function(n, gf, job, strip); \
    break;
#define ROWS_1_4(f) ROWS_CASE(f, 1) ROWS_CASE(f, 2) ROWS_CASE(f, 3) ROWS_CASE(f, 4)
#define ROWS_1_6(f) ROWS_1_4(f) ROWS_CASE(f, 5) ROWS_CASE(f, 6)
#define ROWS_1_12(f)                                                                      \
  ROWS_1_6(f) ROWS_CASE(f, 7) ROWS_CASE(f, 8) ROWS_CASE(f, 9) ROWS_CASE(f, 10)            \
  ROWS_CASE(f, 11) ROWS_CASE(f, 12)

/* Rows are dealt evenly to the groups: four groups of 11, 11, 11 and 10 beat three of 12 and one of 7. */
#define ENCODE_FUNCTION(name, target_name, width, rows_max, cases)                             \
  __attribute__((target(target_name))) static void name(const struct pf_gf256 *gf,             \
                                                        const struct pf_gf256_parity *job) {   \
    const uint32_t groups = (job->parity_count + (rows_max) - 1) / (rows_max);                 \
    for (size_t column = 0; column < job->length; column += (width)) {                         \
      const size_t from = column + (width) <= job->length ? column : job->length - (width);    \
      for (uint32_t group = 0, row = 0; group < groups; group++) {                             \
        const uint32_t rows = (job->parity_count - row + groups - group - 1) / (groups - group); \
        const struct strip strip = {job->data + from, job->columns + row,                      \
                                    job->parity + row * job->parity_stride + from};            \
        switch (rows) { cases }                                                                \
        row += rows;                                                                           \
      }                                                                                        \
    }                                                                                          \
  }

ENCODE_FUNCTION(encode_ssse3, "ssse3", 32, 4, ROWS_1_4(rows_ssse3))
ENCODE_FUNCTION(encode_avx2, "avx2", 64, 4, ROWS_1_4(rows_avx2))
ENCODE_FUNCTION(encode_gfni_avx2, "gfni,avx2", 64, 6, ROWS_1_6(rows_gfni_avx2))
ENCODE_FUNCTION(encode_gfni_avx512, "gfni,avx512f,avx512bw", 128, 12, ROWS_1_12(rows_gfni_avx512))
#endif

void pf_gf256_encode(const struct pf_gf256 *gf, const struct pf_gf256_parity *job) {
  if (job->parity_count == 0) return;
#if defined(__x86_64__)
  /* A shard narrower than a level's width goes to the next lower one. */
  if (gf->level >= PF_WIRE_LEVEL_GFNI_AVX512 && job->length >= 128) {
    encode_gfni_avx512(gf, job);
    return;
  }
  if (gf->level >= PF_WIRE_LEVEL_GFNI_AVX2 && job->length >= 64) {
    encode_gfni_avx2(gf, job);
    return;
  }
  if (gf->level >= PF_WIRE_LEVEL_AVX2 && job->length >= 64) {
    encode_avx2(gf, job);
    return;
  }
  if (gf->level >= PF_WIRE_LEVEL_SSSE3 && job->length >= 32) {
    encode_ssse3(gf, job);
    return;
  }
#endif
  encode_scalar(gf, job);
}
