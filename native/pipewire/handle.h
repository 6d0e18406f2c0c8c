/* What the files of this shim share: the handle and how they wait on it. */
#ifndef PF_PIPEWIRE_HANDLE_H
#define PF_PIPEWIRE_HANDLE_H

#include "library.h"
#include "pipewire.h"

struct pf_stream;

struct pf_sink {
  struct pf_pipewire *handle;
  struct pw_proxy *proxy; /* NULL: the slot is free */
  struct spa_hook proxy_listener;
  bool is_bound;
  bool is_lost;
};

struct pf_pipewire {
  struct pf_library library;
  struct pw_loop *loop;
  struct pw_context *context;
  struct pw_core *core;
  struct spa_hook core_listener;
  struct pw_registry *registry;
  struct spa_hook registry_listener;
  uint32_t metadata_id;      /* of the one named "default"; PW_ID_ANY without a session manager */
  struct pw_proxy *metadata; /* NULL before the defaults are loaded */
  struct spa_hook metadata_listener;
  bool is_gone;
  int sync_asked;
  int sync_done;
  char version[32];
  char *defaults[2]; /* by enum pf_pipewire_default; NULL: not set */
  struct pf_pipewire_node *nodes;
  uint32_t node_count;
  uint32_t node_capacity;
  struct pf_sink sinks[PF_PIPEWIRE_SINKS_MAX];
  struct pf_stream *stream; /* NULL: none */
  bool has_echo;
};

int64_t pf_now_ns(void);
int64_t pf_deadline_ns(int32_t timeout_ms);

/* One turn of the loop, waiting until `until_ns` at most. PF_PIPEWIRE_OK or PF_PIPEWIRE_EGONE. */
int32_t pf_iterate_until(struct pf_pipewire *handle, int64_t until_ns);

/* The properties of a JSON object, or NULL. The caller owns them. */
struct pw_properties *pf_properties_of(struct pf_pipewire *handle, const uint8_t *json, size_t json_len);

bool pf_is_timeout(int32_t timeout_ms);

/* The server removed the node `name`: the end of a stream that captures from it. */
void pf_stream_node_removed(struct pf_stream *stream, const char *name);

/* The stream's samples stop before this returns. NULL is legal. */
void pf_stream_close(struct pf_pipewire *handle, struct pf_stream *stream);

#endif
