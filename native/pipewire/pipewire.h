/*
 * Sound through PipeWire: virtual sinks, the default sink, capture of a sink's monitor, a virtual microphone.
 *
 * libpipewire-0.3.so.0 is opened at run time; its absence is a status. What nodes and streams are called and how they
 * behave is the caller's to say, as property objects in JSON; the shim only carries them.
 *
 * A handle is one connection to one server. It is used by one thread at a time, not always the same. Nothing happens on
 * it between calls: pf_pipewire_iterate (or any call with a timeout) lets it answer the server, and wants calling a few
 * times a second. Samples alone move meanwhile: libpipewire runs its data thread in every client, and the streams copy
 * between its buffers and a lock-free ring there (PW_STREAM_FLAG_RT_PROCESS). Without that flag the copy would belong to
 * the loop of the handle; but libpipewire runs such work on the data thread all the same whenever no thread is inside the
 * loop, and so it would race with the caller.
 *
 * Everything made on a handle ends with pf_pipewire_close, and with the process: the server removes it.
 */
#ifndef PF_PIPEWIRE_H
#define PF_PIPEWIRE_H

#include <stddef.h>
#include <stdint.h>

#define PF_PIPEWIRE_ABI 1u
#define PF_PIPEWIRE_EXPORT __attribute__((visibility("default")))

#define PF_PIPEWIRE_PATH_MAX 107u        /* bytes of a socket path */
#define PF_PIPEWIRE_PROPERTIES_MAX 4096u /* bytes of a property object or of a default's value */
#define PF_PIPEWIRE_SINKS_MAX 16u        /* per handle */
#define PF_PIPEWIRE_NODES_MAX 4096u      /* the server's nodes beyond these are not listed */
#define PF_PIPEWIRE_SAMPLES_MAX 4800u    /* per channel in one read or write: 100 ms */
#define PF_PIPEWIRE_TIMEOUT_MS_MAX 60000
#define PF_PIPEWIRE_RATE_HZ 48000

enum pf_pipewire_status {
  PF_PIPEWIRE_OK = 0,
  PF_PIPEWIRE_EINVAL = -1,   /* an argument is outside the stated limits */
  PF_PIPEWIRE_ENOMEM = -2,
  PF_PIPEWIRE_ELIBRARY = -3, /* libpipewire is not there or lacks a function */
  PF_PIPEWIRE_ECONNECT = -4, /* nobody answers at the socket */
  PF_PIPEWIRE_EGONE = -5,    /* the server, or the node a stream belongs to, is gone for good */
  PF_PIPEWIRE_ETIMEOUT = -6,
  PF_PIPEWIRE_EABSENT = -7,  /* no such thing: index past the end, slot or stream not open, no session manager */
  PF_PIPEWIRE_EFULL = -8,    /* no free place: too many sinks, or a stream is open already */
  PF_PIPEWIRE_EREFUSED = -9  /* the server or libpipewire refused to make it */
};

enum pf_pipewire_default { PF_PIPEWIRE_CONFIGURED = 0, PF_PIPEWIRE_EFFECTIVE = 1 };
enum pf_pipewire_direction { PF_PIPEWIRE_CAPTURE = 0, PF_PIPEWIRE_MICROPHONE = 1 };

struct pf_pipewire_node { /* 256 bytes; mirrored by ffi/pipewire.ts */
  uint32_t id;
  uint32_t reserved;
  char media_class[56]; /* both texts are UTF-8, cut to fit and ended by NUL; empty when unset */
  char name[192];
};
_Static_assert(sizeof(struct pf_pipewire_node) == 256, "pf_pipewire_node size");
_Static_assert(offsetof(struct pf_pipewire_node, name) == 64, "pf_pipewire_node.name");

struct pf_pipewire_block { /* 16 bytes; mirrored by ffi/pipewire.ts */
  int64_t captured_at_us;  /* CLOCK_MONOTONIC of the first sample */
  uint32_t silent_samples; /* per channel, at the end of the block: made here because none came */
  uint32_t dropped_samples; /* per channel, before the block: thrown away to bound the latency */
};
_Static_assert(sizeof(struct pf_pipewire_block) == 16, "pf_pipewire_block size");

struct pf_pipewire;

PF_PIPEWIRE_EXPORT uint32_t pf_pipewire_abi(void);

/* Connect to the server at an absolute socket path. *out is NULL after an error. The server has not answered yet. */
PF_PIPEWIRE_EXPORT int32_t pf_pipewire_open(const uint8_t *path, size_t path_len, struct pf_pipewire **out);

/* NULL is legal. */
PF_PIPEWIRE_EXPORT void pf_pipewire_close(struct pf_pipewire *handle);

/* Handle what the server sent; wait up to timeout_ms (0…60000) for something to come. */
PF_PIPEWIRE_EXPORT int32_t pf_pipewire_iterate(struct pf_pipewire *handle, int32_t timeout_ms);

/* Return once the server has done everything asked before and all its nodes are known here. */
PF_PIPEWIRE_EXPORT int32_t pf_pipewire_sync(struct pf_pipewire *handle, int32_t timeout_ms);

/* The server's version, e.g. "1.4.2", ended by NUL and cut to fit; empty before the first sync. */
PF_PIPEWIRE_EXPORT int32_t pf_pipewire_version(struct pf_pipewire *handle, char *out, size_t out_len);

/* Node number `index` in no particular order; EABSENT past the last. */
PF_PIPEWIRE_EXPORT int32_t pf_pipewire_node_at(struct pf_pipewire *handle, uint32_t index,
                                               struct pf_pipewire_node *out, size_t out_len);

/* Ask the server to remove a node, whoever owns it. */
PF_PIPEWIRE_EXPORT int32_t pf_pipewire_node_destroy(struct pf_pipewire *handle, uint32_t id);

/*
 * Learn the defaults, and their changes from now on; EABSENT without a session manager. Wants calling before a value
 * matters, because the server withholds changes from everybody while any client is loading them.
 */
PF_PIPEWIRE_EXPORT int32_t pf_pipewire_defaults_load(struct pf_pipewire *handle, int32_t timeout_ms);

/*
 * The value of a default sink (enum pf_pipewire_default), JSON such as {"name":"…"}, as far as loaded. Returns its length,
 * 0 when it is unset.
 */
PF_PIPEWIRE_EXPORT int32_t pf_pipewire_default_get(struct pf_pipewire *handle, uint32_t which, char *out,
                                                   size_t out_len);

/* Set the configured default sink; the effective one follows by the session manager. Length 0 unsets it. */
PF_PIPEWIRE_EXPORT int32_t pf_pipewire_default_set(struct pf_pipewire *handle, const uint8_t *value,
                                                   size_t value_len);

/* Make a node by the server's factory "adapter". Returns its slot (0…15) once the server has it. */
PF_PIPEWIRE_EXPORT int32_t pf_pipewire_sink_create(struct pf_pipewire *handle, const uint8_t *properties,
                                                   size_t properties_len, int32_t timeout_ms);

/* A free slot is legal. */
PF_PIPEWIRE_EXPORT int32_t pf_pipewire_sink_destroy(struct pf_pipewire *handle, uint32_t slot);

/* Copy sound between two nodes until the handle closes: arguments of libpipewire-module-loopback. Once a handle. */
PF_PIPEWIRE_EXPORT int32_t pf_pipewire_echo_open(struct pf_pipewire *handle, const uint8_t *arguments,
                                                 size_t arguments_len);

/*
 * Open the one stream of the handle (enum pf_pipewire_direction): 48 kHz, interleaved 32-bit float, channels
 * FL FR FC LFE RL RR SL SR (the first 2, 6 or 8); for a microphone one or two. A stream whose properties name a
 * target.object ends (EGONE) when the node of that name does.
 */
PF_PIPEWIRE_EXPORT int32_t pf_pipewire_stream_open(struct pf_pipewire *handle, uint32_t direction,
                                                   uint32_t channels, const uint8_t *properties,
                                                   size_t properties_len);

/*
 * Fill out with exactly `samples` per channel as soon as they are there. While none come, silence is due at the nominal
 * rate by CLOCK_MONOTONIC, so ETIMEOUT means that timeout_ms was shorter than the block. Samples older than 60 ms, or
 * than two of the server's periods where these are longer, are dropped. out_len is in bytes.
 */
PF_PIPEWIRE_EXPORT int32_t pf_pipewire_capture_read(struct pf_pipewire *handle, uint32_t samples,
                                                    int32_t timeout_ms, float *out, size_t out_len,
                                                    struct pf_pipewire_block *block, size_t block_len);

/*
 * Hand over `samples` per channel for whoever records from the microphone. Does not wait. More than 60 ms (or two of the
 * server's periods) that nobody took is cut to the newest 10 ms when somebody does. data_len is in bytes.
 */
PF_PIPEWIRE_EXPORT int32_t pf_pipewire_microphone_write(struct pf_pipewire *handle, uint32_t samples,
                                                        const float *data, size_t data_len);

#endif
