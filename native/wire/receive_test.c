/* Receiving and opening in batches: what is sealed by the kernel comes back, and nothing else does. */
#include "wire_test.h"

#include <pthread.h>
#include <sys/socket.h>

#include "replay.h"

#define SEALED_SIZE 104
#define PLAIN_SIZE 80
#define OUT_SIZE 65536
#define PACKETS_MAX 512

/* A kernel's frame on its way from one socket to a receiver on another. */
struct way {
  struct pf_wire_kernel *kernel;
  struct pf_wire_udp *from, *to;
  struct pf_wire_address address;
  struct pf_wire_receiver *receiver;
  struct pf_wire_job *job;
  uint8_t *headers, *au;
  uint8_t plain[5 * PLAIN_SIZE];
  uint8_t sealed[5 * 112];
  struct pf_wire_packet packets[PACKETS_MAX];
  struct pf_wire_arrivals arrivals;
  uint8_t *out;
};

static struct pf_wire_opening opening_of(const struct pf_wire_job *job) {
  return (struct pf_wire_opening){
      .size_max = 1500, .replay_window = 64, .is_sealed = 1, .seal = job->seal};
}

static void open_receiver(struct way *way, const struct pf_wire_opening *opening) {
  CHECK(pf_wire_receiver_open(pf_wire_udp_descriptor(way->to), opening, sizeof *opening,
                              &way->receiver) == PF_WIRE_OK);
}

static void build(struct way *way, uint8_t *out, size_t size) {
  CHECK(pf_wire_frame_build(way->kernel, way->job, JOB_SIZE, way->headers, 160, NULL, 0, way->au, 130,
                            out, 5 * size) == PF_WIRE_OK);
}

static void open_way_of(struct way *way, struct pf_wire_kernel *kernel, uint8_t cipher) {
  memset(way, 0, sizeof *way);
  way->kernel = kernel;
  way->from = open_udp("127.0.0.1");
  way->to = open_udp("::");
  way->address = loopback("127.0.0.1", way->to);
  way->job = malloc(JOB_SIZE);
  way->headers = random_bytes(160);
  way->au = random_bytes(130);
  way->out = malloc(OUT_SIZE);
  fill_trailing_job(way->job);
  way->job->is_sealed = 0;
  build(way, way->plain, PLAIN_SIZE);
  way->job->is_sealed = 1;
  way->job->seal.cipher = cipher;
  build(way, way->sealed, SEALED_SIZE);
}

static void open_way(struct way *way, struct pf_wire_kernel *kernel) {
  open_way_of(way, kernel, PF_WIRE_CIPHER_AES_128_GCM);
}

static void close_way(struct way *way) {
  pf_wire_receiver_close(way->receiver);
  pf_wire_udp_close(way->from);
  pf_wire_udp_close(way->to);
  free(way->job);
  free(way->headers);
  free(way->au);
  free(way->out);
}

static void send_bytes(struct way *way, const uint8_t *bytes, size_t size) {
  CHECK(pf_wire_udp_send(way->from, bytes, size, &way->address) == 1);
}

static int32_t receive_into(struct way *way, size_t packets, size_t out_size) {
  return pf_wire_receiver_receive(way->receiver, 0, way->packets,
                                  packets * sizeof way->packets[0], way->out, out_size,
                                  &way->arrivals, sizeof way->arrivals);
}

static int32_t receive(struct way *way) {
  return receive_into(way, PACKETS_MAX, OUT_SIZE);
}

static int is_plain(const struct way *way, const struct pf_wire_packet *packet, size_t n) {
  return packet->size == PLAIN_SIZE && packet->offset % 64 == 0 &&
         memcmp(way->out + packet->offset, way->plain + n * PLAIN_SIZE, PLAIN_SIZE) == 0;
}

static void send_frame(struct way *way) {
  const struct pf_wire_route route = {.burst_bytes_max = 65536,
                                      .burst_packets_max = 64,
                                      .to = way->address,
                                      .descriptor = pf_wire_udp_descriptor(way->from)};
  CHECK(pf_wire_frame_send(way->kernel, way->job, JOB_SIZE, way->headers, 160, NULL, 0, way->au, 130,
                           &route, sizeof route) == 0);
}

/* Every way of sending, among them datagrams that travel as one; counters from the top of their range on. */
static void test_round_trip(struct pf_wire_kernel *kernel, uint8_t cipher) {
  struct way way;
  open_way_of(&way, kernel, cipher);
  const struct pf_wire_opening opening = opening_of(way.job);
  open_receiver(&way, &opening);
  way.job->seal_counter = 0xfffffffffffffe00ull;
  uint64_t bytes = 0;
  for (uint32_t mode = PF_WIRE_SEND_GSO; mode <= PF_WIRE_SEND_SINGLE; mode++) {
    pf_wire_set_send_mode(kernel, mode);
    for (int frame = 0; frame < 10; frame++) {
      send_frame(&way);
      send_frame(&way); /* again with the same counters */
      CHECK(receive(&way) == 5);
      for (size_t n = 0; n < 5; n++) {
        const struct pf_wire_packet *packet = &way.packets[n];
        CHECK(is_plain(&way, packet, n) && packet->counter == way.job->seal_counter + n);
        CHECK(packet->arrived_at_us > 0 && packet->arrived_at_us <= way.arrivals.fetched_at_us);
      }
      bytes += 10 * SEALED_SIZE;
      CHECK(way.arrivals.bytes == bytes);
      way.job->seal_counter += 5;
    }
  }
  pf_wire_set_send_mode(kernel, PF_WIRE_SEND_GSO);
  CHECK(way.arrivals.opened == 150 && way.arrivals.replayed == 150);
  CHECK(way.arrivals.forged == 0 && way.arrivals.misshapen == 0 && way.arrivals.overflowed == 0);
  CHECK(way.arrivals.buffer_size > 0 && receive(&way) == 0);
  close_way(&way);
}

static void test_refused(struct pf_wire_kernel *kernel, uint8_t cipher) {
  struct way way;
  open_way_of(&way, kernel, cipher);
  struct pf_wire_opening opening = opening_of(way.job);
  opening.size_max = SEALED_SIZE + 1;
  open_receiver(&way, &opening);
  uint8_t datagram[SEALED_SIZE + 2] = {0};
  memcpy(datagram, way.sealed, SEALED_SIZE);
  for (size_t size = 0; size <= SEALED_SIZE + 2; size++) {
    if (size != SEALED_SIZE) send_bytes(&way, datagram, size);
  }
  CHECK(receive(&way) == 0);
  CHECK(way.arrivals.misshapen == 24 + 1 && way.arrivals.forged == SEALED_SIZE + 1 - 24);
  for (size_t at = 0; at < SEALED_SIZE; at++) {
    datagram[at] ^= 1;
    send_bytes(&way, datagram, SEALED_SIZE);
    datagram[at] ^= 1;
  }
  CHECK(receive(&way) == 0 && way.arrivals.forged == 2 * SEALED_SIZE + 1 - 24);
  /* None of it has moved the window. */
  send_bytes(&way, datagram, SEALED_SIZE);
  CHECK(receive(&way) == 1 && is_plain(&way, &way.packets[0], 0) && way.packets[0].counter == 0);
  send_bytes(&way, datagram, SEALED_SIZE);
  CHECK(receive(&way) == 0 && way.arrivals.replayed == 1);

  way.job->seal.key[3] ^= 0x80; /* a stranger's key */
  way.job->seal_counter = 100;
  send_frame(&way);
  CHECK(receive(&way) == 0 && way.arrivals.forged == 2 * SEALED_SIZE + 6 - 24);
  CHECK(way.arrivals.opened == 1);
  close_way(&way);
}

/* Counters that fall out of the window. */
static void test_window(struct pf_wire_kernel *kernel) {
  struct way way;
  open_way(&way, kernel);
  const struct pf_wire_opening opening = opening_of(way.job);
  open_receiver(&way, &opening);
  /* The oldest within 64 of 204 is 141. */
  static const uint64_t first[] = {200, 137, 132, 300, 200};
  static const int32_t fresh[] = {5, 1, 0, 5, 0};
  for (size_t n = 0; n < sizeof first / sizeof first[0]; n++) {
    way.job->seal_counter = first[n];
    send_frame(&way);
    CHECK(receive(&way) == fresh[n]);
  }
  CHECK(way.arrivals.replayed == 14 && way.arrivals.forged == 0);
  close_way(&way);
}

/* What a call has no room for comes with the next, and the datagrams of one message stay apart. */
static void test_little_room(struct pf_wire_kernel *kernel) {
  struct way way;
  open_way(&way, kernel);
  const struct pf_wire_opening opening = opening_of(way.job);
  open_receiver(&way, &opening);
  for (int frame = 0; frame < 4; frame++) {
    way.job->seal_counter = (uint64_t)frame * 5;
    send_frame(&way);
  }
  CHECK(receive_into(&way, PACKETS_MAX, 1535) == PF_WIRE_EINVAL);
  for (uint64_t n = 0; n < 10; n++) {
    CHECK(receive_into(&way, 1, OUT_SIZE) == 1);
    CHECK(is_plain(&way, &way.packets[0], n % 5) && way.packets[0].counter == n);
  }
  for (uint64_t n = 10; n < 20; n++) {
    CHECK(receive_into(&way, PACKETS_MAX, 1536) == 1);
    CHECK(is_plain(&way, &way.packets[0], n % 5) && way.packets[0].counter == n);
  }
  CHECK(receive(&way) == 0);
  close_way(&way);
}

/* A nonce and a tag in the prefix, no window; and no seal at all. */
static void test_other_shapes(struct pf_wire_kernel *kernel) {
  struct way way;
  open_way(&way, kernel);
  fill_job(way.job);
  struct pf_wire_opening opening = opening_of(way.job);
  opening.replay_window = 0;
  open_receiver(&way, &opening);
  way.job->seal_counter = 0x1122334455667788ull;
  for (int again = 0; again < 2; again++) {
    send_frame(&way);
    CHECK(receive(&way) == 5);
    for (size_t n = 0; n < 5; n++) {
      CHECK(is_plain(&way, &way.packets[n], n));
      CHECK(way.packets[n].counter == way.job->seal_counter + n);
    }
  }
  pf_wire_receiver_close(way.receiver);

  opening = (struct pf_wire_opening){.size_max = PLAIN_SIZE};
  open_receiver(&way, &opening);
  way.job->is_sealed = 0;
  send_frame(&way);
  send_bytes(&way, way.plain, 0);
  send_bytes(&way, way.sealed, PLAIN_SIZE + 1);
  send_bytes(&way, way.plain, 1);
  CHECK(receive(&way) == 7 && way.arrivals.misshapen == 1);
  for (size_t n = 0; n < 5; n++) CHECK(is_plain(&way, &way.packets[n], n));
  CHECK(way.packets[5].size == 0 && way.packets[6].size == 1);
  CHECK(way.out[way.packets[6].offset] == way.plain[0]);
  close_way(&way);
}

/* The system drops what its buffer has no room for, and says so. */
static void test_overflow(struct pf_wire_kernel *kernel) {
  struct way way;
  open_way(&way, kernel);
  struct pf_wire_opening opening = {.size_max = 1500};
  open_receiver(&way, &opening);
  const int small = 4096;
  setsockopt(pf_wire_udp_descriptor(way.to), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  for (int n = 0; n < 200; n++) send_bytes(&way, way.plain, PLAIN_SIZE);
  const int32_t got = receive(&way);
  CHECK(got > 0 && got < 200 && way.arrivals.overflowed == 200 - (uint64_t)got);
  send_bytes(&way, way.plain, PLAIN_SIZE);
  CHECK(receive(&way) == 1 && way.arrivals.overflowed == 200 - (uint64_t)got);
  /* Another receiver counts from its own start. */
  pf_wire_receiver_close(way.receiver);
  open_receiver(&way, &opening);
  CHECK(receive(&way) == 0 && way.arrivals.overflowed == 0);
  close_way(&way);
}

static void test_open_limits(struct pf_wire_kernel *kernel) {
  struct way way;
  open_way(&way, kernel);
  struct pf_wire_opening opening;
  const int descriptor = pf_wire_udp_descriptor(way.to);
#define OPENS() pf_wire_receiver_open(descriptor, &opening, sizeof opening, &way.receiver)
#define REFUSES(change)                                     \
  do {                                                      \
    opening = opening_of(way.job);                          \
    change;                                                 \
    CHECK(OPENS() == PF_WIRE_EINVAL && way.receiver == NULL); \
  } while (0)
  REFUSES(opening.size_max = 0);
  REFUSES(opening.size_max = 65536);
  REFUSES(opening.size_max = 23);
  REFUSES(opening.replay_window = 32);
  REFUSES(opening.replay_window = 96);
  REFUSES(opening.replay_window = 2 * PF_WIRE_REPLAY_WINDOW_MAX);
  REFUSES(opening.is_sealed = 0); /* without a counter there is no window */
  REFUSES(opening.seal.prefix_size = 7);
  REFUSES(opening.seal.prefix_nonce_from = 5);
  REFUSES(opening.seal.prefix_nonce_length = 7);
  REFUSES(opening.seal.nonce_counter_offset = 0);
  REFUSES(opening.seal.tag_offset = 0);
  REFUSES(opening.seal.aad_size = 9);
  REFUSES(opening.seal.cipher = PF_WIRE_CIPHER_COUNT);
  opening = opening_of(way.job);
  CHECK(pf_wire_receiver_open(descriptor, &opening, sizeof opening - 1, &way.receiver) ==
        PF_WIRE_EINVAL);
  CHECK(pf_wire_receiver_open(descriptor, &opening, sizeof opening, NULL) == PF_WIRE_EINVAL);
  CHECK(pf_wire_receiver_open(-1, &opening, sizeof opening, &way.receiver) == PF_WIRE_ESOCKET);
  CHECK(pf_wire_receiver_open(0, &opening, sizeof opening, &way.receiver) == PF_WIRE_ESOCKET);
  CHECK(OPENS() == PF_WIRE_OK);
  CHECK(receive_into(&way, 0, OUT_SIZE) == PF_WIRE_EINVAL);
  CHECK(pf_wire_receiver_receive(way.receiver, 0, way.packets, sizeof way.packets, way.out, OUT_SIZE,
                                 &way.arrivals, sizeof way.arrivals - 1) == PF_WIRE_EINVAL);
  CHECK(pf_wire_receiver_receive(NULL, 0, way.packets, sizeof way.packets, way.out, OUT_SIZE,
                                 &way.arrivals, sizeof way.arrivals) == PF_WIRE_EINVAL);
  pf_wire_receiver_close(NULL);
  close_way(&way);
}

static void *receive_for_ever(void *argument) {
  struct way *way = argument;
  const int32_t got = pf_wire_receiver_receive(way->receiver, -1, way->packets, sizeof way->packets,
                                               way->out, OUT_SIZE, &way->arrivals,
                                               sizeof way->arrivals);
  return got == 0 ? way : NULL;
}

static void test_wake(struct pf_wire_kernel *kernel) {
  struct way way;
  open_way(&way, kernel);
  const struct pf_wire_opening opening = opening_of(way.job);
  open_receiver(&way, &opening);
  pthread_t thread;
  void *result = NULL;
  CHECK(pthread_create(&thread, NULL, receive_for_ever, &way) == 0);
  CHECK(pf_wire_receiver_wake(way.receiver) == PF_WIRE_OK);
  pthread_join(thread, &result);
  CHECK(result == &way);
  CHECK(pf_wire_receiver_wake(NULL) == PF_WIRE_EINVAL);
  /* A closed receiver leaves the socket as others know it. */
  pf_wire_receiver_close(way.receiver);
  way.receiver = NULL;
  send_frame(&way);
  uint8_t *out = malloc(PF_WIRE_RECEIVE_ROOM + 65536);
  CHECK(pf_wire_udp_receive(way.to, 0, out, PF_WIRE_RECEIVE_ROOM + 65536) == 5);
  free(out);
  close_way(&way);
}

/* Against a list of everything seen. */
static void test_replay_model(void) {
  enum { COUNTERS = 20000, WINDOW = 256 };
  static uint8_t is_seen[COUNTERS];
  struct pf_replay replay;
  CHECK(pf_replay_open(&replay, WINDOW) == 1);
  uint64_t top = 0;
  int has_top = 0, is_same = 1;
  for (uint32_t n = 0; n < 20000; n++) {
    const uint32_t spread = n % 997 == 0 ? 900 : 400;
    const uint64_t lowest = top > 390 ? top - 390 : 0;
    const uint64_t counter = lowest + random_below(spread);
    if (counter >= COUNTERS) break;
    const int is_fresh = !is_seen[counter] && !(has_top && counter + WINDOW <= top);
    if (pf_replay_is_fresh(&replay, counter) != is_fresh) is_same = 0;
    if (!is_fresh || n % 5 == 0) continue; /* some are forged, and so not remembered */
    pf_replay_add(&replay, counter);
    is_seen[counter] = 1;
    if (!has_top || counter > top) top = counter;
    has_top = 1;
  }
  CHECK(is_same && top > 1500);
  CHECK(pf_replay_is_fresh(&replay, UINT64_MAX));
  pf_replay_add(&replay, UINT64_MAX);
  CHECK(!pf_replay_is_fresh(&replay, UINT64_MAX) && !pf_replay_is_fresh(&replay, top));
  CHECK(pf_replay_is_fresh(&replay, UINT64_MAX - WINDOW + 1));
  CHECK(!pf_replay_is_fresh(&replay, UINT64_MAX - WINDOW));
  pf_replay_close(&replay);
}

void test_receiving(struct pf_wire_kernel *kernel) {
  test_replay_model();
  for (uint8_t cipher = 0; cipher < PF_WIRE_CIPHER_COUNT; cipher++) {
    test_round_trip(kernel, cipher);
    test_refused(kernel, cipher);
  }
  test_window(kernel);
  test_little_room(kernel);
  test_other_shapes(kernel);
  test_overflow(kernel);
  test_open_limits(kernel);
  test_wake(kernel);
}
