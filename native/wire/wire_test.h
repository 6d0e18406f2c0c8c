/* What the test files of the wire shim share. One of them has the main function. */
#ifndef PF_WIRE_TEST_H
#define PF_WIRE_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire.h"

#define CHECK(condition)                                                 \
  do {                                                                   \
    if (condition) {                                                     \
      pf_test_passed++;                                                  \
    } else {                                                             \
      pf_test_failed++;                                                  \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);    \
    }                                                                    \
  } while (0)

extern int pf_test_passed, pf_test_failed;

/* Exactly `size` bytes on the heap, so that the sanitizer sees one byte too far. The same in every run. */
uint8_t *random_bytes(size_t size);
/* 0 … below − 1 */
uint32_t random_below(uint32_t below);

/* A job of one block. */
#define JOB_SIZE (sizeof(struct pf_wire_job) + sizeof(struct pf_wire_block))
/* GameStream's shape: 3 data and 2 parity packets of 80 bytes, sealed with a tag in the prefix. */
void fill_job(struct pf_wire_job *job);

/* The same sealed in punktfunk/1's shape: the counter in front, the tag behind; 104 bytes a datagram. */
void fill_trailing_job(struct pf_wire_job *job);

/* A socket on a port of the system's choice, and where a peer reaches it. */
struct pf_wire_udp *open_udp(const char *address);
struct pf_wire_address loopback(const char *text, const struct pf_wire_udp *udp);

void test_leopard16(struct pf_wire_kernel *kernel);
void test_rebuilding(struct pf_wire_kernel *kernel);
void test_receiving(struct pf_wire_kernel *kernel);
void test_sending(struct pf_wire_kernel *kernel);
void test_stream(void);
void test_udp(void);

#endif
