#include "seal.h"

#include <openssl/crypto.h>
#include <string.h>

int32_t pf_seal_open(struct pf_seal *seal, const char *name) {
  memset(seal, 0, sizeof *seal);
  if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1) return PF_WIRE_ECRYPTO;
  seal->library = OSSL_LIB_CTX_new();
  if (seal->library == NULL) return PF_WIRE_ENOMEM;
  seal->cipher = EVP_CIPHER_fetch(seal->library, name, NULL);
  if (seal->cipher == NULL) return PF_WIRE_ECRYPTO;
  seal->context = EVP_CIPHER_CTX_new();
  return seal->context == NULL ? PF_WIRE_ENOMEM : PF_WIRE_OK;
}

void pf_seal_close(struct pf_seal *seal) {
  EVP_CIPHER_CTX_free(seal->context);
  EVP_CIPHER_free(seal->cipher);
  OSSL_LIB_CTX_free(seal->library);
  OPENSSL_cleanse(seal, sizeof *seal);
}

int32_t pf_seal_set_key(struct pf_seal *seal, const uint8_t key[16]) {
  if (seal->has_key && memcmp(seal->key, key, 16) == 0) return PF_WIRE_OK;
  seal->has_key = 0;
  if (EVP_EncryptInit_ex2(seal->context, seal->cipher, key, NULL, NULL) != 1) {
    return PF_WIRE_ECRYPTO;
  }
  memcpy(seal->key, key, 16);
  seal->has_key = 1;
  return PF_WIRE_OK;
}

int32_t pf_seal_gcm(struct pf_seal *seal, const uint8_t nonce[12], const uint8_t *aad,
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
