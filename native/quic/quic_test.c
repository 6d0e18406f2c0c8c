/* Arguments and stale numbers; what goes over the wire is tested by tests/e2e/quic_*_test.ts. Prints one line. */
#include "quic.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static int passed, failed;

static void check(int is_true, const char *what) {
  if (is_true) {
    passed++;
    return;
  }
  failed++;
  fprintf(stderr, "failed: %s\n", what);
}

#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1
#define NO_BYTES NULL, 0
#define STALE UINT64_MAX

static const struct pf_quic_config good = {
    .port = 1,
    .idle_timeout_ms = 1000,
    .keep_alive_ms = 0,
    .datagram_send_buffer = 4096,
    .connections_max = 1,
    .timeout_ms = 1,
};

static uint8_t room[PF_QUIC_WAIT_ROOM];

static int32_t connect_with(uint64_t endpoint, struct pf_quic_config config, const char *address,
                            const uint8_t *alpn, size_t alpn_len, size_t fingerprint_len) {
  static const uint8_t fingerprint[33];
  uint64_t connection = 0;
  return pf_quic_connect(endpoint, &config, sizeof config, (const uint8_t *)address,
                         strlen(address), BYTES("punktfunk"), alpn, alpn_len, NO_BYTES, NO_BYTES,
                         fingerprint, fingerprint_len, &connection);
}

static void test_connect_arguments(uint64_t endpoint) {
  const uint8_t alpn[] = {4, 'p', 'k', 'f', '1'};
  const size_t size = sizeof alpn;
  check(connect_with(endpoint, good, "127.0.0.1", alpn, size, 0) == PF_QUIC_OK, "connect");
  check(connect_with(endpoint, good, "127.0.0.1", alpn, size, 32) == PF_QUIC_OK, "pinned");
  check(connect_with(endpoint, good, "127.0.0.1", alpn, size, 31) == PF_QUIC_EINVAL, "short pin");
  check(connect_with(endpoint, good, "127.0.0.1", alpn, size, 33) == PF_QUIC_EINVAL, "long pin");
  check(connect_with(endpoint, good, "localhost", alpn, size, 0) == PF_QUIC_EINVAL, "no literal");
  check(connect_with(endpoint, good, "", alpn, size, 0) == PF_QUIC_EINVAL, "no address");
  check(connect_with(endpoint, good, "127.0.0.1", alpn, size - 1, 0) == PF_QUIC_EINVAL, "cut ALPN");
  check(connect_with(endpoint, good, "127.0.0.1", alpn, 0, 0) == PF_QUIC_EINVAL, "no ALPN");
  check(connect_with(endpoint, good, "127.0.0.1", BYTES("\0"), 0) == PF_QUIC_EINVAL, "empty ALPN");
  check(connect_with(STALE, good, "127.0.0.1", alpn, size, 0) == PF_QUIC_ESTALE, "no endpoint");

  struct pf_quic_config config = good;
  config.port = 65536;
  check(connect_with(endpoint, config, "127.0.0.1", alpn, size, 0) == PF_QUIC_EINVAL, "port");
  config = good, config.idle_timeout_ms = 999;
  check(connect_with(endpoint, config, "127.0.0.1", alpn, size, 0) == PF_QUIC_EINVAL, "idle");
  config = good, config.idle_timeout_ms = 3600001;
  check(connect_with(endpoint, config, "127.0.0.1", alpn, size, 0) == PF_QUIC_EINVAL, "long idle");
  config = good, config.datagram_send_buffer = 2047;
  check(connect_with(endpoint, config, "127.0.0.1", alpn, size, 0) == PF_QUIC_EINVAL, "buffer");
  config = good, config.datagram_send_buffer = 1048577;
  check(connect_with(endpoint, config, "127.0.0.1", alpn, size, 0) == PF_QUIC_EINVAL, "big buffer");
  config = good, config.timeout_ms = 0;
  check(connect_with(endpoint, config, "127.0.0.1", alpn, size, 0) == PF_QUIC_EINVAL, "timeout");

  uint64_t id = 0;
  check(pf_quic_connect(endpoint, NULL, sizeof good, BYTES("127.0.0.1"), BYTES("punktfunk"),
                        alpn, size, NO_BYTES, NO_BYTES, NO_BYTES, &id) == PF_QUIC_EINVAL,
        "no config");
  check(pf_quic_connect(endpoint, &good, sizeof good - 1, BYTES("127.0.0.1"), BYTES("punktfunk"),
                        alpn, size, NO_BYTES, NO_BYTES, NO_BYTES, &id) == PF_QUIC_EINVAL,
        "short config");
  check(pf_quic_connect(endpoint, &good, sizeof good, BYTES("127.0.0.1"), BYTES("not a name"),
                        alpn, size, NO_BYTES, NO_BYTES, NO_BYTES, &id) == PF_QUIC_EINVAL,
        "server name");
  check(pf_quic_connect(endpoint, &good, sizeof good, BYTES("127.0.0.1"), BYTES("punktfunk"),
                        alpn, size, BYTES("no PEM"), BYTES("no PEM"), NO_BYTES,
                        &id) == PF_QUIC_EIDENTITY,
        "identity");
  check(pf_quic_connect(endpoint, &good, sizeof good, NULL, 9, BYTES("punktfunk"), alpn, size,
                        NO_BYTES, NO_BYTES, NO_BYTES, &id) == PF_QUIC_EINVAL,
        "null with a length");
  check(pf_quic_connect(endpoint, &good, sizeof good, BYTES("127.0.0.1"), BYTES("punktfunk"),
                        alpn, size, NO_BYTES, NO_BYTES, NO_BYTES, NULL) == PF_QUIC_EINVAL,
        "no place for the number");
}

static void test_listen_arguments(void) {
  uint64_t endpoint = 0;
  check(pf_quic_listen(&good, sizeof good, BYTES("127.0.0.1"), BYTES("\4pkf1"), BYTES("no PEM"),
                       BYTES("no PEM"), &endpoint) == PF_QUIC_EIDENTITY,
        "identity of a listener");
  check(pf_quic_listen(NULL, 0, BYTES("127.0.0.1"), BYTES("\4pkf1"), NO_BYTES, NO_BYTES,
                       &endpoint) == PF_QUIC_EINVAL,
        "no config of a listener");
  check(pf_quic_listen(&good, sizeof good, NO_BYTES, BYTES("\4pkf1"), NO_BYTES, NO_BYTES,
                       &endpoint) == PF_QUIC_EINVAL,
        "no address of a listener");
}

static void test_stale(uint64_t endpoint) {
  struct pf_quic_path path;
  uint64_t stream = 0;
  const uint8_t bytes[257] = {0};
  check(pf_quic_port(STALE) == PF_QUIC_ESTALE, "port");
  check(pf_quic_connection_path(endpoint, STALE, &path, sizeof path) == PF_QUIC_ESTALE, "path");
  check(pf_quic_connection_path(endpoint, STALE, &path, 8) == PF_QUIC_EINVAL, "short path");
  check(pf_quic_connection_close(endpoint, STALE, 0, NO_BYTES) == PF_QUIC_ESTALE, "close");
  check(pf_quic_connection_close(endpoint, STALE, 0, bytes, 257) == PF_QUIC_EINVAL, "long reason");
  check(pf_quic_datagram_send(endpoint, STALE, bytes, 1) == PF_QUIC_ESTALE, "datagram");
  check(pf_quic_datagram_send(endpoint, STALE, NULL, 1) == PF_QUIC_EINVAL, "null datagram");
  check(pf_quic_stream_open(endpoint, STALE, 1, &stream) == PF_QUIC_ESTALE, "stream");
  check(pf_quic_stream_open(endpoint, STALE, 1, NULL) == PF_QUIC_EINVAL, "null stream");
  check(pf_quic_stream_read(endpoint, STALE, room, sizeof room) == PF_QUIC_ESTALE, "read");
  check(pf_quic_stream_read(endpoint, STALE, room, 0) == PF_QUIC_EINVAL, "read nothing");
  check(pf_quic_stream_write(endpoint, STALE, bytes, 1) == PF_QUIC_ESTALE, "write");
  check(pf_quic_stream_write(endpoint, STALE, bytes, 0) == PF_QUIC_EINVAL, "write nothing");
  check(pf_quic_stream_finish(endpoint, STALE) == PF_QUIC_ESTALE, "finish");
  check(pf_quic_stream_abort(endpoint, STALE, 0) == PF_QUIC_ESTALE, "abort");
  check(pf_quic_wait(endpoint, 0, room, sizeof room - 1) == PF_QUIC_EINVAL, "small room");
  check(pf_quic_wait(endpoint, 0, NULL, sizeof room) == PF_QUIC_EINVAL, "no room");
}

/* Both attempts of test_connect_arguments end with one record each: nobody answers at port 1. */
static void test_unreachable(uint64_t endpoint) {
  int closed = 0;
  while (closed < 2) {
    const int32_t count = pf_quic_wait(endpoint, 10000, room, sizeof room);
    if (count <= 0) break;
    size_t offset = 0;
    for (int32_t index = 0; index < count; index++) {
      struct pf_quic_event event;
      memcpy(&event, room + offset, sizeof event);
      check(event.type == PF_QUIC_CLOSED && event.end == PF_QUIC_END_UNREACHABLE, "unreachable");
      offset = (offset + sizeof event + event.size + 7) / 8 * 8;
      closed++;
    }
  }
  check(closed == 2, "every attempt ends");
  check(pf_quic_wait(endpoint, 0, room, sizeof room) == 0, "nothing more");
}

static void *wait_for_ever(void *endpoint) {
  static uint8_t own_room[PF_QUIC_WAIT_ROOM];
  return (void *)(intptr_t)pf_quic_wait(*(uint64_t *)endpoint, -1, own_room, sizeof own_room);
}

static void test_close(uint64_t endpoint) {
  pthread_t waiter;
  pthread_create(&waiter, NULL, wait_for_ever, &endpoint);
  check(pf_quic_close(endpoint) == PF_QUIC_OK, "close an endpoint");
  void *status;
  pthread_join(waiter, &status);
  /* The thread may have started too late to find the endpoint. */
  check((intptr_t)status == PF_QUIC_ECLOSED || (intptr_t)status == PF_QUIC_ESTALE, "wait ends");
  check(pf_quic_close(endpoint) == PF_QUIC_ESTALE, "close again");
  check(pf_quic_wait(endpoint, -1, room, sizeof room) == PF_QUIC_ESTALE, "wait after close");
}

int main(void) {
  check(pf_quic_abi() == PF_QUIC_ABI, "abi");
  check(pf_quic_connector_open(NULL) == PF_QUIC_EINVAL, "no place for an endpoint");
  uint64_t endpoint = 0, other = 0;
  check(pf_quic_connector_open(&endpoint) == PF_QUIC_OK, "open");
  check(pf_quic_connector_open(&other) == PF_QUIC_OK && other != endpoint, "open another");
  test_connect_arguments(endpoint);
  test_listen_arguments();
  test_stale(endpoint);
  test_unreachable(endpoint);
  test_close(endpoint);
  check(pf_quic_close(other) == PF_QUIC_OK, "close the other");
  printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
