/* pf_wlroots: screen capture and input on wlroots compositors (Sway), as an ordinary Wayland client.
 *
 * A capture handle and an input handle are each a connection of their own. A handle belongs to one caller at a time;
 * only pf_wlroots_capture_interrupt may be called while another call of the same handle runs. Blocking calls say so
 * and end by their time-out at the latest. libwayland-client.so.0 is opened at run time.
 */
#ifndef PF_WLROOTS_H
#define PF_WLROOTS_H

#include <stddef.h>
#include <stdint.h>

#define PF_WLROOTS_ABI 1u
#define PF_WLROOTS_API __attribute__((visibility("default")))

enum pf_wlroots_status {
  PF_WLROOTS_OK = 0,
  PF_WLROOTS_EINVAL = -1,       /* an argument is outside the stated limits */
  PF_WLROOTS_ELIBRARY = -2,     /* libwayland-client.so.0 is missing or too old */
  PF_WLROOTS_ECONNECT = -3,     /* nobody listens at the socket */
  PF_WLROOTS_EOUTPUT = -4,      /* no output has that name */
  PF_WLROOTS_EPROTOCOL = -5,    /* the compositor lacks a protocol that is needed */
  PF_WLROOTS_EFORMAT = -6,      /* the compositor offers no pixel format known here */
  PF_WLROOTS_ELOST = -7,        /* the output was removed or the compositor is gone: for good */
  PF_WLROOTS_ETIMEOUT = -8,     /* not in time; from capture_next: no new picture */
  PF_WLROOTS_EINTERRUPTED = -9, /* pf_wlroots_capture_interrupt was called */
  PF_WLROOTS_EMEMORY = -10      /* no memory, descriptor or shared memory left */
};

enum pf_wlroots_limit {
  PF_WLROOTS_SOCKET_PATH_MAX = 107, /* bytes without NUL: what a UNIX address holds */
  PF_WLROOTS_OUTPUT_NAME_MAX = 63,
  PF_WLROOTS_SIZE_MAX = 16384, /* pixels an axis */
  PF_WLROOTS_WAIT_MS_MAX = 60000,
  PF_WLROOTS_KEYMAP_MAX = 1048576, /* bytes of text without NUL */
  PF_WLROOTS_KEY_MAX = 0x2ff,      /* evdev's KEY_MAX */
  PF_WLROOTS_TAPS_MAX = 1024,
  PF_WLROOTS_MOTION_MAX = 65535, /* pixels, either sign */
  PF_WLROOTS_SCROLL_MAX = 65535
};

enum pf_wlroots_format {
  PF_WLROOTS_BGRX = 1, /* bytes in memory: blue, green, red, unused */
  PF_WLROOTS_RGBX = 2
};

enum pf_wlroots_keyboard { PF_WLROOTS_MAIN_KEYBOARD = 0, PF_WLROOTS_TEXT_KEYBOARD = 1 };

struct pf_wlroots_frame { /* 48 bytes; mirrored by ffi/wlroots.ts */
  uint64_t data;          /* address of the first row, valid until the next call of next or close */
  uint64_t size_bytes;    /* stride_bytes * height */
  uint64_t captured_at_us; /* CLOCK_MONOTONIC */
  uint32_t width;
  uint32_t height;
  uint32_t stride_bytes;
  uint32_t format;          /* enum pf_wlroots_format */
  uint32_t refresh_millihz; /* of the output's mode; 0 when unknown */
  uint32_t reserved;
};
_Static_assert(sizeof(struct pf_wlroots_frame) == 48, "pf_wlroots_frame size");
_Static_assert(offsetof(struct pf_wlroots_frame, width) == 24, "pf_wlroots_frame.width");
_Static_assert(offsetof(struct pf_wlroots_frame, refresh_millihz) == 40, "pf_wlroots_frame.refresh_millihz");

struct pf_wlroots_capture;
struct pf_wlroots_input;

PF_WLROOTS_API uint32_t pf_wlroots_abi(void);

/* Connect to `socket_path` (absolute) and prepare to capture the output called `output_name`. Blocks up to 2 s.
 * `has_cursor` 1 paints the cursor into the picture. Uses ext-image-copy-capture where offered, else wlr-screencopy. */
PF_WLROOTS_API int32_t pf_wlroots_capture_open(const uint8_t *socket_path, size_t socket_path_len,
                                               const uint8_t *output_name, size_t output_name_len,
                                               uint32_t has_cursor, struct pf_wlroots_capture **capture);

/* Wait up to `wait_ms` for a picture newer than the last one returned; the first call gets what is shown now.
 * PF_WLROOTS_ETIMEOUT leaves the last picture's bytes as they are. Blocks. */
PF_WLROOTS_API int32_t pf_wlroots_capture_next(struct pf_wlroots_capture *capture, uint32_t wait_ms,
                                               struct pf_wlroots_frame *frame);

/* 1: wlr-screencopy, 2: ext-image-copy-capture, 0: `capture` is NULL. */
PF_WLROOTS_API uint32_t pf_wlroots_capture_protocol(const struct pf_wlroots_capture *capture);

/* Make a running or the next pf_wlroots_capture_next return PF_WLROOTS_EINTERRUPTED. From any thread. */
PF_WLROOTS_API int32_t pf_wlroots_capture_interrupt(struct pf_wlroots_capture *capture);

/* Free everything. NULL is legal. */
PF_WLROOTS_API void pf_wlroots_capture_close(struct pf_wlroots_capture *capture);

/* Connect and make a virtual pointer on the first seat, mapped onto the output called `output_name`. Also reads the
 * seat's keymap. Blocks up to 2 s. */
PF_WLROOTS_API int32_t pf_wlroots_input_open(const uint8_t *socket_path, size_t socket_path_len,
                                             const uint8_t *output_name, size_t output_name_len,
                                             struct pf_wlroots_input **input);

/* Copy the XKB text that the seat used at open, without NUL, and store its length; 0 when the seat had no keyboard.
 * PF_WLROOTS_EINVAL when `capacity` is too small; `*text_len` then says what is needed. */
PF_WLROOTS_API int32_t pf_wlroots_input_seat_keymap(const struct pf_wlroots_input *input, uint8_t *text,
                                                    size_t capacity, size_t *text_len);

/* Give a keyboard its XKB text (1 to PF_WLROOTS_KEYMAP_MAX bytes, no NUL). The first time makes the keyboard. */
PF_WLROOTS_API int32_t pf_wlroots_input_keymap(struct pf_wlroots_input *input, uint32_t keyboard, const uint8_t *text,
                                               size_t text_len);

/* `code` is an evdev key, 1 to PF_WLROOTS_KEY_MAX. */
PF_WLROOTS_API int32_t pf_wlroots_input_key(struct pf_wlroots_input *input, uint32_t keyboard, uint32_t code,
                                            uint32_t is_down);

/* XKB's eight real modifiers as bits: Shift, Lock, Control, Mod1 to Mod5. The compositor derives nothing itself. */
PF_WLROOTS_API int32_t pf_wlroots_input_modifiers(struct pf_wlroots_input *input, uint32_t keyboard,
                                                  uint32_t depressed, uint32_t locked);

/* Press and release each of 1 to PF_WLROOTS_TAPS_MAX evdev keys, in order. */
PF_WLROOTS_API int32_t pf_wlroots_input_tap(struct pf_wlroots_input *input, uint32_t keyboard, const uint16_t *codes,
                                            size_t codes_len);

/* Host pixels, with fractions. */
PF_WLROOTS_API int32_t pf_wlroots_input_motion(struct pf_wlroots_input *input, double dx, double dy);

/* x / x_extent of the output's width, y / y_extent of its height; x < x_extent and y < y_extent. */
PF_WLROOTS_API int32_t pf_wlroots_input_position(struct pf_wlroots_input *input, uint32_t x, uint32_t y,
                                                 uint32_t x_extent, uint32_t y_extent);

/* `code` is an evdev button, BTN_MOUSE (0x110) to BTN_TASK (0x117). */
PF_WLROOTS_API int32_t pf_wlroots_input_button(struct pf_wlroots_input *input, uint32_t code, uint32_t is_down);

/* Turn the wheel. `axis` 0 vertical, 1 horizontal; `value` is 15 a detent, positive down or right; `detents` are the
 * whole ones that this movement completes, 0 for none, of the sign of `value`. */
PF_WLROOTS_API int32_t pf_wlroots_input_scroll(struct pf_wlroots_input *input, uint32_t axis, double value,
                                               int32_t detents);

/* Remove the devices and free everything. NULL is legal. */
PF_WLROOTS_API void pf_wlroots_input_close(struct pf_wlroots_input *input);

#endif
