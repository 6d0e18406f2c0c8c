/*
 * The wire kernel: FEC arithmetic, sealing and batched UDP for one frame a call, and the way back for a client: opened
 * packets of one batch a call, and lost shards. It knows no protocol; what a plane wants stands in struct pf_wire_job,
 * whose meaning src/protocol/wire_job.ts gives.
 *
 * Handles belong to one thread at a time, except that pf_wire_udp_wake and pf_wire_udp_send may be called while
 * another thread sits in pf_wire_udp_receive, and pf_wire_receiver_wake while one sits in pf_wire_receiver_receive. No
 * function keeps a pointer to its arguments.
 */
#ifndef PF_WIRE_H
#define PF_WIRE_H

#include <stddef.h>
#include <stdint.h>

#define PF_WIRE_ABI 5u
#define PF_WIRE_API __attribute__((visibility("default")))

/* 64 MiB in shards of 512 bytes, and nine parity shards to ten of them, are 249037. */
#define PF_WIRE_PACKETS_MAX 262144
#define PF_WIRE_BLOCKS_MAX 65535
#define PF_WIRE_SHARD_MAX 9216
#define PF_WIRE_HEADER_MAX 64
#define PF_WIRE_PREFIX_MAX 64
/* Shards of a GF(2^8) block, data and parity together: the order of the field less one. */
#define PF_WIRE_BLOCK_SHARDS_MAX 255
/* A packet stream keeps the data payloads of one group. */
#define PF_WIRE_STREAM_SHARDS_MAX 32
/* What pf_wire_udp_receive wants free for each datagram: its record and the largest UDP payload. */
#define PF_WIRE_RECEIVE_ROOM (64 + 65536)
/* How much a sender may be told to lose, and how many counters a receiver to remember. */
#define PF_WIRE_DROP_PERCENT_MAX 90
#define PF_WIRE_REPLAY_WINDOW_MAX (1u << 20)

enum pf_wire_status {
  PF_WIRE_OK = 0,
  PF_WIRE_EINVAL = -1,       /* an argument is outside the stated limits */
  PF_WIRE_ENOMEM = -2,
  PF_WIRE_ECRYPTO = -3,      /* libcrypto refused */
  PF_WIRE_ESOCKET = -4,      /* the descriptor is no usable UDP socket */
  PF_WIRE_EUNSUPPORTED = -5, /* a field, level or send mode that this build or CPU does not have */
  PF_WIRE_EADDRINUSE = -6,
  PF_WIRE_EACCES = -7,       /* the system forbids this port to this user */
  PF_WIRE_EADDRNOTAVAIL = -8 /* the address is not of this machine */
};

/* Arithmetic, slowest first. A kernel opens with the best that the CPU has. */
enum pf_wire_level {
  PF_WIRE_LEVEL_SCALAR = 0,
  PF_WIRE_LEVEL_SSSE3 = 1,
  PF_WIRE_LEVEL_AVX2 = 2,
  PF_WIRE_LEVEL_AVX512 = 3, /* GF(2^16) only, GF(2^8) stays with AVX2 */
  PF_WIRE_LEVEL_GFNI_AVX2 = 4,
  PF_WIRE_LEVEL_GFNI_AVX512 = 5,
  PF_WIRE_LEVEL_NEON = 6, /* GF(2^16) only, GF(2^8) stays scalar */
  PF_WIRE_LEVEL_COUNT = 7
};

/* How datagrams leave, best first. What the system refuses is left for the next, for the life of the handle. */
enum pf_wire_send_mode {
  PF_WIRE_SEND_GSO = 0,     /* UDP_SEGMENT: one call for up to 64 equal datagrams */
  PF_WIRE_SEND_BATCH = 1,   /* sendmmsg */
  PF_WIRE_SEND_SINGLE = 2   /* sendmsg */
};

/* 16 bytes of IPv6, IPv4 as ::ffff:a.b.c.d, network order. */
struct pf_wire_address { /* 20 bytes */
  uint8_t ip[16];
  uint16_t port; /* host order */
  uint16_t reserved;
};
_Static_assert(sizeof(struct pf_wire_address) == 20, "pf_wire_address size");

struct pf_wire_route { /* 40 bytes */
  uint64_t rate_bytes_per_second; /* 0 sends without waiting, else at least 10000 */
  uint32_t burst_bytes_max;       /* at least 1; a burst holds one datagram in any case */
  uint32_t burst_packets_max;     /* at least 1 */
  struct pf_wire_address to;
  int32_t descriptor;
};
_Static_assert(sizeof(struct pf_wire_route) == 40, "pf_wire_route size");
_Static_assert(offsetof(struct pf_wire_route, to) == 16, "pf_wire_route.to");

struct pf_wire_block { /* 4 bytes */
  uint16_t data_count;
  uint16_t parity_count;
};

/* What seals; both take nonces of 12 bytes and give tags of 16. */
enum pf_wire_cipher {
  PF_WIRE_CIPHER_AES_128_GCM = 0,
  PF_WIRE_CIPHER_CHACHA20_POLY1305 = 1,
  PF_WIRE_CIPHER_COUNT = 2
};

/* How datagrams are sealed, and so how they are opened; the members are those of SealRule. */
struct pf_wire_seal { /* 52 bytes, mirrored by ffi/wire_seal.ts */
  uint8_t is_counter_big_endian;
  uint8_t nonce_counter_offset; /* 0 or 4 */
  uint8_t prefix_size;
  uint8_t prefix_nonce_from;
  uint8_t prefix_nonce_length;
  int8_t tag_offset; /* in the prefix; -1: behind the ciphertext */
  uint8_t aad_size;
  uint8_t cipher;  /* enum pf_wire_cipher */
  uint8_t key[32]; /* of AES-128 the first 16 */
  uint8_t nonce_template[12];
};
_Static_assert(sizeof(struct pf_wire_seal) == 52, "pf_wire_seal size");
_Static_assert(offsetof(struct pf_wire_seal, key) == 8, "pf_wire_seal.key");

struct pf_wire_job { /* 280 bytes and the blocks, mirrored by ffi/wire_frame.ts */
  uint64_t seal_counter;
  uint32_t shard_size;
  uint32_t header_size;
  uint32_t packet_count;
  uint32_t block_count;
  uint32_t fec_offset;
  uint8_t field_bits;
  uint8_t is_data_first;
  uint8_t is_sealed;
  struct pf_wire_seal seal;
  uint8_t reserved[5];
  uint8_t prefix[PF_WIRE_PREFIX_MAX];
  uint8_t data_header_mask[PF_WIRE_HEADER_MAX];
  uint8_t parity_header_mask[PF_WIRE_HEADER_MAX];
  struct pf_wire_block blocks[]; /* block_count of them */
};
_Static_assert(sizeof(struct pf_wire_job) == 280, "pf_wire_job size");
_Static_assert(offsetof(struct pf_wire_job, field_bits) == 28, "pf_wire_job.field_bits");
_Static_assert(offsetof(struct pf_wire_job, seal) == 31, "pf_wire_job.seal");
_Static_assert(offsetof(struct pf_wire_job, prefix) == 88, "pf_wire_job.prefix");
_Static_assert(offsetof(struct pf_wire_job, blocks) == 280, "pf_wire_job.blocks");

/* In front of every datagram that pf_wire_udp_receive hands over; the next record starts at a multiple of 8. */
struct pf_wire_datagram { /* 56 bytes */
  uint32_t size;
  uint16_t port;
  uint16_t address_len;
  uint8_t address[48]; /* text, IPv4 without the mapping */
};
_Static_assert(sizeof(struct pf_wire_datagram) == 56, "pf_wire_datagram size");

/* How a receiver opens what arrives. */
struct pf_wire_opening { /* 64 bytes, mirrored by ffi/wire_receive.ts */
  uint32_t size_max;      /* of a datagram, 1 to 65535; larger ones are misshapen */
  uint32_t replay_window; /* counters that are told apart: a power of two from 64 on, or 0 for none */
  uint8_t is_sealed;      /* 0: datagrams are handed over as they are, all with counter 0 */
  struct pf_wire_seal seal; /* its prefix holds the whole counter */
  uint8_t reserved[3];
};
_Static_assert(sizeof(struct pf_wire_opening) == 64, "pf_wire_opening size");
_Static_assert(offsetof(struct pf_wire_opening, seal) == 9, "pf_wire_opening.seal");

/* One opened packet; both times of a receiver are CLOCK_MONOTONIC in microseconds. */
struct pf_wire_packet { /* 24 bytes */
  uint64_t counter;
  uint64_t arrived_at_us; /* at the network interface; of datagrams that arrived as one, the same */
  uint32_t offset;        /* in the output, a multiple of 64 */
  uint32_t size;
};
_Static_assert(sizeof(struct pf_wire_packet) == 24, "pf_wire_packet size");

/* Of a receiver, since it was opened. */
struct pf_wire_arrivals { /* 64 bytes */
  uint64_t fetched_at_us; /* when the socket was last asked */
  uint64_t bytes;         /* of all datagrams, UDP payload */
  uint64_t opened;
  uint64_t misshapen; /* shorter than a seal, or longer than size_max */
  uint64_t replayed;  /* counters seen, or older than the window */
  uint64_t forged;    /* tags that did not fit */
  /* What the system dropped because the socket's buffer was full. Datagrams that it joined count once. */
  uint64_t overflowed;
  uint64_t buffer_size; /* that the system grants */
};
_Static_assert(sizeof(struct pf_wire_arrivals) == 64, "pf_wire_arrivals size");
_Static_assert(offsetof(struct pf_wire_arrivals, overflowed) == 48, "pf_wire_arrivals.overflowed");

struct pf_wire_kernel;
struct pf_wire_stream;
struct pf_wire_udp;
struct pf_wire_receiver;
struct pf_wire_rebuilder;

PF_WIRE_API uint32_t pf_wire_abi(void);

/* IPv4 or IPv6 literal without a zone. Writes `ip` only. */
PF_WIRE_API int32_t pf_wire_address_parse(const uint8_t *text, size_t text_len,
                                          struct pf_wire_address *address);

PF_WIRE_API int32_t pf_wire_kernel_open(struct pf_wire_kernel **kernel);
PF_WIRE_API void pf_wire_kernel_close(struct pf_wire_kernel *kernel);
PF_WIRE_API int32_t pf_wire_set_level(struct pf_wire_kernel *kernel, uint32_t level);
PF_WIRE_API uint32_t pf_wire_level(const struct pf_wire_kernel *kernel);
PF_WIRE_API int32_t pf_wire_set_send_mode(struct pf_wire_kernel *kernel, uint32_t mode);
PF_WIRE_API uint32_t pf_wire_send_mode(const struct pf_wire_kernel *kernel);

/*
 * Test loss: of the datagrams that pf_wire_frame_send has sealed, lose about `percent` in a hundred, 0 to
 * PF_WIRE_DROP_PERCENT_MAX. They count as sent, as those do that are lost on their way. Equal seeds lose alike.
 */
PF_WIRE_API int32_t pf_wire_set_drop(struct pf_wire_kernel *kernel, uint32_t percent, uint64_t seed);

/*
 * Parity by the Cauchy code of GF(2^8) or the Leopard code of GF(2^16): data_count shards back to back in `data` give
 * parity_count in `parity`. Shards of GF(2^16) have an even size.
 */
PF_WIRE_API int32_t pf_wire_parity(struct pf_wire_kernel *kernel, uint32_t field_bits,
                                   uint32_t data_count, uint32_t parity_count, const uint8_t *data,
                                   size_t data_len, uint8_t *parity, size_t parity_len);

/* All datagrams of a frame back to back into `out`, which has exactly their size. job_len: with its blocks. */
PF_WIRE_API int32_t pf_wire_frame_build(struct pf_wire_kernel *kernel, const struct pf_wire_job *job,
                                        size_t job_len, const uint8_t *headers, size_t headers_len,
                                        const uint8_t *prologue, size_t prologue_len,
                                        const uint8_t *au, size_t au_len, uint8_t *out,
                                        size_t out_len);
/* The same datagrams, sent and paced. Returns how many the system refused, or a status. */
PF_WIRE_API int32_t pf_wire_frame_send(struct pf_wire_kernel *kernel, const struct pf_wire_job *job,
                                       size_t job_len, const uint8_t *headers, size_t headers_len,
                                       const uint8_t *prologue, size_t prologue_len,
                                       const uint8_t *au, size_t au_len,
                                       const struct pf_wire_route *route, size_t route_len);

/* `matrix`: parity_count rows of data_count coefficients. `key`: 16 bytes, or none for plain payloads. */
PF_WIRE_API int32_t pf_wire_stream_open(uint32_t data_count, uint32_t parity_count,
                                        const uint8_t *matrix, size_t matrix_len,
                                        const uint8_t *key, size_t key_len,
                                        struct pf_wire_stream **stream);
PF_WIRE_API void pf_wire_stream_close(struct pf_wire_stream *stream);
/*
 * header ‖ payload, encrypted when the stream has a key (iv: 16 bytes), and after the last of a group the parity
 * datagrams. `parity_headers` holds parity_count headers of equal size. Datagrams go back to back into `out`, which
 * has room for all that may come. Returns how many there are, or a status; a failed push does not count.
 */
PF_WIRE_API int32_t pf_wire_stream_build(struct pf_wire_stream *stream, const uint8_t *payload,
                                         size_t payload_len, const uint8_t *header,
                                         size_t header_len, const uint8_t *iv, size_t iv_len,
                                         const uint8_t *parity_headers, size_t parity_headers_len,
                                         uint8_t *out, size_t out_len);
/* The same, sent. Returns datagrams << 8 | refused ones, or a status. The route's pacing is not used. */
PF_WIRE_API int32_t pf_wire_stream_send(struct pf_wire_stream *stream, const uint8_t *payload,
                                        size_t payload_len, const uint8_t *header,
                                        size_t header_len, const uint8_t *iv, size_t iv_len,
                                        const uint8_t *parity_headers, size_t parity_headers_len,
                                        const struct pf_wire_route *route, size_t route_len);

/* Bind to an address literal; "::" takes IPv4 as well. Port 0 lets the system choose. */
PF_WIRE_API int32_t pf_wire_udp_open(const uint8_t *address, size_t address_len, uint32_t port,
                                     struct pf_wire_udp **udp);
/* No other thread may be inside a function of this socket. */
PF_WIRE_API void pf_wire_udp_close(struct pf_wire_udp *udp);
PF_WIRE_API int32_t pf_wire_udp_descriptor(const struct pf_wire_udp *udp);
PF_WIRE_API int32_t pf_wire_udp_port(const struct pf_wire_udp *udp);
/*
 * Wait until something arrives, `timeout_ms` passes (negative: for ever) or pf_wire_udp_wake is called; then take
 * what is there without waiting. Returns the number of records in `out`, or a status. out_len is at least
 * PF_WIRE_RECEIVE_ROOM.
 */
PF_WIRE_API int32_t pf_wire_udp_receive(struct pf_wire_udp *udp, int32_t timeout_ms, uint8_t *out,
                                        size_t out_len);
/* 1 sent, 0 refused by the system, or a status. */
PF_WIRE_API int32_t pf_wire_udp_send(struct pf_wire_udp *udp, const uint8_t *bytes, size_t bytes_len,
                                     const struct pf_wire_address *to);
/* 0..63, for IPv4 and IPv6 alike. */
PF_WIRE_API int32_t pf_wire_udp_set_dscp(struct pf_wire_udp *udp, uint32_t dscp);
/* The receive in progress, or else the next one, returns 0 at once. */
PF_WIRE_API int32_t pf_wire_udp_wake(struct pf_wire_udp *udp);

/*
 * Receives on a UDP socket that it borrows, in batches and opened. Until it is closed nobody else receives there: the
 * system joins datagrams for it.
 */
PF_WIRE_API int32_t pf_wire_receiver_open(int32_t descriptor, const struct pf_wire_opening *opening,
                                          size_t opening_len, struct pf_wire_receiver **receiver);
/* Before the socket is closed. No other thread may be inside a function of this receiver. */
PF_WIRE_API void pf_wire_receiver_close(struct pf_wire_receiver *receiver);
/*
 * Wait as pf_wire_udp_receive does; then take all that is there, as far as it fits. Returns how many `packets` were
 * written, whose bytes lie in `out`, or a status. Both lengths are in bytes; out_len is at least size_max, rounded up
 * to a multiple of 64.
 */
PF_WIRE_API int32_t pf_wire_receiver_receive(struct pf_wire_receiver *receiver, int32_t timeout_ms,
                                             struct pf_wire_packet *packets, size_t packets_len,
                                             uint8_t *out, size_t out_len,
                                             struct pf_wire_arrivals *arrivals,
                                             size_t arrivals_len);
/* As pf_wire_udp_wake, also while another thread sits in pf_wire_receiver_receive. */
PF_WIRE_API int32_t pf_wire_receiver_wake(struct pf_wire_receiver *receiver);

PF_WIRE_API int32_t pf_wire_rebuilder_open(struct pf_wire_rebuilder **rebuilder);
PF_WIRE_API void pf_wire_rebuilder_close(struct pf_wire_rebuilder *rebuilder);
/*
 * The data shards of a block that were lost, by the Leopard code of GF(2^16). `data` and `parity` hold their shards back
 * to back; `present` has a byte for each data and then each parity shard, 0 where it is lost. Only lost shards of `data`
 * are written. Fewer than data_count shards are PF_WIRE_EINVAL.
 */
PF_WIRE_API int32_t pf_wire_rebuild(struct pf_wire_rebuilder *rebuilder, uint32_t data_count,
                                    uint32_t parity_count, uint8_t *data, size_t data_len,
                                    const uint8_t *parity, size_t parity_len,
                                    const uint8_t *present, size_t present_len);

#endif
