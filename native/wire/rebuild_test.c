/* Lost shards of the Leopard code come back, at every level of arithmetic. */
#include "wire_test.h"

#include "leopard16.h"
#include "level.h"

/* A block with its parity, and which of its shards are there. */
struct block {
  uint32_t data_count, parity_count;
  size_t length;
  uint8_t *data, *parity, *present;
};

static void open_block(struct block *block, struct pf_wire_kernel *kernel, const uint32_t shape[3]) {
  *block = (struct block){.data_count = shape[0], .parity_count = shape[1], .length = shape[2]};
  const size_t data_len = block->data_count * block->length;
  const size_t parity_len = block->parity_count * block->length;
  block->data = random_bytes(data_len);
  block->parity = random_bytes(parity_len);
  block->present = malloc(block->data_count + block->parity_count);
  CHECK(pf_wire_parity(kernel, 16, block->data_count, block->parity_count, block->data, data_len,
                       block->parity, parity_len) == PF_WIRE_OK);
}

static void close_block(struct block *block) {
  free(block->data);
  free(block->parity);
  free(block->present);
}

/* Any `lost` shards, at most parity_count. */
static void lose(struct block *block, uint32_t lost) {
  const uint32_t count = block->data_count + block->parity_count;
  memset(block->present, 1, count);
  while (lost > 0) {
    const uint32_t n = random_below(count);
    if (block->present[n] == 0) continue;
    block->present[n] = 0;
    lost--;
  }
}

/* Copies of data and parity without the lost shards, which hold rubbish instead. */
static uint8_t *damaged(const uint8_t *shards, const uint8_t *present, uint32_t count,
                        size_t length) {
  uint8_t *copy = malloc(count * length);
  memcpy(copy, shards, count * length);
  for (uint32_t n = 0; n < count; n++) {
    if (present[n] == 0) memset(copy + n * length, 0xa5, length);
  }
  return copy;
}

static void check_rebuilt(const struct block *block, struct pf_leopard16 *code,
                          struct pf_leopard16_rebuilder *tables) {
  const size_t data_len = block->data_count * block->length;
  uint8_t *parity = damaged(block->parity, block->present + block->data_count, block->parity_count,
                            block->length);
  uint8_t *work = aligned_alloc(64, pf_leopard16_rebuild_size(block->data_count, block->parity_count));
  for (uint32_t level = 0; level < PF_WIRE_LEVEL_COUNT; level++) {
    if (!pf_level_is_present(level)) continue;
    code->level = level;
    uint8_t *data = damaged(block->data, block->present, block->data_count, block->length);
    const struct pf_leopard16_lost job = {.data = data,
                                          .data_count = block->data_count,
                                          .parity = parity,
                                          .parity_count = block->parity_count,
                                          .present = block->present,
                                          .length = block->length,
                                          .work = work};
    pf_leopard16_rebuild(tables, code, &job);
    CHECK(memcmp(data, block->data, data_len) == 0);
    free(data);
  }
  free(parity);
  free(work);
}

static void test_shapes(struct pf_wire_kernel *kernel) {
  /* Both rates, the edges of their choice, full and broken transforms, several strips, and a rest of a chunk. */
  static const uint32_t shapes[][3] = {
      {1, 1, 2},    {1, 5, 66},    {6, 1, 126},   {2, 2, 64},    {4, 3, 62},     {3, 4, 130},
      {8, 8, 1024}, {9, 8, 1026},  {8, 9, 1088},  {17, 33, 2050}, {100, 10, 1388}, {20, 65, 190},
      {129, 64, 96}, {64, 65, 34}, {300, 513, 34}, {1000, 100, 70}, {3, 2, 9216}};
  struct pf_leopard16 *code = aligned_alloc(64, (sizeof *code + 63) & ~(size_t)63);
  struct pf_leopard16_rebuilder *tables = malloc(sizeof *tables);
  pf_leopard16_init(code);
  pf_leopard16_rebuilder_init(tables, code);
  for (size_t n = 0; n < sizeof shapes / sizeof shapes[0]; n++) {
    struct block block;
    open_block(&block, kernel, shapes[n]);
    for (uint32_t lost = 1; lost <= block.parity_count; lost += 1 + block.parity_count / 3) {
      lose(&block, lost);
      check_rebuilt(&block, code, tables);
    }
    lose(&block, block.parity_count);
    check_rebuilt(&block, code, tables);
    close_block(&block);
  }
  for (uint32_t n = 0; n < 60; n++) {
    const uint32_t shape[3] = {1 + random_below(n % 2 ? 24 : 90), 1 + random_below(n % 3 ? 12 : 70),
                               2 + 2 * random_below(n % 4 ? 120 : 900)};
    struct block block;
    open_block(&block, kernel, shape);
    lose(&block, 1 + random_below(block.parity_count));
    check_rebuilt(&block, code, tables);
    close_block(&block);
  }
  free(code);
  free(tables);
}

static void test_handle(struct pf_wire_kernel *kernel) {
  struct pf_wire_rebuilder *rebuilder = NULL;
  CHECK(pf_wire_rebuilder_open(NULL) == PF_WIRE_EINVAL);
  CHECK(pf_wire_rebuilder_open(&rebuilder) == PF_WIRE_OK);
  /* Growing and shrinking blocks, one after another. */
  static const uint32_t shapes[][3] = {{5, 3, 64}, {40, 9, 700}, {2, 2, 8}, {200, 50, 130}};
  for (size_t n = 0; n < 4; n++) {
    struct block block;
    open_block(&block, kernel, shapes[n]);
    const size_t data_len = block.data_count * block.length;
    const size_t parity_len = block.parity_count * block.length;
    const size_t count = block.data_count + block.parity_count;
    lose(&block, block.parity_count);
    uint8_t *data = damaged(block.data, block.present, block.data_count, block.length);
#define REBUILD(data_len, parity_len, present_len)                                               \
  pf_wire_rebuild(rebuilder, block.data_count, block.parity_count, data, data_len, block.parity, \
                  parity_len, block.present, present_len)
    CHECK(REBUILD(data_len, parity_len, count) == PF_WIRE_OK);
    CHECK(memcmp(data, block.data, data_len) == 0);
    CHECK(REBUILD(data_len - 2, parity_len, count) == PF_WIRE_EINVAL);
    CHECK(REBUILD(data_len, parity_len - 1, count) == PF_WIRE_EINVAL);
    CHECK(REBUILD(data_len, parity_len, count - 1) == PF_WIRE_EINVAL);
    /* One more is too many. */
    for (size_t at = 0; at < count; at++) {
      if (block.present[at] == 0) continue;
      block.present[at] = 0;
      break;
    }
    CHECK(REBUILD(data_len, parity_len, count) == PF_WIRE_EINVAL);
    /* Nothing to do: not even parity is needed. */
    memset(block.present, 1, block.data_count);
    memset(block.present + block.data_count, 0, block.parity_count);
    CHECK(REBUILD(data_len, parity_len, count) == PF_WIRE_OK);
    CHECK(memcmp(data, block.data, data_len) == 0);
    free(data);
    close_block(&block);
  }
  uint8_t bytes[64] = {0};
#define SHAPE(data_count, parity_count, length)                                                \
  pf_wire_rebuild(rebuilder, data_count, parity_count, bytes, (data_count) * (length), bytes,  \
                  (parity_count) * (length), bytes, (data_count) + (parity_count))
  CHECK(SHAPE(0, 1, 2) == PF_WIRE_EINVAL && SHAPE(1, 0, 2) == PF_WIRE_EINVAL);
  CHECK(SHAPE(1, 1, 3) == PF_WIRE_EINVAL && SHAPE(1, 1, 0) == PF_WIRE_EINVAL);
  CHECK(SHAPE(65535, 65535, 2) == PF_WIRE_EINVAL && SHAPE(1, 1, 9218) == PF_WIRE_EINVAL);
  pf_wire_rebuilder_close(rebuilder);
  pf_wire_rebuilder_close(NULL);
}

/* The most rows that there are. */
static void test_largest(struct pf_wire_kernel *kernel) {
  struct pf_wire_rebuilder *rebuilder = NULL;
  CHECK(pf_wire_rebuilder_open(&rebuilder) == PF_WIRE_OK);
  static const uint32_t shapes[][3] = {{61440, 4096, 2}, {4096, 61440, 2}};
  for (size_t n = 0; n < 2; n++) {
    struct block block;
    open_block(&block, kernel, shapes[n]);
    lose(&block, 4000);
    uint8_t *data = damaged(block.data, block.present, block.data_count, block.length);
    CHECK(REBUILD(block.data_count * 2, block.parity_count * 2,
                  block.data_count + block.parity_count) == PF_WIRE_OK);
    CHECK(memcmp(data, block.data, block.data_count * 2) == 0);
    free(data);
    close_block(&block);
  }
  pf_wire_rebuilder_close(rebuilder);
}

void test_rebuilding(struct pf_wire_kernel *kernel) {
  test_shapes(kernel);
  test_handle(kernel);
  test_largest(kernel);
}
