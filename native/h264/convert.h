/* Colour conversion and measuring of h264.c. Not part of the shim's interface. */
#ifndef PF_H264_CONVERT_H
#define PF_H264_CONVERT_H

#include <stddef.h>
#include <stdint.h>

#include "h264.h"

struct pf_planes {
  uint8_t *y, *u, *v;
  size_t y_stride, uv_stride; /* bytes */
};

/*
 * 15-bit weights of the four bytes of a pixel in memory order, for Y, U and V. The fourth byte always weighs 0.
 * Y = (weights · pixel + y_offset) >> 15; U and V the same over the sum of a 2×2 block, >> 17.
 */
struct pf_weights {
  int16_t y[4], u[4], v[4];
  int32_t y_offset, uv_offset;
};

void pf_weights_init(struct pf_weights *weights, uint32_t format, uint32_t matrix, uint32_t is_full_range);

/* width and height are even and the planes hold them. */
typedef void pf_convert_fn(const struct pf_weights *weights, const uint8_t *pixels, size_t stride,
                           const struct pf_planes *planes, uint32_t width, uint32_t height);
pf_convert_fn pf_convert_plain;
/* The fastest one this CPU has; gives the same bytes as pf_convert_plain. */
pf_convert_fn *pf_convert_pick(void);

/* Sets intra, inter and samples. previous may be NULL: inter is intra then. */
typedef void pf_measure_fn(const uint8_t *luma, const uint8_t *previous, size_t stride, uint32_t width,
                           uint32_t height, struct pf_h264_complexity *out);
pf_measure_fn pf_measure_plain;
pf_measure_fn *pf_measure_pick(void);

#endif
