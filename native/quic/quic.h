/*
 * QUIC version 1 with client certificates, by quinn and rustls (Rust, see src/). It knows no protocol above QUIC.
 *
 * Nothing is called back. What happens on an endpoint is fetched with pf_quic_wait, the only function that blocks
 * besides pf_quic_close; every other one returns at once and may be called from any thread. Bytes of a stream stay
 * in the stack until pf_quic_stream_read takes them, and the peer's flow control waits for that: memory is bounded
 * by connections_max and the limits below.
 *
 * Every endpoint has one thread of its own, which open starts and pf_quic_close ends. Endpoints, connections and
 * streams are numbers that are never used again; one that is over gives PF_QUIC_ESTALE. No function keeps a pointer
 * to its arguments; a pointer may be null where its length is 0. Nothing is printed, and no panic leaves the library.
 *
 * TLS 1.3 alone; no 0-RTT, no session is ever resumed. A listener asks every client for a certificate, with no list
 * of authorities, and takes clients without one. Whoever shows a certificate must prove it with its key: ECDSA P-256
 * or P-384, Ed25519, or RSA-PSS of at least 2048 bits. Nothing else of a certificate is looked at: names, dates,
 * issuer and version are not, and any X.509 layout up to the public key is read.
 */
#ifndef PF_QUIC_H
#define PF_QUIC_H

#include <stddef.h>
#include <stdint.h>

#define PF_QUIC_ABI 1u
#define PF_QUIC_API __attribute__((visibility("default")))

/* Bidirectional streams a peer may have open at a time; it may open no unidirectional ones. */
#define PF_QUIC_STREAMS_MAX 16
/* Bytes of one stream, and of one connection, that may wait unread. As many may wait to be sent. */
#define PF_QUIC_STREAM_WINDOW 131072
#define PF_QUIC_CONNECTION_WINDOW 262144
/* Datagrams of one connection that wait for pf_quic_wait; the oldest are dropped. */
#define PF_QUIC_DATAGRAMS_MAX 256
/* Handshakes of a listener; more are left unanswered, and the client's repetition is a new try. */
#define PF_QUIC_HANDSHAKES_PER_SECOND 250
/* What pf_quic_wait wants at least: room for any one record. */
#define PF_QUIC_WAIT_ROOM 32768
#define PF_QUIC_REASON_MAX 256

enum pf_quic_status {
  PF_QUIC_OK = 0,
  PF_QUIC_EINVAL = -1,        /* an argument is outside the stated limits */
  PF_QUIC_ESTALE = -2,        /* this endpoint, connection or stream is no more */
  PF_QUIC_ECLOSED = -3,       /* the endpoint was closed; nothing more comes */
  PF_QUIC_EFINISHED = -4,     /* the peer's FIN was read */
  PF_QUIC_ERESET = -5,        /* the peer reset the stream, or reads no more of it */
  PF_QUIC_ELOST = -6,         /* the connection ended */
  PF_QUIC_EIDENTITY = -7,     /* no certificate and key in PEM, or they do not belong together */
  PF_QUIC_EADDRINUSE = -8,
  PF_QUIC_EACCES = -9,        /* the system forbids this port to this user */
  PF_QUIC_EADDRNOTAVAIL = -10, /* the address is not of this machine */
  PF_QUIC_ESYSTEM = -11,      /* the system refused a socket or a thread */
  PF_QUIC_EPANIC = -12        /* a fault in the library */
};

struct pf_quic_config { /* 24 bytes, mirrored by ffi/quic.ts */
  uint32_t port;
  uint32_t idle_timeout_ms;      /* 1000..3600000 */
  uint32_t keep_alive_ms;        /* 0: none */
  uint32_t datagram_send_buffer; /* bytes, 2048..1048576; the oldest datagrams give way to new ones */
  uint32_t connections_max;      /* of a listener, at least 1 */
  uint32_t timeout_ms;           /* of a connect, at least 1 */
};
_Static_assert(sizeof(struct pf_quic_config) == 24, "pf_quic_config size");

enum pf_quic_event_type {
  PF_QUIC_CONNECTED = 1, /* a handshake is complete; struct pf_quic_peer and its texts follow */
  PF_QUIC_CLOSED = 2,    /* the last record of a connection, also of one that never came to be; the reason follows */
  PF_QUIC_STREAM = 3,    /* the peer opened `stream` */
  PF_QUIC_OPENED = 4,    /* `stream` of pf_quic_stream_open can be used */
  PF_QUIC_UNOPENED = 5,  /* it cannot: time is up, or the connection ended */
  PF_QUIC_READABLE = 6,  /* after a read gave 0: try again */
  PF_QUIC_WRITABLE = 7,  /* after a write gave 0: try again */
  PF_QUIC_DATAGRAM = 8   /* its payload follows */
};

enum pf_quic_end {
  PF_QUIC_END_APPLICATION = 0, /* `code` and the reason are an application's */
  PF_QUIC_END_IDLE = 1,
  PF_QUIC_END_TRANSPORT = 2,
  PF_QUIC_END_UNREACHABLE = 3, /* connect: nobody answered in time */
  PF_QUIC_END_MISMATCH = 4     /* connect: another certificate than the pinned one */
};

/* `size` bytes follow each record; the next record starts at a multiple of 8. */
struct pf_quic_event { /* 40 bytes, mirrored by ffi/quic.ts */
  uint32_t type;
  uint32_t size;
  uint64_t connection;
  uint64_t stream;
  uint64_t code;
  uint32_t end; /* enum pf_quic_end */
  uint32_t is_by_peer;
};
_Static_assert(sizeof(struct pf_quic_event) == 40, "pf_quic_event size");

/* Followed by the two addresses as text (the local one may be missing), the ALPN, and the DER of the peer's leaf. */
struct pf_quic_peer { /* 16 bytes, mirrored by ffi/quic.ts */
  uint32_t certificate_len;
  uint32_t remote_port;
  uint16_t remote_len;
  uint16_t local_len;
  uint16_t alpn_len;
  uint16_t reserved;
};
_Static_assert(sizeof(struct pf_quic_peer) == 16, "pf_quic_peer size");

struct pf_quic_path { /* 16 bytes, mirrored by ffi/quic.ts */
  uint64_t round_trip_us;     /* smoothed */
  uint32_t datagram_size_max; /* 0: the peer takes none */
  uint32_t reserved;
};
_Static_assert(sizeof(struct pf_quic_path) == 16, "pf_quic_path size");

PF_QUIC_API uint32_t pf_quic_abi(void);

/*
 * `address` is a literal; "::" takes IPv4 as well. `alpn` is a list of length bytes and names, at least one.
 * Every client has to answer a Retry first.
 */
PF_QUIC_API int32_t pf_quic_listen(const struct pf_quic_config *config, size_t config_len,
                                   const uint8_t *address, size_t address_len, const uint8_t *alpn,
                                   size_t alpn_len, const uint8_t *certificate,
                                   size_t certificate_len, const uint8_t *key, size_t key_len,
                                   uint64_t *endpoint);
/* The port a listener is bound to. */
PF_QUIC_API int32_t pf_quic_port(uint64_t endpoint);

/* An endpoint for pf_quic_connect. */
PF_QUIC_API int32_t pf_quic_connector_open(uint64_t *endpoint);
/*
 * PF_QUIC_CONNECTED or PF_QUIC_CLOSED answers. Certificate and key may be missing; whether they belong together is
 * for the server to find out. `fingerprint`: 32 bytes, the SHA-256 of the only certificate to accept, or none.
 */
PF_QUIC_API int32_t pf_quic_connect(uint64_t endpoint, const struct pf_quic_config *config,
                                    size_t config_len, const uint8_t *address, size_t address_len,
                                    const uint8_t *server_name, size_t server_name_len,
                                    const uint8_t *alpn, size_t alpn_len,
                                    const uint8_t *certificate, size_t certificate_len,
                                    const uint8_t *key, size_t key_len, const uint8_t *fingerprint,
                                    size_t fingerprint_len, uint64_t *connection);

/*
 * Waits until something happened or `timeout_ms` passed (negative: for ever). Returns the number of records in
 * `out`, or a status. One call at a time.
 */
PF_QUIC_API int32_t pf_quic_wait(uint64_t endpoint, int32_t timeout_ms, uint8_t *out,
                                 size_t out_len);
/*
 * Closes every connection with code 0, lets the wait in progress return PF_QUIC_ECLOSED, frees the port, and ends the
 * thread. Blocks for up to half a second, so that the peers hear of it.
 */
PF_QUIC_API int32_t pf_quic_close(uint64_t endpoint);

/* `reason` is at most PF_QUIC_REASON_MAX bytes. PF_QUIC_CLOSED follows; the streams are gone at once. */
PF_QUIC_API int32_t pf_quic_connection_close(uint64_t endpoint, uint64_t connection, uint32_t code,
                                             const uint8_t *reason, size_t reason_len);
PF_QUIC_API int32_t pf_quic_connection_path(uint64_t endpoint, uint64_t connection,
                                            struct pf_quic_path *path, size_t path_len);
/* 1 queued, 0 too large for the peer or the path. */
PF_QUIC_API int32_t pf_quic_datagram_send(uint64_t endpoint, uint64_t connection,
                                          const uint8_t *bytes, size_t bytes_len);

/*
 * PF_QUIC_OPENED or PF_QUIC_UNOPENED answers. The peer hears of the stream with its first byte. After
 * PF_QUIC_CLOSED a stream still gives what had arrived; pf_quic_stream_abort then lets go of it.
 */
PF_QUIC_API int32_t pf_quic_stream_open(uint64_t endpoint, uint64_t connection,
                                        uint32_t timeout_ms, uint64_t *stream);
/* Bytes read, or 0 when none are there yet. */
PF_QUIC_API int32_t pf_quic_stream_read(uint64_t endpoint, uint64_t stream, uint8_t *out,
                                        size_t out_len);
/* Bytes taken, or 0 when there is no room yet. */
PF_QUIC_API int32_t pf_quic_stream_write(uint64_t endpoint, uint64_t stream, const uint8_t *bytes,
                                         size_t bytes_len);
PF_QUIC_API int32_t pf_quic_stream_finish(uint64_t endpoint, uint64_t stream);
/* RESET_STREAM and STOP_SENDING. */
PF_QUIC_API int32_t pf_quic_stream_abort(uint64_t endpoint, uint64_t stream, uint32_t code);

#endif
