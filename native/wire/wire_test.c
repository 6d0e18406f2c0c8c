/* Runs under ASan and UBSan; prints one line and exits non-zero on a failure. */
#include "wire_test.h"

#include <openssl/evp.h>

int pf_test_passed, pf_test_failed;

static uint32_t seed = 12345;

static uint8_t random_byte(void) {
  seed = seed * 1664525u + 1013904223u;
  return (uint8_t)(seed >> 24);
}

uint8_t *random_bytes(size_t size) {
  uint8_t *bytes = malloc(size);
  for (size_t n = 0; n < size; n++) bytes[n] = random_byte();
  return bytes;
}

uint32_t random_below(uint32_t below) {
  return ((uint32_t)random_byte() << 8 | random_byte()) % below;
}

void fill_job(struct pf_wire_job *job) {
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
  job->seal.prefix_size = 32;
  job->seal.prefix_nonce_length = 12;
  job->seal.tag_offset = 16;
  for (int n = 0; n < 32; n++) job->seal.key[n] = (uint8_t)n;
  job->seal.nonce_template[11] = 0x56;
}

void fill_trailing_job(struct pf_wire_job *job) {
  fill_job(job);
  job->seal.prefix_size = job->seal.prefix_nonce_length = job->seal.aad_size = 8;
  job->seal.prefix_nonce_from = job->seal.nonce_counter_offset = 4;
  job->seal.is_counter_big_endian = 1;
  job->seal.tag_offset = -1;
}

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

static int opens(const struct pf_wire_job *job, const uint8_t *datagram, const uint8_t *plain) {
  uint8_t opened[80];
  int written = 0, is_good = 0;
  const int is_trailing = job->seal.tag_offset < 0;
  const uint8_t *ciphertext = datagram + job->seal.prefix_size;
  const uint8_t *tag = is_trailing ? ciphertext + 80 : datagram + job->seal.tag_offset;
  uint8_t nonce[12];
  memcpy(nonce, job->seal.nonce_template, 12);
  memcpy(nonce + job->seal.prefix_nonce_from, datagram, job->seal.prefix_nonce_length);
  const EVP_CIPHER *cipher = job->seal.cipher == PF_WIRE_CIPHER_CHACHA20_POLY1305
                                 ? EVP_chacha20_poly1305()
                                 : EVP_aes_128_gcm();
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
  is_good = EVP_DecryptInit_ex(context, cipher, NULL, job->seal.key, nonce) == 1 &&
            (job->seal.aad_size == 0 ||
             EVP_DecryptUpdate(context, NULL, &written, datagram, job->seal.aad_size) == 1) &&
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
  /* One kernel seals with either in turn, and of AES the key is how that of the other begins. */
  for (int round = 0; round < 8; round++) {
    const int is_trailing = round / 2 % 2;
    if (is_trailing) {
      fill_trailing_job(job);
    } else {
      fill_job(job);
    }
    job->seal.cipher = (uint8_t)(round % PF_WIRE_CIPHER_COUNT);
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
  REFUSES(job->seal.cipher = PF_WIRE_CIPHER_COUNT, PF_WIRE_EINVAL);
  REFUSES(job->seal.cipher = 255, PF_WIRE_EINVAL);
  REFUSES(job->seal.nonce_counter_offset = 5, PF_WIRE_EINVAL);
  REFUSES(job->seal.prefix_size = 65, PF_WIRE_EINVAL);
  REFUSES(job->seal.prefix_nonce_from = 1, PF_WIRE_EINVAL);
  REFUSES(job->seal.tag_offset = 17, PF_WIRE_EINVAL);
  REFUSES(job->seal.tag_offset = 11, PF_WIRE_EINVAL);
  REFUSES(job->seal.tag_offset = -2, PF_WIRE_EINVAL);
  REFUSES(job->seal.aad_size = 17, PF_WIRE_EINVAL);
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
int main(void) {
  struct pf_wire_kernel *kernel = open_kernel();
  CHECK(pf_wire_abi() == PF_WIRE_ABI);
  test_parity_vector(kernel);
  test_levels_agree(kernel);
  test_parity_limits(kernel);
  test_seal_opens(kernel);
  test_frame_limits(kernel);
  test_leopard16(kernel);
  test_rebuilding(kernel);
  test_sending(kernel);
  test_receiving(kernel);
  test_stream();
  test_udp();
  pf_wire_kernel_close(kernel);
  pf_wire_kernel_close(NULL);
  printf("%d passed, %d failed\n", pf_test_passed, pf_test_failed);
  return pf_test_failed == 0 ? 0 : 1;
}
