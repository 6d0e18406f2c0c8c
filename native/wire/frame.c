#include <stdlib.h>
#include <string.h>

#include "gf256.h"
#include "leopard16.h"
#include "level.h"
#include "seal.h"
#include "send.h"
#include "wire.h"

/* (p, k) with the most coefficients: 127 × 128. */
#define COEFFICIENTS_MAX (128 * 128)

/* Memory that grows between frames and is kept. */
struct buffer {
  uint8_t *bytes; /* aligned to 64 */
  size_t size;
};

struct pf_wire_kernel {
  struct pf_gf256 gf;
  struct pf_leopard16 leopard;
  struct pf_seal seal;
  struct pf_sender sender;
  struct buffer datagrams; /* of the frame being sent */
  struct buffer work;      /* of the Leopard code */
  /* Columns of the Cauchy matrix for `cauchy_parity`. They do not depend on k: a smaller k uses the first ones. */
  uint32_t cauchy_parity;
  uint32_t cauchy_data;
  uint8_t cauchy[COEFFICIENTS_MAX];
};

/* A job with its arguments, checked, and what follows from them. */
struct frame {
  const struct pf_wire_job *job;
  const uint8_t *headers;
  const uint8_t *prologue;
  size_t prologue_len;
  const uint8_t *au;
  size_t au_len;
  uint32_t data_count;   /* of all blocks */
  size_t datagram_size;  /* prefix, shard and trailing tag */
  uint8_t *datagrams;    /* where they are built */
};

uint32_t pf_wire_abi(void) {
  return PF_WIRE_ABI;
}

int32_t pf_wire_kernel_open(struct pf_wire_kernel **kernel) {
  if (kernel == NULL) return PF_WIRE_EINVAL;
  *kernel = NULL;
  void *memory = NULL;
  if (posix_memalign(&memory, 64, sizeof **kernel) != 0) return PF_WIRE_ENOMEM;
  struct pf_wire_kernel *opened = memory;
  memset(opened, 0, sizeof *opened);
  pf_gf256_init(&opened->gf);
  pf_leopard16_init(&opened->leopard);
  const int32_t status = pf_seal_open(&opened->seal);
  if (status != PF_WIRE_OK) {
    pf_wire_kernel_close(opened);
    return status;
  }
  *kernel = opened;
  return PF_WIRE_OK;
}

void pf_wire_kernel_close(struct pf_wire_kernel *kernel) {
  if (kernel == NULL) return;
  pf_seal_close(&kernel->seal);
  free(kernel->datagrams.bytes);
  free(kernel->work.bytes);
  free(kernel);
}

static int32_t grow(struct buffer *buffer, size_t size) {
  if (buffer->size >= size) return PF_WIRE_OK;
  /* A quarter more, so that slowly growing frames do not each grow it. */
  size += size / 4;
  free(buffer->bytes);
  *buffer = (struct buffer){NULL, 0};
  void *memory = NULL;
  if (posix_memalign(&memory, 64, size) != 0) return PF_WIRE_ENOMEM;
  *buffer = (struct buffer){memory, size};
  return PF_WIRE_OK;
}

int32_t pf_wire_set_level(struct pf_wire_kernel *kernel, uint32_t level) {
  if (kernel == NULL) return PF_WIRE_EINVAL;
  if (!pf_level_is_present(level)) return PF_WIRE_EUNSUPPORTED;
  kernel->gf.level = level;
  kernel->leopard.level = level;
  return PF_WIRE_OK;
}

uint32_t pf_wire_level(const struct pf_wire_kernel *kernel) {
  return kernel == NULL ? 0 : kernel->gf.level;
}

int32_t pf_wire_set_send_mode(struct pf_wire_kernel *kernel, uint32_t mode) {
  if (kernel == NULL) return PF_WIRE_EINVAL;
  if (mode > PF_WIRE_SEND_SINGLE) return PF_WIRE_EUNSUPPORTED;
  kernel->sender.mode = mode;
  return PF_WIRE_OK;
}

uint32_t pf_wire_send_mode(const struct pf_wire_kernel *kernel) {
  return kernel == NULL ? 0 : kernel->sender.mode;
}

int32_t pf_wire_set_drop(struct pf_wire_kernel *kernel, uint32_t percent, uint64_t seed) {
  if (kernel == NULL || percent > PF_WIRE_DROP_PERCENT_MAX) return PF_WIRE_EINVAL;
  kernel->sender.drop_percent = percent;
  kernel->sender.drop_state = seed;
  return PF_WIRE_OK;
}

static const uint8_t *cauchy_columns(struct pf_wire_kernel *kernel, uint32_t data_count,
                                     uint32_t parity_count) {
  if (kernel->cauchy_parity != parity_count || kernel->cauchy_data < data_count) {
    pf_gf256_cauchy(&kernel->gf, data_count, parity_count, kernel->cauchy);
    kernel->cauchy_parity = parity_count;
    kernel->cauchy_data = data_count;
  }
  return kernel->cauchy;
}

/* A block's shards as either code takes them: data shards lie `stride` apart, and so do parity shards. */
struct shards {
  const uint8_t *data;
  uint8_t *parity;
  size_t stride;
  size_t length;
  struct pf_wire_block block;
};

static int has_code(uint32_t field_bits, uint32_t data_count, uint32_t parity_count) {
  if (data_count == 0 || data_count > UINT16_MAX || parity_count > UINT16_MAX) return 0;
  if (parity_count == 0) return 1;
  return field_bits == 16 ? pf_leopard16_supports(data_count, parity_count)
                          : data_count + parity_count <= PF_WIRE_BLOCK_SHARDS_MAX;
}

static void make_parity(struct pf_wire_kernel *kernel, uint32_t field_bits,
                        const struct shards *shards) {
  const uint32_t data_count = shards->block.data_count, parity_count = shards->block.parity_count;
  if (field_bits == 16) {
    const struct pf_leopard16_parity job = {.data = shards->data,
                                            .data_stride = shards->stride,
                                            .data_count = data_count,
                                            .parity = shards->parity,
                                            .parity_stride = shards->stride,
                                            .parity_count = parity_count,
                                            .length = shards->length,
                                            .work = kernel->work.bytes};
    pf_leopard16_encode(&kernel->leopard, &job);
    return;
  }
  const struct pf_gf256_parity job = {.data = shards->data,
                                      .data_stride = shards->stride,
                                      .data_count = data_count,
                                      .parity = shards->parity,
                                      .parity_stride = shards->stride,
                                      .parity_count = parity_count,
                                      .length = shards->length,
                                      .columns = cauchy_columns(kernel, data_count, parity_count)};
  pf_gf256_encode(&kernel->gf, &job);
}

int32_t pf_wire_parity(struct pf_wire_kernel *kernel, uint32_t field_bits, uint32_t data_count,
                       uint32_t parity_count, const uint8_t *data, size_t data_len, uint8_t *parity,
                       size_t parity_len) {
  if (kernel == NULL || data == NULL || parity == NULL || (field_bits != 8 && field_bits != 16) ||
      parity_count == 0 || !has_code(field_bits, data_count, parity_count)) {
    return PF_WIRE_EINVAL;
  }
  const size_t length = data_len / data_count;
  if (length == 0 || length > PF_WIRE_SHARD_MAX || length * data_count != data_len ||
      length * parity_count != parity_len || (field_bits == 16 && length % 2 != 0)) {
    return PF_WIRE_EINVAL;
  }
  if (field_bits == 16 &&
      grow(&kernel->work, pf_leopard16_work_size(data_count, parity_count)) != PF_WIRE_OK) {
    return PF_WIRE_ENOMEM;
  }
  const struct shards shards = {.data = data,
                                .parity = parity,
                                .stride = length,
                                .length = length,
                                .block = {(uint16_t)data_count, (uint16_t)parity_count}};
  make_parity(kernel, field_bits, &shards);
  return PF_WIRE_OK;
}

static int is_seal_valid(const struct pf_wire_job *job) {
  return pf_seal_is_valid(&job->seal) && job->seal_counter <= UINT64_MAX - job->packet_count;
}

/* Everything that later code takes for granted. */
static int32_t check_frame(struct frame *frame, size_t job_len, size_t headers_len) {
  const struct pf_wire_job *job = frame->job;
  if (job == NULL || job_len < sizeof *job || job->block_count == 0 ||
      job->block_count > PF_WIRE_BLOCKS_MAX ||
      job_len != sizeof *job + job->block_count * sizeof job->blocks[0]) {
    return PF_WIRE_EINVAL;
  }
  if ((job->field_bits != 8 && job->field_bits != 16) || job->shard_size == 0 ||
      job->shard_size > PF_WIRE_SHARD_MAX || job->header_size > PF_WIRE_HEADER_MAX ||
      job->header_size >= job->shard_size || job->fec_offset > job->header_size ||
      job->packet_count == 0 || job->packet_count > PF_WIRE_PACKETS_MAX ||
      headers_len != (size_t)job->packet_count * job->header_size ||
      (frame->headers == NULL && headers_len > 0) ||
      (frame->prologue == NULL && frame->prologue_len > 0) ||
      (frame->au == NULL && frame->au_len > 0) || (job->is_sealed && !is_seal_valid(job))) {
    return PF_WIRE_EINVAL;
  }
  uint64_t data_count = 0, parity_count = 0;
  for (uint32_t b = 0; b < job->block_count; b++) {
    const struct pf_wire_block block = job->blocks[b];
    if (!has_code(job->field_bits, block.data_count, block.parity_count)) return PF_WIRE_EINVAL;
    data_count += block.data_count;
    parity_count += block.parity_count;
  }
  if (job->field_bits == 16 && parity_count > 0 && (job->shard_size - job->fec_offset) % 2 != 0) {
    return PF_WIRE_EINVAL;
  }
  const size_t payload = job->shard_size - job->header_size;
  const size_t stream_max = (size_t)PF_WIRE_PACKETS_MAX * payload;
  if (data_count + parity_count != job->packet_count || frame->prologue_len > stream_max ||
      frame->au_len > stream_max) {
    return PF_WIRE_EINVAL;
  }
  const size_t stream = frame->prologue_len + frame->au_len;
  /* An empty stream is one packet of zeros. */
  if (data_count != (stream == 0 ? 1 : (stream + payload - 1) / payload)) return PF_WIRE_EINVAL;
  frame->data_count = (uint32_t)data_count;
  frame->datagram_size = job->shard_size;
  if (job->is_sealed) {
    frame->datagram_size += job->seal.prefix_size + (job->seal.tag_offset < 0 ? PF_TAG_SIZE : 0u);
  }
  return PF_WIRE_OK;
}

static uint8_t *shard_of(const struct frame *frame, uint32_t packet) {
  const struct pf_wire_job *job = frame->job;
  return frame->datagrams + packet * frame->datagram_size + (job->is_sealed ? job->seal.prefix_size : 0);
}

/* Fill `payload` from offset `from` of prologue ‖ AU ‖ zeros. */
static void slice(const struct frame *frame, size_t from, uint8_t *payload, size_t payload_len) {
  if (from < frame->prologue_len) {
    const size_t rest = frame->prologue_len - from;
    const size_t part = rest < payload_len ? rest : payload_len;
    memcpy(payload, frame->prologue + from, part);
    payload += part;
    payload_len -= part;
    from += part;
  }
  if (payload_len == 0) return;
  from -= frame->prologue_len;
  if (from < frame->au_len) {
    const size_t rest = frame->au_len - from;
    const size_t part = rest < payload_len ? rest : payload_len;
    memcpy(payload, frame->au + from, part);
    payload += part;
    payload_len -= part;
  }
  memset(payload, 0, payload_len);
}

/* Data shards as FEC sees them, parity over them, then the headers as the peer sees them. */
static void build_block(struct pf_wire_kernel *kernel, const struct frame *frame,
                        struct pf_wire_block block, const uint32_t first[3]) {
  const struct pf_wire_job *job = frame->job;
  const uint32_t data_first = first[0], parity_first = first[1], slice_first = first[2];
  const size_t header_size = job->header_size, payload = job->shard_size - header_size;
  for (uint32_t i = 0; i < block.data_count; i++) {
    uint8_t *shard = shard_of(frame, data_first + i);
    const uint8_t *header = frame->headers + (data_first + i) * header_size;
    for (size_t at = 0; at < header_size; at++) shard[at] = header[at] & job->data_header_mask[at];
    slice(frame, (size_t)(slice_first + i) * payload, shard + header_size, payload);
  }
  if (block.parity_count > 0) {
    const struct shards shards = {.data = shard_of(frame, data_first) + job->fec_offset,
                                  .parity = shard_of(frame, parity_first) + job->fec_offset,
                                  .stride = frame->datagram_size,
                                  .length = job->shard_size - job->fec_offset,
                                  .block = block};
    make_parity(kernel, job->field_bits, &shards);
  }
  for (uint32_t i = 0; i < block.data_count; i++) {
    memcpy(shard_of(frame, data_first + i), frame->headers + (data_first + i) * header_size,
           header_size);
  }
  for (uint32_t j = 0; j < block.parity_count; j++) {
    uint8_t *shard = shard_of(frame, parity_first + j);
    const uint8_t *header = frame->headers + (parity_first + j) * header_size;
    memset(shard, 0, job->fec_offset);
    for (size_t at = 0; at < header_size; at++) {
      const uint8_t mask = job->parity_header_mask[at];
      shard[at] = (uint8_t)((shard[at] & ~mask) | (header[at] & mask));
    }
  }
}

static int32_t seal_frame(struct pf_wire_kernel *kernel, const struct frame *frame) {
  const struct pf_wire_job *job = frame->job;
  const struct pf_wire_seal *seal = &job->seal;
  int32_t status = pf_seal_set_key(&kernel->seal, seal->cipher, seal->key);
  uint8_t nonce[12];
  memcpy(nonce, seal->nonce_template, sizeof nonce);
  for (uint32_t packet = 0; packet < job->packet_count && status == PF_WIRE_OK; packet++) {
    const uint64_t counter = job->seal_counter + packet;
    for (unsigned at = 0; at < 8; at++) {
      const unsigned shift = (seal->is_counter_big_endian ? 7 - at : at) * 8;
      nonce[seal->nonce_counter_offset + at] = (uint8_t)(counter >> shift);
    }
    uint8_t *shard = shard_of(frame, packet);
    uint8_t *prefix = shard - seal->prefix_size;
    memcpy(prefix, job->prefix, seal->prefix_size);
    memcpy(prefix, nonce + seal->prefix_nonce_from, seal->prefix_nonce_length);
    uint8_t *tag = seal->tag_offset < 0 ? shard + job->shard_size : prefix + seal->tag_offset;
    status =
        pf_seal_aead(&kernel->seal, nonce, prefix, seal->aad_size, shard, job->shard_size, tag);
  }
  return status;
}

/* Work memory for the widest block. */
static int32_t grow_work(struct pf_wire_kernel *kernel, const struct pf_wire_job *job) {
  int32_t status = PF_WIRE_OK;
  for (uint32_t b = 0; b < job->block_count && status == PF_WIRE_OK; b++) {
    const struct pf_wire_block block = job->blocks[b];
    if (job->field_bits != 16 || block.parity_count == 0) continue;
    status = grow(&kernel->work, pf_leopard16_work_size(block.data_count, block.parity_count));
  }
  return status;
}

static int32_t build_frame(struct pf_wire_kernel *kernel, const struct frame *frame) {
  const struct pf_wire_job *job = frame->job;
  const int32_t status = grow_work(kernel, job);
  if (status != PF_WIRE_OK) return status;
  uint32_t first[3] = {0, frame->data_count, 0};
  for (uint32_t b = 0; b < job->block_count; b++) {
    const struct pf_wire_block block = job->blocks[b];
    if (!job->is_data_first) first[1] = first[0] + block.data_count;
    build_block(kernel, frame, block, first);
    first[2] += block.data_count;
    first[1] += block.parity_count;
    first[0] = job->is_data_first ? first[0] + block.data_count : first[1];
  }
  return job->is_sealed ? seal_frame(kernel, frame) : PF_WIRE_OK;
}

int32_t pf_wire_frame_build(struct pf_wire_kernel *kernel, const struct pf_wire_job *job,
                            size_t job_len, const uint8_t *headers, size_t headers_len,
                            const uint8_t *prologue, size_t prologue_len, const uint8_t *au,
                            size_t au_len, uint8_t *out, size_t out_len) {
  struct frame frame = {.job = job,
                        .headers = headers,
                        .prologue = prologue,
                        .prologue_len = prologue_len,
                        .au = au,
                        .au_len = au_len,
                        .datagrams = out};
  if (kernel == NULL || out == NULL) return PF_WIRE_EINVAL;
  const int32_t status = check_frame(&frame, job_len, headers_len);
  if (status != PF_WIRE_OK) return status;
  if (out_len != job->packet_count * frame.datagram_size) return PF_WIRE_EINVAL;
  return build_frame(kernel, &frame);
}

int32_t pf_wire_frame_send(struct pf_wire_kernel *kernel, const struct pf_wire_job *job,
                           size_t job_len, const uint8_t *headers, size_t headers_len,
                           const uint8_t *prologue, size_t prologue_len, const uint8_t *au,
                           size_t au_len, const struct pf_wire_route *route, size_t route_len) {
  struct frame frame = {.job = job,
                        .headers = headers,
                        .prologue = prologue,
                        .prologue_len = prologue_len,
                        .au = au,
                        .au_len = au_len};
  if (kernel == NULL) return PF_WIRE_EINVAL;
  int32_t status = check_frame(&frame, job_len, headers_len);
  if (status == PF_WIRE_OK) status = pf_check_route(route, route_len);
  if (status != PF_WIRE_OK) return status;
  const size_t size = job->packet_count * frame.datagram_size;
  status = grow(&kernel->datagrams, size);
  if (status != PF_WIRE_OK) return status;
  frame.datagrams = kernel->datagrams.bytes;
  status = build_frame(kernel, &frame);
  if (status != PF_WIRE_OK) return status;
  return pf_send(&kernel->sender, route, frame.datagrams, job->packet_count, frame.datagram_size);
}
