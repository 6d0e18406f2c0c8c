/* The handle: the connection, what the server announces, and the default sink. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "handle.h"

/* Last, because it uses types of the other headers without including them. */
#include <pipewire/extensions/metadata.h>

static const char *const DEFAULT_KEYS[2] = {
    [PF_PIPEWIRE_CONFIGURED] = "default.configured.audio.sink",
    [PF_PIPEWIRE_EFFECTIVE] = "default.audio.sink",
};

uint32_t pf_pipewire_abi(void) { return PF_PIPEWIRE_ABI; }

bool pf_is_timeout(int32_t timeout_ms) { return timeout_ms >= 0 && timeout_ms <= PF_PIPEWIRE_TIMEOUT_MS_MAX; }

int64_t pf_now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t pf_deadline_ns(int32_t timeout_ms) { return pf_now_ns() + (int64_t)timeout_ms * 1000000; }

int32_t pf_iterate_until(struct pf_pipewire *handle, int64_t until_ns) {
  if (handle->is_gone) return PF_PIPEWIRE_EGONE;
  int64_t left_ns = until_ns - pf_now_ns();
  /* Rounded up: a wait that ends early would spin through the rest of its last millisecond. */
  int wait_ms = left_ns <= 0 ? 0 : (int)((left_ns + 999999) / 1000000);
  pw_loop_enter(handle->loop);
  pw_loop_iterate(handle->loop, wait_ms);
  pw_loop_leave(handle->loop);
  return handle->is_gone ? PF_PIPEWIRE_EGONE : PF_PIPEWIRE_OK;
}

struct pw_properties *pf_properties_of(struct pf_pipewire *handle, const uint8_t *json, size_t json_len) {
  if (json == NULL || json_len == 0 || json_len > PF_PIPEWIRE_PROPERTIES_MAX) return NULL;
  char text[PF_PIPEWIRE_PROPERTIES_MAX + 1];
  memcpy(text, json, json_len);
  text[json_len] = '\0';
  return handle->library.pw_properties_new_string(text);
}

/* What the server announces. */

static void copy_text(char *out, size_t out_len, const char *text) {
  size_t length = text == NULL ? 0 : strnlen(text, out_len - 1);
  if (length > 0) memcpy(out, text, length);
  memset(out + length, 0, out_len - length);
}

static void add_node(struct pf_pipewire *handle, uint32_t id, const struct spa_dict *properties) {
  if (handle->node_count == PF_PIPEWIRE_NODES_MAX) return;
  if (handle->node_count == handle->node_capacity) {
    uint32_t capacity = handle->node_capacity == 0 ? 64 : 2 * handle->node_capacity;
    void *nodes = realloc(handle->nodes, capacity * sizeof(struct pf_pipewire_node));
    if (nodes == NULL) return;
    handle->nodes = nodes;
    handle->node_capacity = capacity;
  }
  struct pf_pipewire_node *node = &handle->nodes[handle->node_count++];
  node->id = id;
  node->reserved = 0;
  const char *media_class = properties == NULL ? NULL : spa_dict_lookup(properties, PW_KEY_MEDIA_CLASS);
  const char *name = properties == NULL ? NULL : spa_dict_lookup(properties, PW_KEY_NODE_NAME);
  copy_text(node->media_class, sizeof node->media_class, media_class);
  copy_text(node->name, sizeof node->name, name);
}

static void set_default(struct pf_pipewire *handle, int which, const char *value) {
  free(handle->defaults[which]);
  handle->defaults[which] = value == NULL ? NULL : strndup(value, PF_PIPEWIRE_PROPERTIES_MAX);
}

static int on_metadata_property(void *data, uint32_t subject, const char *key, const char *type,
                                const char *value) {
  (void)type;
  if (subject != PW_ID_CORE) return 0;
  for (int which = 0; which < 2; which++) {
    /* No key stands for all of them. */
    if (key == NULL || strcmp(key, DEFAULT_KEYS[which]) == 0) set_default(data, which, key == NULL ? NULL : value);
  }
  return 0;
}

static const struct pw_metadata_events METADATA_EVENTS = {
    PW_VERSION_METADATA_EVENTS,
    .property = on_metadata_property,
};

static void drop_metadata(struct pf_pipewire *handle) {
  if (handle->metadata == NULL) return;
  spa_hook_remove(&handle->metadata_listener);
  handle->library.pw_proxy_destroy(handle->metadata);
  handle->metadata = NULL;
  set_default(handle, PF_PIPEWIRE_CONFIGURED, NULL);
  set_default(handle, PF_PIPEWIRE_EFFECTIVE, NULL);
}

static bool bind_metadata(struct pf_pipewire *handle) {
  handle->metadata = pw_registry_bind(handle->registry, handle->metadata_id, PW_TYPE_INTERFACE_Metadata,
                                      PW_VERSION_METADATA, 0);
  if (handle->metadata == NULL) return false;
  pw_metadata_add_listener((struct pw_metadata *)handle->metadata, &handle->metadata_listener, &METADATA_EVENTS,
                           handle);
  return true;
}

static void on_global(void *data, uint32_t id, uint32_t permissions, const char *type, uint32_t version,
                      const struct spa_dict *properties) {
  struct pf_pipewire *handle = data;
  (void)permissions;
  (void)version;
  if (strcmp(type, PW_TYPE_INTERFACE_Node) == 0) {
    add_node(handle, id, properties);
  } else if (strcmp(type, PW_TYPE_INTERFACE_Metadata) == 0 && properties != NULL) {
    const char *name = spa_dict_lookup(properties, PW_KEY_METADATA_NAME);
    if (name != NULL && strcmp(name, "default") == 0) handle->metadata_id = id;
  }
}

static void on_global_remove(void *data, uint32_t id) {
  struct pf_pipewire *handle = data;
  if (handle->metadata_id == id) {
    drop_metadata(handle);
    handle->metadata_id = PW_ID_ANY;
  }
  for (uint32_t index = 0; index < handle->node_count; index++) {
    if (handle->nodes[index].id != id) continue;
    if (handle->stream != NULL) pf_stream_node_removed(handle->stream, handle->nodes[index].name);
    handle->nodes[index] = handle->nodes[--handle->node_count];
    return;
  }
}

static const struct pw_registry_events REGISTRY_EVENTS = {
    PW_VERSION_REGISTRY_EVENTS,
    .global = on_global,
    .global_remove = on_global_remove,
};

static void on_core_info(void *data, const struct pw_core_info *info) {
  struct pf_pipewire *handle = data;
  copy_text(handle->version, sizeof handle->version, info->version);
}

static void on_core_done(void *data, uint32_t id, int sequence) {
  struct pf_pipewire *handle = data;
  if (id == PW_ID_CORE) handle->sync_done = sequence;
}

static void on_core_error(void *data, uint32_t id, int sequence, int result, const char *message) {
  struct pf_pipewire *handle = data;
  (void)sequence;
  (void)message;
  /* Other errors on the core answer a single request, such as one for a node that went away meanwhile. */
  if (id == PW_ID_CORE && (result == -EPIPE || result == -ECONNRESET || result == -EPROTO)) handle->is_gone = true;
}

static const struct pw_core_events CORE_EVENTS = {
    PW_VERSION_CORE_EVENTS,
    .info = on_core_info,
    .done = on_core_done,
    .error = on_core_error,
};

/* Opening and closing. */

static int connect_socket(const uint8_t *path, size_t path_len) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  memcpy(address.sun_path, path, path_len);
  int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return -1;
  if (connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0) {
    close(descriptor);
    return -1;
  }
  return descriptor;
}

static int32_t open_handle(struct pf_pipewire *handle, int descriptor) {
  struct pf_library *library = &handle->library;
  handle->loop = library->pw_loop_new(NULL);
  if (handle->loop != NULL) handle->context = library->pw_context_new(handle->loop, NULL, 0);
  if (handle->context == NULL) {
    close(descriptor);
    return PF_PIPEWIRE_ELIBRARY;
  }
  /*
   * Connected here rather than by remote.name, because PIPEWIRE_REMOTE of the environment would overrule that. The
   * descriptor is libpipewire's from here on.
   */
  handle->core = library->pw_context_connect_fd(handle->context, descriptor, NULL, 0);
  if (handle->core == NULL) return PF_PIPEWIRE_ECONNECT;
  pw_core_add_listener(handle->core, &handle->core_listener, &CORE_EVENTS, handle);
  handle->registry = pw_core_get_registry(handle->core, PW_VERSION_REGISTRY, 0);
  if (handle->registry == NULL) return PF_PIPEWIRE_ENOMEM;
  pw_registry_add_listener(handle->registry, &handle->registry_listener, &REGISTRY_EVENTS, handle);
  return PF_PIPEWIRE_OK;
}

int32_t pf_pipewire_open(const uint8_t *path, size_t path_len, struct pf_pipewire **out) {
  if (out == NULL) return PF_PIPEWIRE_EINVAL;
  *out = NULL;
  if (path == NULL || path_len == 0 || path_len > PF_PIPEWIRE_PATH_MAX || path[0] != '/' ||
      memchr(path, 0, path_len) != NULL) {
    return PF_PIPEWIRE_EINVAL;
  }
  struct pf_pipewire *handle = calloc(1, sizeof *handle);
  if (handle == NULL) return PF_PIPEWIRE_ENOMEM;
  handle->metadata_id = PW_ID_ANY;
  int32_t status = pf_library_open(&handle->library, PF_LIBRARY_NAME);
  if (status == PF_PIPEWIRE_OK) {
    int descriptor = connect_socket(path, path_len);
    status = descriptor < 0 ? PF_PIPEWIRE_ECONNECT : open_handle(handle, descriptor);
  }
  if (status != PF_PIPEWIRE_OK) {
    pf_pipewire_close(handle);
    return status;
  }
  *out = handle;
  return PF_PIPEWIRE_OK;
}

void pf_pipewire_close(struct pf_pipewire *handle) {
  if (handle == NULL) return;
  struct pf_library *library = &handle->library;
  pf_stream_close(handle, handle->stream);
  for (uint32_t slot = 0; slot < PF_PIPEWIRE_SINKS_MAX; slot++) pf_pipewire_sink_destroy(handle, slot);
  drop_metadata(handle);
  if (handle->registry != NULL) {
    spa_hook_remove(&handle->registry_listener);
    library->pw_proxy_destroy((struct pw_proxy *)handle->registry);
  }
  if (handle->core != NULL) {
    spa_hook_remove(&handle->core_listener);
    /* An echo ends by this: its module lets go of a core that ends, while one that ends first leaves its hooks behind. */
    library->pw_core_disconnect(handle->core);
  }
  if (handle->context != NULL) library->pw_context_destroy(handle->context);
  if (handle->loop != NULL) library->pw_loop_destroy(handle->loop);
  free(handle->nodes);
  free(handle);
}

/* Waiting and asking. */

int32_t pf_pipewire_iterate(struct pf_pipewire *handle, int32_t timeout_ms) {
  if (handle == NULL || !pf_is_timeout(timeout_ms)) return PF_PIPEWIRE_EINVAL;
  return pf_iterate_until(handle, pf_deadline_ns(timeout_ms));
}

int32_t pf_pipewire_sync(struct pf_pipewire *handle, int32_t timeout_ms) {
  if (handle == NULL || !pf_is_timeout(timeout_ms)) return PF_PIPEWIRE_EINVAL;
  if (handle->is_gone) return PF_PIPEWIRE_EGONE;
  int64_t until_ns = pf_deadline_ns(timeout_ms);
  handle->sync_asked = pw_core_sync(handle->core, PW_ID_CORE, 0);
  while (handle->sync_done != handle->sync_asked) {
    int32_t status = pf_iterate_until(handle, until_ns);
    if (status != PF_PIPEWIRE_OK) return status;
    if (handle->sync_done != handle->sync_asked && pf_now_ns() >= until_ns) return PF_PIPEWIRE_ETIMEOUT;
  }
  return PF_PIPEWIRE_OK;
}

int32_t pf_pipewire_echo_open(struct pf_pipewire *handle, const uint8_t *arguments, size_t arguments_len) {
  if (handle == NULL || arguments == NULL || arguments_len == 0 ||
      arguments_len > PF_PIPEWIRE_PROPERTIES_MAX) {
    return PF_PIPEWIRE_EINVAL;
  }
  if (handle->is_gone) return PF_PIPEWIRE_EGONE;
  if (handle->has_echo) return PF_PIPEWIRE_EFULL;
  struct pf_library *library = &handle->library;
  char text[PF_PIPEWIRE_PROPERTIES_MAX + 1];
  memcpy(text, arguments, arguments_len);
  text[arguments_len] = '\0';
  /* The module would make a connection of its own otherwise, to where the environment points. */
  library->pw_context_set_object(handle->context, PW_TYPE_INTERFACE_Core, handle->core);
  handle->has_echo = true;
  struct pw_impl_module *module =
      library->pw_context_load_module(handle->context, "libpipewire-module-loopback", text, NULL);
  return module == NULL ? PF_PIPEWIRE_EREFUSED : PF_PIPEWIRE_OK;
}

int32_t pf_pipewire_version(struct pf_pipewire *handle, char *out, size_t out_len) {
  if (handle == NULL || out == NULL || out_len == 0) return PF_PIPEWIRE_EINVAL;
  copy_text(out, out_len, handle->version);
  return PF_PIPEWIRE_OK;
}

int32_t pf_pipewire_node_at(struct pf_pipewire *handle, uint32_t index, struct pf_pipewire_node *out,
                            size_t out_len) {
  if (handle == NULL || out == NULL || out_len != sizeof *out) return PF_PIPEWIRE_EINVAL;
  if (index >= handle->node_count) return PF_PIPEWIRE_EABSENT;
  *out = handle->nodes[index];
  return PF_PIPEWIRE_OK;
}

int32_t pf_pipewire_node_destroy(struct pf_pipewire *handle, uint32_t id) {
  if (handle == NULL) return PF_PIPEWIRE_EINVAL;
  if (handle->is_gone) return PF_PIPEWIRE_EGONE;
  pw_registry_destroy(handle->registry, id);
  return PF_PIPEWIRE_OK;
}

int32_t pf_pipewire_defaults_load(struct pf_pipewire *handle, int32_t timeout_ms) {
  if (handle == NULL || !pf_is_timeout(timeout_ms)) return PF_PIPEWIRE_EINVAL;
  if (handle->is_gone) return PF_PIPEWIRE_EGONE;
  if (handle->metadata_id == PW_ID_ANY) return PF_PIPEWIRE_EABSENT;
  drop_metadata(handle);
  if (!bind_metadata(handle)) return PF_PIPEWIRE_ENOMEM;
  /* The server answers this only after the owner of the metadata has sent its values. */
  return pf_pipewire_sync(handle, timeout_ms);
}

int32_t pf_pipewire_default_get(struct pf_pipewire *handle, uint32_t which, char *out, size_t out_len) {
  if (handle == NULL || which > PF_PIPEWIRE_EFFECTIVE || out == NULL) return PF_PIPEWIRE_EINVAL;
  if (handle->metadata == NULL) return PF_PIPEWIRE_EABSENT;
  const char *value = handle->defaults[which];
  size_t length = value == NULL ? 0 : strlen(value);
  if (length > out_len) return PF_PIPEWIRE_EINVAL;
  if (length > 0) memcpy(out, value, length);
  return (int32_t)length;
}

int32_t pf_pipewire_default_set(struct pf_pipewire *handle, const uint8_t *value, size_t value_len) {
  if (handle == NULL || value_len > PF_PIPEWIRE_PROPERTIES_MAX || (value == NULL && value_len > 0)) {
    return PF_PIPEWIRE_EINVAL;
  }
  if (handle->is_gone) return PF_PIPEWIRE_EGONE;
  if (handle->metadata == NULL) return PF_PIPEWIRE_EABSENT;
  char text[PF_PIPEWIRE_PROPERTIES_MAX + 1];
  if (value_len > 0) memcpy(text, value, value_len);
  text[value_len] = '\0';
  bool is_set = value_len > 0;
  pw_metadata_set_property((struct pw_metadata *)handle->metadata, PW_ID_CORE,
                           DEFAULT_KEYS[PF_PIPEWIRE_CONFIGURED], is_set ? "Spa:String:JSON" : NULL,
                           is_set ? text : NULL);
  return PF_PIPEWIRE_OK;
}
