/* wlr-screencopy version 3.
 *
 * A frame object first says what layout it wants, which costs a round trip. So its successor is made while it is in
 * flight: when a picture is ready, the next one can be asked for at once.
 */
#include <string.h>

#include "capture.h"

#include "wlr-screencopy-unstable-v1-client.h"

static void on_buffer(void *data, struct zwlr_screencopy_frame_v1 *proxy, uint32_t shm_format, uint32_t width,
                      uint32_t height, uint32_t stride_bytes) {
  struct pf_wlroots_capture *capture = data;
  if (proxy != capture->spare.proxy) return;
  capture->spare.layout = (struct pf_layout){width, height, stride_bytes, shm_format};
  capture->spare.has_layout = true;
}

static void on_dmabuf(void *data, struct zwlr_screencopy_frame_v1 *proxy, uint32_t format, uint32_t width,
                      uint32_t height) {
  (void)data, (void)proxy, (void)format, (void)width, (void)height;
}

static void on_buffer_done(void *data, struct zwlr_screencopy_frame_v1 *proxy) {
  struct pf_wlroots_capture *capture = data;
  if (proxy != capture->spare.proxy) return;
  capture->spare.is_offered = true;
  if (!capture->spare.has_layout || pf_pixel_format(capture->spare.layout.shm_format) == 0) {
    capture->fault = PF_WLROOTS_EFORMAT;
  }
}

static void on_flags(void *data, struct zwlr_screencopy_frame_v1 *proxy, uint32_t flags) {
  struct pf_wlroots_capture *capture = data;
  if (proxy == capture->current.proxy) {
    capture->is_upside_down = (flags & ZWLR_SCREENCOPY_FRAME_V1_FLAGS_Y_INVERT) != 0;
  }
}

static void on_damage(void *data, struct zwlr_screencopy_frame_v1 *proxy, uint32_t x, uint32_t y, uint32_t width,
                      uint32_t height) {
  (void)data, (void)proxy, (void)x, (void)y, (void)width, (void)height;
}

static void forget(struct pf_screencopy_frame *frame) {
  if (frame->proxy != NULL) zwlr_screencopy_frame_v1_destroy(frame->proxy);
  memset(frame, 0, sizeof(*frame));
}

static void on_ready(void *data, struct zwlr_screencopy_frame_v1 *proxy, uint32_t seconds_high, uint32_t seconds_low,
                     uint32_t nanoseconds) {
  struct pf_wlroots_capture *capture = data;
  if (proxy != capture->current.proxy) return;
  /* A frame is cut from the new mode's picture with the old mode's size: of no use. */
  bool is_stale = capture->current.mode_count != capture->connection.output->mode_count;
  forget(&capture->current);
  capture->captured_at_us = pf_time_us(seconds_high, seconds_low, nanoseconds);
  capture->request = is_stale ? PF_REQUEST_FAILED : PF_REQUEST_READY;
}

static void on_failed(void *data, struct zwlr_screencopy_frame_v1 *proxy) {
  struct pf_wlroots_capture *capture = data;
  (void)proxy;
  /* Whichever it was, both were made from the same state of the output: begin anew. */
  forget(&capture->current);
  forget(&capture->spare);
  capture->request = PF_REQUEST_FAILED;
}

static const struct zwlr_screencopy_frame_v1_listener listener = {
    .buffer = on_buffer,
    .flags = on_flags,
    .ready = on_ready,
    .failed = on_failed,
    .damage = on_damage,
    .linux_dmabuf = on_dmabuf,
    .buffer_done = on_buffer_done,
};

static void make_spare(struct pf_wlroots_capture *capture) {
  struct pf_screencopy_frame *spare = &capture->spare;
  forget(spare);
  spare->mode_count = capture->connection.output->mode_count;
  spare->proxy = zwlr_screencopy_manager_v1_capture_output(capture->screencopy, capture->has_cursor ? 1 : 0,
                                                           capture->connection.output->proxy);
  if (spare->proxy == NULL) {
    capture->fault = PF_WLROOTS_EMEMORY;
    return;
  }
  zwlr_screencopy_frame_v1_add_listener(spare->proxy, &listener, capture);
}

static bool is_prepared(const struct pf_wlroots_capture *capture) { return capture->spare.is_offered; }

static void start(struct pf_wlroots_capture *capture) {
  struct pf_screencopy_frame *spare = &capture->spare;
  if (spare->proxy == NULL || spare->mode_count != capture->connection.output->mode_count) make_spare(capture);
  if (!spare->is_offered || !pf_capture_fit_back_buffer(capture, &spare->layout)) return;
  struct wl_buffer *buffer = capture->buffers[capture->back].proxy;
  if (capture->is_change_awaited) {
    zwlr_screencopy_frame_v1_copy_with_damage(spare->proxy, buffer);
  } else {
    zwlr_screencopy_frame_v1_copy(spare->proxy, buffer);
  }
  capture->current = *spare;
  memset(spare, 0, sizeof(*spare));
  capture->request = PF_REQUEST_IN_FLIGHT;
  make_spare(capture);
}

static void close_frames(struct pf_wlroots_capture *capture) {
  forget(&capture->current);
  forget(&capture->spare);
}

const struct pf_capture_protocol pf_screencopy_protocol = {
    .id = 1,
    .start = start,
    .is_prepared = is_prepared,
    .close = close_frames,
};
