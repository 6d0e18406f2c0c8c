/* AES-128 through libcrypto with contexts that live as long as their key; private to the wire shim. */
#ifndef PF_WIRE_SEAL_H
#define PF_WIRE_SEAL_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#include "wire.h"

#define PF_TAG_SIZE 16

struct pf_seal {
  OSSL_LIB_CTX *library; /* our own: the system's OpenSSL configuration has no say here */
  EVP_CIPHER *cipher;
  EVP_CIPHER_CTX *context;
  int has_key;
  uint8_t key[16];
};

/* Whether counter, tag and authenticated bytes have room in nonce and prefix without touching one another. */
int pf_seal_is_valid(const struct pf_wire_seal *seal);
/* `name`: "AES-128-GCM" or "AES-128-CBC". A seal that failed to open may be closed. */
int32_t pf_seal_open(struct pf_seal *seal, const char *name);
void pf_seal_close(struct pf_seal *seal);
/* Nothing to do when it is the key of the last call. */
int32_t pf_seal_set_key(struct pf_seal *seal, const uint8_t key[16]);
/* Encrypt in place with `aad` authenticated, and write the tag. */
int32_t pf_seal_gcm(struct pf_seal *seal, const uint8_t nonce[12], const uint8_t *aad,
                    size_t aad_len, uint8_t *bytes, size_t bytes_len, uint8_t *tag);
/* As pf_seal_set_key, for opening. A seal that opens does not seal. */
int32_t pf_seal_set_opening_key(struct pf_seal *seal, const uint8_t key[16]);
/* Decrypt `bytes` to `out`, which does not overlap them. 1, or 0 when the tag does not fit: `out` is rubbish then. */
int pf_seal_gcm_open(struct pf_seal *seal, const uint8_t nonce[12], const uint8_t *aad,
                     size_t aad_len, const uint8_t *bytes, size_t bytes_len, const uint8_t *tag,
                     uint8_t *out);
/* PKCS#7: `out` receives bytes_len + 16 − bytes_len mod 16 bytes. */
int32_t pf_seal_cbc(struct pf_seal *seal, const uint8_t iv[16], const uint8_t *bytes,
                    size_t bytes_len, uint8_t *out);

#endif
