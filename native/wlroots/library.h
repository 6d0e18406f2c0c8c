/* libwayland-client, opened at run time.
 *
 * The headers that wayland-scanner makes call wl_proxy_* by name; the macros below turn those calls into calls through
 * `pf_wl`. Include this file before any generated header, and nothing of libwayland elsewhere.
 */
#ifndef PF_WLROOTS_LIBRARY_H
#define PF_WLROOTS_LIBRARY_H

#include <stdbool.h>
#include <stdint.h>

#include <wayland-client-core.h>

struct pf_wl_functions {
  struct wl_display *(*display_connect_to_fd)(int fd);
  void (*display_disconnect)(struct wl_display *display);
  int (*display_get_fd)(struct wl_display *display);
  int (*display_get_error)(struct wl_display *display);
  int (*display_prepare_read)(struct wl_display *display);
  int (*display_read_events)(struct wl_display *display);
  void (*display_cancel_read)(struct wl_display *display);
  int (*display_dispatch_pending)(struct wl_display *display);
  int (*display_flush)(struct wl_display *display);
  struct wl_proxy *(*proxy_marshal_flags)(struct wl_proxy *proxy, uint32_t opcode, const struct wl_interface *interface,
                                          uint32_t version, uint32_t flags, ...);
  int (*proxy_add_listener)(struct wl_proxy *proxy, void (**implementation)(void), void *data);
  void (*proxy_destroy)(struct wl_proxy *proxy);
  uint32_t (*proxy_get_version)(struct wl_proxy *proxy);
  void (*proxy_set_user_data)(struct wl_proxy *proxy, void *data);
  void *(*proxy_get_user_data)(struct wl_proxy *proxy);
  void (*log_set_handler_client)(wl_log_func_t handler);
};

/* Written once by pf_wl_load, read-only afterwards. */
extern struct pf_wl_functions pf_wl;

/* Open the library and fill `pf_wl`. False when it is missing or lacks a function. */
bool pf_wl_load(void);

#define wl_proxy_marshal_flags pf_wl.proxy_marshal_flags
#define wl_proxy_add_listener pf_wl.proxy_add_listener
#define wl_proxy_destroy pf_wl.proxy_destroy
#define wl_proxy_get_version pf_wl.proxy_get_version
#define wl_proxy_set_user_data pf_wl.proxy_set_user_data
#define wl_proxy_get_user_data pf_wl.proxy_get_user_data

#endif
