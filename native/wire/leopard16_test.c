/* The Leopard code of GF(2^16): the specification's vectors, and every level against the scalar one. */
#include "wire_test.h"

static int parity(struct pf_wire_kernel *kernel, const uint32_t counts[2], const uint8_t *data,
                  size_t length, uint8_t *out) {
  return pf_wire_parity(kernel, 16, counts[0], counts[1], data, counts[0] * length, out,
                        counts[1] * length);
}

static void test_vectors(struct pf_wire_kernel *kernel) {
  uint8_t small[24], found[128];
  for (uint32_t n = 0; n < 24; n++) small[n] = (uint8_t)(n / 8 * 16 + n % 8);
  static const uint8_t three[24] = {0x69, 0x41, 0x9f, 0xb7, 0x21, 0x28, 0x2d, 0x24,
                                    0x54, 0xb1, 0x3e, 0xdb, 0x2f, 0x24, 0x20, 0x2b,
                                    0xc8, 0x83, 0x5c, 0x17, 0xd8, 0xd6, 0xde, 0xd0};
  CHECK(parity(kernel, (uint32_t[]){3, 3}, small, 8, found) == PF_WIRE_OK);
  CHECK(memcmp(found, three, 24) == 0);
  static const uint8_t sum[8] = {0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37};
  CHECK(parity(kernel, (uint32_t[]){3, 1}, small, 8, found) == PF_WIRE_OK);
  CHECK(memcmp(found, sum, 8) == 0);

  uint8_t pattern[5 * 64];
  for (uint32_t n = 0; n < sizeof pattern; n++) pattern[n] = (uint8_t)(n / 64 * 37 + n % 64 * 11 + 5);
  static const uint8_t first[16] = {0xb4, 0x6c, 0x51, 0x32, 0xd0, 0x93, 0x73, 0x92,
                                    0xdc, 0x21, 0x2b, 0x40, 0xb3, 0xd4, 0x87, 0x07};
  static const uint8_t last[16] = {0xc5, 0x94, 0xb5, 0x8c, 0x36, 0xa7, 0x92, 0x0e,
                                   0xd0, 0xa7, 0xf2, 0x6f, 0xa1, 0x59, 0x15, 0x1a};
  CHECK(parity(kernel, (uint32_t[]){5, 2}, pattern, 64, found) == PF_WIRE_OK);
  CHECK(memcmp(found, first, 16) == 0 && memcmp(found + 112, last, 16) == 0);
}

static void test_shape(struct pf_wire_kernel *kernel, const uint32_t counts[2], size_t length) {
  uint8_t *data = random_bytes(counts[0] * length);
  uint8_t *expected = random_bytes(counts[1] * length), *found = random_bytes(counts[1] * length);
  CHECK(pf_wire_set_level(kernel, PF_WIRE_LEVEL_SCALAR) == PF_WIRE_OK);
  CHECK(parity(kernel, counts, data, length, expected) == PF_WIRE_OK);
  for (uint32_t level = PF_WIRE_LEVEL_SCALAR + 1; level < PF_WIRE_LEVEL_COUNT; level++) {
    if (pf_wire_set_level(kernel, level) != PF_WIRE_OK) continue;
    memset(found, 0xee, counts[1] * length);
    CHECK(parity(kernel, counts, data, length, found) == PF_WIRE_OK);
    CHECK(memcmp(expected, found, counts[1] * length) == 0);
  }
  free(data);
  free(expected);
  free(found);
}

static void test_levels(struct pf_wire_kernel *kernel) {
  /* Of each rate: one row, whole and broken passes of all widths, several chunks, and more than one strip. */
  static const uint32_t shapes[][3] = {
      {1, 1, 2},     {1, 5, 66},    {6, 1, 126},   {2, 2, 64},     {4, 3, 62},      {3, 4, 130},
      {8, 8, 1024},  {9, 8, 1026},  {8, 9, 1088},  {100, 10, 1388}, {17, 33, 2050}, {20, 65, 190},
      {33, 20, 258}, {129, 64, 96}, {257, 130, 4}, {300, 513, 34}, {1000, 100, 70}, {3, 2, 9216}};
  const uint32_t best = pf_wire_level(kernel);
  for (size_t n = 0; n < sizeof shapes / sizeof shapes[0]; n++) {
    test_shape(kernel, shapes[n], shapes[n][2]);
  }
  for (uint32_t n = 0; n < 60; n++) {
    const uint32_t counts[2] = {1 + random_below(n % 2 ? 24 : 90), 1 + random_below(n % 3 ? 12 : 70)};
    test_shape(kernel, counts, 2 + 2 * random_below(n % 4 ? 120 : 900));
  }
  CHECK(pf_wire_set_level(kernel, best) == PF_WIRE_OK);
}

static void test_limits(struct pf_wire_kernel *kernel) {
  uint8_t *data = calloc(61441, 2), *out = calloc(20000, 2);
  CHECK(parity(kernel, (uint32_t[]){61440, 4096}, data, 2, out) == PF_WIRE_OK);
  CHECK(parity(kernel, (uint32_t[]){61441, 4096}, data, 2, out) == PF_WIRE_EINVAL);
  CHECK(parity(kernel, (uint32_t[]){4096, 19999}, data, 2, out) == PF_WIRE_OK);
  CHECK(parity(kernel, (uint32_t[]){40000, 20000}, data, 2, out) == PF_WIRE_EINVAL);
  CHECK(parity(kernel, (uint32_t[]){65536, 1}, data, 2, out) == PF_WIRE_EINVAL);
  CHECK(parity(kernel, (uint32_t[]){2, 1}, data, 3, out) == PF_WIRE_EINVAL);
  CHECK(parity(kernel, (uint32_t[]){0, 1}, data, 2, out) == PF_WIRE_EINVAL);
  CHECK(parity(kernel, (uint32_t[]){1, 0}, data, 2, out) == PF_WIRE_EINVAL);
  CHECK(pf_wire_parity(kernel, 12, 2, 1, data, 4, out, 2) == PF_WIRE_EINVAL);
  free(data);
  free(out);
}

/* Two blocks of punktfunk/1, data first: each has the parity that its own data shards give. */
static void test_frame(struct pf_wire_kernel *kernel) {
  enum { HEADER = 40, PAYLOAD = 130, SHARD = HEADER + PAYLOAD, DATA = 12, PACKETS = 17 };
  const size_t job_size = sizeof(struct pf_wire_job) + 2 * sizeof(struct pf_wire_block);
  struct pf_wire_job *job = calloc(1, job_size);
  uint8_t *headers = random_bytes(PACKETS * HEADER), *au = random_bytes(DATA * PAYLOAD - 7);
  uint8_t *out = random_bytes(PACKETS * SHARD);
  job->shard_size = SHARD;
  job->header_size = job->fec_offset = HEADER;
  job->packet_count = PACKETS;
  job->block_count = 2;
  job->field_bits = 16;
  job->is_data_first = 1;
  memset(job->parity_header_mask, 0xff, HEADER);
  job->blocks[0] = (struct pf_wire_block){9, 3};
  job->blocks[1] = (struct pf_wire_block){3, 2};
#define BUILDS(size) \
  pf_wire_frame_build(kernel, job, size, headers, PACKETS * HEADER, NULL, 0, au, DATA * PAYLOAD - 7, \
                      out, PACKETS * SHARD)
  CHECK(BUILDS(job_size) == PF_WIRE_OK);
  CHECK(BUILDS(job_size - 1) == PF_WIRE_EINVAL && BUILDS(job_size - 4) == PF_WIRE_EINVAL);
  uint8_t data[DATA * PAYLOAD] = {0}, expected[5 * PAYLOAD];
  memcpy(data, au, DATA * PAYLOAD - 7);
  CHECK(parity(kernel, (uint32_t[]){9, 3}, data, PAYLOAD, expected) == PF_WIRE_OK);
  CHECK(parity(kernel, (uint32_t[]){3, 2}, data + 9 * PAYLOAD, PAYLOAD, expected + 3 * PAYLOAD) ==
        PF_WIRE_OK);
  for (size_t n = 0; n < PACKETS; n++) {
    const uint8_t *payload = n < DATA ? data + n * PAYLOAD : expected + (n - DATA) * PAYLOAD;
    CHECK(memcmp(out + n * SHARD, headers + n * HEADER, HEADER) == 0);
    CHECK(memcmp(out + n * SHARD + HEADER, payload, PAYLOAD) == 0);
  }
  free(job);
  free(headers);
  free(au);
  free(out);
}

void test_leopard16(struct pf_wire_kernel *kernel) {
  test_vectors(kernel);
  test_levels(kernel);
  test_limits(kernel);
  test_frame(kernel);
}
