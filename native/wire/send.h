/* Equal datagrams out of one buffer, paced; private to the wire shim. */
#ifndef PF_WIRE_SEND_H
#define PF_WIRE_SEND_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <netinet/in.h>

#include "wire.h"

struct pf_sender {
  uint32_t mode;     /* enum pf_wire_send_mode */
  uint64_t due_ns;   /* CLOCK_MONOTONIC when the rate allows the next burst */
  uint32_t drop_percent;
  uint64_t drop_state; /* of the generator that chooses what is dropped */
};

union pf_socket_address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
};

/* `address` as the family of socket `descriptor` wants it. */
int32_t pf_socket_address(int descriptor, const struct pf_wire_address *address,
                          union pf_socket_address *out, socklen_t *out_len);
/* True for errors that cost this datagram and nothing else. */
int pf_is_refusal(int error);
/* Send `count` datagrams of `size` bytes but those to be dropped. Returns how many were refused, or a status. */
int32_t pf_send(struct pf_sender *sender, const struct pf_wire_route *route, uint8_t *datagrams,
                uint32_t count, size_t size);
int32_t pf_check_route(const struct pf_wire_route *route, size_t route_len);

#endif
