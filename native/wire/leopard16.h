/*
 * The Leopard code over GF(2^16), polynomial 0x1002D: parity, and what was lost; private to the wire shim.
 * src/protocol/fec/leopard16.ts is the reference and says what the code is.
 *
 * Field elements stand for sums of the Cantor basis, so that multiplication by a fixed element is linear in both: the
 * tables of any multiplier are the sum of those of its four nibbles.
 */
#ifndef PF_WIRE_LEOPARD16_H
#define PF_WIRE_LEOPARD16_H

#include <stddef.h>
#include <stdint.h>

/* 32 low bytes and 32 high bytes of the same elements. */
#define PF_LEOPARD16_CHUNK 64

/* Products of one multiplier with every nibble: table[n][byte][v] is that byte of (v << 4n) · multiplier. */
struct pf_leopard16_nibbles {
  _Alignas(32) uint8_t table[4][2][16];
};

/* The same as 8×8 bit matrices of gf2p8affineqb: low → low, high → high, high → low and low → high byte. */
struct pf_leopard16_affine {
  _Alignas(32) uint64_t matrix[4];
};

struct pf_leopard16 {
  /* Of element v << 4p at [p][v]. */
  struct pf_leopard16_nibbles nibbles[4][16];
  struct pf_leopard16_affine affine[4][16];
  /* Twiddle factor of the butterflies whose second half starts at this point of the field; [0] is not used. */
  uint16_t twiddles[65536];
  uint32_t level;
};

struct pf_leopard16_parity {
  const uint8_t *data; /* shard i at i × data_stride */
  size_t data_stride;
  uint32_t data_count;
  uint8_t *parity; /* shard j at j × parity_stride; overwritten */
  size_t parity_stride;
  uint32_t parity_count; /* at least 1 */
  size_t length;         /* bytes of every shard, even */
  uint8_t *work;         /* pf_leopard16_work_size() bytes, aligned to 64 */
};

/* Tables, and the best level of this CPU. */
void pf_leopard16_init(struct pf_leopard16 *code);
/* Whether the field has points enough. Counts are at most 65536. */
int pf_leopard16_supports(uint32_t data_count, uint32_t parity_count);
size_t pf_leopard16_work_size(uint32_t data_count, uint32_t parity_count);
void pf_leopard16_encode(const struct pf_leopard16 *code, const struct pf_leopard16_parity *job);

/* What only rebuilding needs; half a megabyte. */
struct pf_leopard16_rebuilder {
  /* Elements by logarithm; [65535] is [0]. */
  uint16_t exponents[65536];
  /* Walsh-Hadamard transform of the logarithms of all elements. */
  uint16_t log_walsh[65536];
  /* The same summed up for transforms of `folded_count` rows. */
  uint16_t folded[65536];
  uint32_t folded_count;
  uint16_t locator[65536];
};

struct pf_leopard16_lost {
  uint8_t *data; /* shard i at i × length; those that are lost are written */
  uint32_t data_count;
  const uint8_t *parity; /* at least 1, as the data */
  uint32_t parity_count;
  const uint8_t *present; /* of data, then parity: 0 where lost. At least data_count are not */
  size_t length;          /* bytes of every shard, even */
  uint8_t *work;          /* pf_leopard16_rebuild_size() bytes, aligned to 64 */
};

void pf_leopard16_rebuilder_init(struct pf_leopard16_rebuilder *rebuilder,
                                 const struct pf_leopard16 *code);
size_t pf_leopard16_rebuild_size(uint32_t data_count, uint32_t parity_count);
void pf_leopard16_rebuild(struct pf_leopard16_rebuilder *rebuilder, const struct pf_leopard16 *code,
                          const struct pf_leopard16_lost *job);

/*
 * One block of 2^bits × distance rows through `bits` layers of butterflies, the widest of which pairs rows that lie
 * distance × 2^(bits − 1) apart.
 */
struct pf_leopard16_block {
  const uint8_t *source; /* row r at r × source_stride, may be where the target is */
  size_t source_stride;
  uint8_t *target;
  size_t target_stride;
  uint32_t layer; /* distance = 1 << layer */
  uint32_t chunk_count;
  const uint16_t *twiddles; /* from the point of the block's first row on */
};

typedef void (*pf_leopard16_pass)(const struct pf_leopard16 *code,
                                  const struct pf_leopard16_block *block);

/* What a level brings, by bits − 1. */
struct pf_leopard16_passes {
  uint32_t bits_max;
  pf_leopard16_pass inverse[3];
  pf_leopard16_pass inverse_add[3]; /* target ⊕= instead of target = */
  pf_leopard16_pass forward[3];
  /* Every element of a row by one that is not zero; the target may be the source. */
  void (*scale)(const struct pf_leopard16 *code, uint32_t element, const uint8_t *source,
                uint8_t *target, uint32_t chunk_count);
};

extern const struct pf_leopard16_passes pf_leopard16_scalar;
#if defined(__x86_64__)
extern const struct pf_leopard16_passes pf_leopard16_ssse3;
extern const struct pf_leopard16_passes pf_leopard16_avx2;
extern const struct pf_leopard16_passes pf_leopard16_avx512;
extern const struct pf_leopard16_passes pf_leopard16_gfni_avx2;
extern const struct pf_leopard16_passes pf_leopard16_gfni_avx512;
#elif defined(__aarch64__)
extern const struct pf_leopard16_passes pf_leopard16_neon;
#endif

#endif
