/* ext-image-copy-capture version 1: one session that says what layout it wants, one frame object at a time. */
#include <string.h>

#include "capture.h"

#include "ext-image-capture-source-v1-client.h"
#include "ext-image-copy-capture-v1-client.h"

static void on_buffer_size(void *data, struct ext_image_copy_capture_session_v1 *session, uint32_t width,
                           uint32_t height) {
  struct pf_wlroots_capture *capture = data;
  (void)session;
  capture->announced.width = width;
  capture->announced.height = height;
  capture->announced.stride_bytes = width <= PF_WLROOTS_SIZE_MAX ? width * 4 : 0;
}

static void on_shm_format(void *data, struct ext_image_copy_capture_session_v1 *session, uint32_t shm_format) {
  struct pf_wlroots_capture *capture = data;
  (void)session;
  if (capture->has_announced_format || pf_pixel_format(shm_format) == 0) return;
  capture->announced.shm_format = shm_format;
  capture->has_announced_format = true;
}

static void on_dmabuf_device(void *data, struct ext_image_copy_capture_session_v1 *session, struct wl_array *device) {
  (void)data, (void)session, (void)device;
}

static void on_dmabuf_format(void *data, struct ext_image_copy_capture_session_v1 *session, uint32_t format,
                             struct wl_array *modifiers) {
  (void)data, (void)session, (void)format, (void)modifiers;
}

static void on_done(void *data, struct ext_image_copy_capture_session_v1 *session) {
  struct pf_wlroots_capture *capture = data;
  (void)session;
  if (!capture->has_announced_format) {
    capture->fault = PF_WLROOTS_EFORMAT;
    return;
  }
  capture->constraints = capture->announced;
  capture->has_announced_format = false;
  capture->is_constrained = true;
}

static void on_stopped(void *data, struct ext_image_copy_capture_session_v1 *session) {
  struct pf_wlroots_capture *capture = data;
  (void)session;
  capture->is_stopped = true;
}

static const struct ext_image_copy_capture_session_v1_listener session_listener = {
    .buffer_size = on_buffer_size,
    .shm_format = on_shm_format,
    .dmabuf_device = on_dmabuf_device,
    .dmabuf_format = on_dmabuf_format,
    .done = on_done,
    .stopped = on_stopped,
};

static void end_frame(struct pf_wlroots_capture *capture, enum pf_request request) {
  ext_image_copy_capture_frame_v1_destroy(capture->session_frame);
  capture->session_frame = NULL;
  capture->request = request;
}

static void on_transform(void *data, struct ext_image_copy_capture_frame_v1 *frame, uint32_t transform) {
  struct pf_wlroots_capture *capture = data;
  (void)frame;
  capture->is_upside_down = transform == WL_OUTPUT_TRANSFORM_FLIPPED_180;
}

static void on_damage(void *data, struct ext_image_copy_capture_frame_v1 *frame, int32_t x, int32_t y, int32_t width,
                      int32_t height) {
  (void)data, (void)frame, (void)x, (void)y, (void)width, (void)height;
}

static void on_presentation_time(void *data, struct ext_image_copy_capture_frame_v1 *frame, uint32_t seconds_high,
                                 uint32_t seconds_low, uint32_t nanoseconds) {
  struct pf_wlroots_capture *capture = data;
  (void)frame;
  capture->captured_at_us = pf_time_us(seconds_high, seconds_low, nanoseconds);
}

static void on_ready(void *data, struct ext_image_copy_capture_frame_v1 *frame) {
  (void)frame;
  end_frame(data, PF_REQUEST_READY);
}

static void on_failed(void *data, struct ext_image_copy_capture_frame_v1 *frame, uint32_t reason) {
  struct pf_wlroots_capture *capture = data;
  (void)frame;
  if (reason == EXT_IMAGE_COPY_CAPTURE_FRAME_V1_FAILURE_REASON_STOPPED) capture->is_stopped = true;
  end_frame(capture, PF_REQUEST_FAILED);
}

static const struct ext_image_copy_capture_frame_v1_listener frame_listener = {
    .transform = on_transform,
    .damage = on_damage,
    .presentation_time = on_presentation_time,
    .ready = on_ready,
    .failed = on_failed,
};

static void open_session(struct pf_wlroots_capture *capture) {
  capture->source = ext_output_image_capture_source_manager_v1_create_source(capture->sources,
                                                                             capture->connection.output->proxy);
  if (capture->source != NULL) {
    capture->session = ext_image_copy_capture_manager_v1_create_session(
        capture->copy_capture, capture->source,
        capture->has_cursor ? EXT_IMAGE_COPY_CAPTURE_MANAGER_V1_OPTIONS_PAINT_CURSORS : 0);
  }
  if (capture->session == NULL) {
    capture->fault = PF_WLROOTS_EMEMORY;
    return;
  }
  ext_image_copy_capture_session_v1_add_listener(capture->session, &session_listener, capture);
}

static bool is_prepared(const struct pf_wlroots_capture *capture) { return capture->is_constrained; }

static void start(struct pf_wlroots_capture *capture) {
  if (capture->session == NULL) return open_session(capture);
  if (!capture->is_constrained || !pf_capture_fit_back_buffer(capture, &capture->constraints)) return;
  struct pf_buffer *back = &capture->buffers[capture->back];
  capture->session_frame = ext_image_copy_capture_session_v1_create_frame(capture->session);
  if (capture->session_frame == NULL) {
    capture->fault = PF_WLROOTS_EMEMORY;
    return;
  }
  ext_image_copy_capture_frame_v1_add_listener(capture->session_frame, &frame_listener, capture);
  ext_image_copy_capture_frame_v1_attach_buffer(capture->session_frame, back->proxy);
  /* The buffer is two pictures old: all of it is to be written. */
  ext_image_copy_capture_frame_v1_damage_buffer(capture->session_frame, 0, 0, (int32_t)back->width,
                                                (int32_t)back->height);
  ext_image_copy_capture_frame_v1_capture(capture->session_frame);
  capture->request = PF_REQUEST_IN_FLIGHT;
}

static void close_session(struct pf_wlroots_capture *capture) {
  if (capture->session_frame != NULL) ext_image_copy_capture_frame_v1_destroy(capture->session_frame);
  if (capture->session != NULL) ext_image_copy_capture_session_v1_destroy(capture->session);
  if (capture->source != NULL) ext_image_capture_source_v1_destroy(capture->source);
}

const struct pf_capture_protocol pf_copy_capture_protocol = {
    .id = 2,
    .start = start,
    .is_prepared = is_prepared,
    .close = close_session,
};
