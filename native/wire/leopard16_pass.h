/*
 * The passes of one level, from its arithmetic on one chunk of 64 bytes. Included once for each level, with
 *
 *     LEVEL(name)                    name, made the level's own
 *     TARGET                         attribute of its functions, or nothing
 *     BITS_MAX                       layers that one pass takes at most, 1 to 3: how many rows fit the registers
 *     VECTOR, MULTIPLIER             a chunk; what multiplies chunks by one element
 *     LEVEL(expand)(code, element)   the MULTIPLIER of an element
 *     LEVEL(load)(bytes), LEVEL(store)(bytes, x), LEVEL(add)(a, b)
 *     LEVEL(add_product)(a, b, m)    a + b · m
 *
 * The rows of a pass stay in registers through all its layers: `bits` is a constant wherever it is inlined, so that the
 * arrays become registers.
 */
#define PASS_INLINE static inline __attribute__((always_inline)) TARGET
#define UNROLLED _Pragma("GCC unroll 8")

PASS_INLINE void LEVEL(butterflies)(VECTOR *rows, const MULTIPLIER *multipliers, const uint32_t bits,
                                    const uint32_t layer, const int is_forward) {
  const uint32_t count = 1u << bits, distance = 1u << layer;
  UNROLLED for (uint32_t pair = 0; pair < count / 2; pair++) {
    const uint32_t first = (pair >> layer) * 2 * distance, a = first + (pair & (distance - 1));
    const uint32_t middle = first + distance, b = a + distance;
    if (is_forward) {
      rows[a] = LEVEL(add_product)(rows[a], rows[b], multipliers + middle);
      rows[b] = LEVEL(add)(rows[b], rows[a]);
    } else {
      rows[b] = LEVEL(add)(rows[b], rows[a]);
      rows[a] = LEVEL(add_product)(rows[a], rows[b], multipliers + middle);
    }
  }
}

PASS_INLINE void LEVEL(run)(const struct pf_leopard16 *code, const struct pf_leopard16_block *block,
                            const uint32_t bits, const int is_forward, const int is_sum) {
  const uint32_t count = 1u << bits;
  const size_t distance = (size_t)1 << block->layer;
  MULTIPLIER multipliers[8]; /* by the row that a block's second half starts with */
  UNROLLED for (uint32_t middle = 1; middle < count; middle++) {
    multipliers[middle] = LEVEL(expand)(code, block->twiddles[distance * middle]);
  }
  const size_t source_step = distance * block->source_stride;
  const size_t target_step = distance * block->target_stride;
  for (size_t first = 0; first < distance; first++) {
    const uint8_t *source = block->source + first * block->source_stride;
    uint8_t *target = block->target + first * block->target_stride;
    for (uint32_t chunk = 0; chunk < block->chunk_count; chunk++) {
      VECTOR rows[8];
      UNROLLED for (uint32_t r = 0; r < count; r++) {
        rows[r] = LEVEL(load)(source + r * source_step);
      }
      UNROLLED for (uint32_t n = 0; n < bits; n++) {
        LEVEL(butterflies)(rows, multipliers, bits, is_forward ? bits - 1 - n : n, is_forward);
      }
      UNROLLED for (uint32_t r = 0; r < count; r++) {
        uint8_t *at = target + r * target_step;
        LEVEL(store)(at, is_sum ? LEVEL(add)(LEVEL(load)(at), rows[r]) : rows[r]);
      }
      source += PF_LEOPARD16_CHUNK;
      target += PF_LEOPARD16_CHUNK;
    }
  }
}

TARGET static void LEVEL(scale)(const struct pf_leopard16 *code, uint32_t element,
                                const uint8_t *source, uint8_t *target, uint32_t chunk_count) {
  const MULTIPLIER multiplier = LEVEL(expand)(code, element);
  for (size_t at = 0; at < (size_t)chunk_count * PF_LEOPARD16_CHUNK; at += PF_LEOPARD16_CHUNK) {
    const VECTOR x = LEVEL(load)(source + at);
    LEVEL(store)(target + at, LEVEL(add_product)(LEVEL(add)(x, x), x, &multiplier));
  }
}

#define PASS_FUNCTION(name, bits, is_forward, is_sum)                              \
  TARGET static void LEVEL(name)(const struct pf_leopard16 *code,                  \
                                 const struct pf_leopard16_block *block) {         \
    LEVEL(run)(code, block, bits, is_forward, is_sum);                             \
  }
PASS_FUNCTION(inverse_1, 1, 0, 0)
PASS_FUNCTION(inverse_add_1, 1, 0, 1)
PASS_FUNCTION(forward_1, 1, 1, 0)
#if BITS_MAX >= 2
PASS_FUNCTION(inverse_2, 2, 0, 0)
PASS_FUNCTION(inverse_add_2, 2, 0, 1)
PASS_FUNCTION(forward_2, 2, 1, 0)
#endif
#if BITS_MAX >= 3
PASS_FUNCTION(inverse_3, 3, 0, 0)
PASS_FUNCTION(inverse_add_3, 3, 0, 1)
PASS_FUNCTION(forward_3, 3, 1, 0)
#endif

#if BITS_MAX >= 3
#define PASS_LIST(name) {LEVEL(name##_1), LEVEL(name##_2), LEVEL(name##_3)}
#elif BITS_MAX == 2
#define PASS_LIST(name) {LEVEL(name##_1), LEVEL(name##_2), NULL}
#else
#define PASS_LIST(name) {LEVEL(name##_1), NULL, NULL}
#endif

const struct pf_leopard16_passes LEVEL(pf_leopard16) = {
    .bits_max = BITS_MAX,
    .inverse = PASS_LIST(inverse),
    .inverse_add = PASS_LIST(inverse_add),
    .forward = PASS_LIST(forward),
    .scale = LEVEL(scale)};

#undef PASS_INLINE
#undef UNROLLED
#undef PASS_FUNCTION
#undef PASS_LIST
#undef LEVEL
#undef TARGET
#undef BITS_MAX
#undef VECTOR
#undef MULTIPLIER
