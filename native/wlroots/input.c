/* Virtual pointer and keyboards. Every call sends what it queued before it returns. */
#include "connection.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "virtual-keyboard-unstable-v1-client.h"
#include "wlr-virtual-pointer-unstable-v1-client.h"

#define KEYBOARDS 2
/* How long a compositor may refuse to read before it counts as gone. */
#define STALL_MS 200
/* Requests of 24 bytes between two flushes: far below the 4096 bytes that libwayland holds. */
#define TAPS_PER_FLUSH 32
#define BUTTON_FIRST 0x110
#define BUTTON_LAST 0x117

struct pf_wlroots_input {
  struct pf_connection connection;
  struct wl_seat *seat;
  struct wl_keyboard *seat_keyboard; /* while opening: tells the seat's keymap */
  bool has_seat_keyboard;
  uint8_t *seat_keymap;
  size_t seat_keymap_len;
  struct zwlr_virtual_pointer_manager_v1 *pointers;
  struct zwp_virtual_keyboard_manager_v1 *keyboard_manager;
  struct zwlr_virtual_pointer_v1 *pointer;
  struct zwp_virtual_keyboard_v1 *keyboards[KEYBOARDS]; /* NULL until it has a keymap */
};

static uint32_t now_ms(void) { return (uint32_t)(pf_now_us() / 1000); }

static void seat_capabilities(void *data, struct wl_seat *seat, uint32_t capabilities) {
  struct pf_wlroots_input *input = data;
  (void)seat;
  input->has_seat_keyboard = (capabilities & WL_SEAT_CAPABILITY_KEYBOARD) != 0;
}

static void seat_name(void *data, struct wl_seat *seat, const char *name) { (void)data, (void)seat, (void)name; }

static const struct wl_seat_listener seat_listener = {seat_capabilities, seat_name};

static void keyboard_keymap(void *data, struct wl_keyboard *keyboard, uint32_t format, int32_t fd, uint32_t size) {
  struct pf_wlroots_input *input = data;
  (void)keyboard;
  /* The size counts the final NUL. */
  bool is_wanted = format == WL_KEYBOARD_KEYMAP_FORMAT_XKB_V1 && input->seat_keymap == NULL && size > 1 &&
                   size - 1 <= PF_WLROOTS_KEYMAP_MAX;
  void *text = is_wanted ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
  close(fd);
  if (text == MAP_FAILED) return;
  input->seat_keymap = malloc(size);
  if (input->seat_keymap != NULL) {
    memcpy(input->seat_keymap, text, size);
    input->seat_keymap_len = strnlen((const char *)input->seat_keymap, size - 1);
  }
  munmap(text, size);
}

static void keyboard_enter(void *data, struct wl_keyboard *keyboard, uint32_t serial, struct wl_surface *surface,
                           struct wl_array *keys) {
  (void)data, (void)keyboard, (void)serial, (void)surface, (void)keys;
}

static void keyboard_leave(void *data, struct wl_keyboard *keyboard, uint32_t serial, struct wl_surface *surface) {
  (void)data, (void)keyboard, (void)serial, (void)surface;
}

static void keyboard_key(void *data, struct wl_keyboard *keyboard, uint32_t serial, uint32_t time, uint32_t key,
                         uint32_t state) {
  (void)data, (void)keyboard, (void)serial, (void)time, (void)key, (void)state;
}

static void keyboard_modifiers(void *data, struct wl_keyboard *keyboard, uint32_t serial, uint32_t depressed,
                               uint32_t latched, uint32_t locked, uint32_t group) {
  (void)data, (void)keyboard, (void)serial, (void)depressed, (void)latched, (void)locked, (void)group;
}

static void keyboard_repeat_info(void *data, struct wl_keyboard *keyboard, int32_t rate, int32_t delay) {
  (void)data, (void)keyboard, (void)rate, (void)delay;
}

static const struct wl_keyboard_listener keyboard_listener = {
    .keymap = keyboard_keymap,
    .enter = keyboard_enter,
    .leave = keyboard_leave,
    .key = keyboard_key,
    .modifiers = keyboard_modifiers,
    .repeat_info = keyboard_repeat_info,
};

/* wl_keyboard can be released from this version on. */
#define SEAT_VERSION 3

static void on_global(void *owner, struct wl_registry *registry, uint32_t global, const char *interface,
                      uint32_t version) {
  struct pf_wlroots_input *input = owner;
  if (strcmp(interface, wl_seat_interface.name) == 0) {
    if (input->seat != NULL || version < SEAT_VERSION) return;
    input->seat = wl_registry_bind(registry, global, &wl_seat_interface, SEAT_VERSION);
    if (input->seat != NULL) wl_seat_add_listener(input->seat, &seat_listener, input);
  } else if (strcmp(interface, zwlr_virtual_pointer_manager_v1_interface.name) == 0) {
    /* Binding to an output came with version 2; without it positions could land on the user's own screen. */
    if (input->pointers != NULL || version < 2) return;
    input->pointers = wl_registry_bind(registry, global, &zwlr_virtual_pointer_manager_v1_interface, 2);
  } else if (strcmp(interface, zwp_virtual_keyboard_manager_v1_interface.name) == 0) {
    if (input->keyboard_manager != NULL) return;
    input->keyboard_manager = wl_registry_bind(registry, global, &zwp_virtual_keyboard_manager_v1_interface, 1);
  }
}

/* The seat's keymap must be read before our own keyboards join the seat. */
static int32_t read_seat_keymap(struct pf_wlroots_input *input, int64_t deadline_us) {
  if (!input->has_seat_keyboard) return PF_WLROOTS_OK;
  input->seat_keyboard = wl_seat_get_keyboard(input->seat);
  if (input->seat_keyboard == NULL) return PF_WLROOTS_EMEMORY;
  wl_keyboard_add_listener(input->seat_keyboard, &keyboard_listener, input);
  int32_t status = pf_connection_sync(&input->connection, deadline_us);
  wl_keyboard_release(input->seat_keyboard);
  input->seat_keyboard = NULL;
  return status;
}

static int32_t make_devices(struct pf_wlroots_input *input, int64_t deadline_us) {
  if (input->seat == NULL || input->pointers == NULL || input->keyboard_manager == NULL) {
    return PF_WLROOTS_EPROTOCOL;
  }
  int32_t status = read_seat_keymap(input, deadline_us);
  if (status != PF_WLROOTS_OK) return status;
  input->pointer = zwlr_virtual_pointer_manager_v1_create_virtual_pointer_with_output(
      input->pointers, input->seat, input->connection.output->proxy);
  if (input->pointer == NULL) return PF_WLROOTS_EMEMORY;
  return pf_connection_sync(&input->connection, deadline_us);
}

int32_t pf_wlroots_input_open(const uint8_t *socket_path, size_t socket_path_len, const uint8_t *output_name,
                              size_t output_name_len, struct pf_wlroots_input **result) {
  if (result == NULL) return PF_WLROOTS_EINVAL;
  *result = NULL;
  if (!pf_is_address_valid(socket_path, socket_path_len, output_name, output_name_len)) return PF_WLROOTS_EINVAL;
  struct pf_wlroots_input *input = calloc(1, sizeof(*input));
  if (input == NULL) return PF_WLROOTS_EMEMORY;
  input->connection.on_global = on_global;
  input->connection.owner = input;
  int64_t deadline_us = pf_now_us() + PF_OPEN_WAIT_US;
  int32_t status = pf_connection_open(&input->connection, socket_path, socket_path_len, output_name,
                                      output_name_len, deadline_us);
  if (status == PF_WLROOTS_OK) status = make_devices(input, deadline_us);
  if (status != PF_WLROOTS_OK) {
    pf_wlroots_input_close(input);
    return status;
  }
  *result = input;
  return PF_WLROOTS_OK;
}

int32_t pf_wlroots_input_seat_keymap(const struct pf_wlroots_input *input, uint8_t *text, size_t capacity,
                                     size_t *text_len) {
  if (input == NULL || text_len == NULL || (text == NULL && capacity > 0)) return PF_WLROOTS_EINVAL;
  *text_len = input->seat_keymap_len;
  if (capacity < input->seat_keymap_len) return PF_WLROOTS_EINVAL;
  if (input->seat_keymap_len > 0) memcpy(text, input->seat_keymap, input->seat_keymap_len);
  return PF_WLROOTS_OK;
}

/* Handle what the compositor sent, so that it never waits for us, and see whether it still takes events. Without this
 * a position would land on another screen once ours is gone: a device without its output spans them all. */
static int32_t begin(struct pf_wlroots_input *input) {
  int32_t status;
  do {
    status = pf_connection_step(&input->connection, 0, -1);
  } while (status == PF_WLROOTS_OK);
  if (status != PF_WLROOTS_ETIMEOUT || input->connection.is_output_gone) return PF_WLROOTS_ELOST;
  return PF_WLROOTS_OK;
}

static int32_t flush(struct pf_wlroots_input *input) {
  struct wl_display *display = input->connection.display;
  int64_t deadline_us = pf_now_us() + STALL_MS * 1000;
  while (pf_wl.display_flush(display) < 0) {
    struct pollfd waited = {.fd = pf_wl.display_get_fd(display), .events = POLLOUT};
    if (errno != EAGAIN || pf_now_us() >= deadline_us) return PF_WLROOTS_ELOST;
    if (poll(&waited, 1, STALL_MS) < 0 && errno != EINTR) return PF_WLROOTS_ELOST;
  }
  return pf_wl.display_get_error(display) == 0 ? PF_WLROOTS_OK : PF_WLROOTS_ELOST;
}

int32_t pf_wlroots_input_keymap(struct pf_wlroots_input *input, uint32_t keyboard, const uint8_t *text,
                                size_t text_len) {
  if (input == NULL || keyboard >= KEYBOARDS || text == NULL || text_len < 1 || text_len > PF_WLROOTS_KEYMAP_MAX ||
      memchr(text, 0, text_len) != NULL) {
    return PF_WLROOTS_EINVAL;
  }
  int32_t status = begin(input);
  if (status != PF_WLROOTS_OK) return status;
  int fd = memfd_create("pf_wlroots_keymap", MFD_CLOEXEC);
  if (fd < 0) return PF_WLROOTS_EMEMORY;
  size_t size_bytes = text_len + 1;
  uint8_t *bytes = ftruncate(fd, (off_t)size_bytes) == 0
                       ? mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                       : MAP_FAILED;
  if (bytes != MAP_FAILED) {
    memcpy(bytes, text, text_len);
    munmap(bytes, size_bytes);
    /* Made and given its keymap in one breath: programs are shown no keyboard without one. */
    if (input->keyboards[keyboard] == NULL) {
      input->keyboards[keyboard] =
          zwp_virtual_keyboard_manager_v1_create_virtual_keyboard(input->keyboard_manager, input->seat);
    }
  }
  if (bytes == MAP_FAILED || input->keyboards[keyboard] == NULL) {
    close(fd);
    return PF_WLROOTS_EMEMORY;
  }
  /* libwayland sends a duplicate, and the compositor keeps its own copy of that. */
  zwp_virtual_keyboard_v1_keymap(input->keyboards[keyboard], WL_KEYBOARD_KEYMAP_FORMAT_XKB_V1, fd,
                                 (uint32_t)size_bytes);
  close(fd);
  return flush(input);
}

/* NULL without a keymap too: the protocol makes a key without one fatal for the connection. */
static struct zwp_virtual_keyboard_v1 *keyboard_of(struct pf_wlroots_input *input, uint32_t keyboard) {
  return input == NULL || keyboard >= KEYBOARDS ? NULL : input->keyboards[keyboard];
}

static bool is_key(uint32_t code) { return code >= 1 && code <= PF_WLROOTS_KEY_MAX; }

int32_t pf_wlroots_input_key(struct pf_wlroots_input *input, uint32_t keyboard, uint32_t code, uint32_t is_down) {
  struct zwp_virtual_keyboard_v1 *proxy = keyboard_of(input, keyboard);
  if (proxy == NULL || !is_key(code) || is_down > 1) return PF_WLROOTS_EINVAL;
  int32_t status = begin(input);
  if (status != PF_WLROOTS_OK) return status;
  zwp_virtual_keyboard_v1_key(proxy, now_ms(), code, is_down);
  return flush(input);
}

int32_t pf_wlroots_input_modifiers(struct pf_wlroots_input *input, uint32_t keyboard, uint32_t depressed,
                                   uint32_t locked) {
  struct zwp_virtual_keyboard_v1 *proxy = keyboard_of(input, keyboard);
  if (proxy == NULL || depressed > 0xff || locked > 0xff) return PF_WLROOTS_EINVAL;
  int32_t status = begin(input);
  if (status != PF_WLROOTS_OK) return status;
  zwp_virtual_keyboard_v1_modifiers(proxy, depressed, 0, locked, 0);
  return flush(input);
}

int32_t pf_wlroots_input_tap(struct pf_wlroots_input *input, uint32_t keyboard, const uint16_t *codes,
                             size_t codes_len) {
  struct zwp_virtual_keyboard_v1 *proxy = keyboard_of(input, keyboard);
  if (proxy == NULL || codes == NULL || codes_len < 1 || codes_len > PF_WLROOTS_TAPS_MAX) return PF_WLROOTS_EINVAL;
  for (size_t index = 0; index < codes_len; index++) {
    if (!is_key(codes[index])) return PF_WLROOTS_EINVAL;
  }
  int32_t status = begin(input);
  for (size_t index = 0; index < codes_len && status == PF_WLROOTS_OK; index++) {
    zwp_virtual_keyboard_v1_key(proxy, now_ms(), codes[index], WL_KEYBOARD_KEY_STATE_PRESSED);
    zwp_virtual_keyboard_v1_key(proxy, now_ms(), codes[index], WL_KEYBOARD_KEY_STATE_RELEASED);
    if ((index + 1) % TAPS_PER_FLUSH == 0) status = flush(input);
  }
  return status == PF_WLROOTS_OK ? flush(input) : status;
}

int32_t pf_wlroots_input_motion(struct pf_wlroots_input *input, double dx, double dy) {
  /* The comparison is false for NaN too. */
  if (input == NULL || !(fabs(dx) <= PF_WLROOTS_MOTION_MAX) || !(fabs(dy) <= PF_WLROOTS_MOTION_MAX)) {
    return PF_WLROOTS_EINVAL;
  }
  int32_t status = begin(input);
  if (status != PF_WLROOTS_OK) return status;
  zwlr_virtual_pointer_v1_motion(input->pointer, now_ms(), wl_fixed_from_double(dx), wl_fixed_from_double(dy));
  zwlr_virtual_pointer_v1_frame(input->pointer);
  return flush(input);
}

int32_t pf_wlroots_input_position(struct pf_wlroots_input *input, uint32_t x, uint32_t y, uint32_t x_extent,
                                  uint32_t y_extent) {
  /* At the extent itself the pointer would be on the neighbouring output. */
  if (input == NULL || x >= x_extent || y >= y_extent) return PF_WLROOTS_EINVAL;
  int32_t status = begin(input);
  if (status != PF_WLROOTS_OK) return status;
  zwlr_virtual_pointer_v1_motion_absolute(input->pointer, now_ms(), x, y, x_extent, y_extent);
  zwlr_virtual_pointer_v1_frame(input->pointer);
  return flush(input);
}

int32_t pf_wlroots_input_button(struct pf_wlroots_input *input, uint32_t code, uint32_t is_down) {
  if (input == NULL || code < BUTTON_FIRST || code > BUTTON_LAST || is_down > 1) return PF_WLROOTS_EINVAL;
  int32_t status = begin(input);
  if (status != PF_WLROOTS_OK) return status;
  zwlr_virtual_pointer_v1_button(input->pointer, now_ms(), code, is_down);
  zwlr_virtual_pointer_v1_frame(input->pointer);
  return flush(input);
}

int32_t pf_wlroots_input_scroll(struct pf_wlroots_input *input, uint32_t axis, double value, int32_t detents) {
  if (input == NULL || axis > 1 || !(fabs(value) <= PF_WLROOTS_SCROLL_MAX) || value == 0 ||
      (detents != 0 && (detents > 0) != (value > 0)) || detents < -PF_WLROOTS_SCROLL_MAX ||
      detents > PF_WLROOTS_SCROLL_MAX) {
    return PF_WLROOTS_EINVAL;
  }
  int32_t status = begin(input);
  if (status != PF_WLROOTS_OK) return status;
  zwlr_virtual_pointer_v1_axis_source(input->pointer, WL_POINTER_AXIS_SOURCE_WHEEL);
  if (detents != 0) {
    zwlr_virtual_pointer_v1_axis_discrete(input->pointer, now_ms(), axis, wl_fixed_from_double(value), detents);
  } else {
    zwlr_virtual_pointer_v1_axis(input->pointer, now_ms(), axis, wl_fixed_from_double(value));
  }
  zwlr_virtual_pointer_v1_frame(input->pointer);
  return flush(input);
}

void pf_wlroots_input_close(struct pf_wlroots_input *input) {
  if (input == NULL) return;
  for (size_t index = 0; index < KEYBOARDS; index++) {
    if (input->keyboards[index] != NULL) zwp_virtual_keyboard_v1_destroy(input->keyboards[index]);
  }
  if (input->pointer != NULL) zwlr_virtual_pointer_v1_destroy(input->pointer);
  /* The protocol gives the keyboard manager no destructor: only our end of it is freed. */
  if (input->keyboard_manager != NULL) zwp_virtual_keyboard_manager_v1_destroy(input->keyboard_manager);
  if (input->pointers != NULL) zwlr_virtual_pointer_manager_v1_destroy(input->pointers);
  if (input->seat != NULL) wl_seat_destroy(input->seat);
  pf_connection_close(&input->connection);
  free(input->seat_keymap);
  free(input);
}
