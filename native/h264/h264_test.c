/* Runs under ASan and UBSan; prints one line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert.h"
#include "h264.h"

static int passed, failed;

static void check(int is_true, const char *what) {
  if (is_true) {
    passed++;
    return;
  }
  failed++;
  fprintf(stderr, "failed: %s\n", what);
}

static uint32_t next_random(uint32_t *state) {
  *state = *state * 1664525u + 1013904223u;
  return *state >> 24;
}

static struct pf_h264_config config_of(uint32_t width, uint32_t height) {
  return (struct pf_h264_config){.width = width,
                                 .height = height,
                                 .refresh_millihz = 60000,
                                 .slices = 1,
                                 .threads = 1,
                                 .reference_frames = 1,
                                 .level_idc = 42,
                                 .matrix = PF_H264_BT709};
}

static int32_t open_status(struct pf_h264_config config) {
  struct pf_h264_encoder *encoder = NULL;
  const int32_t status = pf_h264_open(&config, sizeof config, &encoder);
  pf_h264_close(encoder);
  return status;
}

static void test_open_limits(void) {
  check(pf_h264_abi() == PF_H264_ABI, "abi");
  check(open_status(config_of(64, 64)) == PF_H264_OK, "smallest picture");
  check(open_status(config_of(62, 64)) == PF_H264_EINVAL, "too narrow");
  check(open_status(config_of(64, 65)) == PF_H264_EINVAL, "odd height");
  check(open_status(config_of(8192, 1152)) == PF_H264_OK, "most pixels");
  check(open_status(config_of(8192, 1168)) == PF_H264_EINVAL, "too many pixels");
  struct pf_h264_config config = config_of(640, 480);
  config.slices = PF_H264_SLICES_MAX + 1;
  check(open_status(config) == PF_H264_EINVAL, "too many slices");
  config = config_of(640, 480);
  config.threads = 0;
  check(open_status(config) == PF_H264_EINVAL, "no thread");
  config = config_of(640, 480);
  config.level_idc = 53;
  check(open_status(config) == PF_H264_EINVAL, "no such level");
  struct pf_h264_encoder *encoder;
  check(pf_h264_open(NULL, sizeof config, &encoder) == PF_H264_EINVAL && encoder == NULL, "no config");
  check(pf_h264_open(&config, sizeof config - 1, &encoder) == PF_H264_EINVAL, "config of another size");
  check(pf_h264_open(&config, sizeof config, NULL) == PF_H264_EINVAL, "nowhere to put the handle");
}

/* Every width and stride: the fast path gives the bytes of the plain one and stays inside the planes. */
static void test_convert(void) {
  uint32_t state = 7;
  for (uint32_t width = 2; width <= 68; width += 2) {
    const uint32_t height = 4;
    const size_t stride = 4 * (size_t)width + 4 * (width % 3), size = stride * (height - 1) + 4 * (size_t)width;
    uint8_t *pixels = malloc(size);
    for (size_t i = 0; i < size; i++) pixels[i] = (uint8_t)next_random(&state);
    uint8_t *memory[2];
    for (uint32_t variant = 0; variant < 8; variant++) {
      struct pf_weights weights;
      pf_weights_init(&weights, variant & 1, variant >> 1 & 1, variant >> 2);
      for (int i = 0; i < 2; i++) {
        memory[i] = calloc(1, (size_t)width * height * 3 / 2);
        const struct pf_planes planes = {.y = memory[i],
                                         .u = memory[i] + width * height,
                                         .v = memory[i] + width * height * 5 / 4,
                                         .y_stride = width,
                                         .uv_stride = width / 2};
        (i == 0 ? pf_convert_plain : pf_convert_pick())(&weights, pixels, stride, &planes, width, height);
      }
      check(memcmp(memory[0], memory[1], (size_t)width * height * 3 / 2) == 0, "convert: fast equals plain");
      free(memory[0]);
      free(memory[1]);
    }
    free(pixels);
  }
}

static void convert_one(const uint8_t bgr[3], uint32_t matrix, uint32_t is_full_range, uint8_t yuv[3]) {
  uint8_t pixels[4 * 4];
  for (int i = 0; i < 4; i++) memcpy(pixels + 4 * i, bgr, 3), pixels[4 * i + 3] = 99;
  uint8_t y[4], u, v;
  struct pf_weights weights;
  pf_weights_init(&weights, PF_H264_BGRX, matrix, is_full_range);
  const struct pf_planes planes = {.y = y, .u = &u, .v = &v, .y_stride = 2, .uv_stride = 1};
  pf_convert_plain(&weights, pixels, 8, &planes, 2, 2);
  yuv[0] = y[3], yuv[1] = u, yuv[2] = v;
}

static void test_colours(void) {
  static const struct {
    uint8_t bgr[3];
    uint32_t matrix, is_full_range;
    uint8_t yuv[3];
  } rows[] = {
      {{0, 0, 0}, PF_H264_BT709, 0, {16, 128, 128}},      {{255, 255, 255}, PF_H264_BT709, 0, {235, 128, 128}},
      {{0, 0, 0}, PF_H264_BT601, 1, {0, 128, 128}},       {{255, 255, 255}, PF_H264_BT601, 1, {255, 128, 128}},
      {{0, 0, 255}, PF_H264_BT709, 0, {63, 102, 240}},    {{255, 0, 0}, PF_H264_BT709, 0, {32, 240, 118}},
      {{0, 255, 0}, PF_H264_BT709, 0, {173, 42, 26}},     {{0, 0, 255}, PF_H264_BT601, 0, {81, 90, 240}},
      {{0, 255, 0}, PF_H264_BT601, 1, {150, 44, 21}},     {{255, 0, 0}, PF_H264_BT601, 1, {29, 255, 107}},
      {{128, 128, 128}, PF_H264_BT709, 1, {128, 128, 128}}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    uint8_t yuv[3];
    convert_one(rows[i].bgr, rows[i].matrix, rows[i].is_full_range, yuv);
    check(memcmp(yuv, rows[i].yuv, 3) == 0, "convert: a known colour");
  }
}

static void test_measure(void) {
  uint32_t state = 3;
  const uint32_t width = 70, height = 53;
  uint8_t *now = malloc((size_t)width * height), *before = malloc((size_t)width * height);
  for (uint32_t i = 0; i < width * height; i++) {
    now[i] = (uint8_t)next_random(&state);
    before[i] = i < 20 * width ? now[i] : (uint8_t)next_random(&state);
  }
  struct pf_h264_complexity plain, fast;
  pf_measure_plain(now, before, width, width, height, &plain);
  pf_measure_pick()(now, before, width, width, height, &fast);
  check(plain.intra == fast.intra && plain.inter == fast.inter && plain.samples == fast.samples,
        "measure: fast equals plain");
  check(plain.inter < plain.intra && plain.inter > 0, "measure: rows that stayed cost nothing");
  pf_measure_plain(now, NULL, width, width, height, &plain);
  pf_measure_pick()(now, NULL, width, width, height, &fast);
  check(plain.inter == plain.intra && fast.inter == plain.inter, "measure: without a picture before it");
  free(now);
  free(before);
}

static struct pf_h264_picture picture_of(const uint8_t *data, uint32_t width, uint32_t height) {
  return (struct pf_h264_picture){.data = data,
                                  .data_len = 4ull * width * height,
                                  .width = width,
                                  .height = height,
                                  .stride = 4 * width,
                                  .format = PF_H264_BGRX};
}

static void test_pictures_refused(void) {
  const struct pf_h264_config config = config_of(64, 64);
  struct pf_h264_encoder *encoder;
  check(pf_h264_open(&config, sizeof config, &encoder) == PF_H264_OK, "open");
  uint8_t *data = calloc(1, 66 * 66 * 4);
  struct pf_h264_complexity complexity;
  struct pf_h264_unit unit;
  check(pf_h264_encode(encoder, 30, 0, &unit, sizeof unit) == PF_H264_EORDER, "encode before load");
  struct pf_h264_picture picture = picture_of(data, 65, 65);
#define LOAD() pf_h264_load(encoder, &picture, sizeof picture, &complexity, sizeof complexity)
  check(LOAD() == PF_H264_OK, "one pixel more per axis");
  check(complexity.qp_min == PF_H264_QP_MIN, "an empty picture takes every quantiser");
  check(pf_h264_encode(encoder, PF_H264_QP_MIN - 1, 0, &unit, sizeof unit) == PF_H264_EINVAL, "quantiser below");
  check(pf_h264_encode(encoder, 52, 0, &unit, sizeof unit) == PF_H264_EINVAL, "quantiser above");
  picture = picture_of(data, 66, 64);
  check(LOAD() == PF_H264_EINVAL, "two pixels more");
  picture = picture_of(data, 63, 64);
  check(LOAD() == PF_H264_EINVAL, "a pixel less");
  picture = picture_of(data, 64, 64);
  picture.data_len--;
  check(LOAD() == PF_H264_EINVAL, "a byte short");
  picture = picture_of(data, 64, 64);
  picture.stride--;
  check(LOAD() == PF_H264_EINVAL, "rows overlap");
  picture = picture_of(data, 64, 64);
  picture.format = 3;
  check(LOAD() == PF_H264_EINVAL, "no such format");
  picture = (struct pf_h264_picture){
      .data = data, .data_len = 64 * 64 * 3 / 2, .width = 64, .height = 64, .stride = 64, .format = PF_H264_I420};
  check(LOAD() == PF_H264_OK, "i420 of exactly its size");
  picture.data_len--;
  check(LOAD() == PF_H264_EINVAL, "i420, a byte short");
#undef LOAD
  free(data);
  pf_h264_close(encoder);
}

/* Noise is what the library's buffers are too small for; the stated limit of the quantiser protects them. */
static void test_noise(uint32_t slices, uint32_t threads, uint32_t format) {
  struct pf_h264_config config = config_of(320, 240);
  config.slices = slices;
  config.threads = threads;
  struct pf_h264_encoder *encoder;
  check(pf_h264_open(&config, sizeof config, &encoder) == PF_H264_OK, "open");
  uint8_t *data = malloc(320 * 240 * 4);
  uint32_t state = 11;
  for (int frame = 0; frame < 6; frame++) {
    for (int i = 0; i < 320 * 240 * 4; i++) data[i] = next_random(&state) & 1 ? 255 : 0;
    struct pf_h264_picture picture = picture_of(data, 320, 240);
    picture.format = format;
    if (format == PF_H264_I420) picture.stride = 320;
    struct pf_h264_complexity complexity;
    struct pf_h264_unit unit = {0};
    check(pf_h264_load(encoder, &picture, sizeof picture, &complexity, sizeof complexity) == PF_H264_OK, "load");
    const int32_t status = pf_h264_encode(encoder, complexity.qp_min, frame == 3, &unit, sizeof unit);
    check(status == PF_H264_OK && unit.size > 0 && unit.size < 320 * 240, "noise: below a byte a pixel");
    check(unit.is_idr == (frame == 0 || frame == 3), "noise: IDR first and when asked for");
    static const uint8_t sps[] = {0, 0, 0, 1, 0x67}, p[] = {0, 0, 0, 1, 0x61};
    check(status == PF_H264_OK && memcmp(unit.data, unit.is_idr ? sps : p, 5) == 0, "noise: how the unit begins");
  }
  free(data);
  pf_h264_close(encoder);
}

int main(void) {
  test_open_limits();
  test_convert();
  test_colours();
  test_measure();
  test_pictures_refused();
  test_noise(1, 1, PF_H264_BGRX);
  test_noise(1, 1, PF_H264_I420);
  test_noise(4, 1, PF_H264_BGRX);
  test_noise(4, 2, PF_H264_I420);
  pf_h264_close(NULL);
  printf("%d passed, %d failed\n", passed, failed);
  return failed > 0;
}
