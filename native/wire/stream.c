#include <stdlib.h>
#include <string.h>

#include "gf256.h"
#include "seal.h"
#include "send.h"
#include "wire.h"

/* A packet is header and payload in one datagram; parity packets are at most that large too. */
#define PACKET_MAX PF_WIRE_SHARD_MAX
#define BLOCK_SIZE 16

struct pf_wire_stream {
  struct pf_gf256 gf;
  struct pf_seal seal;
  struct pf_sender sender;
  uint32_t data_count;
  uint32_t parity_count;
  int is_encrypted;
  uint8_t columns[PF_WIRE_STREAM_SHARDS_MAX * PF_WIRE_STREAM_SHARDS_MAX];
  /* The group under way: payloads as sent, PACKET_MAX apart. */
  uint32_t held_count;
  size_t held_size;
  int is_uneven;
  uint8_t *held;
  uint8_t *parity;
  uint8_t *out; /* for sending: 1 + parity_count packets */
};

struct push {
  const uint8_t *payload;
  size_t payload_len;
  const uint8_t *header;
  size_t header_len;
  const uint8_t *iv;
  size_t iv_len;
  const uint8_t *parity_headers;
  size_t parity_headers_len;
};

int32_t pf_wire_stream_open(uint32_t data_count, uint32_t parity_count, const uint8_t *matrix,
                            size_t matrix_len, const uint8_t *key, size_t key_len,
                            struct pf_wire_stream **stream) {
  if (stream == NULL) return PF_WIRE_EINVAL;
  *stream = NULL;
  if (data_count == 0 || data_count > PF_WIRE_STREAM_SHARDS_MAX ||
      parity_count > PF_WIRE_STREAM_SHARDS_MAX || matrix_len != data_count * parity_count ||
      (matrix == NULL && matrix_len > 0) || (key_len != 0 && key_len != 16) ||
      (key == NULL && key_len > 0)) {
    return PF_WIRE_EINVAL;
  }
  void *memory = NULL;
  if (posix_memalign(&memory, 64, sizeof **stream) != 0) return PF_WIRE_ENOMEM;
  struct pf_wire_stream *opened = memory;
  memset(opened, 0, sizeof *opened);
  pf_gf256_init(&opened->gf);
  opened->data_count = data_count;
  opened->parity_count = parity_count;
  for (uint32_t i = 0; i < data_count; i++) {
    for (uint32_t j = 0; j < parity_count; j++) {
      opened->columns[i * parity_count + j] = matrix[j * data_count + i];
    }
  }
  opened->held = malloc((size_t)data_count * PACKET_MAX);
  opened->parity = malloc((size_t)parity_count * PACKET_MAX + 1);
  opened->out = malloc((size_t)(1 + parity_count) * PACKET_MAX);
  int32_t status = PF_WIRE_OK;
  if (opened->held == NULL || opened->parity == NULL || opened->out == NULL) {
    status = PF_WIRE_ENOMEM;
  } else if (key_len > 0) {
    opened->is_encrypted = 1;
    status = pf_seal_open(&opened->seal);
    if (status == PF_WIRE_OK) status = pf_seal_set_key(&opened->seal, PF_SEAL_AES_128_CBC, key);
  }
  if (status != PF_WIRE_OK) {
    pf_wire_stream_close(opened);
    return status;
  }
  *stream = opened;
  return PF_WIRE_OK;
}

void pf_wire_stream_close(struct pf_wire_stream *stream) {
  if (stream == NULL) return;
  pf_seal_close(&stream->seal);
  free(stream->held);
  free(stream->parity);
  free(stream->out);
  free(stream);
}

/* Size of the payload on the wire, or a status. */
static int32_t check_push(const struct pf_wire_stream *stream, const struct push *push) {
  if (stream == NULL || push->payload == NULL || push->payload_len == 0 ||
      push->payload_len > PACKET_MAX || (push->header == NULL && push->header_len > 0) ||
      push->header_len > PF_WIRE_HEADER_MAX ||
      (push->parity_headers == NULL && push->parity_headers_len > 0) ||
      push->parity_headers_len > stream->parity_count * (size_t)PF_WIRE_HEADER_MAX ||
      (stream->parity_count > 0 && push->parity_headers_len % stream->parity_count != 0) ||
      (stream->is_encrypted && (push->iv == NULL || push->iv_len != BLOCK_SIZE))) {
    return PF_WIRE_EINVAL;
  }
  size_t size = push->payload_len;
  if (stream->is_encrypted) size += BLOCK_SIZE - size % BLOCK_SIZE;
  return size + PF_WIRE_HEADER_MAX > PACKET_MAX ? PF_WIRE_EINVAL : (int32_t)size;
}

/* Parity packets of the full group behind `out`; their number. */
static uint32_t write_parity(struct pf_wire_stream *stream, const struct push *push, uint8_t *out) {
  const size_t header_len = push->parity_headers_len / stream->parity_count;
  const struct pf_gf256_parity job = {.data = stream->held,
                                      .data_stride = PACKET_MAX,
                                      .data_count = stream->data_count,
                                      .parity = stream->parity,
                                      .parity_stride = PACKET_MAX,
                                      .parity_count = stream->parity_count,
                                      .length = stream->held_size,
                                      .columns = stream->columns};
  pf_gf256_encode(&stream->gf, &job);
  for (uint32_t j = 0; j < stream->parity_count; j++) {
    if (header_len > 0) memcpy(out, push->parity_headers + j * header_len, header_len);
    memcpy(out + header_len, stream->parity + (size_t)j * PACKET_MAX, stream->held_size);
    out += header_len + stream->held_size;
  }
  return stream->parity_count;
}

/* Write the packets that `push` gives; their number or a status. `size` is the payload's on the wire. */
static int32_t write_packets(struct pf_wire_stream *stream, const struct push *push, size_t size,
                             uint8_t *out) {
  if (push->header_len > 0) memcpy(out, push->header, push->header_len);
  uint8_t *payload = out + push->header_len;
  if (stream->is_encrypted) {
    const int32_t status =
        pf_seal_cbc(&stream->seal, push->iv, push->payload, push->payload_len, payload);
    if (status != PF_WIRE_OK) return status;
  } else {
    memcpy(payload, push->payload, size);
  }
  if (stream->parity_count == 0) return 1;

  if (stream->held_count == 0) {
    stream->held_size = size;
    stream->is_uneven = 0;
  } else if (size != stream->held_size) {
    stream->is_uneven = 1;
  }
  memcpy(stream->held + (size_t)stream->held_count * PACKET_MAX, payload, size);
  if (++stream->held_count < stream->data_count) return 1;
  stream->held_count = 0;
  return stream->is_uneven ? 1 : 1 + (int32_t)write_parity(stream, push, payload + size);
}

int32_t pf_wire_stream_build(struct pf_wire_stream *stream, const uint8_t *payload,
                             size_t payload_len, const uint8_t *header, size_t header_len,
                             const uint8_t *iv, size_t iv_len, const uint8_t *parity_headers,
                             size_t parity_headers_len, uint8_t *out, size_t out_len) {
  const struct push push = {payload, payload_len, header,         header_len,
                            iv,      iv_len,      parity_headers, parity_headers_len};
  const int32_t size = check_push(stream, &push);
  if (size < 0) return size;
  const size_t room = header_len + (size_t)size + parity_headers_len +
                      (size_t)stream->parity_count * (size_t)size;
  if (out == NULL || out_len < room) return PF_WIRE_EINVAL;
  return write_packets(stream, &push, (size_t)size, out);
}

int32_t pf_wire_stream_send(struct pf_wire_stream *stream, const uint8_t *payload,
                            size_t payload_len, const uint8_t *header, size_t header_len,
                            const uint8_t *iv, size_t iv_len, const uint8_t *parity_headers,
                            size_t parity_headers_len, const struct pf_wire_route *route,
                            size_t route_len) {
  const struct push push = {payload, payload_len, header,         header_len,
                            iv,      iv_len,      parity_headers, parity_headers_len};
  const int32_t size = check_push(stream, &push);
  if (size < 0) return size;
  const int32_t status = pf_check_route(route, route_len);
  if (status != PF_WIRE_OK) return status;
  const int32_t count = write_packets(stream, &push, (size_t)size, stream->out);
  if (count < 0) return count;

  struct pf_wire_route at_once = *route;
  at_once.rate_bytes_per_second = 0;
  const size_t data_size = header_len + (size_t)size;
  int32_t refused = pf_send(&stream->sender, &at_once, stream->out, 1, data_size);
  if (refused >= 0 && count > 1) {
    const size_t parity_size = parity_headers_len / stream->parity_count + (size_t)size;
    const int32_t more = pf_send(&stream->sender, &at_once, stream->out + data_size,
                                 (uint32_t)count - 1, parity_size);
    refused = more < 0 ? more : refused + more;
  }
  return refused < 0 ? refused : count << 8 | refused;
}
