/* What the two capture protocols share. wlroots has spoken wlr-screencopy for long and ext-image-copy-capture of late.
 *
 *     IDLE --start--> IN_FLIGHT --event--> READY   the picture lies in the back buffer
 *                               --event--> FAILED  nothing came; tried again a little later
 */
#ifndef PF_WLROOTS_CAPTURE_H
#define PF_WLROOTS_CAPTURE_H

#include "connection.h"

struct pf_buffer {
  struct wl_buffer *proxy; /* NULL: none yet */
  uint8_t *data;
  size_t size_bytes;
  uint32_t width;
  uint32_t height;
  uint32_t stride_bytes;
  uint32_t shm_format;
};

/* What the compositor wants to copy into. */
struct pf_layout {
  uint32_t width;
  uint32_t height;
  uint32_t stride_bytes;
  uint32_t shm_format;
};

enum pf_request { PF_REQUEST_IDLE, PF_REQUEST_IN_FLIGHT, PF_REQUEST_READY, PF_REQUEST_FAILED };

struct pf_wlroots_capture;

struct pf_capture_protocol {
  uint32_t id; /* as pf_wlroots_capture_protocol tells it */
  /* Ask for the next picture into the back buffer, if all that is needed for it has come; else only ask for that. */
  void (*start)(struct pf_wlroots_capture *capture);
  /* Whether pictures can be asked for: the compositor has said what it copies into. */
  bool (*is_prepared)(const struct pf_wlroots_capture *capture);
  void (*close)(struct pf_wlroots_capture *capture);
};

struct pf_screencopy_frame {
  struct zwlr_screencopy_frame_v1 *proxy;
  struct pf_layout layout;
  bool has_layout; /* a wl_shm layout was offered */
  bool is_offered; /* all offers have come */
  uint32_t mode_count;
};

struct pf_wlroots_capture {
  struct pf_connection connection;
  int wake_fd;
  bool has_cursor;
  struct wl_shm *shm;
  /* `back` is written by the compositor; the other belongs to the caller until the next call. */
  struct pf_buffer buffers[2];
  uint32_t back;

  const struct pf_capture_protocol *protocol;
  enum pf_request request;
  bool is_change_awaited; /* the next picture may wait for the screen to change */
  bool is_upside_down;
  bool is_stopped; /* the compositor ended the capture */
  uint64_t captured_at_us;
  int32_t fault; /* a status that an event brought about, PF_WLROOTS_OK while there is none */
  uint32_t failure_count;
  int64_t retry_at_us;

  struct zwlr_screencopy_manager_v1 *screencopy;
  struct pf_screencopy_frame current; /* the request in flight */
  struct pf_screencopy_frame spare;   /* its successor, offers already asked for */

  struct ext_image_copy_capture_manager_v1 *copy_capture;
  struct ext_output_image_capture_source_manager_v1 *sources;
  struct ext_image_capture_source_v1 *source;
  struct ext_image_copy_capture_session_v1 *session;
  struct ext_image_copy_capture_frame_v1 *session_frame;
  struct pf_layout constraints;         /* in force */
  struct pf_layout announced;           /* being told, in force with the next `done` */
  bool has_announced_format;
  bool is_constrained;
};

extern const struct pf_capture_protocol pf_screencopy_protocol;
extern const struct pf_capture_protocol pf_copy_capture_protocol;

/* enum pf_wlroots_format of a wl_shm format, 0 when unknown here. */
uint32_t pf_pixel_format(uint32_t shm_format);

/* Make the back buffer fit `layout`; false sets `capture->fault`. */
bool pf_capture_fit_back_buffer(struct pf_wlroots_capture *capture, const struct pf_layout *layout);

/* A time of two halves of seconds and nanoseconds, as both protocols send it, in microseconds. */
uint64_t pf_time_us(uint32_t seconds_high, uint32_t seconds_low, uint32_t nanoseconds);

#endif
