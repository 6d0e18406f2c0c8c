#include "library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

struct pf_wl_functions pf_wl;

static pthread_once_t load_once = PTHREAD_ONCE_INIT;
static bool is_loaded;

/* libwayland prints protocol errors to stderr by default; a shim prints nothing. */
static void discard_log(const char *format, va_list arguments) {
  (void)format;
  (void)arguments;
}

static const struct {
  const char *name;
  size_t offset;
} functions[] = {
    {"wl_display_connect_to_fd", offsetof(struct pf_wl_functions, display_connect_to_fd)},
    {"wl_display_disconnect", offsetof(struct pf_wl_functions, display_disconnect)},
    {"wl_display_get_fd", offsetof(struct pf_wl_functions, display_get_fd)},
    {"wl_display_get_error", offsetof(struct pf_wl_functions, display_get_error)},
    {"wl_display_prepare_read", offsetof(struct pf_wl_functions, display_prepare_read)},
    {"wl_display_read_events", offsetof(struct pf_wl_functions, display_read_events)},
    {"wl_display_cancel_read", offsetof(struct pf_wl_functions, display_cancel_read)},
    {"wl_display_dispatch_pending", offsetof(struct pf_wl_functions, display_dispatch_pending)},
    {"wl_display_flush", offsetof(struct pf_wl_functions, display_flush)},
    {"wl_proxy_marshal_flags", offsetof(struct pf_wl_functions, proxy_marshal_flags)},
    {"wl_proxy_add_listener", offsetof(struct pf_wl_functions, proxy_add_listener)},
    {"wl_proxy_destroy", offsetof(struct pf_wl_functions, proxy_destroy)},
    {"wl_proxy_get_version", offsetof(struct pf_wl_functions, proxy_get_version)},
    {"wl_proxy_set_user_data", offsetof(struct pf_wl_functions, proxy_set_user_data)},
    {"wl_proxy_get_user_data", offsetof(struct pf_wl_functions, proxy_get_user_data)},
    {"wl_log_set_handler_client", offsetof(struct pf_wl_functions, log_set_handler_client)},
};
_Static_assert(sizeof(functions) / sizeof(functions[0]) == sizeof(struct pf_wl_functions) / sizeof(void *),
               "one row for each function");

static void load(void) {
  void *library = dlopen("libwayland-client.so.0", RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return;
  for (size_t index = 0; index < sizeof(functions) / sizeof(functions[0]); index++) {
    void *symbol = dlsym(library, functions[index].name);
    if (symbol == NULL) return;
    memcpy((char *)&pf_wl + functions[index].offset, &symbol, sizeof(symbol));
  }
  pf_wl.log_set_handler_client(discard_log);
  is_loaded = true;
}

bool pf_wl_load(void) {
  pthread_once(&load_once, load);
  return is_loaded;
}
