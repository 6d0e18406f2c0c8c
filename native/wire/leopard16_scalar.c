#include "leopard16.h"

#include <string.h>

#define LEVEL(name) name##_scalar
#define TARGET
#define BITS_MAX 1

struct chunk {
  uint8_t bytes[PF_LEOPARD16_CHUNK];
};
#define VECTOR struct chunk
#define MULTIPLIER struct pf_leopard16_nibbles

static struct pf_leopard16_nibbles expand_scalar(const struct pf_leopard16 *code, uint32_t element) {
  struct pf_leopard16_nibbles sum = code->nibbles[0][element & 15];
  for (uint32_t p = 1; p < 4; p++) {
    const struct pf_leopard16_nibbles *part = &code->nibbles[p][element >> 4 * p & 15];
    for (size_t at = 0; at < sizeof sum; at++) {
      ((uint8_t *)&sum)[at] ^= ((const uint8_t *)part)[at];
    }
  }
  return sum;
}

static inline struct chunk load_scalar(const uint8_t *bytes) {
  struct chunk chunk;
  memcpy(chunk.bytes, bytes, sizeof chunk.bytes);
  return chunk;
}

static inline void store_scalar(uint8_t *bytes, struct chunk chunk) {
  memcpy(bytes, chunk.bytes, sizeof chunk.bytes);
}

static inline struct chunk add_scalar(struct chunk a, struct chunk b) {
  for (size_t at = 0; at < PF_LEOPARD16_CHUNK; at++) a.bytes[at] ^= b.bytes[at];
  return a;
}

static inline struct chunk add_product_scalar(struct chunk a, struct chunk b,
                                              const struct pf_leopard16_nibbles *m) {
  enum { HALF = PF_LEOPARD16_CHUNK / 2 };
  for (size_t at = 0; at < HALF; at++) {
    const uint32_t low = b.bytes[at], high = b.bytes[HALF + at];
    for (size_t byte = 0; byte < 2; byte++) {
      a.bytes[byte * HALF + at] ^=
          m->table[0][byte][low & 15] ^ m->table[1][byte][low >> 4] ^
          m->table[2][byte][high & 15] ^ m->table[3][byte][high >> 4];
    }
  }
  return a;
}

#include "leopard16_pass.h"
