#include "seal.h"

#include <openssl/crypto.h>
#include <string.h>

static const char *const names[PF_SEAL_CIPHER_COUNT] = {
    [PF_WIRE_CIPHER_AES_128_GCM] = "AES-128-GCM",
    [PF_WIRE_CIPHER_CHACHA20_POLY1305] = "ChaCha20-Poly1305",
    [PF_SEAL_AES_128_CBC] = "AES-128-CBC",
};

static size_t key_size_of(uint32_t cipher) {
  return cipher == PF_WIRE_CIPHER_CHACHA20_POLY1305 ? 32 : 16;
}

int pf_seal_is_valid(const struct pf_wire_seal *seal) {
  const int tag_end = seal->tag_offset + PF_TAG_SIZE;
  return seal->cipher < PF_WIRE_CIPHER_COUNT &&
         (seal->nonce_counter_offset == 0 || seal->nonce_counter_offset == 4) &&
         seal->prefix_size <= PF_WIRE_PREFIX_MAX &&
         seal->prefix_nonce_from + seal->prefix_nonce_length <= 12 &&
         seal->prefix_nonce_length <= seal->prefix_size && seal->aad_size <= seal->prefix_size &&
         (seal->tag_offset == -1 ||
          (seal->tag_offset >= seal->aad_size && seal->tag_offset >= seal->prefix_nonce_length &&
           tag_end <= seal->prefix_size));
}

int32_t pf_seal_open(struct pf_seal *seal) {
  memset(seal, 0, sizeof *seal);
  if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1) return PF_WIRE_ECRYPTO;
  seal->library = OSSL_LIB_CTX_new();
  if (seal->library == NULL) return PF_WIRE_ENOMEM;
  for (uint32_t n = 0; n < PF_SEAL_CIPHER_COUNT; n++) {
    seal->ciphers[n] = EVP_CIPHER_fetch(seal->library, names[n], NULL);
    if (seal->ciphers[n] == NULL) return PF_WIRE_ECRYPTO;
  }
  seal->context = EVP_CIPHER_CTX_new();
  return seal->context == NULL ? PF_WIRE_ENOMEM : PF_WIRE_OK;
}

void pf_seal_close(struct pf_seal *seal) {
  EVP_CIPHER_CTX_free(seal->context);
  for (uint32_t n = 0; n < PF_SEAL_CIPHER_COUNT; n++) EVP_CIPHER_free(seal->ciphers[n]);
  OSSL_LIB_CTX_free(seal->library);
  OPENSSL_cleanse(seal, sizeof *seal);
}

int32_t pf_seal_set_key(struct pf_seal *seal, uint32_t cipher, const uint8_t *key) {
  const size_t key_size = key_size_of(cipher);
  if (seal->has_key && seal->cipher == cipher && memcmp(seal->key, key, key_size) == 0) {
    return PF_WIRE_OK;
  }
  seal->has_key = 0;
  if (EVP_EncryptInit_ex2(seal->context, seal->ciphers[cipher], key, NULL, NULL) != 1) {
    return PF_WIRE_ECRYPTO;
  }
  memcpy(seal->key, key, key_size);
  seal->cipher = cipher;
  seal->has_key = 1;
  return PF_WIRE_OK;
}

int32_t pf_seal_aead(struct pf_seal *seal, const uint8_t nonce[12], const uint8_t *aad,
                     size_t aad_len, uint8_t *bytes, size_t bytes_len, uint8_t *tag) {
  EVP_CIPHER_CTX *context = seal->context;
  int written = 0;
  if (EVP_EncryptInit_ex2(context, NULL, NULL, nonce, NULL) != 1) return PF_WIRE_ECRYPTO;
  if (aad_len > 0 && EVP_EncryptUpdate(context, NULL, &written, aad, (int)aad_len) != 1) {
    return PF_WIRE_ECRYPTO;
  }
  if (EVP_EncryptUpdate(context, bytes, &written, bytes, (int)bytes_len) != 1 ||
      EVP_EncryptFinal_ex(context, bytes + bytes_len, &written) != 1 ||
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, PF_TAG_SIZE, tag) != 1) {
    return PF_WIRE_ECRYPTO;
  }
  return PF_WIRE_OK;
}

int32_t pf_seal_set_opening_key(struct pf_seal *seal, uint32_t cipher, const uint8_t *key) {
  const int is_set = EVP_DecryptInit_ex2(seal->context, seal->ciphers[cipher], key, NULL, NULL);
  return is_set == 1 ? PF_WIRE_OK : PF_WIRE_ECRYPTO;
}

int pf_seal_aead_open(struct pf_seal *seal, const uint8_t nonce[12], const uint8_t *aad,
                      size_t aad_len, const uint8_t *bytes, size_t bytes_len, const uint8_t *tag,
                      uint8_t *out) {
  EVP_CIPHER_CTX *context = seal->context;
  int written = 0;
  /* The tag is only read. */
  return EVP_DecryptInit_ex2(context, NULL, NULL, nonce, NULL) == 1 &&
         (aad_len == 0 || EVP_DecryptUpdate(context, NULL, &written, aad, (int)aad_len) == 1) &&
         EVP_DecryptUpdate(context, out, &written, bytes, (int)bytes_len) == 1 &&
         EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, PF_TAG_SIZE,
                             (void *)(uintptr_t)tag) == 1 &&
         EVP_DecryptFinal_ex(context, out + bytes_len, &written) == 1;
}

int32_t pf_seal_cbc(struct pf_seal *seal, const uint8_t iv[16], const uint8_t *bytes,
                    size_t bytes_len, uint8_t *out) {
  int body = 0, rest = 0;
  if (EVP_EncryptInit_ex2(seal->context, NULL, NULL, iv, NULL) != 1 ||
      EVP_EncryptUpdate(seal->context, out, &body, bytes, (int)bytes_len) != 1 ||
      EVP_EncryptFinal_ex(seal->context, out + body, &rest) != 1) {
    return PF_WIRE_ECRYPTO;
  }
  return PF_WIRE_OK;
}
