/* Sending of frames and packet streams, and the sockets. */
#include "wire_test.h"

#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct pf_wire_udp *open_udp(const char *address) {
  struct pf_wire_udp *udp = NULL;
  CHECK(pf_wire_udp_open((const uint8_t *)address, strlen(address), 0, &udp) == PF_WIRE_OK);
  return udp;
}

struct pf_wire_address loopback(const char *text, const struct pf_wire_udp *udp) {
  struct pf_wire_address address = {.port = (uint16_t)pf_wire_udp_port(udp)};
  CHECK(pf_wire_address_parse((const uint8_t *)text, strlen(text), &address) == PF_WIRE_OK);
  return address;
}

#define RECEIVE_SIZE (PF_WIRE_RECEIVE_ROOM + 65536)

/* Receive `count` datagrams of `size` and compare them with those in `expected`. */
static int receives(struct pf_wire_udp *udp, const uint8_t *expected, uint32_t count, size_t size) {
  uint8_t *out = malloc(RECEIVE_SIZE);
  uint32_t seen = 0;
  int is_same = 1;
  while (seen < count) {
    const int32_t got = pf_wire_udp_receive(udp, 2000, out, RECEIVE_SIZE);
    if (got <= 0) break;
    size_t at = 0;
    for (int32_t n = 0; n < got && seen < count; n++, seen++) {
      struct pf_wire_datagram record;
      memcpy(&record, out + at, sizeof record);
      if (record.size != size || memcmp(out + at + 56, expected + seen * size, size) != 0) is_same = 0;
      at += (56 + record.size + 7) & ~(size_t)7;
    }
  }
  free(out);
  return is_same && seen == count;
}

static void test_modes(struct pf_wire_kernel *kernel) {
  struct pf_wire_udp *from = open_udp("127.0.0.1"), *to = open_udp("::");
  struct pf_wire_job *job = malloc(JOB_SIZE);
  uint8_t *headers = random_bytes(160), *au = random_bytes(130), *out = malloc(560);
  struct pf_wire_route route = {.rate_bytes_per_second = 0,
                                .burst_bytes_max = 65536,
                                .burst_packets_max = 64,
                                .to = loopback("127.0.0.1", to),
                                .descriptor = pf_wire_udp_descriptor(from)};
#define SENDS()                                                                               \
  pf_wire_frame_send(kernel, job, JOB_SIZE, headers, 160, NULL, 0, au, 130, &route, sizeof route)
  fill_job(job);
  for (uint32_t mode = PF_WIRE_SEND_GSO; mode <= PF_WIRE_SEND_SINGLE; mode++) {
    for (uint32_t burst = 1; burst <= 64; burst *= 4) {
      job->seal_counter++;
      route.burst_packets_max = burst;
      CHECK(pf_wire_set_send_mode(kernel, mode) == PF_WIRE_OK);
      CHECK(SENDS() == 0);
      CHECK(pf_wire_send_mode(kernel) == mode);
      CHECK(pf_wire_frame_build(kernel, job, JOB_SIZE, headers, 160, NULL, 0, au, 130, out,
                                560) == PF_WIRE_OK);
      CHECK(receives(to, out, 5, 112));
    }
  }
  CHECK(pf_wire_set_send_mode(kernel, 3) == PF_WIRE_EUNSUPPORTED);
  CHECK(pf_wire_set_send_mode(kernel, PF_WIRE_SEND_GSO) == PF_WIRE_OK);

  /* Three datagrams of 112 bytes a burst at 112 kB/s: the second burst leaves no sooner than 3 ms after. */
  struct timespec before, after;
  route.burst_bytes_max = 400;
  route.rate_bytes_per_second = 112000;
  clock_gettime(CLOCK_MONOTONIC, &before);
  CHECK(SENDS() == 0);
  clock_gettime(CLOCK_MONOTONIC, &after);
  CHECK((after.tv_sec - before.tv_sec) * 1000000000ll + after.tv_nsec - before.tv_nsec >= 3000000);

  route.rate_bytes_per_second = 9999;
  CHECK(SENDS() == PF_WIRE_EINVAL);
  route.rate_bytes_per_second = 0;
  route.burst_packets_max = 0;
  CHECK(SENDS() == PF_WIRE_EINVAL);
  route.burst_packets_max = 64;
  const int descriptor = route.descriptor;
  route.descriptor = -1;
  CHECK(SENDS() == PF_WIRE_ESOCKET);
  route.descriptor = descriptor;
  memset(route.to.ip, 0x20, 16); /* an IPv6 peer from an IPv4 socket */
  CHECK(SENDS() == PF_WIRE_EINVAL);
  free(job);
  free(headers);
  free(au);
  free(out);
  pf_wire_udp_close(from);
  pf_wire_udp_close(to);
}

/* What the system refuses is counted datagram by datagram, and changes nothing in how others are sent. */
static void test_refusals(struct pf_wire_kernel *kernel) {
  struct pf_wire_udp *from = open_udp("127.0.0.1");
  struct pf_wire_job *job = malloc(JOB_SIZE);
  uint8_t *headers = random_bytes(160), *au = random_bytes(130);
  struct pf_wire_route route = {.burst_bytes_max = 65536,
                                .burst_packets_max = 64,
                                .to = loopback("255.255.255.255", from),
                                .descriptor = pf_wire_udp_descriptor(from)};
  fill_job(job);
  for (uint32_t mode = PF_WIRE_SEND_GSO; mode <= PF_WIRE_SEND_SINGLE; mode++) {
    pf_wire_set_send_mode(kernel, mode);
    CHECK(SENDS() == 5); /* EACCES: broadcast was not asked for */
    CHECK(pf_wire_send_mode(kernel) == mode);
  }
  pf_wire_set_send_mode(kernel, PF_WIRE_SEND_GSO);
  free(job);
  free(headers);
  free(au);
  pf_wire_udp_close(from);
}

/* A kernel that refuses segmentation: checksums are off, and the system does not segment without them. */
static void test_fallback(struct pf_wire_kernel *kernel) {
  struct pf_wire_udp *from = open_udp("127.0.0.1"), *to = open_udp("127.0.0.1");
  struct pf_wire_job *job = malloc(JOB_SIZE);
  uint8_t *headers = random_bytes(160), *au = random_bytes(130), *out = malloc(560);
  struct pf_wire_route route = {.burst_bytes_max = 65536,
                                .burst_packets_max = 64,
                                .to = loopback("127.0.0.1", to),
                                .descriptor = pf_wire_udp_descriptor(from)};
  const int on = 1;
  CHECK(setsockopt(route.descriptor, SOL_SOCKET, SO_NO_CHECK, &on, sizeof on) == 0);
  fill_job(job);
  CHECK(SENDS() == 0);
  CHECK(pf_wire_send_mode(kernel) == PF_WIRE_SEND_BATCH);
  CHECK(pf_wire_frame_build(kernel, job, JOB_SIZE, headers, 160, NULL, 0, au, 130, out, 560) ==
        PF_WIRE_OK);
  CHECK(receives(to, out, 5, 112));
  pf_wire_set_send_mode(kernel, PF_WIRE_SEND_GSO);
  free(job);
  free(headers);
  free(au);
  free(out);
  pf_wire_udp_close(from);
  pf_wire_udp_close(to);
}

void test_stream(void) {
  static const uint8_t matrix[8] = {0x77, 0x40, 0x38, 0x0e, 0xc7, 0xa7, 0x0d, 0x6c};
  struct pf_wire_stream *stream = NULL;
  uint8_t key[16] = {0}, iv[16] = {0}, headers[48] = {0};
  CHECK(pf_wire_stream_open(4, 2, matrix, 7, NULL, 0, &stream) == PF_WIRE_EINVAL && !stream);
  CHECK(pf_wire_stream_open(4, 2, matrix, 8, key, 15, &stream) == PF_WIRE_EINVAL && !stream);
  CHECK(pf_wire_stream_open(33, 0, NULL, 0, NULL, 0, &stream) == PF_WIRE_EINVAL && !stream);
  for (size_t key_len = 0; key_len <= 16; key_len += 16) {
    CHECK(pf_wire_stream_open(4, 2, matrix, 8, key, key_len, &stream) == PF_WIRE_OK);
    for (size_t length = 1; length <= 70; length += 23) {
      const size_t size = key_len > 0 ? length + 16 - length % 16 : length;
      const size_t room = 12 + size + 2 * (24 + size);
      uint8_t *payload = random_bytes(length), *out = random_bytes(room);
#define PUSH(len, out_len) \
  pf_wire_stream_build(stream, payload, len, headers, 12, iv, 16, headers, 48, out, out_len)
      CHECK(PUSH(length, room - 1) == PF_WIRE_EINVAL);
      for (int n = 0; n < 3; n++) CHECK(PUSH(length, room) == 1);
      CHECK(PUSH(length, room) == 3);
      for (int n = 0; n < 3; n++) CHECK(PUSH(length, room) == 1);
      /* Another size in the group: no parity, and the next group starts afresh. */
      CHECK(PUSH(length > 16 ? length - 16 : 0, room) == (length > 16 ? 1 : PF_WIRE_EINVAL));
      if (length <= 16) CHECK(PUSH(length, room) == 3);
      free(payload);
      free(out);
    }
    struct pf_wire_udp *from = open_udp("::1"), *to = open_udp("::1");
    const struct pf_wire_route route = {.burst_bytes_max = 1,
                                        .burst_packets_max = 1,
                                        .to = loopback("::1", to),
                                        .descriptor = pf_wire_udp_descriptor(from)};
    for (int n = 0; n < 4; n++) {
      CHECK(pf_wire_stream_send(stream, key, 16, headers, 12, iv, 16, headers, 48, &route,
                                sizeof route) == (n == 3 ? 3 << 8 : 1 << 8));
    }
    pf_wire_udp_close(from);
    pf_wire_udp_close(to);
    pf_wire_stream_close(stream);
  }
}

static void *receive_for_ever(void *udp) {
  uint8_t *out = malloc(PF_WIRE_RECEIVE_ROOM);
  const int32_t got = pf_wire_udp_receive(udp, -1, out, PF_WIRE_RECEIVE_ROOM);
  free(out);
  return got == 0 ? udp : NULL;
}

void test_udp(void) {
  struct pf_wire_udp *a = open_udp("::"), *b = open_udp("127.0.0.1"), *c = NULL;
  const uint8_t v4[] = "127.0.0.1";
  CHECK(pf_wire_udp_open(v4, 9, (uint32_t)pf_wire_udp_port(b), &c) == PF_WIRE_EADDRINUSE && !c);
  CHECK(pf_wire_udp_open(v4, 9, 65536, &c) == PF_WIRE_EINVAL && !c);
  CHECK(pf_wire_udp_open((const uint8_t *)"192.0.2.1", 9, 0, &c) == PF_WIRE_EADDRNOTAVAIL && !c);
  CHECK(pf_wire_udp_open((const uint8_t *)"localhost", 9, 0, &c) == PF_WIRE_EINVAL && !c);

  struct pf_wire_address to = loopback("127.0.0.1", a);
  CHECK(pf_wire_udp_set_dscp(a, 40) == PF_WIRE_OK && pf_wire_udp_set_dscp(b, 48) == PF_WIRE_OK);
  CHECK(pf_wire_udp_set_dscp(b, 64) == PF_WIRE_EINVAL);
  CHECK(pf_wire_udp_send(b, v4, 9, &to) == 1 && pf_wire_udp_send(b, v4, 0, &to) == 1);
  CHECK(receives(a, v4, 1, 9)); /* and takes the empty one with it */
  uint8_t *out = malloc(PF_WIRE_RECEIVE_ROOM);
  CHECK(pf_wire_udp_send(b, v4, 9, &to) == 1);
  CHECK(pf_wire_udp_receive(a, 2000, out, PF_WIRE_RECEIVE_ROOM) == 1);
  struct pf_wire_datagram record;
  memcpy(&record, out, sizeof record);
  CHECK(record.port == pf_wire_udp_port(b) && record.address_len == 9);
  CHECK(memcmp(record.address, v4, 9) == 0);
  /* An answer to an IPv4 peer leaves an IPv6 socket, and the largest payload arrives whole. */
  uint8_t *large = random_bytes(65507);
  to = loopback("127.0.0.1", b);
  CHECK(pf_wire_udp_send(a, large, 65507, &to) == 1);
  CHECK(receives(b, large, 1, 65507));
  CHECK(pf_wire_udp_send(a, large, 65508, &to) == PF_WIRE_EINVAL);
  CHECK(pf_wire_udp_receive(a, 0, out, PF_WIRE_RECEIVE_ROOM - 1) == PF_WIRE_EINVAL);
  CHECK(pf_wire_udp_receive(a, 0, out, PF_WIRE_RECEIVE_ROOM) == 0);

  pthread_t thread;
  void *result = NULL;
  CHECK(pthread_create(&thread, NULL, receive_for_ever, a) == 0);
  CHECK(pf_wire_udp_wake(a) == PF_WIRE_OK);
  pthread_join(thread, &result);
  CHECK(result == a);
  CHECK(pf_wire_udp_receive(a, 0, out, PF_WIRE_RECEIVE_ROOM) == 0);
  free(out);
  free(large);
  pf_wire_udp_close(a);
  pf_wire_udp_close(b);
  pf_wire_udp_close(NULL);
}

/* Equal seeds lose the same datagrams, other seeds others, and about as many as they should. */
static void test_drop(struct pf_wire_kernel *kernel) {
  struct pf_wire_udp *from = open_udp("127.0.0.1"), *to = open_udp("127.0.0.1");
  struct pf_wire_job *job = malloc(JOB_SIZE);
  uint8_t *headers = random_bytes(160), *au = random_bytes(130);
  uint8_t *out = malloc(RECEIVE_SIZE), *all = malloc(560);
  const struct pf_wire_route route = {.burst_bytes_max = 65536,
                                      .burst_packets_max = 64,
                                      .to = loopback("127.0.0.1", to),
                                      .descriptor = pf_wire_udp_descriptor(from)};
  uint8_t lost[3][500] = {{0}};
  uint32_t lost_count[3] = {0};
  fill_job(job);
  for (uint32_t run = 0; run < 3; run++) {
    CHECK(pf_wire_set_drop(kernel, 20, run == 2 ? 8 : 7) == PF_WIRE_OK);
    for (uint32_t frame = 0; frame < 100; frame++) {
      job->seal_counter = frame * 5;
      CHECK(SENDS() == 0); /* what is dropped was not refused */
      const int32_t got = pf_wire_udp_receive(to, 0, out, RECEIVE_SIZE);
      CHECK(got >= 0 && got <= 5);
      CHECK(pf_wire_frame_build(kernel, job, JOB_SIZE, headers, 160, NULL, 0, au, 130, all, 560) ==
            PF_WIRE_OK);
      /* Those that came are of this frame, in order: one dropped has used up its counter. */
      int32_t seen = 0;
      for (uint32_t n = 0; n < 5; n++) {
        const int is_here = seen < got && memcmp(out + seen * 168 + 56, all + n * 112, 112) == 0;
        seen += is_here;
        lost[run][frame * 5 + n] = !is_here;
        lost_count[run] += !is_here;
      }
      CHECK(seen == got);
    }
    CHECK(lost_count[run] > 60 && lost_count[run] < 140);
  }
  CHECK(memcmp(lost[0], lost[1], 500) == 0 && memcmp(lost[0], lost[2], 500) != 0);
  CHECK(pf_wire_set_drop(kernel, PF_WIRE_DROP_PERCENT_MAX + 1, 0) == PF_WIRE_EINVAL);
  CHECK(pf_wire_set_drop(NULL, 1, 0) == PF_WIRE_EINVAL);
  CHECK(pf_wire_set_drop(kernel, 0, 0) == PF_WIRE_OK);
  free(job);
  free(headers);
  free(au);
  free(out);
  free(all);
  pf_wire_udp_close(from);
  pf_wire_udp_close(to);
}

void test_sending(struct pf_wire_kernel *kernel) {
  test_modes(kernel);
  test_refusals(kernel);
  test_fallback(kernel);
  test_drop(kernel);
}
