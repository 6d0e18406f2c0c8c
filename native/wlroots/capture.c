#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ext-image-capture-source-v1-client.h"
#include "ext-image-copy-capture-v1-client.h"
#include "wlr-screencopy-unstable-v1-client.h"

/* A capture fails in passing while an output changes its mode: half a second of tries in a row means it is lost. */
#define FAILURES_MAX 25
#define RETRY_US 20000

uint32_t pf_wlroots_abi(void) { return PF_WLROOTS_ABI; }

uint32_t pf_pixel_format(uint32_t shm_format) {
  switch (shm_format) {
    case WL_SHM_FORMAT_XRGB8888:
    case WL_SHM_FORMAT_ARGB8888:
      return PF_WLROOTS_BGRX;
    case WL_SHM_FORMAT_XBGR8888:
    case WL_SHM_FORMAT_ABGR8888:
      return PF_WLROOTS_RGBX;
    default:
      return 0;
  }
}

uint64_t pf_time_us(uint32_t seconds_high, uint32_t seconds_low, uint32_t nanoseconds) {
  return (((uint64_t)seconds_high << 32) | seconds_low) * 1000000 + nanoseconds / 1000;
}

static void free_buffer(struct pf_buffer *buffer) {
  if (buffer->proxy != NULL) wl_buffer_destroy(buffer->proxy);
  if (buffer->data != NULL) munmap(buffer->data, buffer->size_bytes);
  memset(buffer, 0, sizeof(*buffer));
}

static int32_t make_buffer(struct pf_buffer *buffer, struct wl_shm *shm, const struct pf_layout *layout) {
  size_t size_bytes = (size_t)layout->stride_bytes * layout->height;
  int fd = memfd_create("pf_wlroots", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return PF_WLROOTS_EMEMORY;
  void *data = MAP_FAILED;
  /* Sealed against shrinking, so that the compositor need not guard against a vanishing page. */
  if (ftruncate(fd, (off_t)size_bytes) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL) == 0) {
    data = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  }
  if (data == MAP_FAILED) {
    close(fd);
    return PF_WLROOTS_EMEMORY;
  }
  struct wl_shm_pool *pool = wl_shm_create_pool(shm, fd, (int32_t)size_bytes);
  close(fd);
  *buffer = (struct pf_buffer){
      .data = data,
      .size_bytes = size_bytes,
      .width = layout->width,
      .height = layout->height,
      .stride_bytes = layout->stride_bytes,
      .shm_format = layout->shm_format,
  };
  if (pool == NULL) return PF_WLROOTS_EMEMORY;
  buffer->proxy = wl_shm_pool_create_buffer(pool, 0, (int32_t)layout->width, (int32_t)layout->height,
                                            (int32_t)layout->stride_bytes, layout->shm_format);
  wl_shm_pool_destroy(pool);
  return buffer->proxy == NULL ? PF_WLROOTS_EMEMORY : PF_WLROOTS_OK;
}

bool pf_capture_fit_back_buffer(struct pf_wlroots_capture *capture, const struct pf_layout *layout) {
  struct pf_buffer *buffer = &capture->buffers[capture->back];
  bool fits = buffer->proxy != NULL && buffer->width == layout->width && buffer->height == layout->height &&
              buffer->stride_bytes == layout->stride_bytes && buffer->shm_format == layout->shm_format;
  if (fits) return true;
  bool is_sane = layout->width >= 1 && layout->width <= PF_WLROOTS_SIZE_MAX && layout->height >= 1 &&
                 layout->height <= PF_WLROOTS_SIZE_MAX && layout->stride_bytes / 4 >= layout->width &&
                 layout->stride_bytes / 8 <= PF_WLROOTS_SIZE_MAX &&
                 (uint64_t)layout->stride_bytes * layout->height <= INT32_MAX;
  if (!is_sane || pf_pixel_format(layout->shm_format) == 0) {
    capture->fault = PF_WLROOTS_EFORMAT;
    return false;
  }
  free_buffer(buffer);
  capture->fault = make_buffer(buffer, capture->shm, layout);
  if (capture->fault != PF_WLROOTS_OK) free_buffer(buffer);
  return capture->fault == PF_WLROOTS_OK;
}

static void on_global(void *owner, struct wl_registry *registry, uint32_t global, const char *interface,
                      uint32_t version) {
  struct pf_wlroots_capture *capture = owner;
  if (strcmp(interface, wl_shm_interface.name) == 0) {
    if (capture->shm == NULL) capture->shm = wl_registry_bind(registry, global, &wl_shm_interface, 1);
  } else if (strcmp(interface, zwlr_screencopy_manager_v1_interface.name) == 0) {
    if (capture->screencopy == NULL && version >= 3) {
      capture->screencopy = wl_registry_bind(registry, global, &zwlr_screencopy_manager_v1_interface, 3);
    }
  } else if (strcmp(interface, ext_image_copy_capture_manager_v1_interface.name) == 0) {
    if (capture->copy_capture == NULL) {
      capture->copy_capture = wl_registry_bind(registry, global, &ext_image_copy_capture_manager_v1_interface, 1);
    }
  } else if (strcmp(interface, ext_output_image_capture_source_manager_v1_interface.name) == 0) {
    if (capture->sources == NULL) {
      capture->sources =
          wl_registry_bind(registry, global, &ext_output_image_capture_source_manager_v1_interface, 1);
    }
  }
}

static int32_t prepare(struct pf_wlroots_capture *capture, int64_t deadline_us) {
  if (capture->shm == NULL) return PF_WLROOTS_EPROTOCOL;
  if (capture->copy_capture != NULL && capture->sources != NULL) {
    capture->protocol = &pf_copy_capture_protocol;
  } else if (capture->screencopy != NULL) {
    capture->protocol = &pf_screencopy_protocol;
  } else {
    return PF_WLROOTS_EPROTOCOL;
  }
  capture->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (capture->wake_fd < 0) return PF_WLROOTS_EMEMORY;
  capture->request = PF_REQUEST_IDLE;
  while (!capture->protocol->is_prepared(capture)) {
    if (capture->is_stopped || capture->connection.is_output_gone) return PF_WLROOTS_ELOST;
    if (capture->fault != PF_WLROOTS_OK) return capture->fault;
    /* Not prepared yet, it asks for the layout only: the picture is asked for when somebody wants it. */
    capture->protocol->start(capture);
    int32_t status = pf_connection_step(&capture->connection, deadline_us, -1);
    if (status != PF_WLROOTS_OK) return status;
  }
  return PF_WLROOTS_OK;
}

int32_t pf_wlroots_capture_open(const uint8_t *socket_path, size_t socket_path_len, const uint8_t *output_name,
                                size_t output_name_len, uint32_t has_cursor, struct pf_wlroots_capture **result) {
  if (result == NULL) return PF_WLROOTS_EINVAL;
  *result = NULL;
  if (has_cursor > 1 || !pf_is_address_valid(socket_path, socket_path_len, output_name, output_name_len)) {
    return PF_WLROOTS_EINVAL;
  }
  struct pf_wlroots_capture *capture = calloc(1, sizeof(*capture));
  if (capture == NULL) return PF_WLROOTS_EMEMORY;
  capture->wake_fd = -1;
  capture->has_cursor = has_cursor == 1;
  capture->connection.on_global = on_global;
  capture->connection.owner = capture;
  int64_t deadline_us = pf_now_us() + PF_OPEN_WAIT_US;
  int32_t status = pf_connection_open(&capture->connection, socket_path, socket_path_len, output_name,
                                      output_name_len, deadline_us);
  if (status == PF_WLROOTS_OK) status = prepare(capture, deadline_us);
  if (status != PF_WLROOTS_OK) {
    pf_wlroots_capture_close(capture);
    return status;
  }
  *result = capture;
  return PF_WLROOTS_OK;
}

static void swap_rows(uint8_t *a, uint8_t *b, size_t length) {
  uint8_t held[4096];
  while (length > 0) {
    size_t count = length < sizeof(held) ? length : sizeof(held);
    memcpy(held, a, count);
    memcpy(a, b, count);
    memcpy(b, held, count);
    a += count;
    b += count;
    length -= count;
  }
}

static void flip(struct pf_buffer *buffer) {
  for (uint32_t row = 0; row < buffer->height / 2; row++) {
    swap_rows(buffer->data + (size_t)row * buffer->stride_bytes,
              buffer->data + (size_t)(buffer->height - 1 - row) * buffer->stride_bytes, buffer->stride_bytes);
  }
}

/* Hand the picture in the back buffer to the caller and ask for the next one into the buffer it gives up. */
static void take(struct pf_wlroots_capture *capture, struct pf_wlroots_frame *frame) {
  struct pf_buffer *buffer = &capture->buffers[capture->back];
  if (capture->is_upside_down) flip(buffer);
  *frame = (struct pf_wlroots_frame){
      .data = (uint64_t)(uintptr_t)buffer->data,
      .size_bytes = buffer->size_bytes,
      .captured_at_us = capture->captured_at_us,
      .width = buffer->width,
      .height = buffer->height,
      .stride_bytes = buffer->stride_bytes,
      .format = pf_pixel_format(buffer->shm_format),
      .refresh_millihz = capture->connection.output->refresh_millihz,
  };
  capture->back = 1 - capture->back;
  capture->failure_count = 0;
  capture->is_change_awaited = true;
  capture->request = PF_REQUEST_IDLE;
  capture->protocol->start(capture);
  pf_wl.display_flush(capture->connection.display);
}

/* What to do before waiting; PF_WLROOTS_OK to go on. */
static int32_t advance(struct pf_wlroots_capture *capture, int64_t now_us) {
  if (capture->is_stopped || capture->connection.is_output_gone) return PF_WLROOTS_ELOST;
  if (capture->request == PF_REQUEST_FAILED) {
    if (++capture->failure_count > FAILURES_MAX) return PF_WLROOTS_ELOST;
    capture->request = PF_REQUEST_IDLE;
    capture->is_change_awaited = false;
    capture->retry_at_us = now_us + RETRY_US;
  }
  if (capture->request == PF_REQUEST_IDLE && now_us >= capture->retry_at_us) capture->protocol->start(capture);
  return capture->fault;
}

int32_t pf_wlroots_capture_next(struct pf_wlroots_capture *capture, uint32_t wait_ms, struct pf_wlroots_frame *frame) {
  if (capture == NULL || frame == NULL || wait_ms > PF_WLROOTS_WAIT_MS_MAX) return PF_WLROOTS_EINVAL;
  int64_t deadline_us = pf_now_us() + (int64_t)wait_ms * 1000;
  for (;;) {
    int64_t now_us = pf_now_us();
    int32_t status = advance(capture, now_us);
    if (status != PF_WLROOTS_OK) return status;
    if (capture->request == PF_REQUEST_READY) {
      take(capture, frame);
      return PF_WLROOTS_OK;
    }
    int64_t until_us = deadline_us;
    if (capture->retry_at_us > now_us && capture->retry_at_us < until_us) until_us = capture->retry_at_us;
    status = pf_connection_step(&capture->connection, until_us, capture->wake_fd);
    if (status == PF_WLROOTS_EINTERRUPTED) {
      uint64_t count;
      if (read(capture->wake_fd, &count, sizeof(count)) < 0) return PF_WLROOTS_ELOST;
      return status;
    }
    if (status == PF_WLROOTS_ETIMEOUT && pf_now_us() < deadline_us) continue;
    if (status != PF_WLROOTS_OK) return status;
  }
}

uint32_t pf_wlroots_capture_protocol(const struct pf_wlroots_capture *capture) {
  return capture == NULL ? 0 : capture->protocol->id;
}

int32_t pf_wlroots_capture_interrupt(struct pf_wlroots_capture *capture) {
  if (capture == NULL) return PF_WLROOTS_EINVAL;
  uint64_t one = 1;
  /* EAGAIN: it is readable already, which is all that is wanted. */
  if (write(capture->wake_fd, &one, sizeof(one)) < 0 && errno != EAGAIN) return PF_WLROOTS_ELOST;
  return PF_WLROOTS_OK;
}

void pf_wlroots_capture_close(struct pf_wlroots_capture *capture) {
  if (capture == NULL) return;
  if (capture->protocol != NULL) capture->protocol->close(capture);
  free_buffer(&capture->buffers[0]);
  free_buffer(&capture->buffers[1]);
  if (capture->copy_capture != NULL) ext_image_copy_capture_manager_v1_destroy(capture->copy_capture);
  if (capture->sources != NULL) ext_output_image_capture_source_manager_v1_destroy(capture->sources);
  if (capture->screencopy != NULL) zwlr_screencopy_manager_v1_destroy(capture->screencopy);
  if (capture->shm != NULL) wl_shm_destroy(capture->shm);
  if (capture->wake_fd >= 0) close(capture->wake_fd);
  pf_connection_close(&capture->connection);
  free(capture);
}
