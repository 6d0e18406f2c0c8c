/* One connection to a compositor: connecting, waiting with a deadline, and finding one output by name. */
#ifndef PF_WLROOTS_CONNECTION_H
#define PF_WLROOTS_CONNECTION_H

#include "library.h"

#include "wayland-client.h"
#include "wlroots.h"

#define PF_OUTPUTS_MAX 64
#define PF_OPEN_WAIT_US 2000000

struct pf_output {
  struct wl_output *proxy; /* NULL: free entry */
  uint32_t global;
  char name[PF_WLROOTS_OUTPUT_NAME_MAX + 1];
  uint32_t refresh_millihz;
  uint32_t mode_count; /* grows with each mode the output takes */
};

/* Called for every global that is no output, to bind what the owner needs. */
typedef void (*pf_on_global)(void *owner, struct wl_registry *registry, uint32_t global, const char *interface,
                             uint32_t version);

struct pf_connection {
  struct wl_display *display;
  struct wl_registry *registry;
  pf_on_global on_global;
  void *owner;
  struct pf_output outputs[PF_OUTPUTS_MAX];
  struct pf_output *output; /* the one looked for; points into `outputs` */
  bool is_output_gone;
};

int64_t pf_now_us(void);

/* The smaller of two versions: bind what both sides know. */
uint32_t pf_min(uint32_t a, uint32_t b);

/* True when both texts are within the limits of wlroots.h, the path is absolute, and neither holds a NUL. */
bool pf_is_address_valid(const uint8_t *socket_path, size_t socket_path_len, const uint8_t *output_name,
                         size_t output_name_len);

/* Connect, bind the globals and find the output. On failure the caller still closes. */
int32_t pf_connection_open(struct pf_connection *connection, const uint8_t *socket_path, size_t socket_path_len,
                           const uint8_t *output_name, size_t output_name_len, int64_t deadline_us);

/* Send what is queued and handle events: at once when there are any, else wait until `deadline_us` for some.
 * A readable `wake_fd` (or -1) ends the wait with PF_WLROOTS_EINTERRUPTED. */
int32_t pf_connection_step(struct pf_connection *connection, int64_t deadline_us, int wake_fd);

/* Wait until the compositor has handled every request so far. */
int32_t pf_connection_sync(struct pf_connection *connection, int64_t deadline_us);

void pf_connection_close(struct pf_connection *connection);

#endif
