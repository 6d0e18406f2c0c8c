/*
 * libpipewire at run time. Headers are used at build time only: nothing here is linked with it, and the linker's
 * "-z defs" refuses a call that does not go through this table. (The inline functions of the pipewire and spa headers
 * call through interfaces in the objects they are given and need no symbol.)
 */
#ifndef PF_PIPEWIRE_LIBRARY_H
#define PF_PIPEWIRE_LIBRARY_H

#include <pipewire/impl.h>
#include <pipewire/pipewire.h>

#define PF_LIBRARY_NAME "libpipewire-0.3.so.0"

#define PF_LIBRARY_FUNCTIONS(X) \
  X(pw_init)                   \
  X(pw_log_set_level)          \
  X(pw_loop_new)               \
  X(pw_loop_destroy)           \
  X(pw_context_new)            \
  X(pw_context_destroy)        \
  X(pw_context_connect_fd)     \
  X(pw_context_set_object)     \
  X(pw_context_load_module)    \
  X(pw_core_disconnect)        \
  X(pw_proxy_add_listener)     \
  X(pw_proxy_destroy)          \
  X(pw_properties_new_string)  \
  X(pw_properties_free)        \
  X(pw_stream_new)             \
  X(pw_stream_add_listener)    \
  X(pw_stream_connect)         \
  X(pw_stream_dequeue_buffer)  \
  X(pw_stream_queue_buffer)    \
  X(pw_stream_destroy)

struct pf_library {
#define PF_LIBRARY_FIELD(name) __typeof__(&name) name;
  PF_LIBRARY_FUNCTIONS(PF_LIBRARY_FIELD)
#undef PF_LIBRARY_FIELD
};

/* Fill `library` from the shared object `soname` and initialise it. PF_PIPEWIRE_OK or PF_PIPEWIRE_ELIBRARY. */
int32_t pf_library_open(struct pf_library *library, const char *soname);

#endif
