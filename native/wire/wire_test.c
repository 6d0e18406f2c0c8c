/* Runs under ASan and UBSan; prints one line and exits non-zero on a failure. */
#include "wire.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int passed, failed;

#define CHECK(condition)                                                  \
  do {                                                                    \
    if (condition) {                                                      \
      passed++;                                                           \
    } else {                                                              \
      failed++;                                                           \
      fprintf(stderr, "wire_test.c:%d: %s\n", __LINE__, #condition);      \
    }                                                                     \
  } while (0)

static uint32_t seed = 12345;

static uint8_t random_byte(void) {
  seed = seed * 1664525u + 1013904223u;
  return (uint8_t)(seed >> 24);
}

/* Exactly `size` bytes on the heap, so that the sanitizer sees one byte too far. */
static uint8_t *random_bytes(size_t size) {
  uint8_t *bytes = malloc(size);
  for (size_t n = 0; n < size; n++) bytes[n] = random_byte();
  return bytes;
}

/* A job of one block. */
#define JOB_SIZE (sizeof(struct pf_wire_job) + sizeof(struct pf_wire_block))

static struct pf_wire_kernel *open_kernel(void) {
  struct pf_wire_kernel *kernel = NULL;
  CHECK(pf_wire_kernel_open(&kernel) == PF_WIRE_OK);
  return kernel;
}

static void test_parity_vector(struct pf_wire_kernel *kernel) {
  uint8_t data[64], parity[32];
  for (int i = 0; i < 4; i++) {
    for (int j = 0; j < 16; j++) data[i * 16 + j] = (uint8_t)(31 * i + 7 * j + 1);
  }
  static const uint8_t expected[32] = {
      0x17, 0x6c, 0xdb, 0xb0, 0x00, 0x90, 0x23, 0xbb, 0xab, 0x0f, 0x6f, 0x51, 0xb4, 0xdb, 0x65, 0x0a,
      0x85, 0x77, 0xeb, 0x0e, 0x30, 0x6c, 0x03, 0xe0, 0x8b, 0xe7, 0x5f, 0xef, 0x84, 0x37, 0xd7, 0x65};
  CHECK(pf_wire_parity(kernel, 8, 4, 2, data, sizeof data, parity, sizeof parity) == PF_WIRE_OK);
  CHECK(memcmp(parity, expected, sizeof expected) == 0);
}

static void test_levels_agree(struct pf_wire_kernel *kernel) {
  static const uint32_t shapes[][3] = {
      {1, 1, 1},     {3, 2, 15},   {4, 2, 31},   {5, 4, 32},    {6, 5, 63},    {7, 6, 64},
      {8, 7, 65},    {9, 12, 127}, {9, 13, 128}, {10, 9, 129},  {17, 25, 255}, {20, 11, 256},
      {100, 20, 33}, {212, 43, 97}, {1, 254, 130}, {254, 1, 140}, {127, 128, 161}, {30, 8, 1344}};
  const uint32_t best = pf_wire_level(kernel);
  for (size_t n = 0; n < sizeof shapes / sizeof shapes[0]; n++) {
    const uint32_t k = shapes[n][0], p = shapes[n][1], length = shapes[n][2];
    uint8_t *data = random_bytes((size_t)k * length);
    uint8_t *expected = random_bytes((size_t)p * length), *found = random_bytes((size_t)p * length);
    CHECK(pf_wire_set_level(kernel, PF_WIRE_LEVEL_SCALAR) == PF_WIRE_OK);
    CHECK(pf_wire_parity(kernel, 8, k, p, data, (size_t)k * length, expected, (size_t)p * length) == 0);
    for (uint32_t level = PF_WIRE_LEVEL_SSSE3; level < PF_WIRE_LEVEL_COUNT; level++) {
      if (pf_wire_set_level(kernel, level) != PF_WIRE_OK) continue;
      CHECK(pf_wire_level(kernel) == level);
      memset(found, 0xee, (size_t)p * length);
      CHECK(pf_wire_parity(kernel, 8, k, p, data, (size_t)k * length, found, (size_t)p * length) == 0);
      CHECK(memcmp(expected, found, (size_t)p * length) == 0);
    }
    free(data);
    free(expected);
    free(found);
  }
  CHECK(pf_wire_set_level(kernel, PF_WIRE_LEVEL_COUNT) == PF_WIRE_EUNSUPPORTED);
  CHECK(pf_wire_set_level(kernel, best) == PF_WIRE_OK);
}

static void test_parity_limits(struct pf_wire_kernel *kernel) {
  uint8_t *bytes = calloc(256, 1);
  CHECK(pf_wire_parity(kernel, 8, 212, 43, bytes, 212, bytes + 212, 43) == PF_WIRE_OK);
  CHECK(pf_wire_parity(kernel, 8, 213, 43, bytes, 213, bytes + 213, 43) == PF_WIRE_EINVAL);
  CHECK(pf_wire_parity(kernel, 8, 0, 1, bytes, 0, bytes, 1) == PF_WIRE_EINVAL);
  CHECK(pf_wire_parity(kernel, 8, 1, 0xffffffffu, bytes, 1, bytes + 1, 1) == PF_WIRE_EINVAL);
  CHECK(pf_wire_parity(kernel, 8, 2, 1, bytes, 3, bytes + 3, 1) == PF_WIRE_EINVAL);
  CHECK(pf_wire_parity(kernel, 8, 2, 1, bytes, 2, bytes + 2, 2) == PF_WIRE_EINVAL);
  CHECK(pf_wire_parity(NULL, 8, 2, 1, bytes, 2, bytes + 2, 1) == PF_WIRE_EINVAL);
  free(bytes);
}

/* GameStream's shape: 3 data and 2 parity packets of 80 bytes, sealed with a tag in the prefix. */
static void fill_job(struct pf_wire_job *job) {
  memset(job, 0, JOB_SIZE);
  job->shard_size = 80;
  job->header_size = 32;
  job->packet_count = 5;
  job->block_count = 1;
  job->field_bits = 8;
  job->blocks[0] = (struct pf_wire_block){3, 2};
  memset(job->data_header_mask + 16, 0xff, 12);
  memset(job->parity_header_mask, 0xff, 16);
  job->is_sealed = 1;
  job->prefix_size = 32;
  job->prefix_nonce_length = 12;
  job->tag_offset = 16;
  for (int n = 0; n < 16; n++) job->key[n] = (uint8_t)n;
  job->nonce_template[11] = 0x56;
}

static int opens(const struct pf_wire_job *job, const uint8_t *datagram, const uint8_t *plain) {
  uint8_t opened[80];
  int written = 0, is_good = 0;
  const int is_trailing = job->tag_offset < 0;
  const uint8_t *ciphertext = datagram + job->prefix_size;
  const uint8_t *tag = is_trailing ? ciphertext + 80 : datagram + job->tag_offset;
  uint8_t nonce[12];
  memcpy(nonce, job->nonce_template, 12);
  memcpy(nonce + job->prefix_nonce_from, datagram, job->prefix_nonce_length);
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
  is_good = EVP_DecryptInit_ex(context, EVP_aes_128_gcm(), NULL, job->key, nonce) == 1 &&
            (job->aad_size == 0 ||
             EVP_DecryptUpdate(context, NULL, &written, datagram, job->aad_size) == 1) &&
            EVP_DecryptUpdate(context, opened, &written, ciphertext, 80) == 1 &&
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, (void *)(uintptr_t)tag) == 1 &&
            EVP_DecryptFinal_ex(context, opened, &written) == 1 && memcmp(opened, plain, 80) == 0;
  EVP_CIPHER_CTX_free(context);
  return is_good;
}

static void test_seal_opens(struct pf_wire_kernel *kernel) {
  struct pf_wire_job *job = malloc(JOB_SIZE);
  uint8_t *headers = random_bytes(5 * 32), *au = random_bytes(130), *prologue = random_bytes(8);
  uint8_t *plain = random_bytes(5 * 80);
  fill_job(job);
  job->is_sealed = 0;
  CHECK(pf_wire_frame_build(kernel, job, JOB_SIZE, headers, 160, prologue, 8, au, 130, plain,
                            400) == PF_WIRE_OK);
  CHECK(memcmp(plain + 80, headers + 32, 32) == 0);
  CHECK(memcmp(plain + 32, prologue, 8) == 0 && memcmp(plain + 40, au, 40) == 0);
  CHECK(memcmp(plain + 3 * 80, headers + 3 * 32, 16) == 0);
  for (int is_trailing = 0; is_trailing < 2; is_trailing++) {
    fill_job(job);
    if (is_trailing) {
      job->prefix_size = job->prefix_nonce_length = job->aad_size = 8;
      job->prefix_nonce_from = job->nonce_counter_offset = 4;
      job->is_counter_big_endian = 1;
      job->tag_offset = -1;
    }
    const size_t size = is_trailing ? 104 : 112;
    job->seal_counter = 0x1122334455667788ull;
    uint8_t *sealed = random_bytes(5 * size);
    CHECK(pf_wire_frame_build(kernel, job, JOB_SIZE, headers, 160, prologue, 8, au, 130, sealed,
                              5 * size) == PF_WIRE_OK);
    CHECK(sealed[0] == (is_trailing ? 0x11 : 0x88));
    for (size_t n = 0; n < 5; n++) CHECK(opens(job, sealed + n * size, plain + n * 80));
    sealed[size - 1] ^= 1;
    CHECK(!opens(job, sealed, plain));
    free(sealed);
  }
  free(job);
  free(headers);
  free(au);
  free(prologue);
  free(plain);
}

static void test_frame_limits(struct pf_wire_kernel *kernel) {
  struct pf_wire_job *job = malloc(JOB_SIZE);
  uint8_t *headers = random_bytes(160), *au = random_bytes(130), *out = random_bytes(5 * 112);
#define BUILDS() \
  pf_wire_frame_build(kernel, job, JOB_SIZE, headers, 160, NULL, 0, au, 130, out, 5 * 112)
#define REFUSES(change, status) \
  do {                          \
    fill_job(job);              \
    change;                     \
    CHECK(BUILDS() == status);  \
  } while (0)
  REFUSES(, PF_WIRE_OK);
  REFUSES(job->field_bits = 16, PF_WIRE_OK);
  REFUSES((job->field_bits = 16, job->fec_offset = 1), PF_WIRE_EINVAL);
  REFUSES(job->field_bits = 0, PF_WIRE_EINVAL);
  REFUSES(job->shard_size = 0, PF_WIRE_EINVAL);
  REFUSES(job->shard_size = PF_WIRE_SHARD_MAX + 1, PF_WIRE_EINVAL);
  REFUSES(job->shard_size = 32, PF_WIRE_EINVAL);
  REFUSES(job->header_size = 65, PF_WIRE_EINVAL);
  REFUSES(job->fec_offset = 33, PF_WIRE_EINVAL);
  REFUSES(job->packet_count = 6, PF_WIRE_EINVAL);
  REFUSES(job->packet_count = 0, PF_WIRE_EINVAL);
  REFUSES(job->packet_count = PF_WIRE_PACKETS_MAX + 1, PF_WIRE_EINVAL);
  REFUSES(job->block_count = 0, PF_WIRE_EINVAL);
  REFUSES(job->block_count = PF_WIRE_BLOCKS_MAX + 1, PF_WIRE_EINVAL);
  REFUSES(job->blocks[0].parity_count = 253, PF_WIRE_EINVAL);
  REFUSES((job->blocks[0].data_count = 4, job->blocks[0].parity_count = 1), PF_WIRE_EINVAL);
  REFUSES(job->nonce_counter_offset = 5, PF_WIRE_EINVAL);
  REFUSES(job->prefix_size = 65, PF_WIRE_EINVAL);
  REFUSES(job->prefix_nonce_from = 1, PF_WIRE_EINVAL);
  REFUSES(job->tag_offset = 17, PF_WIRE_EINVAL);
  REFUSES(job->tag_offset = 11, PF_WIRE_EINVAL);
  REFUSES(job->tag_offset = -2, PF_WIRE_EINVAL);
  REFUSES(job->aad_size = 17, PF_WIRE_EINVAL);
  REFUSES(job->seal_counter = UINT64_MAX - 4, PF_WIRE_EINVAL);
  fill_job(job);
  CHECK(pf_wire_frame_build(kernel, job, JOB_SIZE - 1, headers, 160, NULL, 0, au, 130, out,
                            560) == PF_WIRE_EINVAL);
  CHECK(pf_wire_frame_build(kernel, job, JOB_SIZE, headers, 159, NULL, 0, au, 130, out, 560) ==
        PF_WIRE_EINVAL);
  CHECK(pf_wire_frame_build(kernel, job, JOB_SIZE, headers, 160, NULL, 1, au, 130, out, 560) ==
        PF_WIRE_EINVAL);
  CHECK(pf_wire_frame_build(kernel, job, JOB_SIZE, headers, 160, NULL, 0, au, 130, out, 559) ==
        PF_WIRE_EINVAL);
  CHECK(pf_wire_frame_build(kernel, job, JOB_SIZE, headers, 160, NULL, 0, au, SIZE_MAX, out,
                            560) == PF_WIRE_EINVAL);
  free(job);
  free(headers);
  free(au);
  free(out);
}

static struct pf_wire_udp *open_udp(const char *address) {
  struct pf_wire_udp *udp = NULL;
  CHECK(pf_wire_udp_open((const uint8_t *)address, strlen(address), 0, &udp) == PF_WIRE_OK);
  return udp;
}

static struct pf_wire_address loopback(const char *text, const struct pf_wire_udp *udp) {
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

static void test_sending(struct pf_wire_kernel *kernel) {
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

static void test_stream(void) {
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

static void test_udp(void) {
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

int main(void) {
  struct pf_wire_kernel *kernel = open_kernel();
  CHECK(pf_wire_abi() == PF_WIRE_ABI);
  test_parity_vector(kernel);
  test_levels_agree(kernel);
  test_parity_limits(kernel);
  test_seal_opens(kernel);
  test_frame_limits(kernel);
  test_sending(kernel);
  test_refusals(kernel);
  test_fallback(kernel);
  test_stream();
  test_udp();
  pf_wire_kernel_close(kernel);
  pf_wire_kernel_close(NULL);
  printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
