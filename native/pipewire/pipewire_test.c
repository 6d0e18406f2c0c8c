/* Runs under ASan and UBSan, without a PipeWire server; prints one line and exits non-zero on a failure. */
#include "pipewire.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "library.h"
#include "ring.h"

static int passed, failed;

#define CHECK(condition)                                                  \
  do {                                                                    \
    if (condition) {                                                      \
      passed++;                                                           \
    } else {                                                              \
      failed++;                                                           \
      fprintf(stderr, "pipewire_test.c:%d: %s\n", __LINE__, #condition);  \
    }                                                                     \
  } while (0)

#define MS 1000000ll

static const uint8_t PROPERTIES[] = "{\"node.name\":\"test\"}";
#define PROPERTIES_LEN (sizeof PROPERTIES - 1)

/* A socket somebody listens at, who never answers. */
struct mute_server {
  char directory[32];
  char path[64];
  int listener;
};

static void start_mute_server(struct mute_server *server) {
  strcpy(server->directory, "/tmp/pf_pipewire_XXXXXX");
  if (mkdtemp(server->directory) == NULL) abort();
  snprintf(server->path, sizeof server->path, "%s/socket", server->directory);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strcpy(address.sun_path, server->path);
  server->listener = socket(AF_UNIX, SOCK_STREAM, 0);
  if (bind(server->listener, (struct sockaddr *)&address, sizeof address) != 0) abort();
  if (listen(server->listener, 16) != 0) abort();
}

static void stop_mute_server(struct mute_server *server) {
  close(server->listener);
  unlink(server->path);
  rmdir(server->directory);
}

static struct pf_pipewire *open_handle(const struct mute_server *server) {
  struct pf_pipewire *handle = NULL;
  CHECK(pf_pipewire_open((const uint8_t *)server->path, strlen(server->path), &handle) == PF_PIPEWIRE_OK);
  return handle;
}

static void test_library_absence_is_a_status(void) {
  struct pf_library library;
  CHECK(pf_library_open(&library, "libpipewire-absent.so.0") == PF_PIPEWIRE_ELIBRARY);
  /* There, but without one of the functions. */
  CHECK(pf_library_open(&library, "libc.so.6") == PF_PIPEWIRE_ELIBRARY);
  CHECK(pf_library_open(&library, PF_LIBRARY_NAME) == PF_PIPEWIRE_OK);
}

static void test_open_refuses_bad_paths(void) {
  struct pf_pipewire *handle = (void *)1;
  uint8_t path[PF_PIPEWIRE_PATH_MAX + 1];
  memset(path, 'a', sizeof path);
  path[0] = '/';
  CHECK(pf_pipewire_open(path, sizeof path, &handle) == PF_PIPEWIRE_EINVAL);
  CHECK(handle == NULL);
  CHECK(pf_pipewire_open(path, sizeof path - 1, &handle) == PF_PIPEWIRE_ECONNECT);
  CHECK(handle == NULL);
  CHECK(pf_pipewire_open(path, 0, &handle) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_open(NULL, 4, &handle) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_open(path, 4, NULL) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_open((const uint8_t *)"pipewire-0", 10, &handle) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_open((const uint8_t *)"/tmp\0/x", 7, &handle) == PF_PIPEWIRE_EINVAL);
  pf_pipewire_close(NULL);
}

static void test_no_handle_is_an_error(void) {
  char text[8];
  float samples[480] = {0};
  struct pf_pipewire_node node;
  struct pf_pipewire_block block;
  CHECK(pf_pipewire_iterate(NULL, 0) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_sync(NULL, 0) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_version(NULL, text, sizeof text) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_node_at(NULL, 0, &node, sizeof node) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_node_destroy(NULL, 1) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_defaults_load(NULL, 0) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_default_get(NULL, 0, text, sizeof text) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_default_set(NULL, PROPERTIES, PROPERTIES_LEN) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_sink_create(NULL, PROPERTIES, PROPERTIES_LEN, 0) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_echo_open(NULL, PROPERTIES, PROPERTIES_LEN) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_sink_destroy(NULL, 0) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_stream_open(NULL, 0, 2, PROPERTIES, PROPERTIES_LEN) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_capture_read(NULL, 240, 0, samples, 240 * 8, &block, sizeof block) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_microphone_write(NULL, 240, samples, 240 * 8) == PF_PIPEWIRE_EINVAL);
}

static void test_arguments_have_limits(struct pf_pipewire *handle) {
  char text[8];
  struct pf_pipewire_node node;
  static uint8_t big[PF_PIPEWIRE_PROPERTIES_MAX + 1];
  memset(big, ' ', sizeof big);
  CHECK(pf_pipewire_iterate(handle, -1) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_iterate(handle, PF_PIPEWIRE_TIMEOUT_MS_MAX + 1) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_iterate(handle, 0) == PF_PIPEWIRE_OK);
  CHECK(pf_pipewire_sync(handle, -1) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_version(handle, text, 0) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_version(handle, text, sizeof text) == PF_PIPEWIRE_OK && text[0] == '\0');
  CHECK(pf_pipewire_node_at(handle, 0, &node, sizeof node - 1) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_node_at(handle, 0, &node, sizeof node) == PF_PIPEWIRE_EABSENT);
  CHECK(pf_pipewire_defaults_load(handle, -1) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_defaults_load(handle, 0) == PF_PIPEWIRE_EABSENT);
  CHECK(pf_pipewire_default_get(handle, 2, text, sizeof text) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_default_get(handle, 0, text, sizeof text) == PF_PIPEWIRE_EABSENT);
  CHECK(pf_pipewire_default_set(handle, NULL, 1) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_default_set(handle, big, sizeof big) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_default_set(handle, big, sizeof big - 1) == PF_PIPEWIRE_EABSENT);
  CHECK(pf_pipewire_sink_create(handle, PROPERTIES, 0, 0) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_sink_create(handle, NULL, 4, 0) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_sink_create(handle, big, sizeof big, 0) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_echo_open(handle, NULL, 4) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_echo_open(handle, PROPERTIES, 0) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_echo_open(handle, big, sizeof big) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_echo_open(handle, PROPERTIES, PROPERTIES_LEN) == PF_PIPEWIRE_OK);
  CHECK(pf_pipewire_echo_open(handle, PROPERTIES, PROPERTIES_LEN) == PF_PIPEWIRE_EFULL);
  CHECK(pf_pipewire_sink_destroy(handle, PF_PIPEWIRE_SINKS_MAX) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_sink_destroy(handle, 0) == PF_PIPEWIRE_OK);
}

static void test_streams_have_limits(const struct mute_server *server) {
  static const uint32_t wrong_for_capture[] = {0, 1, 3, 5, 7, 9, UINT32_MAX};
  static float samples[(PF_PIPEWIRE_SAMPLES_MAX + 1) * 2];
  struct pf_pipewire_block block;
  struct pf_pipewire *handle = open_handle(server);
  for (size_t n = 0; n < sizeof wrong_for_capture / sizeof *wrong_for_capture; n++) {
    CHECK(pf_pipewire_stream_open(handle, PF_PIPEWIRE_CAPTURE, wrong_for_capture[n], PROPERTIES,
                                  PROPERTIES_LEN) == PF_PIPEWIRE_EINVAL);
  }
  CHECK(pf_pipewire_stream_open(handle, PF_PIPEWIRE_MICROPHONE, 6, PROPERTIES, PROPERTIES_LEN) ==
        PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_stream_open(handle, 2, 2, PROPERTIES, PROPERTIES_LEN) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_stream_open(handle, PF_PIPEWIRE_CAPTURE, 2, PROPERTIES, 0) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_capture_read(handle, 240, 0, samples, 240 * 8, &block, sizeof block) ==
        PF_PIPEWIRE_EABSENT);
  CHECK(pf_pipewire_stream_open(handle, PF_PIPEWIRE_CAPTURE, 2, PROPERTIES, PROPERTIES_LEN) == PF_PIPEWIRE_OK);
  CHECK(pf_pipewire_stream_open(handle, PF_PIPEWIRE_CAPTURE, 2, PROPERTIES, PROPERTIES_LEN) ==
        PF_PIPEWIRE_EFULL);
  CHECK(pf_pipewire_microphone_write(handle, 240, samples, 240 * 8) == PF_PIPEWIRE_EABSENT);
  CHECK(pf_pipewire_capture_read(handle, 0, 0, samples, 0, &block, sizeof block) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_capture_read(handle, PF_PIPEWIRE_SAMPLES_MAX + 1, 0, samples, sizeof samples, &block,
                                 sizeof block) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_capture_read(handle, 240, 0, samples, 240 * 8 - 1, &block, sizeof block) ==
        PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_capture_read(handle, 240, 0, NULL, 240 * 8, &block, sizeof block) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_capture_read(handle, 240, 0, samples, 240 * 8, NULL, sizeof block) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_capture_read(handle, 240, 0, samples, 240 * 8, &block, 8) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_capture_read(handle, 240, -1, samples, 240 * 8, &block, sizeof block) ==
        PF_PIPEWIRE_EINVAL);
  pf_pipewire_close(handle);
}

static void test_silence_flows_before_the_source(const struct mute_server *server) {
  struct pf_pipewire *handle = open_handle(server);
  struct pf_pipewire_block block;
  CHECK(pf_pipewire_stream_open(handle, PF_PIPEWIRE_CAPTURE, 6, PROPERTIES, PROPERTIES_LEN) == PF_PIPEWIRE_OK);
  size_t size = (size_t)PF_PIPEWIRE_SAMPLES_MAX * 6 * sizeof(float);
  float *samples = malloc(size);
  memset(samples, 0xff, size);
  CHECK(pf_pipewire_capture_read(handle, PF_PIPEWIRE_SAMPLES_MAX, 0, samples, size, &block, sizeof block) ==
        PF_PIPEWIRE_OK);
  CHECK(block.silent_samples == PF_PIPEWIRE_SAMPLES_MAX && block.captured_at_us > 0);
  int is_silent = 1;
  for (size_t n = 0; n < size / sizeof(float); n++) is_silent &= samples[n] == 0;
  CHECK(is_silent);
  /* The next 100 ms have not passed. */
  CHECK(pf_pipewire_capture_read(handle, PF_PIPEWIRE_SAMPLES_MAX, 0, samples, size, &block, sizeof block) ==
        PF_PIPEWIRE_ETIMEOUT);
  free(samples);
  pf_pipewire_close(handle);
}

static void test_microphone_takes_samples(const struct mute_server *server) {
  static float samples[PF_PIPEWIRE_SAMPLES_MAX];
  struct pf_pipewire *handle = open_handle(server);
  CHECK(pf_pipewire_stream_open(handle, PF_PIPEWIRE_MICROPHONE, 1, PROPERTIES, PROPERTIES_LEN) ==
        PF_PIPEWIRE_OK);
  CHECK(pf_pipewire_microphone_write(handle, 480, NULL, 480 * 4) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_microphone_write(handle, 480, samples, 480 * 4 + 1) == PF_PIPEWIRE_EINVAL);
  CHECK(pf_pipewire_microphone_write(handle, 0, samples, 0) == PF_PIPEWIRE_EINVAL);
  /* Nobody records: more than the ring holds is taken and forgotten. */
  for (uint32_t n = 0; n < 10; n++) {
    CHECK(pf_pipewire_microphone_write(handle, PF_PIPEWIRE_SAMPLES_MAX, samples, sizeof samples) ==
          PF_PIPEWIRE_OK);
  }
  pf_pipewire_close(handle);
}

static void test_server_that_ends(const struct mute_server *server) {
  struct pf_pipewire *handle = open_handle(server);
  CHECK(pf_pipewire_sync(handle, 1) == PF_PIPEWIRE_ETIMEOUT);
  CHECK(pf_pipewire_sink_create(handle, PROPERTIES, PROPERTIES_LEN, 1) == PF_PIPEWIRE_ETIMEOUT);
  close(accept(server->listener, NULL, NULL));
  CHECK(pf_pipewire_sync(handle, 1000) == PF_PIPEWIRE_EGONE);
  CHECK(pf_pipewire_iterate(handle, 0) == PF_PIPEWIRE_EGONE);
  CHECK(pf_pipewire_sink_create(handle, PROPERTIES, PROPERTIES_LEN, 1) == PF_PIPEWIRE_EGONE);
  CHECK(pf_pipewire_defaults_load(handle, 0) == PF_PIPEWIRE_EGONE);
  CHECK(pf_pipewire_default_set(handle, PROPERTIES, PROPERTIES_LEN) == PF_PIPEWIRE_EGONE);
  CHECK(pf_pipewire_stream_open(handle, PF_PIPEWIRE_CAPTURE, 2, PROPERTIES, PROPERTIES_LEN) ==
        PF_PIPEWIRE_EGONE);
  CHECK(pf_pipewire_node_destroy(handle, 1) == PF_PIPEWIRE_EGONE);
  pf_pipewire_close(handle);
}

static void test_ring_keeps_order_across_its_end(void) {
  struct pf_ring ring;
  CHECK(pf_ring_open(&ring, 2));
  static float block[2 * 1000], out[2 * 1000];
  float next = 0, expected = 0;
  int is_equal = 1;
  for (int round = 0; round < 100; round++) {
    for (int n = 0; n < 2000; n++) block[n] = next++;
    pf_ring_write(&ring, block, 1000);
    CHECK(pf_ring_available(&ring) == 1000);
    pf_ring_read(&ring, out, 1000);
    for (int n = 0; n < 2000; n++) is_equal &= out[n] == expected++;
  }
  CHECK(is_equal);
  pf_ring_close(&ring);
}

static void test_ring_forgets_what_does_not_fit(void) {
  struct pf_ring ring;
  CHECK(pf_ring_open(&ring, 1));
  float *block = calloc(PF_RING_FRAMES, sizeof *block);
  pf_ring_write(&ring, block, PF_RING_FRAMES - 1);
  block[0] = 1;
  block[1] = 2;
  pf_ring_write(&ring, block, 2);
  CHECK(pf_ring_available(&ring) == PF_RING_FRAMES);
  pf_ring_skip(&ring, PF_RING_FRAMES - 1);
  float last = 0;
  pf_ring_read(&ring, &last, 1);
  CHECK(last == 1 && pf_ring_available(&ring) == 0);
  free(block);
  pf_ring_close(&ring);
}

#define RACE_FRAMES 2000000u

static void *write_numbers(void *data) {
  struct pf_ring *ring = data;
  for (uint32_t n = 0; n < RACE_FRAMES;) {
    float block[64];
    uint32_t space = PF_RING_FRAMES - pf_ring_available(ring);
    uint32_t count = space < 64 ? space : 64;
    for (uint32_t k = 0; k < count; k++) block[k] = (float)(n + k);
    pf_ring_write(ring, block, count);
    n += count;
  }
  return NULL;
}

static void test_ring_between_two_threads(void) {
  struct pf_ring ring;
  CHECK(pf_ring_open(&ring, 1));
  pthread_t writer;
  CHECK(pthread_create(&writer, NULL, write_numbers, &ring) == 0);
  int is_equal = 1;
  for (uint32_t n = 0; n < RACE_FRAMES;) {
    float block[48];
    uint32_t available = pf_ring_available(&ring);
    uint32_t count = available < 48 ? available : 48;
    pf_ring_read(&ring, block, count);
    for (uint32_t k = 0; k < count; k++) is_equal &= block[k] == (float)(n + k);
    n += count;
  }
  pthread_join(writer, NULL);
  CHECK(is_equal);
  pf_ring_close(&ring);
}

static void test_surplus_is_what_is_too_old(void) {
  CHECK(pf_ring_surplus(PF_LATENCY_FRAMES_MAX, 240, 256) == 0);
  CHECK(pf_ring_surplus(PF_LATENCY_FRAMES_MAX + 1, 240, 256) == PF_LATENCY_FRAMES_MAX + 1 - PF_LATENCY_FRAMES_KEPT);
  /* Never below what is asked for, never below two of the server's periods. */
  CHECK(pf_ring_surplus(6000, 4800, 256) == 1200);
  CHECK(pf_ring_surplus(3000, 4800, 256) == 0);
  CHECK(pf_ring_surplus(4096, 240, 2048) == 0);
  CHECK(pf_ring_surplus(4097, 240, 2048) == 4097 - PF_LATENCY_FRAMES_KEPT);
}

static void test_pacer_gives_silence_at_the_nominal_rate(void) {
  struct pf_pacer pacer = {0};
  int64_t now = 1000 * MS, until = 0;
  CHECK(pf_pace_next(&pacer, now, 0, 240, 0, &until) == PF_PACE_SILENCE);
  uint32_t blocks = 1;
  for (int turn = 0; turn < 2000; turn++) {
    enum pf_pace pace = pf_pace_next(&pacer, now, 0, 240, 0, &until);
    if (pace == PF_PACE_SILENCE) blocks++;
    /* Woken late by a varying part of a millisecond. */
    else now = until + (turn * 7919) % 1000000;
  }
  /* One at once, then one for each 5 ms. */
  CHECK(blocks == 1 + (uint32_t)((now - 1000 * MS) / (5 * MS)) || blocks == (uint32_t)((now - 1000 * MS) / (5 * MS)));
}

static void test_pacer_waits_for_a_live_source_then_makes_up(void) {
  struct pf_pacer pacer = {0};
  int64_t now = 1000 * MS, until = 0;
  CHECK(pf_pace_next(&pacer, now, 240, 240, 480, &until) == PF_PACE_DATA);
  CHECK(pf_pace_next(&pacer, now, 239, 240, 480, &until) == PF_PACE_WAIT);
  /* The block itself, two periods and 10 ms. */
  CHECK(until == now + 35 * MS);
  int64_t starved = now + 35 * MS;
  uint32_t blocks = 0;
  while (pf_pace_next(&pacer, starved, 0, 240, 480, &until) == PF_PACE_SILENCE) blocks++;
  CHECK(blocks == 7);
  CHECK(until == starved + 5 * MS);
  CHECK(pf_pace_next(&pacer, starved + MS, 240, 240, 480, &until) == PF_PACE_DATA);
}

static void test_pacer_makes_no_burst_for_who_asks_late(void) {
  struct pf_pacer pacer = {0};
  int64_t now = 1000 * MS, until = 0;
  CHECK(pf_pace_next(&pacer, now, 0, 240, 0, &until) == PF_PACE_SILENCE);
  now += 10000 * MS;
  CHECK(pf_pace_next(&pacer, now, 0, 240, 0, &until) == PF_PACE_SILENCE);
  CHECK(pf_pace_next(&pacer, now, 0, 240, 0, &until) == PF_PACE_WAIT);
  CHECK(until == now + 5 * MS);
}

int main(void) {
  CHECK(pf_pipewire_abi() == PF_PIPEWIRE_ABI);
  test_library_absence_is_a_status();
  test_open_refuses_bad_paths();
  test_no_handle_is_an_error();
  struct mute_server server;
  start_mute_server(&server);
  struct pf_pipewire *handle = open_handle(&server);
  test_arguments_have_limits(handle);
  pf_pipewire_close(handle);
  test_streams_have_limits(&server);
  test_silence_flows_before_the_source(&server);
  test_microphone_takes_samples(&server);
  stop_mute_server(&server);
  start_mute_server(&server);
  test_server_that_ends(&server);
  stop_mute_server(&server);
  test_ring_keeps_order_across_its_end();
  test_ring_forgets_what_does_not_fit();
  test_ring_between_two_threads();
  test_surplus_is_what_is_too_old();
  test_pacer_gives_silence_at_the_nominal_rate();
  test_pacer_waits_for_a_live_source_then_makes_up();
  test_pacer_makes_no_burst_for_who_asks_late();
  printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
