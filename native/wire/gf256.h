/* Arithmetic of GF(2^8) with polynomial 0x11D over whole shards; private to the wire shim. */
#ifndef PF_WIRE_GF256_H
#define PF_WIRE_GF256_H

#include <stddef.h>
#include <stdint.h>

struct pf_gf256 {
  /* nibbles[c]: c·0 … c·15, then c·0x00 … c·0xf0, the two tables of a byte shuffle. */
  _Alignas(64) uint8_t nibbles[256][32];
  /* affine[c]: multiplication by c as the 8×8 bit matrix of gf2p8affineqb, whose own field is another one. */
  uint64_t affine[256];
  uint8_t inverse[256]; /* inverse[0] is 0 and never used */
  uint32_t level;
};

struct pf_gf256_parity {
  const uint8_t *data; /* shard i at i × data_stride */
  size_t data_stride;
  uint32_t data_count;
  uint8_t *parity; /* shard j at j × parity_stride; overwritten */
  size_t parity_stride;
  uint32_t parity_count;
  size_t length;          /* bytes of every shard */
  const uint8_t *columns; /* coefficient of parity j and data i at i × parity_count + j */
};

/* Tables, and the best level of this CPU. */
void pf_gf256_init(struct pf_gf256 *gf);
/* c(j, i) = 1 / ((parity_count + i) xor j), column by column; parity_count + data_count ≤ 256. */
void pf_gf256_cauchy(const struct pf_gf256 *gf, uint32_t data_count, uint32_t parity_count,
                     uint8_t *columns);
void pf_gf256_encode(const struct pf_gf256 *gf, const struct pf_gf256_parity *job);

#endif
