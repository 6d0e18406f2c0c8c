/* What making and rebuilding shards of the Leopard code share; private to the wire shim. */
#ifndef PF_WIRE_LEOPARD16_SHAPE_H
#define PF_WIRE_LEOPARD16_SHAPE_H

#include <string.h>

#include "leopard16.h"

#define PF_LEOPARD16_ORDER 65536u

/* Columns of all rows that are worked on at once. */
#define STRIP_MIN 64
#define STRIP_MAX 1024
/* What the work rows of a strip should not exceed, for the cache; yet a narrow strip costs more in tables than it saves. */
#define STRIP_ROWS_SIZE (512 * 1024)

static inline uint32_t power_of_two(uint32_t count) {
  return count <= 1 ? 1 : 1u << (32 - __builtin_clz(count - 1));
}

static inline uint32_t min32(uint32_t a, uint32_t b) {
  return a < b ? a : b;
}

static inline int is_high_rate(uint32_t data_count, uint32_t parity_count) {
  const uint32_t data = power_of_two(data_count), parity = power_of_two(parity_count);
  return data == parity ? data_count <= parity_count : data > parity;
}

static inline size_t strip_size(uint32_t row_count) {
  size_t size = STRIP_MAX;
  while (size > STRIP_MIN && size * row_count > STRIP_ROWS_SIZE) size /= 2;
  return size;
}

/* An odd number of cache lines, so that rows at powers of two do not share cache sets. */
static inline size_t row_size_of(uint32_t row_count) {
  return strip_size(row_count) | PF_LEOPARD16_CHUNK;
}

/* Bytes of the strip at `offset` of shards of `length`. A rest of less than a chunk makes a strip of its own. */
static inline size_t strip_at(size_t offset, size_t length, size_t size_max) {
  const size_t whole = length / PF_LEOPARD16_CHUNK * PF_LEOPARD16_CHUNK;
  const size_t left = offset < whole ? whole - offset : length - whole;
  return left < size_max ? left : size_max;
}

/* `size` bytes of a shard to a row. A rest of r bytes is r/2 low and r/2 high ones. */
static inline void row_from_shard(uint8_t *row, const uint8_t *shard, size_t size) {
  if (size % PF_LEOPARD16_CHUNK == 0) {
    memcpy(row, shard, size);
    return;
  }
  const size_t half = size / 2;
  memset(row, 0, PF_LEOPARD16_CHUNK);
  memcpy(row, shard, half);
  memcpy(row + PF_LEOPARD16_CHUNK / 2, shard + half, half);
}

static inline void shard_from_row(uint8_t *shard, const uint8_t *row, size_t size) {
  if (size % PF_LEOPARD16_CHUNK == 0) {
    memcpy(shard, row, size);
    return;
  }
  const size_t half = size / 2;
  memcpy(shard, row, half);
  memcpy(shard + half, row + PF_LEOPARD16_CHUNK / 2, half);
}

/* As many layers as a pass takes, yet no pass much smaller than another. */
static inline uint32_t bits_of_pass(const struct pf_leopard16_passes *passes, uint32_t layers_left) {
  const uint32_t count = (layers_left + passes->bits_max - 1) / passes->bits_max;
  return (layers_left + count - 1) / count;
}

/* The passes of a level. */
const struct pf_leopard16_passes *pf_leopard16_passes_of(uint32_t level);

#endif
