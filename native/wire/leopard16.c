#include "leopard16_shape.h"
#include "level.h"
#include "wire.h"

#define POLYNOMIAL 0x1002du
#define FIELD_BITS 16
#define CHUNK PF_LEOPARD16_CHUNK

static const uint16_t CANTOR_BASIS[FIELD_BITS] = {0x0001, 0xacca, 0x3c0e, 0x163e, 0xc582, 0xed2e,
                                                  0x914c, 0x4012, 0x6c98, 0x10d8, 0x6a72, 0xb900,
                                                  0xfdb8, 0xfb34, 0xff38, 0x991e};

/* ---- The field, as far as tables need it ---- */

/* From polynomials to elements: pivots[b] is the polynomial whose highest bit is b, as that element. */
struct field {
  uint16_t pivots[FIELD_BITS];
  uint16_t elements[FIELD_BITS];
};

static uint32_t polynomial_of(uint32_t element) {
  uint32_t polynomial = 0;
  for (uint32_t bit = 0; bit < FIELD_BITS; bit++) {
    if (element >> bit & 1) polynomial ^= CANTOR_BASIS[bit];
  }
  return polynomial;
}

/* Subtract pivots until nothing is left or a new pivot is found; the sum of their elements, and the rest. */
static uint32_t reduce(const struct field *field, uint32_t *polynomial) {
  uint32_t element = 0;
  for (uint32_t bit = FIELD_BITS; bit-- > 0;) {
    if ((*polynomial >> bit & 1) == 0) continue;
    if (field->pivots[bit] == 0) break;
    *polynomial ^= field->pivots[bit];
    element ^= field->elements[bit];
  }
  return element;
}

static void make_field(struct field *field) {
  memset(field, 0, sizeof *field);
  for (uint32_t n = 0; n < FIELD_BITS; n++) {
    uint32_t rest = CANTOR_BASIS[n];
    const uint32_t element = reduce(field, &rest) ^ (1u << n);
    const uint32_t top = 31u - (uint32_t)__builtin_clz(rest);
    field->pivots[top] = (uint16_t)rest;
    field->elements[top] = (uint16_t)element;
  }
}

static uint32_t multiply(const struct field *field, uint32_t a, uint32_t b) {
  uint32_t product = 0, power = polynomial_of(a);
  for (uint32_t rest = polynomial_of(b); rest != 0; rest >>= 1) {
    if (rest & 1) product ^= power;
    power <<= 1;
    if (power >> FIELD_BITS) power ^= POLYNOMIAL;
  }
  return reduce(field, &product);
}

/* x^(2^16 − 2) */
static uint32_t invert(const struct field *field, uint32_t element) {
  uint32_t inverse = 1;
  for (uint32_t n = 1; n < FIELD_BITS; n++) {
    element = multiply(field, element, element);
    inverse = multiply(field, inverse, element);
  }
  return inverse;
}

/* A factor depends on the bits of its point above the layer, and is linear in them. Those left out are zero. */
static void make_twiddles(const struct field *field, uint16_t *twiddles) {
  uint32_t factors[FIELD_BITS - 1];
  for (uint32_t n = 0; n < FIELD_BITS - 1; n++) factors[n] = 2u << n;
  for (uint32_t layer = 0; layer < FIELD_BITS - 1; layer++) {
    const uint32_t first = 1u << layer;
    for (uint32_t n = layer; n < FIELD_BITS - 1; n++) {
      const uint32_t width = 2u << n;
      for (uint32_t at = first; at < width; at += 2 * first) {
        twiddles[at + width] = (uint16_t)(twiddles[at] ^ factors[n]);
      }
    }
    const uint32_t own = factors[layer];
    const uint32_t scale = invert(field, multiply(field, own, own ^ 1));
    for (uint32_t n = layer + 1; n < FIELD_BITS - 1; n++) {
      factors[n] = multiply(field, multiply(field, factors[n], factors[n] ^ 1), scale);
    }
  }
}

/* Byte 7 − i of an 8×8 matrix selects the input bits that make output bit i. */
static void make_tables(const struct field *field, uint32_t element,
                        struct pf_leopard16_nibbles *nibbles, struct pf_leopard16_affine *affine) {
  memset(affine, 0, sizeof *affine);
  uint32_t images[FIELD_BITS];
  for (uint32_t bit = 0; bit < FIELD_BITS; bit++) {
    images[bit] = multiply(field, element, 1u << bit);
    for (uint32_t output = 0; output < FIELD_BITS; output++) {
      const uint32_t from = bit / 8, to = output / 8;
      const uint32_t matrix = from == to ? to : 2 + to;
      const uint64_t selector = 1ull << ((7 - output % 8) * 8 + bit % 8);
      if (images[bit] >> output & 1) affine->matrix[matrix] |= selector;
    }
  }
  for (uint32_t n = 0; n < 4; n++) {
    for (uint32_t value = 0; value < 16; value++) {
      uint32_t product = 0;
      for (uint32_t bit = 0; bit < 4; bit++) {
        if (value >> bit & 1) product ^= images[4 * n + bit];
      }
      nibbles->table[n][0][value] = (uint8_t)product;
      nibbles->table[n][1][value] = (uint8_t)(product >> 8);
    }
  }
}

void pf_leopard16_init(struct pf_leopard16 *code) {
  struct field field;
  memset(code, 0, sizeof *code);
  make_field(&field);
  make_twiddles(&field, code->twiddles);
  for (uint32_t p = 0; p < 4; p++) {
    for (uint32_t value = 0; value < 16; value++) {
      make_tables(&field, value << 4 * p, &code->nibbles[p][value], &code->affine[p][value]);
    }
  }
  code->level = pf_level_best();
}

/* ---- The code ---- */

int pf_leopard16_supports(uint32_t data_count, uint32_t parity_count) {
  const uint32_t width = min32(power_of_two(data_count), power_of_two(parity_count));
  return data_count >= 1 &&
         width + (data_count > parity_count ? data_count : parity_count) <= PF_LEOPARD16_ORDER;
}

/* Rows of a transform: the lesser of both counts, as a power of two. */
static uint32_t width_of(uint32_t data_count, uint32_t parity_count) {
  return power_of_two(is_high_rate(data_count, parity_count) ? parity_count : data_count);
}

size_t pf_leopard16_work_size(uint32_t data_count, uint32_t parity_count) {
  const uint32_t width = width_of(data_count, parity_count);
  return 2 * width * row_size_of(width);
}

/* The columns of all shards that are in work. */
struct strip {
  const struct pf_leopard16_parity *job;
  const struct pf_leopard16 *code;
  const struct pf_leopard16_passes *passes;
  uint32_t width;
  uint32_t width_bits;
  size_t row_size;
  uint8_t *rows; /* `width` of them */
  uint8_t *sums; /* as many */
  size_t offset; /* in every shard */
  size_t size;
  uint32_t chunk_count;
};

static int is_rest(const struct strip *strip) {
  return strip->size % CHUNK != 0;
}

/* Values at the points from `delta` on of data shards first … first + width − 1 become coefficients in `sums`. */
static void add_coefficients(const struct strip *strip, uint32_t first, uint32_t delta, int is_sum) {
  const struct pf_leopard16_parity *job = strip->job;
  const uint8_t *data = job->data + first * job->data_stride;
  const uint32_t count = min32(strip->width, job->data_count - first);
  const uint32_t first_bits = bits_of_pass(strip->passes, strip->width_bits);
  /* Whole blocks of the first pass are read where they are, the others through `rows`. */
  const uint32_t direct = is_rest(strip) ? 0 : count >> first_bits << first_bits;
  for (uint32_t r = direct; r < count; r++) {
    row_from_shard(strip->rows + r * strip->row_size, data + r * job->data_stride + strip->offset,
                   strip->size);
  }
  memset(strip->rows + count * strip->row_size, 0, (strip->width - count) * strip->row_size);
  uint32_t bits = first_bits;
  for (uint32_t layer = 0; layer < strip->width_bits; layer += bits) {
    bits = bits_of_pass(strip->passes, strip->width_bits - layer);
    const int is_last = layer + bits == strip->width_bits;
    const pf_leopard16_pass pass =
        is_last && is_sum ? strip->passes->inverse_add[bits - 1] : strip->passes->inverse[bits - 1];
    for (uint32_t r = 0; r < count; r += 1u << (layer + bits)) {
      const int is_direct = layer == 0 && r < direct;
      const struct pf_leopard16_block block = {
          .source = is_direct ? data + r * job->data_stride + strip->offset
                              : strip->rows + r * strip->row_size,
          .source_stride = is_direct ? job->data_stride : strip->row_size,
          .target = (is_last ? strip->sums : strip->rows) + r * strip->row_size,
          .target_stride = strip->row_size,
          .layer = layer,
          .chunk_count = strip->chunk_count,
          .twiddles = strip->code->twiddles + delta + r};
      pass(strip->code, &block);
    }
  }
}

/* The coefficients in `sums` become values at the points from `delta` on: parity shards first … */
static void put_values(const struct strip *strip, uint32_t first, uint32_t delta) {
  const struct pf_leopard16_parity *job = strip->job;
  uint8_t *parity = job->parity + first * job->parity_stride;
  const uint32_t count = min32(strip->width, job->parity_count - first);
  uint32_t direct = 0;
  for (uint32_t top = strip->width_bits; top > 0;) {
    const uint32_t bits = bits_of_pass(strip->passes, top);
    const uint32_t layer = top - bits;
    if (layer == 0 && !is_rest(strip)) direct = count >> bits << bits;
    for (uint32_t r = 0; r < count; r += 1u << top) {
      const int is_direct = layer == 0 && r < direct;
      const struct pf_leopard16_block block = {
          .source = (top == strip->width_bits ? strip->sums : strip->rows) + r * strip->row_size,
          .source_stride = strip->row_size,
          .target = is_direct ? parity + r * job->parity_stride + strip->offset
                              : strip->rows + r * strip->row_size,
          .target_stride = is_direct ? job->parity_stride : strip->row_size,
          .layer = layer,
          .chunk_count = strip->chunk_count,
          .twiddles = strip->code->twiddles + delta + r};
      strip->passes->forward[bits - 1](strip->code, &block);
    }
    top = layer;
  }
  for (uint32_t r = direct; r < count; r++) {
    shard_from_row(parity + r * job->parity_stride + strip->offset,
                   strip->rows + r * strip->row_size, strip->size);
  }
}

/* A transform of one row is no transform: the one parity shard is the sum, or each is the one data shard. */
static void encode_trivial(const struct pf_leopard16_parity *job) {
  for (uint32_t j = 0; j < job->parity_count; j++) {
    memcpy(job->parity + j * job->parity_stride, job->data, job->length);
  }
  for (uint32_t i = 1; i < job->data_count; i++) {
    const uint8_t *data = job->data + i * job->data_stride;
    for (size_t at = 0; at < job->length; at++) job->parity[at] ^= data[at];
  }
}

const struct pf_leopard16_passes *pf_leopard16_passes_of(uint32_t level) {
  switch (level) {
#if defined(__x86_64__)
    case PF_WIRE_LEVEL_SSSE3:
      return &pf_leopard16_ssse3;
    case PF_WIRE_LEVEL_AVX2:
      return &pf_leopard16_avx2;
    case PF_WIRE_LEVEL_AVX512:
      return &pf_leopard16_avx512;
    case PF_WIRE_LEVEL_GFNI_AVX2:
      return &pf_leopard16_gfni_avx2;
    case PF_WIRE_LEVEL_GFNI_AVX512:
      return &pf_leopard16_gfni_avx512;
#elif defined(__aarch64__)
    case PF_WIRE_LEVEL_NEON:
      return &pf_leopard16_neon;
#endif
    default:
      return &pf_leopard16_scalar;
  }
}

void pf_leopard16_encode(const struct pf_leopard16 *code, const struct pf_leopard16_parity *job) {
  const uint32_t width = width_of(job->data_count, job->parity_count);
  if (width == 1) {
    encode_trivial(job);
    return;
  }
  const int is_high = is_high_rate(job->data_count, job->parity_count);
  const size_t size_max = strip_size(width);
  struct strip strip = {.job = job,
                        .code = code,
                        .passes = pf_leopard16_passes_of(code->level),
                        .width = width,
                        .width_bits = (uint32_t)__builtin_ctz(width),
                        .row_size = row_size_of(width),
                        .rows = job->work,
                        .sums = job->work + width * row_size_of(width)};
  for (strip.offset = 0; strip.offset < job->length; strip.offset += strip.size) {
    strip.size = strip_at(strip.offset, job->length, size_max);
    strip.chunk_count = (uint32_t)((strip.size + CHUNK - 1) / CHUNK);
    /* High rate: all data into one transform's coefficients. Low rate: one transform's into all parity. */
    for (uint32_t first = 0; first < job->data_count; first += width) {
      add_coefficients(&strip, first, is_high ? first + width : 0, first > 0);
    }
    for (uint32_t first = 0; first < job->parity_count; first += width) {
      put_values(&strip, first, is_high ? 0 : first + width);
    }
  }
}
