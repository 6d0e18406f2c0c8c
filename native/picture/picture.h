/*
 * A moving test picture whose strips tell a machine when it was drawn, and the sleep that paces it.
 *
 * The top sixth carries two strips of 64 equal cells across the full width, most significant bit left, white is 1:
 *
 *     rows 0 … H/12      1010, time (44 bits, 100 µs), sum of its four 11-bit groups (12 bits), 0101
 *     rows H/12 … H/6    1010, counter (24 bits), sum of its three bytes (8 bits), 0x5555555 (28 bits)
 *
 * A handle owns two pictures and draws into them in turn, so that the one returned last stays as it is during the next
 * draw. A handle is used by one thread at a time.
 */
#ifndef PF_PICTURE_H
#define PF_PICTURE_H

#include <stddef.h>
#include <stdint.h>

#define PF_PICTURE_ABI 1u
#define PF_PICTURE_EXPORT __attribute__((visibility("default")))

#define PF_PICTURE_SIDE_MIN 64u
#define PF_PICTURE_SIDE_MAX 8192u
#define PF_PICTURE_SLEEP_MS_MAX 60000u

enum pf_picture_status {
  PF_PICTURE_OK = 0,
  PF_PICTURE_EINVAL = -1, /* an argument is outside the stated limits */
  PF_PICTURE_ENOMEM = -2
};

enum pf_picture_content {
  PF_PICTURE_MOTION = 0, /* an evening sky, bars, a bouncing emblem, the counter in digits */
  PF_PICTURE_NOISE = 1,  /* every pixel new and at random: the hardest to encode */
  PF_PICTURE_TEXT = 2    /* lines of blocks like writing, scrolling up */
};

struct pf_picture_config { /* 12 bytes; mirrored by ffi/picture.ts */
  uint32_t width;
  uint32_t height;
  uint32_t content; /* enum pf_picture_content */
};
_Static_assert(sizeof(struct pf_picture_config) == 12, "pf_picture_config size");

struct pf_picture_frame { /* 24 bytes; mirrored by ffi/picture.ts */
  const uint8_t *data;    /* BGRX; the handle's, unchanged until the second draw from here, or close */
  uint64_t size;
  uint32_t stride;        /* bytes */
  uint32_t reserved;
};
_Static_assert(sizeof(struct pf_picture_frame) == 24, "pf_picture_frame size");

struct pf_picture;

PF_PICTURE_EXPORT uint32_t pf_picture_abi(void);

/* *out is NULL after an error. */
PF_PICTURE_EXPORT int32_t pf_picture_open(const struct pf_picture_config *config, size_t config_len,
                                          struct pf_picture **out);

/* Draw picture number `counter` with `time_us` in its strip: whole 100 µs, modulo 2^44. The counter counts modulo 2^24. */
PF_PICTURE_EXPORT int32_t pf_picture_draw(struct pf_picture *picture, uint64_t time_us, uint32_t counter,
                                          struct pf_picture_frame *frame, size_t frame_len);

/* NULL is legal. */
PF_PICTURE_EXPORT void pf_picture_close(struct pf_picture *picture);

/* CLOCK_MONOTONIC in microseconds. */
PF_PICTURE_EXPORT uint64_t pf_picture_now_us(void);

/* Block until CLOCK_MONOTONIC reads deadline_us, at most 60 s ahead. Returns at once when it has passed. */
PF_PICTURE_EXPORT int32_t pf_picture_sleep_until(uint64_t deadline_us);

#endif
