/*
 * H.264 in software: pictures in, access units out, over OpenH264.
 *
 * One picture takes two calls: pf_h264_load converts it and says how hard it is, the caller chooses the quantiser,
 * pf_h264_encode codes it. The rate is the caller's to hold.
 *
 * The stream is High profile with CABAC: no B pictures, one temporal layer, an IDR only when asked for, SPS and PPS only in
 * front of an IDR.
 *
 * A handle is used by one thread at a time. With config.threads > 1 OpenH264 codes slices on threads of its own, which
 * end with pf_h264_close.
 */
#ifndef PF_H264_H
#define PF_H264_H

#include <stddef.h>
#include <stdint.h>

#define PF_H264_ABI 1u
#define PF_H264_EXPORT __attribute__((visibility("default")))

/* width × height may not exceed this, nor either of them the second: OpenH264 stops at 36 864 macroblocks. */
#define PF_H264_PIXELS_MAX 9437184u
#define PF_H264_SIDE_MIN 64u
#define PF_H264_SIDE_MAX 8192u
/* More would make buffers of the library so small that a slice of noise could overrun them. */
#define PF_H264_SLICES_MAX 4u
#define PF_H264_THREADS_MAX 4u
#define PF_H264_QP_MIN 10u
#define PF_H264_QP_MAX 51u

enum pf_h264_status {
  PF_H264_OK = 0,
  PF_H264_EINVAL = -1,  /* an argument is outside the stated limits */
  PF_H264_ENOMEM = -2,
  PF_H264_ELIBRARY = -3, /* OpenH264 refused */
  PF_H264_ETOOBIG = -4,  /* the access unit is larger than its buffer */
  PF_H264_EORDER = -5    /* encode without a loaded picture */
};

enum pf_h264_format { PF_H264_BGRX = 0, PF_H264_RGBX = 1, PF_H264_I420 = 2 };
enum pf_h264_matrix { PF_H264_BT601 = 0, PF_H264_BT709 = 1 };

struct pf_h264_config {      /* 36 bytes; mirrored by ffi/h264.ts */
  uint32_t width;            /* even */
  uint32_t height;           /* even */
  uint32_t refresh_millihz;  /* 1 000…1 000 000, for the stream's level only */
  uint32_t slices;           /* 1…4 */
  uint32_t threads;          /* 1…4 */
  uint32_t reference_frames; /* 1…4 */
  uint32_t level_idc;        /* 10…52, as in the SPS */
  uint32_t matrix;           /* enum pf_h264_matrix: conversion and VUI */
  uint32_t is_full_range;    /* 0 or 1 */
};
_Static_assert(sizeof(struct pf_h264_config) == 36, "pf_h264_config size");

struct pf_h264_picture {   /* 32 bytes; mirrored by ffi/h264.ts */
  const uint8_t *data;     /* i420: Y, then U and V with half the stride and half the rows, both rounded up */
  uint64_t data_len;
  uint32_t width;          /* config.width or one more; the surplus is cropped */
  uint32_t height;         /* config.height or one more */
  uint32_t stride;         /* bytes from row to row of the first plane */
  uint32_t format;         /* enum pf_h264_format */
};
_Static_assert(sizeof(struct pf_h264_picture) == 32, "pf_h264_picture size");

struct pf_h264_complexity { /* 24 bytes; mirrored by ffi/h264.ts. Luma of half the rows, by blocks of 16×16: */
  uint64_t intra;           /* sum of the mean of |p(x,y) − p(x,y−1)| and |p(x,y) − p(x−1,y)| */
  uint64_t inter;           /* sum over blocks of the smaller: that, or |p(x,y) − p(x,y) of the picture coded last| */
  uint32_t samples;         /* how many p(x,y) were looked at */
  uint32_t qp_min;          /* the lowest quantiser that pf_h264_encode takes for this picture */
};
_Static_assert(sizeof(struct pf_h264_complexity) == 24, "pf_h264_complexity size");

struct pf_h264_unit {    /* 16 bytes; mirrored by ffi/h264.ts */
  const uint8_t *data;   /* Annex B; the handle's, valid until the next encode or close */
  uint32_t size;
  uint32_t is_idr;
};
_Static_assert(sizeof(struct pf_h264_unit) == 16, "pf_h264_unit size");

struct pf_h264_encoder;

PF_H264_EXPORT uint32_t pf_h264_abi(void);

/* *out is NULL after an error. */
PF_H264_EXPORT int32_t pf_h264_open(const struct pf_h264_config *config, size_t config_len,
                                    struct pf_h264_encoder **out);

/* Convert and measure; the picture's bytes are not needed afterwards. A second load replaces the first. */
PF_H264_EXPORT int32_t pf_h264_load(struct pf_h264_encoder *encoder, const struct pf_h264_picture *picture,
                                    size_t picture_len, struct pf_h264_complexity *complexity,
                                    size_t complexity_len);

/*
 * Code the loaded picture with quantiser qp (its complexity.qp_min … 51) throughout. The first unit is an IDR in any case.
 *
 * The lower limit keeps the unit below one byte a pixel: OpenH264 writes past its buffers beyond that.
 */
PF_H264_EXPORT int32_t pf_h264_encode(struct pf_h264_encoder *encoder, uint32_t qp, uint32_t is_idr_wanted,
                                      struct pf_h264_unit *unit, size_t unit_len);

/* NULL is legal. */
PF_H264_EXPORT void pf_h264_close(struct pf_h264_encoder *encoder);

#endif
