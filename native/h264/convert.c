#include "convert.h"

#include <math.h>
#include <string.h>

static int16_t weight(double value) { return (int16_t)lrint(value * 32768.0); }

void pf_weights_init(struct pf_weights *weights, uint32_t format, uint32_t matrix, uint32_t is_full_range) {
  const double kr = matrix == PF_H264_BT709 ? 0.2126 : 0.299;
  const double kb = matrix == PF_H264_BT709 ? 0.0722 : 0.114;
  const double y_scale = is_full_range ? 1.0 : 219.0 / 255.0;
  const double uv_scale = is_full_range ? 0.5 : 112.0 / 255.0;
  const double rgb_y[3] = {kr, 1.0 - kr - kb, kb};
  const double rgb_u[3] = {-kr / (1.0 - kb), -(1.0 - kr - kb) / (1.0 - kb), 1.0};
  const double rgb_v[3] = {1.0, -(1.0 - kr - kb) / (1.0 - kr), -kb / (1.0 - kr)};
  memset(weights, 0, sizeof *weights);
  for (int i = 0; i < 3; i++) {
    const int at = format == PF_H264_BGRX ? 2 - i : i;
    weights->y[at] = weight(rgb_y[i] * y_scale);
    weights->u[at] = weight(rgb_u[i] * uv_scale);
    weights->v[at] = weight(rgb_v[i] * uv_scale);
  }
  /* Grey must stay exactly grey and white exactly white: rounding errors go to green, the heaviest weight. */
  weights->y[1] = (int16_t)(lrint(y_scale * 32768.0) - weights->y[0] - weights->y[2]);
  weights->u[1] = (int16_t)(-weights->u[0] - weights->u[2]);
  weights->v[1] = (int16_t)(-weights->v[0] - weights->v[2]);
  weights->y_offset = ((is_full_range ? 0 : 16) << 15) + (1 << 14);
  weights->uv_offset = (128 << 17) + (1 << 16);
}

static uint8_t clamp_u8(int32_t value) { return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value); }

static int32_t dot(const int16_t weights[4], int32_t a, int32_t b, int32_t c) {
  return weights[0] * a + weights[1] * b + weights[2] * c;
}

/* One pair of rows from column `from` on. */
static void convert_rows(const struct pf_weights *weights, const uint8_t *top, const uint8_t *bottom, uint8_t *y_top,
                         uint8_t *y_bottom, uint8_t *u, uint8_t *v, uint32_t from, uint32_t width) {
  for (uint32_t x = from; x < width; x += 2) {
    const uint8_t *p = top + 4 * (size_t)x, *q = bottom + 4 * (size_t)x;
    y_top[x] = clamp_u8((dot(weights->y, p[0], p[1], p[2]) + weights->y_offset) >> 15);
    y_top[x + 1] = clamp_u8((dot(weights->y, p[4], p[5], p[6]) + weights->y_offset) >> 15);
    y_bottom[x] = clamp_u8((dot(weights->y, q[0], q[1], q[2]) + weights->y_offset) >> 15);
    y_bottom[x + 1] = clamp_u8((dot(weights->y, q[4], q[5], q[6]) + weights->y_offset) >> 15);
    const int32_t a = p[0] + p[4] + q[0] + q[4];
    const int32_t b = p[1] + p[5] + q[1] + q[5];
    const int32_t c = p[2] + p[6] + q[2] + q[6];
    u[x / 2] = clamp_u8((dot(weights->u, a, b, c) + weights->uv_offset) >> 17);
    v[x / 2] = clamp_u8((dot(weights->v, a, b, c) + weights->uv_offset) >> 17);
  }
}

void pf_convert_plain(const struct pf_weights *weights, const uint8_t *pixels, size_t stride,
                      const struct pf_planes *planes, uint32_t width, uint32_t height) {
  for (uint32_t y = 0; y < height; y += 2) {
    uint8_t *luma = planes->y + y * planes->y_stride;
    convert_rows(weights, pixels + y * stride, pixels + (y + 1) * stride, luma, luma + planes->y_stride,
                 planes->u + y / 2 * planes->uv_stride, planes->v + y / 2 * planes->uv_stride, 0, width);
  }
}

static uint32_t difference(const uint8_t *a, const uint8_t *b, uint32_t count) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < count; i++) sum += (uint32_t)(a[i] > b[i] ? a[i] - b[i] : b[i] - a[i]);
  return sum;
}

/*
 * Of each four rows of a block the second and third are taken: every one has a row above it, and both parities count, or
 * content whose rows come in pairs would look twice as rough or quite smooth, depending on where it stands. The first
 * column has no left neighbours: the row above counts twice there. Blocks cut by the right edge or the bottom are left out.
 */
static uint32_t measured_row(uint32_t index) { return index / 2 * 4 + index % 2 + 1; }

void pf_measure_plain(const uint8_t *luma, const uint8_t *previous, size_t stride, uint32_t width, uint32_t height,
                      struct pf_h264_complexity *out) {
  *out = (struct pf_h264_complexity){.samples = (width / 16) * (height / 16) * 128};
  for (uint32_t block_y = 0; block_y + 16 <= height; block_y += 16) {
    for (uint32_t block_x = 0; block_x + 16 <= width; block_x += 16) {
      uint32_t intra = 0, inter = 0;
      for (uint32_t row = 0; row < 8; row++) {
        const size_t at = (block_y + measured_row(row)) * stride + block_x;
        const size_t left = block_x > 0 ? at - 1 : at - stride;
        intra += difference(luma + at, luma + at - stride, 16) + difference(luma + at, luma + left, 16);
        if (previous != NULL) inter += difference(luma + at, previous + at, 16);
      }
      intra /= 2;
      out->intra += intra;
      out->inter += previous != NULL && inter < intra ? inter : intra;
    }
  }
}

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

/* Dot products of eight pixels (two halves of four, as unpack leaves them) with one set of weights. */
static inline AVX2 __m256i dot8(__m256i low, __m256i high, __m256i weights) {
  return _mm256_hadd_epi32(_mm256_madd_epi16(low, weights), _mm256_madd_epi16(high, weights));
}

/* Luma of 16 pixels. */
static inline AVX2 __m128i luma16(const uint8_t *pixels, __m256i weights, __m256i offset) {
  const __m256i zero = _mm256_setzero_si256();
  const __m256i a = _mm256_loadu_si256((const __m256i *)pixels);
  const __m256i b = _mm256_loadu_si256((const __m256i *)(pixels + 32));
  /* Lanes: a holds pixels 0-3 | 4-7, and hadd keeps their order within each lane. */
  __m256i first = dot8(_mm256_unpacklo_epi8(a, zero), _mm256_unpackhi_epi8(a, zero), weights);
  __m256i second = dot8(_mm256_unpacklo_epi8(b, zero), _mm256_unpackhi_epi8(b, zero), weights);
  first = _mm256_srai_epi32(_mm256_add_epi32(first, offset), 15);
  second = _mm256_srai_epi32(_mm256_add_epi32(second, offset), 15);
  /* packs: 0-3, 8-11 | 4-7, 12-15. */
  const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(first, second), _MM_SHUFFLE(3, 1, 2, 0));
  return _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
}

/* Sums of the 2×2 blocks of eight columns: four blocks as 16-bit quadruples, 0 1 | 2 3. */
static inline AVX2 __m256i blocks4(const uint8_t *top, const uint8_t *bottom) {
  const __m256i zero = _mm256_setzero_si256();
  const __m256i a = _mm256_loadu_si256((const __m256i *)top), b = _mm256_loadu_si256((const __m256i *)bottom);
  const __m256i low = _mm256_add_epi16(_mm256_unpacklo_epi8(a, zero), _mm256_unpacklo_epi8(b, zero));
  const __m256i high = _mm256_add_epi16(_mm256_unpackhi_epi8(a, zero), _mm256_unpackhi_epi8(b, zero));
  return _mm256_add_epi16(_mm256_unpacklo_epi64(low, high), _mm256_unpackhi_epi64(low, high));
}

/* One chroma plane of 16 columns: eight bytes. */
static inline AVX2 __m128i chroma8(__m256i first, __m256i second, __m256i weights, __m256i offset) {
  __m256i sums = dot8(first, second, weights); /* 0 1 4 5 | 2 3 6 7 */
  sums = _mm256_srai_epi32(_mm256_add_epi32(sums, offset), 17);
  sums = _mm256_permute4x64_epi64(sums, _MM_SHUFFLE(3, 1, 2, 0)); /* 0 1 2 3 | 4 5 6 7 */
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
  return _mm_packus_epi16(words, words);
}

static inline AVX2 __m256i weights_of(const int16_t weights[4]) {
  int64_t packed;
  memcpy(&packed, weights, sizeof packed);
  return _mm256_set1_epi64x(packed);
}

static AVX2 void convert_avx2(const struct pf_weights *weights, const uint8_t *pixels, size_t stride,
                              const struct pf_planes *planes, uint32_t width, uint32_t height) {
  const __m256i wy = weights_of(weights->y), wu = weights_of(weights->u), wv = weights_of(weights->v);
  const __m256i y_offset = _mm256_set1_epi32(weights->y_offset);
  const __m256i uv_offset = _mm256_set1_epi32(weights->uv_offset);
  const uint32_t whole = width & ~15u;
  for (uint32_t y = 0; y < height; y += 2) {
    const uint8_t *top = pixels + y * stride, *bottom = top + stride;
    uint8_t *y_top = planes->y + y * planes->y_stride, *y_bottom = y_top + planes->y_stride;
    uint8_t *u = planes->u + y / 2 * planes->uv_stride, *v = planes->v + y / 2 * planes->uv_stride;
    for (uint32_t x = 0; x < whole; x += 16) {
      const uint8_t *p = top + 4 * (size_t)x, *q = bottom + 4 * (size_t)x;
      _mm_storeu_si128((__m128i *)(y_top + x), luma16(p, wy, y_offset));
      _mm_storeu_si128((__m128i *)(y_bottom + x), luma16(q, wy, y_offset));
      const __m256i first = blocks4(p, q), second = blocks4(p + 32, q + 32);
      _mm_storel_epi64((__m128i *)(u + x / 2), chroma8(first, second, wu, uv_offset));
      _mm_storel_epi64((__m128i *)(v + x / 2), chroma8(first, second, wv, uv_offset));
    }
    convert_rows(weights, top, bottom, y_top, y_bottom, u, v, whole, width);
  }
}

static inline AVX2 uint32_t lanes(__m128i sums) {
  return (uint32_t)(_mm_cvtsi128_si32(sums) + _mm_extract_epi32(sums, 2));
}

static AVX2 void measure_avx2(const uint8_t *luma, const uint8_t *previous, size_t stride, uint32_t width,
                              uint32_t height, struct pf_h264_complexity *out) {
  uint64_t intra_sum = 0, inter_sum = 0;
  for (uint32_t block_y = 0; block_y + 16 <= height; block_y += 16) {
    for (uint32_t block_x = 0; block_x + 16 <= width; block_x += 16) {
      __m128i intra_acc = _mm_setzero_si128(), inter_acc = _mm_setzero_si128();
      for (uint32_t row = 0; row < 8; row++) {
        const size_t offset = (block_y + measured_row(row)) * stride + block_x;
        const uint8_t *at = luma + offset;
        const __m128i now = _mm_loadu_si128((const __m128i *)at);
        const __m128i above = _mm_loadu_si128((const __m128i *)(at - stride));
        const __m128i left = block_x > 0 ? _mm_loadu_si128((const __m128i *)(at - 1)) : above;
        intra_acc = _mm_add_epi64(intra_acc, _mm_add_epi64(_mm_sad_epu8(now, above), _mm_sad_epu8(now, left)));
        if (previous != NULL) {
          const __m128i before = _mm_loadu_si128((const __m128i *)(previous + offset));
          inter_acc = _mm_add_epi64(inter_acc, _mm_sad_epu8(now, before));
        }
      }
      const uint32_t intra = lanes(intra_acc) / 2, inter = lanes(inter_acc);
      intra_sum += intra;
      inter_sum += previous != NULL && inter < intra ? inter : intra;
    }
  }
  *out = (struct pf_h264_complexity){
      .intra = intra_sum, .inter = inter_sum, .samples = (width / 16) * (height / 16) * 128};
}

pf_convert_fn *pf_convert_pick(void) { return __builtin_cpu_supports("avx2") ? convert_avx2 : pf_convert_plain; }
pf_measure_fn *pf_measure_pick(void) { return __builtin_cpu_supports("avx2") ? measure_avx2 : pf_measure_plain; }

#else

pf_convert_fn *pf_convert_pick(void) { return pf_convert_plain; }
pf_measure_fn *pf_measure_pick(void) { return pf_measure_plain; }

#endif
