#include "connection.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

_Static_assert(PF_WLROOTS_SOCKET_PATH_MAX + 1 == sizeof(((struct sockaddr_un *)0)->sun_path), "socket path limit");

int64_t pf_now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

uint32_t pf_min(uint32_t a, uint32_t b) { return a < b ? a : b; }

bool pf_is_address_valid(const uint8_t *socket_path, size_t socket_path_len, const uint8_t *output_name,
                         size_t output_name_len) {
  if (socket_path == NULL || socket_path_len < 2 || socket_path_len > PF_WLROOTS_SOCKET_PATH_MAX) return false;
  if (output_name == NULL || output_name_len < 1 || output_name_len > PF_WLROOTS_OUTPUT_NAME_MAX) return false;
  return socket_path[0] == '/' && memchr(socket_path, 0, socket_path_len) == NULL &&
         memchr(output_name, 0, output_name_len) == NULL;
}

static void output_geometry(void *data, struct wl_output *proxy, int32_t x, int32_t y, int32_t width_mm,
                            int32_t height_mm, int32_t subpixel, const char *make, const char *model,
                            int32_t transform) {
  (void)data, (void)proxy, (void)x, (void)y, (void)width_mm, (void)height_mm, (void)subpixel;
  (void)make, (void)model, (void)transform;
}

static void output_mode(void *data, struct wl_output *proxy, uint32_t flags, int32_t width, int32_t height,
                        int32_t refresh_millihz) {
  struct pf_output *output = data;
  (void)proxy, (void)width, (void)height;
  if ((flags & WL_OUTPUT_MODE_CURRENT) == 0) return;
  output->refresh_millihz = refresh_millihz > 0 ? (uint32_t)refresh_millihz : 0;
  output->mode_count++;
}

static void output_done(void *data, struct wl_output *proxy) { (void)data, (void)proxy; }

static void output_scale(void *data, struct wl_output *proxy, int32_t factor) {
  (void)data, (void)proxy, (void)factor;
}

static void output_name(void *data, struct wl_output *proxy, const char *name) {
  struct pf_output *output = data;
  (void)proxy;
  /* A longer name cannot be asked for, so it may stay unknown. */
  if (strlen(name) <= PF_WLROOTS_OUTPUT_NAME_MAX) strcpy(output->name, name);
}

static void output_description(void *data, struct wl_output *proxy, const char *description) {
  (void)data, (void)proxy, (void)description;
}

static const struct wl_output_listener output_listener = {
    .geometry = output_geometry,
    .mode = output_mode,
    .done = output_done,
    .scale = output_scale,
    .name = output_name,
    .description = output_description,
};

/* wl_output tells its name from version 4 on. */
#define OUTPUT_VERSION 4

static void forget_output(struct pf_output *output) {
  if (output->proxy == NULL) return;
  wl_output_release(output->proxy);
  memset(output, 0, sizeof(*output));
}

static void registry_global(void *data, struct wl_registry *registry, uint32_t global, const char *interface,
                            uint32_t version) {
  struct pf_connection *connection = data;
  if (strcmp(interface, wl_output_interface.name) != 0) {
    connection->on_global(connection->owner, registry, global, interface, version);
    return;
  }
  /* Outputs that come later are somebody else's. */
  if (connection->output != NULL || version < OUTPUT_VERSION) return;
  for (size_t index = 0; index < PF_OUTPUTS_MAX; index++) {
    struct pf_output *output = &connection->outputs[index];
    if (output->proxy != NULL) continue;
    output->proxy = wl_registry_bind(registry, global, &wl_output_interface, OUTPUT_VERSION);
    output->global = global;
    if (output->proxy != NULL) wl_output_add_listener(output->proxy, &output_listener, output);
    return;
  }
}

static void registry_global_remove(void *data, struct wl_registry *registry, uint32_t global) {
  struct pf_connection *connection = data;
  (void)registry;
  if (connection->output != NULL && connection->output->global == global) connection->is_output_gone = true;
}

static const struct wl_registry_listener registry_listener = {registry_global, registry_global_remove};

static int connect_socket(const uint8_t *path, size_t path_len) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  memcpy(address.sun_path, path, path_len);
  /* Without blocking: a compositor that accepts nobody must not hold the caller. */
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) return fd;
  close(fd);
  return -1;
}

int32_t pf_connection_open(struct pf_connection *connection, const uint8_t *socket_path, size_t socket_path_len,
                           const uint8_t *wanted, size_t wanted_len, int64_t deadline_us) {
  if (!pf_wl_load()) return PF_WLROOTS_ELIBRARY;
  int fd = connect_socket(socket_path, socket_path_len);
  if (fd < 0) return PF_WLROOTS_ECONNECT;
  connection->display = pf_wl.display_connect_to_fd(fd);
  if (connection->display == NULL) return PF_WLROOTS_EMEMORY;
  connection->registry = wl_display_get_registry(connection->display);
  if (connection->registry == NULL) return PF_WLROOTS_EMEMORY;
  wl_registry_add_listener(connection->registry, &registry_listener, connection);
  /* The first wait brings the globals, the second what the bound outputs say about themselves. */
  for (int round = 0; round < 2; round++) {
    int32_t status = pf_connection_sync(connection, deadline_us);
    if (status != PF_WLROOTS_OK) return status;
  }
  for (size_t index = 0; index < PF_OUTPUTS_MAX; index++) {
    struct pf_output *output = &connection->outputs[index];
    bool is_wanted = connection->output == NULL && strlen(output->name) == wanted_len &&
                     memcmp(output->name, wanted, wanted_len) == 0;
    if (is_wanted) {
      connection->output = output;
    } else {
      forget_output(output);
    }
  }
  return connection->output == NULL ? PF_WLROOTS_EOUTPUT : PF_WLROOTS_OK;
}

/* Read what the socket holds or will hold by the deadline. The caller has announced the read. */
static int32_t wait_and_read(struct pf_connection *connection, int64_t deadline_us, int wake_fd) {
  struct pollfd waited[2] = {
      {.fd = pf_wl.display_get_fd(connection->display), .events = POLLIN},
      {.fd = wake_fd, .events = POLLIN},
  };
  /* Output that the socket could not take goes out as soon as it can. */
  if (pf_wl.display_flush(connection->display) < 0 && errno == EAGAIN) waited[0].events |= POLLOUT;
  int64_t left_us = deadline_us - pf_now_us();
  struct timespec left = {.tv_sec = left_us / 1000000, .tv_nsec = left_us % 1000000 * 1000};
  if (left_us < 0) left = (struct timespec){0, 0};
  int count = ppoll(waited, wake_fd < 0 ? 1 : 2, &left, NULL);
  bool has_input = count > 0 && (waited[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0;
  if (!has_input) {
    pf_wl.display_cancel_read(connection->display);
  } else if (pf_wl.display_read_events(connection->display) < 0) {
    return PF_WLROOTS_ELOST;
  }
  if (count > 0 && waited[1].revents != 0) return PF_WLROOTS_EINTERRUPTED;
  return count == 0 ? PF_WLROOTS_ETIMEOUT : PF_WLROOTS_OK;
}

int32_t pf_connection_step(struct pf_connection *connection, int64_t deadline_us, int wake_fd) {
  if (pf_wl.display_prepare_read(connection->display) != 0) {
    return pf_wl.display_dispatch_pending(connection->display) < 0 ? PF_WLROOTS_ELOST : PF_WLROOTS_OK;
  }
  int32_t status = wait_and_read(connection, deadline_us, wake_fd);
  if (pf_wl.display_dispatch_pending(connection->display) < 0) return PF_WLROOTS_ELOST;
  return status;
}

static void sync_done(void *data, struct wl_callback *callback, uint32_t serial) {
  (void)callback, (void)serial;
  *(bool *)data = true;
}

static const struct wl_callback_listener sync_listener = {sync_done};

int32_t pf_connection_sync(struct pf_connection *connection, int64_t deadline_us) {
  bool is_done = false;
  struct wl_callback *callback = wl_display_sync(connection->display);
  if (callback == NULL) return PF_WLROOTS_EMEMORY;
  wl_callback_add_listener(callback, &sync_listener, &is_done);
  int32_t status = PF_WLROOTS_OK;
  while (!is_done && status == PF_WLROOTS_OK) status = pf_connection_step(connection, deadline_us, -1);
  wl_callback_destroy(callback);
  return is_done ? PF_WLROOTS_OK : status;
}

void pf_connection_close(struct pf_connection *connection) {
  if (connection->display == NULL) return;
  for (size_t index = 0; index < PF_OUTPUTS_MAX; index++) forget_output(&connection->outputs[index]);
  if (connection->registry != NULL) wl_registry_destroy(connection->registry);
  pf_wl.display_flush(connection->display);
  pf_wl.display_disconnect(connection->display);
  memset(connection, 0, sizeof(*connection));
}
