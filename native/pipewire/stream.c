/* The one stream of a handle: capture of a sink's monitor, or a microphone others record from. */
#include <spa/param/audio/format-utils.h>
#include <stdlib.h>
#include <string.h>

#include "handle.h"
#include "ring.h"

#define CHANNELS_MAX 8u

struct pf_stream {
  struct pf_pipewire *handle;
  struct pw_stream *stream;
  struct spa_hook listener;
  struct spa_source *wakeup; /* ends the reader's wait; signalled by the data thread */
  struct pf_ring ring;
  struct pf_pacer pacer;
  uint32_t direction;
  char target[sizeof((struct pf_pipewire_node *)0)->name]; /* the sink's name; empty without one */
  bool is_connected;
  bool is_lost;
  bool is_primed;                  /* microphone, data thread only: enough waits to play without a gap */
  _Atomic uint32_t period;         /* frames of the data thread's last portion */
  _Atomic int64_t written_at_ns;   /* when the last portion came */
};

static const uint32_t POSITIONS[CHANNELS_MAX] = {
    SPA_AUDIO_CHANNEL_FL, SPA_AUDIO_CHANNEL_FR, SPA_AUDIO_CHANNEL_FC, SPA_AUDIO_CHANNEL_LFE,
    SPA_AUDIO_CHANNEL_RL, SPA_AUDIO_CHANNEL_RR, SPA_AUDIO_CHANNEL_SL, SPA_AUDIO_CHANNEL_SR,
};

/* On the data thread: no locks, no allocation. */

static void take_portion(struct pf_stream *stream, const struct spa_data *data) {
  if (data->data == NULL || data->chunk == NULL) return;
  uint32_t offset = SPA_MIN(data->chunk->offset, data->maxsize);
  uint32_t size = SPA_MIN(data->chunk->size, data->maxsize - offset);
  uint32_t frames = size / (stream->ring.channels * (uint32_t)sizeof(float));
  atomic_store_explicit(&stream->period, frames, memory_order_relaxed);
  atomic_store_explicit(&stream->written_at_ns, pf_now_ns(), memory_order_relaxed);
  pf_ring_write(&stream->ring, SPA_PTROFF(data->data, offset, const float), frames);
}

static void on_capture_process(void *data) {
  struct pf_stream *stream = data;
  struct pf_library *library = &stream->handle->library;
  struct pw_buffer *buffer;
  while ((buffer = library->pw_stream_dequeue_buffer(stream->stream)) != NULL) {
    take_portion(stream, &buffer->buffer->datas[0]);
    library->pw_stream_queue_buffer(stream->stream, buffer);
  }
  pw_loop_signal_event(stream->handle->loop, stream->wakeup);
}

/* Up to `frames` from the ring; the rest of `out` is silence. */
static void give_portion(struct pf_stream *stream, float *out, uint32_t frames) {
  struct pf_ring *ring = &stream->ring;
  uint32_t available = pf_ring_available(ring);
  uint32_t surplus = pf_ring_surplus(available, frames, frames);
  pf_ring_skip(ring, surplus);
  available -= surplus;
  /* After a gap a little waits first, so that the next late packet does not make another. */
  if (!stream->is_primed) stream->is_primed = available >= frames + PF_LATENCY_FRAMES_KEPT;
  uint32_t taken = stream->is_primed ? SPA_MIN(available, frames) : 0;
  pf_ring_read(ring, out, taken);
  memset(out + (size_t)taken * ring->channels, 0, (size_t)(frames - taken) * ring->channels * sizeof(float));
  if (taken < frames) stream->is_primed = false;
}

static void on_microphone_process(void *data) {
  struct pf_stream *stream = data;
  struct pf_library *library = &stream->handle->library;
  struct pw_buffer *buffer = library->pw_stream_dequeue_buffer(stream->stream);
  if (buffer == NULL) return;
  struct spa_data *target = &buffer->buffer->datas[0];
  if (target->data != NULL && target->chunk != NULL) {
    uint32_t stride = stream->ring.channels * (uint32_t)sizeof(float);
    uint32_t frames = target->maxsize / stride;
    if (buffer->requested > 0 && buffer->requested < frames) frames = (uint32_t)buffer->requested;
    give_portion(stream, target->data, frames);
    *target->chunk = (struct spa_chunk){.offset = 0, .size = frames * stride, .stride = (int32_t)stride};
  }
  library->pw_stream_queue_buffer(stream->stream, buffer);
}

/* In the caller's turn of the loop. */

static void on_state_changed(void *data, enum pw_stream_state old, enum pw_stream_state state,
                             const char *error) {
  struct pf_stream *stream = data;
  (void)old;
  (void)error;
  if (state == PW_STREAM_STATE_ERROR) stream->is_lost = true;
  /* The server or the session manager took the node away; the stream never comes back by itself. */
  if (state == PW_STREAM_STATE_UNCONNECTED && stream->is_connected) stream->is_lost = true;
  if (state == PW_STREAM_STATE_CONNECTING) stream->is_connected = true;
}

static void on_wakeup(void *data, uint64_t count) {
  (void)data;
  (void)count;
}

static const struct pw_stream_events CAPTURE_EVENTS = {
    PW_VERSION_STREAM_EVENTS,
    .state_changed = on_state_changed,
    .process = on_capture_process,
};

static const struct pw_stream_events MICROPHONE_EVENTS = {
    PW_VERSION_STREAM_EVENTS,
    .state_changed = on_state_changed,
    .process = on_microphone_process,
};

static int connect_stream(struct pf_stream *stream) {
  uint32_t channels = stream->ring.channels;
  struct spa_audio_info_raw info = {
      .format = SPA_AUDIO_FORMAT_F32,
      .rate = PF_PIPEWIRE_RATE_HZ,
      .channels = channels,
  };
  memcpy(info.position, POSITIONS, channels * sizeof POSITIONS[0]);
  if (channels == 1) info.position[0] = SPA_AUDIO_CHANNEL_MONO;
  uint8_t pod[1024];
  struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(pod, sizeof pod);
  const struct spa_pod *format = spa_format_audio_raw_build(&builder, SPA_PARAM_EnumFormat, &info);
  bool is_capture = stream->direction == PF_PIPEWIRE_CAPTURE;
  enum pw_stream_flags flags = PW_STREAM_FLAG_MAP_BUFFERS | PW_STREAM_FLAG_RT_PROCESS;
  /* Others connect to a microphone; a capture wants connecting to its sink. */
  if (is_capture) flags |= PW_STREAM_FLAG_AUTOCONNECT;
  return stream->handle->library.pw_stream_connect(stream->stream,
                                                   is_capture ? PW_DIRECTION_INPUT : PW_DIRECTION_OUTPUT,
                                                   PW_ID_ANY, flags, &format, 1);
}

/* Takes the properties. */
static int32_t start_stream(struct pf_stream *stream, uint32_t channels, struct pw_properties *properties) {
  struct pf_pipewire *handle = stream->handle;
  stream->wakeup = pw_loop_add_event(handle->loop, on_wakeup, NULL);
  if (stream->wakeup == NULL || !pf_ring_open(&stream->ring, channels)) {
    handle->library.pw_properties_free(properties);
    return PF_PIPEWIRE_ENOMEM;
  }
  stream->stream = handle->library.pw_stream_new(handle->core, "punktfunk", properties);
  if (stream->stream == NULL) return PF_PIPEWIRE_EREFUSED;
  handle->library.pw_stream_add_listener(
      stream->stream, &stream->listener,
      stream->direction == PF_PIPEWIRE_CAPTURE ? &CAPTURE_EVENTS : &MICROPHONE_EVENTS, stream);
  return connect_stream(stream) < 0 ? PF_PIPEWIRE_EREFUSED : PF_PIPEWIRE_OK;
}

/* Session managers differ in what they do with a stream whose sink is gone: destroy it, or leave it idle for ever. */
void pf_stream_node_removed(struct pf_stream *stream, const char *name) {
  if (stream->target[0] != '\0' && strcmp(stream->target, name) == 0) stream->is_lost = true;
}

static bool are_channels(uint32_t direction, uint32_t channels) {
  if (direction == PF_PIPEWIRE_MICROPHONE) return channels == 1 || channels == 2;
  return direction == PF_PIPEWIRE_CAPTURE && (channels == 2 || channels == 6 || channels == 8);
}

int32_t pf_pipewire_stream_open(struct pf_pipewire *handle, uint32_t direction, uint32_t channels,
                                const uint8_t *properties, size_t properties_len) {
  if (handle == NULL || !are_channels(direction, channels)) return PF_PIPEWIRE_EINVAL;
  if (handle->is_gone) return PF_PIPEWIRE_EGONE;
  if (handle->stream != NULL) return PF_PIPEWIRE_EFULL;
  struct pw_properties *parsed = pf_properties_of(handle, properties, properties_len);
  if (parsed == NULL) return PF_PIPEWIRE_EINVAL;
  struct pf_stream *stream = calloc(1, sizeof *stream);
  if (stream == NULL) {
    handle->library.pw_properties_free(parsed);
    return PF_PIPEWIRE_ENOMEM;
  }
  stream->handle = handle;
  stream->direction = direction;
  const char *target = spa_dict_lookup(&parsed->dict, PW_KEY_TARGET_OBJECT);
  if (target != NULL) strncpy(stream->target, target, sizeof stream->target - 1);
  int32_t status = start_stream(stream, channels, parsed);
  if (status != PF_PIPEWIRE_OK) {
    pf_stream_close(handle, stream);
    return status;
  }
  handle->stream = stream;
  return PF_PIPEWIRE_OK;
}

void pf_stream_close(struct pf_pipewire *handle, struct pf_stream *stream) {
  if (stream == NULL) return;
  if (stream->stream != NULL) handle->library.pw_stream_destroy(stream->stream);
  if (stream->wakeup != NULL) pw_loop_destroy_source(handle->loop, stream->wakeup);
  pf_ring_close(&stream->ring);
  free(stream);
}

static int32_t stream_status(struct pf_pipewire *handle, uint32_t direction) {
  if (handle->is_gone) return PF_PIPEWIRE_EGONE;
  if (handle->stream == NULL || handle->stream->direction != direction) return PF_PIPEWIRE_EABSENT;
  return handle->stream->is_lost ? PF_PIPEWIRE_EGONE : PF_PIPEWIRE_OK;
}

/* When the oldest of `available` frames came in. */
static int64_t captured_at_us(struct pf_stream *stream, uint32_t available) {
  int64_t written_at_ns = atomic_load_explicit(&stream->written_at_ns, memory_order_relaxed);
  return (written_at_ns - (int64_t)available * 1000000000 / PF_PIPEWIRE_RATE_HZ) / 1000;
}

static void fill_block(struct pf_stream *stream, uint32_t samples, float *out, struct pf_pipewire_block *block) {
  struct pf_ring *ring = &stream->ring;
  uint32_t available = pf_ring_available(ring);
  uint32_t surplus = pf_ring_surplus(available, samples, atomic_load(&stream->period));
  pf_ring_skip(ring, surplus);
  available -= surplus;
  uint32_t taken = SPA_MIN(available, samples);
  block->captured_at_us = taken > 0 ? captured_at_us(stream, available) : pf_now_ns() / 1000;
  block->silent_samples = samples - taken;
  block->dropped_samples = surplus;
  pf_ring_read(ring, out, taken);
  memset(out + (size_t)taken * ring->channels, 0, (size_t)(samples - taken) * ring->channels * sizeof(float));
}

int32_t pf_pipewire_capture_read(struct pf_pipewire *handle, uint32_t samples, int32_t timeout_ms, float *out,
                                 size_t out_len, struct pf_pipewire_block *block, size_t block_len) {
  if (handle == NULL || samples == 0 || samples > PF_PIPEWIRE_SAMPLES_MAX || !pf_is_timeout(timeout_ms) ||
      out == NULL || block == NULL || block_len != sizeof *block) {
    return PF_PIPEWIRE_EINVAL;
  }
  int32_t status = stream_status(handle, PF_PIPEWIRE_CAPTURE);
  if (status != PF_PIPEWIRE_OK) return status;
  struct pf_stream *stream = handle->stream;
  if (out_len != (size_t)samples * stream->ring.channels * sizeof(float)) return PF_PIPEWIRE_EINVAL;

  int64_t deadline_ns = pf_deadline_ns(timeout_ms);
  /* Also when samples wait already: the server wants its answers. */
  int64_t wait_until_ns = 0;
  for (;;) {
    pf_iterate_until(handle, wait_until_ns);
    status = stream_status(handle, PF_PIPEWIRE_CAPTURE);
    if (status != PF_PIPEWIRE_OK) return status;
    int64_t now_ns = pf_now_ns();
    enum pf_pace pace = pf_pace_next(&stream->pacer, now_ns, pf_ring_available(&stream->ring), samples,
                                     atomic_load(&stream->period), &wait_until_ns);
    if (pace != PF_PACE_WAIT) break;
    if (now_ns >= deadline_ns) return PF_PIPEWIRE_ETIMEOUT;
    wait_until_ns = SPA_MIN(wait_until_ns, deadline_ns);
  }
  fill_block(stream, samples, out, block);
  return PF_PIPEWIRE_OK;
}

int32_t pf_pipewire_microphone_write(struct pf_pipewire *handle, uint32_t samples, const float *data,
                                     size_t data_len) {
  if (handle == NULL || samples == 0 || samples > PF_PIPEWIRE_SAMPLES_MAX || data == NULL) {
    return PF_PIPEWIRE_EINVAL;
  }
  int32_t status = stream_status(handle, PF_PIPEWIRE_MICROPHONE);
  if (status != PF_PIPEWIRE_OK) return status;
  struct pf_ring *ring = &handle->stream->ring;
  if (data_len != (size_t)samples * ring->channels * sizeof(float)) return PF_PIPEWIRE_EINVAL;
  pf_ring_write(ring, data, samples);
  pf_iterate_until(handle, 0);
  return stream_status(handle, PF_PIPEWIRE_MICROPHONE);
}
