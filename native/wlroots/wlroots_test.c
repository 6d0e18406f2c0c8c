/* Without arguments: what can be told without a compositor. With SOCKET and OUTPUT: the same code against a real one,
 * so that the sanitizers see every path that ordinary use takes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "capture.h"

static int passed, failed;

static void check(bool condition, const char *what) {
  if (condition) {
    passed++;
  } else {
    failed++;
    printf("FAILED %s\n", what);
  }
}

static int32_t open_capture(const char *path, size_t path_len, const char *name, size_t name_len) {
  struct pf_wlroots_capture *capture = (void *)1;
  int32_t status = pf_wlroots_capture_open((const uint8_t *)path, path_len, (const uint8_t *)name, name_len, 0,
                                           &capture);
  check(capture == NULL, "a failed open stores NULL");
  return status;
}

static int32_t open_input(const char *path, const char *name) {
  struct pf_wlroots_input *input = (void *)1;
  int32_t status = pf_wlroots_input_open((const uint8_t *)path, strlen(path), (const uint8_t *)name, strlen(name),
                                         &input);
  check(input == NULL, "a failed open stores NULL");
  return status;
}

static void test_addresses(void) {
  char path[PF_WLROOTS_SOCKET_PATH_MAX + 1];
  char name[PF_WLROOTS_OUTPUT_NAME_MAX + 1];
  memset(path, 'p', sizeof(path));
  memset(name, 'n', sizeof(name));
  path[0] = '/';
  check(open_capture(path, sizeof(path) - 1, name, sizeof(name) - 1) == PF_WLROOTS_ECONNECT, "address at its limits");
  check(open_capture(path, sizeof(path), name, 1) == PF_WLROOTS_EINVAL, "path one too long");
  check(open_capture(path, 20, name, sizeof(name)) == PF_WLROOTS_EINVAL, "name one too long");
  check(open_capture(path, 1, name, 1) == PF_WLROOTS_EINVAL, "path too short");
  check(open_capture(path, 20, name, 0) == PF_WLROOTS_EINVAL, "empty name");
  check(open_capture("wayland-1", 9, name, 1) == PF_WLROOTS_EINVAL, "relative path");
  check(open_capture("/a\0b", 4, name, 1) == PF_WLROOTS_EINVAL, "NUL in the path");
  check(open_capture("/ab", 3, "a\0b", 3) == PF_WLROOTS_EINVAL, "NUL in the name");
  check(open_capture(NULL, 3, name, 1) == PF_WLROOTS_EINVAL, "no path");
  check(open_capture("/ab", 3, NULL, 1) == PF_WLROOTS_EINVAL, "no name");
  check(open_input("relative", "n") == PF_WLROOTS_EINVAL, "input: relative path");
  check(open_input("/nonexistent/wayland-1", "n") == PF_WLROOTS_ECONNECT, "input: nobody listens");
  struct pf_wlroots_capture *capture;
  check(pf_wlroots_capture_open((const uint8_t *)"/ab", 3, (const uint8_t *)"n", 1, 2, &capture) == PF_WLROOTS_EINVAL,
        "has_cursor is 0 or 1");
  check(pf_wlroots_capture_open((const uint8_t *)"/ab", 3, (const uint8_t *)"n", 1, 0, NULL) == PF_WLROOTS_EINVAL,
        "no place for the handle");
}

static void test_missing_handles(void) {
  struct pf_wlroots_frame frame;
  size_t length;
  const uint8_t text[] = "x";
  const uint16_t code = 30;
  check(pf_wlroots_capture_next(NULL, 0, &frame) == PF_WLROOTS_EINVAL, "next without a handle");
  check(pf_wlroots_capture_interrupt(NULL) == PF_WLROOTS_EINVAL, "interrupt without a handle");
  check(pf_wlroots_capture_protocol(NULL) == 0, "protocol without a handle");
  check(pf_wlroots_input_seat_keymap(NULL, NULL, 0, &length) == PF_WLROOTS_EINVAL, "seat keymap without a handle");
  check(pf_wlroots_input_keymap(NULL, 0, text, 1) == PF_WLROOTS_EINVAL, "keymap without a handle");
  check(pf_wlroots_input_key(NULL, 0, 30, 1) == PF_WLROOTS_EINVAL, "key without a handle");
  check(pf_wlroots_input_modifiers(NULL, 0, 0, 0) == PF_WLROOTS_EINVAL, "modifiers without a handle");
  check(pf_wlroots_input_tap(NULL, 0, &code, 1) == PF_WLROOTS_EINVAL, "tap without a handle");
  check(pf_wlroots_input_motion(NULL, 1, 1) == PF_WLROOTS_EINVAL, "motion without a handle");
  check(pf_wlroots_input_position(NULL, 0, 0, 1, 1) == PF_WLROOTS_EINVAL, "position without a handle");
  check(pf_wlroots_input_button(NULL, 0x110, 1) == PF_WLROOTS_EINVAL, "button without a handle");
  check(pf_wlroots_input_scroll(NULL, 0, 15, 1) == PF_WLROOTS_EINVAL, "scroll without a handle");
  pf_wlroots_capture_close(NULL);
  pf_wlroots_input_close(NULL);
}

/* A listener that never reads, and one that hangs up. */
static void test_bad_listeners(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/pf_wlroots_test.%d", (int)getpid());
  unlink(address.sun_path);
  int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(listener, 4) != 0) {
    check(false, "a listener for the test");
    return;
  }
  check(open_capture(address.sun_path, strlen(address.sun_path), "n", 1) == PF_WLROOTS_ETIMEOUT,
        "a silent listener costs the time-out only");
  shutdown(listener, SHUT_RDWR);
  close(listener);
  check(open_input(address.sun_path, "n") == PF_WLROOTS_ECONNECT, "a dead socket file");
  unlink(address.sun_path);
}

static void test_pure(void) {
  check(pf_wlroots_abi() == PF_WLROOTS_ABI, "abi");
  check(pf_pixel_format(0) == PF_WLROOTS_BGRX && pf_pixel_format(1) == PF_WLROOTS_BGRX, "ARGB, XRGB");
  check(pf_pixel_format(0x34324258) == PF_WLROOTS_RGBX && pf_pixel_format(0x34324241) == PF_WLROOTS_RGBX,
        "XBGR, ABGR");
  check(pf_pixel_format(0x34324742) == 0, "24 bits a pixel are refused");
  check(pf_time_us(0, 2, 1999) == 2000001 && pf_time_us(1, 0, 0) == (1ULL << 32) * 1000000, "times");
  struct pf_wlroots_capture *capture = calloc(1, sizeof(*capture));
  struct pf_layout layout = {PF_WLROOTS_SIZE_MAX + 1, 16, (PF_WLROOTS_SIZE_MAX + 1) * 4, 1};
  check(!pf_capture_fit_back_buffer(capture, &layout) && capture->fault == PF_WLROOTS_EFORMAT, "picture too wide");
  layout = (struct pf_layout){16, PF_WLROOTS_SIZE_MAX + 1, 64, 1};
  check(!pf_capture_fit_back_buffer(capture, &layout), "picture too high");
  layout = (struct pf_layout){16, 16, 63, 1};
  check(!pf_capture_fit_back_buffer(capture, &layout), "stride too short");
  layout = (struct pf_layout){0, 16, 64, 1};
  check(!pf_capture_fit_back_buffer(capture, &layout), "no width");
  free(capture);
}

static void live_capture(const char *path, const char *name) {
  struct pf_wlroots_capture *capture;
  int32_t status = pf_wlroots_capture_open((const uint8_t *)path, strlen(path), (const uint8_t *)name, strlen(name), 1,
                                           &capture);
  check(status == PF_WLROOTS_OK, "live: capture opens");
  if (status != PF_WLROOTS_OK) return;
  struct pf_wlroots_frame frame;
  check(pf_wlroots_capture_next(capture, 1000, &frame) == PF_WLROOTS_OK, "live: first picture");
  check(frame.size_bytes == (uint64_t)frame.stride_bytes * frame.height && frame.reserved == 0, "live: sizes");
  unsigned sum = 0;
  for (uint64_t index = 0; index < frame.size_bytes; index++) sum += ((const uint8_t *)(uintptr_t)frame.data)[index];
  check(sum != 1, "live: every byte can be read");
  for (int round = 0; round < 5; round++) {
    status = pf_wlroots_capture_next(capture, 50, &frame);
    check(status == PF_WLROOTS_OK || status == PF_WLROOTS_ETIMEOUT, "live: later pictures");
  }
  check(pf_wlroots_capture_next(capture, PF_WLROOTS_WAIT_MS_MAX + 1, &frame) == PF_WLROOTS_EINVAL, "live: wait limit");
  pf_wlroots_capture_interrupt(capture);
  do {
    status = pf_wlroots_capture_next(capture, PF_WLROOTS_WAIT_MS_MAX, &frame);
  } while (status == PF_WLROOTS_OK);
  check(status == PF_WLROOTS_EINTERRUPTED, "live: interrupted");
  pf_wlroots_capture_close(capture);
}

static void live_limits(struct pf_wlroots_input *input) {
  const uint8_t text[] = "x";
  const uint16_t codes[] = {30, 0};
  size_t length = 0;
  check(pf_wlroots_input_key(input, 0, 30, 1) == PF_WLROOTS_EINVAL, "live: key before its keymap");
  check(pf_wlroots_input_keymap(input, 2, text, 1) == PF_WLROOTS_EINVAL, "live: a third keyboard");
  check(pf_wlroots_input_keymap(input, 0, text, 0) == PF_WLROOTS_EINVAL, "live: empty keymap");
  check(pf_wlroots_input_keymap(input, 0, text, 2) == PF_WLROOTS_EINVAL, "live: NUL in the keymap");
  uint8_t *large = malloc(PF_WLROOTS_KEYMAP_MAX + 1);
  memset(large, ' ', PF_WLROOTS_KEYMAP_MAX + 1);
  check(pf_wlroots_input_keymap(input, 0, large, PF_WLROOTS_KEYMAP_MAX + 1) == PF_WLROOTS_EINVAL, "live: large keymap");
  free(large);
  check(pf_wlroots_input_tap(input, 0, codes, 2) == PF_WLROOTS_EINVAL, "live: tap without a keymap");
  check(pf_wlroots_input_motion(input, NAN, 0) == PF_WLROOTS_EINVAL, "live: motion that is no number");
  check(pf_wlroots_input_motion(input, PF_WLROOTS_MOTION_MAX + 1, 0) == PF_WLROOTS_EINVAL, "live: motion limit");
  check(pf_wlroots_input_position(input, 1, 0, 1, 1) == PF_WLROOTS_EINVAL, "live: position at its extent");
  check(pf_wlroots_input_button(input, 0x10f, 1) == PF_WLROOTS_EINVAL, "live: no button");
  check(pf_wlroots_input_button(input, 0x118, 1) == PF_WLROOTS_EINVAL, "live: one past the buttons");
  check(pf_wlroots_input_button(input, 0x110, 2) == PF_WLROOTS_EINVAL, "live: neither down nor up");
  check(pf_wlroots_input_scroll(input, 2, 15, 1) == PF_WLROOTS_EINVAL, "live: no axis");
  check(pf_wlroots_input_scroll(input, 0, 15, -1) == PF_WLROOTS_EINVAL, "live: detents against the value");
  check(pf_wlroots_input_scroll(input, 0, 0, 0) == PF_WLROOTS_EINVAL, "live: no movement");
  check(pf_wlroots_input_seat_keymap(input, NULL, 0, NULL) == PF_WLROOTS_EINVAL, "live: no place for the length");
  pf_wlroots_input_seat_keymap(input, NULL, 0, &length);
  uint8_t *keymap = malloc(length + 1);
  check(pf_wlroots_input_seat_keymap(input, keymap, length, &length) == PF_WLROOTS_OK, "live: seat keymap");
  free(keymap);
}

static void live_input(const char *path, const char *name) {
  struct pf_wlroots_input *input;
  int32_t status = pf_wlroots_input_open((const uint8_t *)path, strlen(path), (const uint8_t *)name, strlen(name),
                                         &input);
  check(status == PF_WLROOTS_OK, "live: input opens");
  if (status != PF_WLROOTS_OK) return;
  live_limits(input);
  check(pf_wlroots_input_motion(input, -0.5, PF_WLROOTS_MOTION_MAX) == PF_WLROOTS_OK, "live: motion");
  check(pf_wlroots_input_position(input, 99, 0, 100, 1) == PF_WLROOTS_OK, "live: position");
  check(pf_wlroots_input_button(input, 0x117, 1) == PF_WLROOTS_OK, "live: button down");
  check(pf_wlroots_input_button(input, 0x117, 0) == PF_WLROOTS_OK, "live: button up");
  check(pf_wlroots_input_scroll(input, 1, -15, -1) == PF_WLROOTS_OK, "live: scroll");
  check(open_input(path, "no such output") == PF_WLROOTS_EOUTPUT, "live: a missing output binds no other");
  check(open_capture(path, strlen(path), "no such output", 14) == PF_WLROOTS_EOUTPUT, "live: a missing output");
  pf_wlroots_input_close(input);
}

int main(int count, char **arguments) {
  if (count == 3) {
    live_capture(arguments[1], arguments[2]);
    live_input(arguments[1], arguments[2]);
  } else {
    test_pure();
    test_addresses();
    test_missing_handles();
    test_bad_listeners();
  }
  printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
