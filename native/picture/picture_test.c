/* Runs under ASan and UBSan; prints one line. */
#include "picture.h"

#include <stdio.h>
#include <string.h>

static int passed, failed;

static void check(int is_true, const char *what) {
  if (is_true) {
    passed++;
    return;
  }
  failed++;
  fprintf(stderr, "failed: %s\n", what);
}

static int32_t open_status(uint32_t width, uint32_t height, uint32_t content) {
  const struct pf_picture_config config = {width, height, content};
  struct pf_picture *picture = NULL;
  const int32_t status = pf_picture_open(&config, sizeof config, &picture);
  pf_picture_close(picture);
  return status;
}

static uint64_t read_strip(const struct pf_picture_frame *frame, uint32_t width, uint32_t y) {
  uint64_t bits = 0;
  for (uint32_t cell = 0; cell < 64; cell++) {
    const uint32_t x = (2 * cell + 1) * width / 128;
    bits = bits << 1 | (frame->data[(size_t)y * frame->stride + 4 * (size_t)x] > 127);
  }
  return bits;
}

static void test_contents(uint32_t width, uint32_t height, uint32_t content) {
  const struct pf_picture_config config = {width, height, content};
  struct pf_picture *picture;
  check(pf_picture_open(&config, sizeof config, &picture) == PF_PICTURE_OK, "open");
  struct pf_picture_frame frames[2];
  for (uint32_t counter = 0; counter < 70; counter++) {
    struct pf_picture_frame *frame = &frames[counter % 2];
    check(pf_picture_draw(picture, 123456789012300ull + counter * 100, counter * 300007u, frame, sizeof *frame) ==
              PF_PICTURE_OK,
          "draw");
    const uint64_t time = read_strip(frame, width, height / 24), count = read_strip(frame, width, height / 8);
    check((time >> 16 & 0xFFFFFFFFFFFull) == 1234567890123ull + counter, "the time can be read");
    check((time >> 60) == 0xA && (time & 0xF) == 0x5, "the time strip's marks");
    check((count >> 36 & 0xFFFFFF) == (counter * 300007u & 0xFFFFFF), "the counter can be read");
    check((count & 0xFFFFFFF) == 0x5555555, "the counter strip's marks");
  }
  check(frames[0].data != frames[1].data, "two pictures in turn");
  check(memcmp(frames[0].data, frames[1].data, frames[0].size) != 0, "they differ");
  check(frames[0].size == 4ull * width * height && frames[0].stride == 4 * width, "their shape");
  pf_picture_close(picture);
}

int main(void) {
  check(pf_picture_abi() == PF_PICTURE_ABI, "abi");
  check(open_status(64, 64, PF_PICTURE_MOTION) == PF_PICTURE_OK, "smallest");
  check(open_status(63, 64, PF_PICTURE_MOTION) == PF_PICTURE_EINVAL, "too narrow");
  check(open_status(64, 63, PF_PICTURE_MOTION) == PF_PICTURE_EINVAL, "too low");
  check(open_status(8192, 64, PF_PICTURE_TEXT) == PF_PICTURE_OK, "widest");
  check(open_status(8193, 64, PF_PICTURE_TEXT) == PF_PICTURE_EINVAL, "too wide");
  check(open_status(64, 8193, PF_PICTURE_TEXT) == PF_PICTURE_EINVAL, "too high");
  check(open_status(64, 64, 3) == PF_PICTURE_EINVAL, "no such content");
  static const uint32_t sizes[][2] = {{64, 64}, {65, 71}, {1280, 720}, {333, 1001}, {1367, 77}, {64, 1024}};
  for (uint32_t content = 0; content <= PF_PICTURE_TEXT; content++) {
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
      test_contents(sizes[i][0], sizes[i][1], content);
    }
  }
  struct pf_picture_frame frame;
  check(pf_picture_draw(NULL, 0, 0, &frame, sizeof frame) == PF_PICTURE_EINVAL, "draw without a handle");
  const uint64_t now_us = pf_picture_now_us();
  check(pf_picture_sleep_until(now_us) == PF_PICTURE_OK, "a deadline that has passed");
  check(pf_picture_sleep_until(now_us + 120000000ull) == PF_PICTURE_EINVAL, "a deadline too far ahead");
  pf_picture_close(NULL);
  printf("%d passed, %d failed\n", passed, failed);
  return failed > 0;
}
