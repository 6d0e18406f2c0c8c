#include "leopard16.h"

#if defined(__aarch64__)
#include <arm_neon.h>

struct chunk_neon {
  uint8x16_t part[4]; /* low, low, high, high bytes */
};
struct tables_neon {
  uint8x16_t table[4][2];
};

static inline struct tables_neon expand_neon(const struct pf_leopard16 *code, uint32_t element) {
  struct tables_neon sum;
  for (uint32_t n = 0; n < 8; n++) {
    uint8x16_t table = vdupq_n_u8(0);
    for (uint32_t p = 0; p < 4; p++) {
      const struct pf_leopard16_nibbles *part = &code->nibbles[p][element >> 4 * p & 15];
      table = veorq_u8(table, vld1q_u8(part->table[n / 2][n % 2]));
    }
    sum.table[n / 2][n % 2] = table;
  }
  return sum;
}

static inline struct chunk_neon load_neon(const uint8_t *bytes) {
  return (struct chunk_neon){
      {vld1q_u8(bytes), vld1q_u8(bytes + 16), vld1q_u8(bytes + 32), vld1q_u8(bytes + 48)}};
}

static inline void store_neon(uint8_t *bytes, struct chunk_neon x) {
  for (uint32_t n = 0; n < 4; n++) vst1q_u8(bytes + 16 * n, x.part[n]);
}

static inline struct chunk_neon add_neon(struct chunk_neon a, struct chunk_neon b) {
  for (uint32_t n = 0; n < 4; n++) a.part[n] = veorq_u8(a.part[n], b.part[n]);
  return a;
}

static inline struct chunk_neon add_product_neon(struct chunk_neon a, struct chunk_neon b,
                                                 const struct tables_neon *m) {
  const uint8x16_t mask = vdupq_n_u8(15);
  for (uint32_t half = 0; half < 2; half++) {
    const uint8x16_t low = b.part[half], high = b.part[2 + half];
    const uint8x16_t nibbles[4] = {vandq_u8(low, mask), vshrq_n_u8(low, 4), vandq_u8(high, mask),
                                   vshrq_n_u8(high, 4)};
    for (uint32_t n = 0; n < 4; n++) {
      a.part[half] = veorq_u8(a.part[half], vqtbl1q_u8(m->table[n][0], nibbles[n]));
      a.part[2 + half] = veorq_u8(a.part[2 + half], vqtbl1q_u8(m->table[n][1], nibbles[n]));
    }
  }
  return a;
}

#define LEVEL(name) name##_neon
#define TARGET
#define BITS_MAX 1
#define VECTOR struct chunk_neon
#define MULTIPLIER struct tables_neon
#include "leopard16_pass.h"
#endif
