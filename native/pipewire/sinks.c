/* Sinks of the handle. */
#include "handle.h"

static void free_sink(struct pf_sink *sink) {
  spa_hook_remove(&sink->proxy_listener);
  sink->handle->library.pw_proxy_destroy(sink->proxy);
  sink->proxy = NULL;
}

static void on_sink_bound(void *data, uint32_t id) {
  struct pf_sink *sink = data;
  (void)id;
  sink->is_bound = true;
}

static void on_sink_removed(void *data) {
  struct pf_sink *sink = data;
  sink->is_lost = true;
}

static void on_sink_error(void *data, int sequence, int result, const char *message) {
  struct pf_sink *sink = data;
  (void)sequence;
  (void)result;
  (void)message;
  sink->is_lost = true;
}

static const struct pw_proxy_events SINK_EVENTS = {
    PW_VERSION_PROXY_EVENTS,
    .bound = on_sink_bound,
    .removed = on_sink_removed,
    .error = on_sink_error,
};

static int32_t await_sink(struct pf_sink *sink, int64_t until_ns) {
  while (!sink->is_bound && !sink->is_lost) {
    int32_t status = pf_iterate_until(sink->handle, until_ns);
    if (status != PF_PIPEWIRE_OK) return status;
    if (!sink->is_bound && pf_now_ns() >= until_ns) return PF_PIPEWIRE_ETIMEOUT;
  }
  return sink->is_lost ? PF_PIPEWIRE_EREFUSED : PF_PIPEWIRE_OK;
}

int32_t pf_pipewire_sink_create(struct pf_pipewire *handle, const uint8_t *properties, size_t properties_len,
                                int32_t timeout_ms) {
  if (handle == NULL || !pf_is_timeout(timeout_ms)) return PF_PIPEWIRE_EINVAL;
  if (handle->is_gone) return PF_PIPEWIRE_EGONE;
  uint32_t slot = 0;
  while (slot < PF_PIPEWIRE_SINKS_MAX && handle->sinks[slot].proxy != NULL) slot++;
  if (slot == PF_PIPEWIRE_SINKS_MAX) return PF_PIPEWIRE_EFULL;
  struct pw_properties *parsed = pf_properties_of(handle, properties, properties_len);
  if (parsed == NULL) return PF_PIPEWIRE_EINVAL;

  struct pf_sink *sink = &handle->sinks[slot];
  *sink = (struct pf_sink){.handle = handle};
  sink->proxy = pw_core_create_object(handle->core, "adapter", PW_TYPE_INTERFACE_Node, PW_VERSION_NODE,
                                      &parsed->dict, 0);
  handle->library.pw_properties_free(parsed);
  if (sink->proxy == NULL) return PF_PIPEWIRE_EREFUSED;
  handle->library.pw_proxy_add_listener(sink->proxy, &sink->proxy_listener, &SINK_EVENTS, sink);
  int32_t status = await_sink(sink, pf_deadline_ns(timeout_ms));
  if (status != PF_PIPEWIRE_OK) {
    free_sink(sink);
    return status;
  }
  return (int32_t)slot;
}

int32_t pf_pipewire_sink_destroy(struct pf_pipewire *handle, uint32_t slot) {
  if (handle == NULL || slot >= PF_PIPEWIRE_SINKS_MAX) return PF_PIPEWIRE_EINVAL;
  if (handle->sinks[slot].proxy != NULL) free_sink(&handle->sinks[slot]);
  return PF_PIPEWIRE_OK;
}
