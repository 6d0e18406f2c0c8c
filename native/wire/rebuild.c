#include <stdlib.h>

#include "leopard16.h"
#include "wire.h"

struct pf_wire_rebuilder {
  struct pf_leopard16 code;
  struct pf_leopard16_rebuilder tables;
  uint8_t *work; /* of the largest block so far */
  size_t work_size;
};

int32_t pf_wire_rebuilder_open(struct pf_wire_rebuilder **rebuilder) {
  if (rebuilder == NULL) return PF_WIRE_EINVAL;
  *rebuilder = NULL;
  void *memory = NULL;
  if (posix_memalign(&memory, 64, sizeof **rebuilder) != 0) return PF_WIRE_ENOMEM;
  struct pf_wire_rebuilder *opened = memory;
  opened->work = NULL;
  opened->work_size = 0;
  pf_leopard16_init(&opened->code);
  pf_leopard16_rebuilder_init(&opened->tables, &opened->code);
  *rebuilder = opened;
  return PF_WIRE_OK;
}

void pf_wire_rebuilder_close(struct pf_wire_rebuilder *rebuilder) {
  if (rebuilder == NULL) return;
  free(rebuilder->work);
  free(rebuilder);
}

static int32_t grow_work(struct pf_wire_rebuilder *rebuilder, size_t size) {
  if (rebuilder->work_size >= size) return PF_WIRE_OK;
  free(rebuilder->work);
  rebuilder->work = NULL;
  rebuilder->work_size = 0;
  void *memory = NULL;
  if (posix_memalign(&memory, 64, size) != 0) return PF_WIRE_ENOMEM;
  rebuilder->work = memory;
  rebuilder->work_size = size;
  return PF_WIRE_OK;
}

int32_t pf_wire_rebuild(struct pf_wire_rebuilder *rebuilder, uint32_t data_count,
                        uint32_t parity_count, uint8_t *data, size_t data_len,
                        const uint8_t *parity, size_t parity_len, const uint8_t *present,
                        size_t present_len) {
  if (rebuilder == NULL || data == NULL || parity == NULL || present == NULL || data_count == 0 ||
      data_count > UINT16_MAX || parity_count == 0 || parity_count > UINT16_MAX ||
      !pf_leopard16_supports(data_count, parity_count) ||
      present_len != (size_t)data_count + parity_count) {
    return PF_WIRE_EINVAL;
  }
  const size_t length = data_len / data_count;
  if (length == 0 || length > PF_WIRE_SHARD_MAX || length % 2 != 0 ||
      length * data_count != data_len || length * parity_count != parity_len) {
    return PF_WIRE_EINVAL;
  }
  uint32_t arrived = 0, arrived_data = 0;
  for (uint32_t n = 0; n < present_len; n++) {
    arrived += present[n] != 0;
    if (n < data_count) arrived_data = arrived;
  }
  if (arrived < data_count) return PF_WIRE_EINVAL;
  if (arrived_data == data_count) return PF_WIRE_OK;
  const int32_t status =
      grow_work(rebuilder, pf_leopard16_rebuild_size(data_count, parity_count));
  if (status != PF_WIRE_OK) return status;
  const struct pf_leopard16_lost job = {.data = data,
                                        .data_count = data_count,
                                        .parity = parity,
                                        .parity_count = parity_count,
                                        .present = present,
                                        .length = length,
                                        .work = rebuilder->work};
  pf_leopard16_rebuild(&rebuilder->tables, &rebuilder->code, &job);
  return PF_WIRE_OK;
}
