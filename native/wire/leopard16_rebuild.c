#include "leopard16_shape.h"

#define MODULUS 65535u
/* x as a sum of the Cantor basis: the logarithms' base. */
#define GENERATOR 0x4690u

/* ---- Logarithms, modulo 65535: 0 and 65535 are the same ---- */

static uint16_t add_logarithms(uint32_t a, uint32_t b) {
  const uint32_t sum = a + b;
  return (uint16_t)(sum + (sum >> 16));
}

static void walsh_transform(uint16_t *values, uint32_t count) {
  for (uint32_t distance = 1; distance < count; distance *= 2) {
    for (uint32_t first = 0; first < count; first += 2 * distance) {
      for (uint32_t n = first; n < first + distance; n++) {
        const uint32_t a = values[n], b = values[n + distance], difference = a - b;
        values[n] = add_logarithms(a, b);
        values[n + distance] = (uint16_t)(difference + (difference >> 16));
      }
    }
  }
}

static uint32_t multiply(const struct pf_leopard16 *code, uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (uint32_t p = 0; p < 4; p++) {
    const struct pf_leopard16_nibbles *part = &code->nibbles[p][a >> 4 * p & 15];
    for (uint32_t n = 0; n < 4; n++) {
      const uint32_t value = b >> 4 * n & 15;
      product ^= part->table[n][0][value] | (uint32_t)part->table[n][1][value] << 8;
    }
  }
  return product;
}

void pf_leopard16_rebuilder_init(struct pf_leopard16_rebuilder *rebuilder,
                                 const struct pf_leopard16 *code) {
  rebuilder->log_walsh[0] = 0;
  for (uint32_t exponent = 0, element = 1; exponent < MODULUS; exponent++) {
    rebuilder->exponents[exponent] = (uint16_t)element;
    rebuilder->log_walsh[element] = (uint16_t)exponent;
    element = multiply(code, element, GENERATOR);
  }
  rebuilder->exponents[MODULUS] = rebuilder->exponents[0];
  walsh_transform(rebuilder->log_walsh, PF_LEOPARD16_ORDER);
  rebuilder->folded_count = 0;
}

/* Where the shards lie among the rows of the transform. */
struct placement {
  uint32_t data_count;
  uint32_t data_first;
  uint32_t parity_first;
  uint32_t end; /* no shard lies here or behind */
  uint32_t row_count;
  int is_high;
};

static struct placement place(uint32_t data_count, uint32_t parity_count) {
  struct placement placement = {.data_count = data_count,
                                .is_high = is_high_rate(data_count, parity_count)};
  if (placement.is_high) {
    placement.data_first = power_of_two(parity_count);
    placement.end = placement.data_first + data_count;
  } else {
    placement.parity_first = power_of_two(data_count);
    placement.end = placement.parity_first + parity_count;
  }
  placement.row_count = power_of_two(placement.end);
  return placement;
}

/* Of a data or, behind them, a parity shard. */
static uint32_t row_of(const struct placement *placement, uint32_t index) {
  return index < placement->data_count
             ? placement->data_first + index
             : placement->parity_first + index - placement->data_count;
}

static void fold(struct pf_leopard16_rebuilder *rebuilder, uint32_t count) {
  if (rebuilder->folded_count == count) return;
  memcpy(rebuilder->folded, rebuilder->log_walsh, count * sizeof rebuilder->folded[0]);
  for (uint32_t first = count; first < PF_LEOPARD16_ORDER; first += count) {
    for (uint32_t n = 0; n < count; n++) {
      rebuilder->folded[n] =
          add_logarithms(rebuilder->folded[n], rebuilder->log_walsh[first + n]);
    }
  }
  rebuilder->folded_count = count;
}

/*
 * Logarithms of the polynomial that is zero at the rows without a shard, or of its derivative there; up to a common
 * factor, which cancels out.
 *
 * The reference transforms all points of the field. Only the rows matter: what lies behind them is without a shard (low
 * rate) or zero and known (high rate). High rate marks the rows that are lost, so that the first transform repeats itself
 * from row_count on; low rate marks by −1 those that are not, which is the same less a mark on every point, and all
 * points together give the factor 1.
 */
static void locate(struct pf_leopard16_rebuilder *rebuilder, const struct pf_leopard16_lost *job,
                   const struct placement *placement) {
  const uint32_t count = placement->row_count;
  const uint16_t known = placement->is_high ? 0 : MODULUS - 1, lost = placement->is_high ? 1 : 0;
  uint16_t *locator = rebuilder->locator;
  for (uint32_t n = 0; n < count; n++) locator[n] = n < placement->end ? known : 0;
  if (placement->is_high) {
    for (uint32_t n = job->parity_count; n < placement->data_first; n++) locator[n] = 1;
  }
  for (uint32_t n = 0; n < job->data_count + job->parity_count; n++) {
    if (job->present[n] == 0) locator[row_of(placement, n)] = lost;
  }
  fold(rebuilder, count);
  walsh_transform(locator, count);
  for (uint32_t n = 0; n < count; n++) {
    locator[n] = (uint16_t)((uint32_t)locator[n] * rebuilder->folded[n] % MODULUS);
  }
  walsh_transform(locator, count);
}

/* The columns of all shards that are in work. */
struct strip {
  const struct pf_leopard16_lost *job;
  const struct pf_leopard16 *code;
  const struct pf_leopard16_passes *passes;
  const struct pf_leopard16_rebuilder *rebuilder;
  struct placement placement;
  uint8_t *rows;
  size_t row_size;
  size_t offset; /* in every shard */
  size_t size;
  uint32_t chunk_count;
};

static uint32_t factor_of(const struct strip *strip, uint32_t row) {
  return strip->rebuilder->exponents[strip->rebuilder->locator[row]];
}

static void load_shard(const struct strip *strip, uint32_t index, const uint8_t *shard) {
  const uint32_t row = row_of(&strip->placement, index);
  uint8_t *target = strip->rows + row * strip->row_size;
  const uint8_t *source = shard + strip->offset;
  if (strip->job->present[index] == 0) {
    memset(target, 0, strip->row_size);
    return;
  }
  if (strip->size % PF_LEOPARD16_CHUNK != 0) {
    row_from_shard(target, source, strip->size);
    source = target;
  }
  strip->passes->scale(strip->code, factor_of(strip, row), source, target, strip->chunk_count);
}

static void load_rows(const struct strip *strip) {
  const struct pf_leopard16_lost *job = strip->job;
  const struct placement *placement = &strip->placement;
  for (uint32_t i = 0; i < job->data_count; i++) load_shard(strip, i, job->data + i * job->length);
  for (uint32_t j = 0; j < job->parity_count; j++) {
    load_shard(strip, job->data_count + j, job->parity + j * job->length);
  }
  /* Rows between the two, and behind both. */
  const uint32_t first = placement->is_high ? job->parity_count : job->data_count;
  const uint32_t last = placement->is_high ? placement->data_first : placement->parity_first;
  memset(strip->rows + first * strip->row_size, 0, (last - first) * strip->row_size);
  memset(strip->rows + placement->end * strip->row_size, 0,
         (placement->row_count - placement->end) * strip->row_size);
}

static void add_row(const struct strip *strip, uint32_t target, uint32_t source) {
  uint8_t *restrict to = strip->rows + target * strip->row_size;
  const uint8_t *restrict from = strip->rows + source * strip->row_size;
  const size_t size = (size_t)strip->chunk_count * PF_LEOPARD16_CHUNK;
  for (size_t at = 0; at < size; at++) to[at] ^= from[at];
}

/* The formal derivative, whose terms vanish where the index of the coefficient is even. */
static void derive(const struct strip *strip) {
  for (uint32_t n = 1; n < strip->placement.row_count; n++) {
    const uint32_t width = n & -n;
    for (uint32_t at = n - width; at < n; at++) add_row(strip, at, at + width);
  }
}

/* All layers of one direction, up to the last row that holds a shard. */
static void transform(const struct strip *strip, int is_forward) {
  const uint32_t layers = (uint32_t)__builtin_ctz(strip->placement.row_count);
  uint32_t bits = 0;
  for (uint32_t done = 0; done < layers; done += bits) {
    bits = bits_of_pass(strip->passes, layers - done);
    const uint32_t layer = is_forward ? layers - done - bits : done;
    const pf_leopard16_pass pass =
        is_forward ? strip->passes->forward[bits - 1] : strip->passes->inverse[bits - 1];
    for (uint32_t r = 0; r < strip->placement.end; r += 1u << (layer + bits)) {
      uint8_t *rows = strip->rows + r * strip->row_size;
      const struct pf_leopard16_block block = {.source = rows,
                                               .source_stride = strip->row_size,
                                               .target = rows,
                                               .target_stride = strip->row_size,
                                               .layer = layer,
                                               .chunk_count = strip->chunk_count,
                                               .twiddles = strip->code->twiddles + r};
      pass(strip->code, &block);
    }
  }
}

static void store_lost(const struct strip *strip) {
  const struct pf_leopard16_lost *job = strip->job;
  for (uint32_t i = 0; i < job->data_count; i++) {
    if (job->present[i] != 0) continue;
    const uint32_t at = row_of(&strip->placement, i);
    uint8_t *row = strip->rows + at * strip->row_size;
    const uint32_t inverse =
        strip->rebuilder->exponents[MODULUS - strip->rebuilder->locator[at]];
    strip->passes->scale(strip->code, inverse, row, row, strip->chunk_count);
    shard_from_row(job->data + i * job->length + strip->offset, row, strip->size);
  }
}

size_t pf_leopard16_rebuild_size(uint32_t data_count, uint32_t parity_count) {
  const uint32_t row_count = place(data_count, parity_count).row_count;
  return row_count * row_size_of(row_count);
}

void pf_leopard16_rebuild(struct pf_leopard16_rebuilder *rebuilder, const struct pf_leopard16 *code,
                          const struct pf_leopard16_lost *job) {
  struct strip strip = {.job = job,
                        .code = code,
                        .passes = pf_leopard16_passes_of(code->level),
                        .rebuilder = rebuilder,
                        .placement = place(job->data_count, job->parity_count),
                        .rows = job->work};
  const size_t size_max = strip_size(strip.placement.row_count);
  strip.row_size = row_size_of(strip.placement.row_count);
  locate(rebuilder, job, &strip.placement);
  for (strip.offset = 0; strip.offset < job->length; strip.offset += strip.size) {
    strip.size = strip_at(strip.offset, job->length, size_max);
    strip.chunk_count = (uint32_t)((strip.size + PF_LEOPARD16_CHUNK - 1) / PF_LEOPARD16_CHUNK);
    load_rows(&strip);
    transform(&strip, 0);
    derive(&strip);
    transform(&strip, 1);
    store_lost(&strip);
  }
}
