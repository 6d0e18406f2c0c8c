/* Ciphers of libcrypto with a context that lives as long as its key; private to the wire shim. */
#ifndef PF_WIRE_SEAL_H
#define PF_WIRE_SEAL_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#include "wire.h"

#define PF_TAG_SIZE 16

/* The ciphers of enum pf_wire_cipher by their numbers, and one that only packet streams use. */
enum pf_seal_cipher { PF_SEAL_AES_128_CBC = PF_WIRE_CIPHER_COUNT, PF_SEAL_CIPHER_COUNT };

struct pf_seal {
  OSSL_LIB_CTX *library; /* our own: the system's OpenSSL configuration has no say here */
  EVP_CIPHER *ciphers[PF_SEAL_CIPHER_COUNT];
  EVP_CIPHER_CTX *context;
  int has_key;
  uint32_t cipher; /* of the key */
  uint8_t key[32];
};

/* Whether the cipher is known, and counter, tag and authenticated bytes have room in nonce and prefix without touching one another. */
int pf_seal_is_valid(const struct pf_wire_seal *seal);
/* Finds every cipher, so that none is looked for while a stream runs. A seal that failed to open may be closed. */
int32_t pf_seal_open(struct pf_seal *seal);
void pf_seal_close(struct pf_seal *seal);
/* `key`: 32 bytes of ChaCha20-Poly1305, else 16. Nothing to do when both are those of the last call. */
int32_t pf_seal_set_key(struct pf_seal *seal, uint32_t cipher, const uint8_t *key);
/* Encrypt in place with `aad` authenticated, and write the tag. */
int32_t pf_seal_aead(struct pf_seal *seal, const uint8_t nonce[12], const uint8_t *aad,
                     size_t aad_len, uint8_t *bytes, size_t bytes_len, uint8_t *tag);
/* As pf_seal_set_key, for opening. A seal that opens does not seal. */
int32_t pf_seal_set_opening_key(struct pf_seal *seal, uint32_t cipher, const uint8_t *key);
/* Decrypt `bytes` to `out`, which does not overlap them. 1, or 0 when the tag does not fit: `out` is rubbish then. */
int pf_seal_aead_open(struct pf_seal *seal, const uint8_t nonce[12], const uint8_t *aad,
                      size_t aad_len, const uint8_t *bytes, size_t bytes_len, const uint8_t *tag,
                      uint8_t *out);
/* With a key of PF_SEAL_AES_128_CBC, padded by PKCS#7: `out` receives bytes_len + 16 − bytes_len mod 16 bytes. */
int32_t pf_seal_cbc(struct pf_seal *seal, const uint8_t iv[16], const uint8_t *bytes,
                    size_t bytes_len, uint8_t *out);

#endif
