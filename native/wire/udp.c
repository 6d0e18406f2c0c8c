#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "send.h"
#include "wire.h"

/* A frame's burst fits, and a client's burst waits here while the receiver is busy. */
#define BUFFER_SIZE (2 << 20)
#define ADDRESS_TEXT_MAX 46

struct pf_wire_udp {
  int descriptor;
  int wake;
};

static const uint8_t MAPPED[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

int32_t pf_wire_address_parse(const uint8_t *text, size_t text_len,
                              struct pf_wire_address *address) {
  char terminated[ADDRESS_TEXT_MAX];
  if (text == NULL || address == NULL || text_len == 0 || text_len >= sizeof terminated) {
    return PF_WIRE_EINVAL;
  }
  memcpy(terminated, text, text_len);
  terminated[text_len] = '\0';
  if (strlen(terminated) != text_len) return PF_WIRE_EINVAL;
  if (inet_pton(AF_INET6, terminated, address->ip) == 1) return PF_WIRE_OK;
  uint8_t v4[4];
  if (inet_pton(AF_INET, terminated, v4) != 1) return PF_WIRE_EINVAL;
  memcpy(address->ip, MAPPED, sizeof MAPPED);
  memcpy(address->ip + sizeof MAPPED, v4, sizeof v4);
  return PF_WIRE_OK;
}

static int32_t status_of(int error) {
  switch (error) {
    case EADDRINUSE:
      return PF_WIRE_EADDRINUSE;
    case EACCES:
    case EPERM:
      return PF_WIRE_EACCES;
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
      return PF_WIRE_EADDRNOTAVAIL;
    default:
      return PF_WIRE_ESOCKET;
  }
}

static void set_option(int descriptor, int level, int name, int value) {
  (void)setsockopt(descriptor, level, name, &value, sizeof value);
}

/* Wishes, all of them: a socket without them still works. */
static void set_options(int descriptor, int is_v6) {
  set_option(descriptor, SOL_SOCKET, SO_SNDBUF, BUFFER_SIZE);
  set_option(descriptor, SOL_SOCKET, SO_RCVBUF, BUFFER_SIZE);
  /* Past the system's ceiling, where we may. */
  set_option(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_SIZE);
  set_option(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_SIZE);
  set_option(descriptor, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
  if (is_v6) set_option(descriptor, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO);
}

static int32_t open_socket(const struct pf_wire_address *address, int *descriptor) {
  const int is_v6 = memcmp(address->ip, MAPPED, sizeof MAPPED) != 0;
  *descriptor = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (*descriptor < 0) return status_of(errno);
  static const uint8_t ANY[16];
  if (is_v6) {
    set_option(*descriptor, IPPROTO_IPV6, IPV6_V6ONLY, memcmp(address->ip, ANY, 16) != 0);
  }
  union pf_socket_address to;
  socklen_t to_len = 0;
  const int32_t status = pf_socket_address(*descriptor, address, &to, &to_len);
  if (status != PF_WIRE_OK) return status;
  if (bind(*descriptor, &to.any, to_len) != 0) return status_of(errno);
  set_options(*descriptor, is_v6);
  return PF_WIRE_OK;
}

int32_t pf_wire_udp_open(const uint8_t *address, size_t address_len, uint32_t port,
                         struct pf_wire_udp **udp) {
  if (udp == NULL) return PF_WIRE_EINVAL;
  *udp = NULL;
  struct pf_wire_address local = {.port = (uint16_t)port};
  if (port > UINT16_MAX || pf_wire_address_parse(address, address_len, &local) != PF_WIRE_OK) {
    return PF_WIRE_EINVAL;
  }
  struct pf_wire_udp *opened = malloc(sizeof *opened);
  if (opened == NULL) return PF_WIRE_ENOMEM;
  opened->descriptor = -1;
  opened->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const int32_t status =
      opened->wake < 0 ? PF_WIRE_ESOCKET : open_socket(&local, &opened->descriptor);
  if (status != PF_WIRE_OK) {
    pf_wire_udp_close(opened);
    return status;
  }
  *udp = opened;
  return PF_WIRE_OK;
}

void pf_wire_udp_close(struct pf_wire_udp *udp) {
  if (udp == NULL) return;
  if (udp->descriptor >= 0) close(udp->descriptor);
  if (udp->wake >= 0) close(udp->wake);
  free(udp);
}

int32_t pf_wire_udp_descriptor(const struct pf_wire_udp *udp) {
  return udp == NULL ? PF_WIRE_EINVAL : udp->descriptor;
}

int32_t pf_wire_udp_port(const struct pf_wire_udp *udp) {
  union pf_socket_address local;
  socklen_t local_len = sizeof local;
  if (udp == NULL) return PF_WIRE_EINVAL;
  if (getsockname(udp->descriptor, &local.any, &local_len) != 0) return PF_WIRE_ESOCKET;
  return ntohs(local.any.sa_family == AF_INET6 ? local.v6.sin6_port : local.v4.sin_port);
}

static void write_record(struct pf_wire_datagram *record, const union pf_socket_address *from,
                         size_t size) {
  memset(record, 0, sizeof *record);
  record->size = (uint32_t)size;
  char *text = (char *)record->address;
  if (from->any.sa_family == AF_INET) {
    record->port = ntohs(from->v4.sin_port);
    inet_ntop(AF_INET, &from->v4.sin_addr, text, sizeof record->address);
  } else {
    const uint8_t *ip = from->v6.sin6_addr.s6_addr;
    record->port = ntohs(from->v6.sin6_port);
    const int is_mapped = memcmp(ip, MAPPED, sizeof MAPPED) == 0;
    inet_ntop(is_mapped ? AF_INET : AF_INET6, is_mapped ? ip + sizeof MAPPED : ip, text,
              sizeof record->address);
  }
  record->address_len = (uint16_t)strlen(text);
}

/* All that has arrived, as far as it fits. */
static int32_t take(const struct pf_wire_udp *udp, uint8_t *out, size_t out_len) {
  int32_t count = 0;
  while (out_len >= PF_WIRE_RECEIVE_ROOM) {
    struct pf_wire_datagram record;
    union pf_socket_address from;
    socklen_t from_len = sizeof from;
    const ssize_t size = recvfrom(udp->descriptor, out + sizeof record, out_len - sizeof record,
                                  MSG_DONTWAIT, &from.any, &from_len);
    if (size < 0) {
      if (errno == EAGAIN) break;
      /* An ICMP answer to something sent before; reading it has cleared it. */
      if (errno == EINTR || pf_is_refusal(errno)) continue;
      return PF_WIRE_ESOCKET;
    }
    write_record(&record, &from, (size_t)size);
    memcpy(out, &record, sizeof record);
    const size_t used = (sizeof record + (size_t)size + 7) & ~(size_t)7;
    out += used;
    out_len -= used;
    count++;
  }
  return count;
}

int32_t pf_wire_udp_receive(struct pf_wire_udp *udp, int32_t timeout_ms, uint8_t *out,
                            size_t out_len) {
  if (udp == NULL || out == NULL || out_len < PF_WIRE_RECEIVE_ROOM) return PF_WIRE_EINVAL;
  struct pollfd events[2] = {{udp->descriptor, POLLIN, 0}, {udp->wake, POLLIN, 0}};
  const int ready = poll(events, 2, timeout_ms);
  if (ready < 0) return errno == EINTR ? 0 : PF_WIRE_ESOCKET;
  if (ready == 0) return 0;
  if (events[1].revents != 0) {
    uint64_t calls;
    const ssize_t taken = read(udp->wake, &calls, sizeof calls);
    return taken == sizeof calls || errno == EAGAIN ? 0 : PF_WIRE_ESOCKET;
  }
  if (events[0].revents & POLLNVAL) return PF_WIRE_ESOCKET;
  return take(udp, out, out_len);
}

int32_t pf_wire_udp_send(struct pf_wire_udp *udp, const uint8_t *bytes, size_t bytes_len,
                         const struct pf_wire_address *to) {
  union pf_socket_address address;
  socklen_t address_len = 0;
  if (udp == NULL || (bytes == NULL && bytes_len > 0) || bytes_len > 65507 || to == NULL ||
      to->port == 0) {
    return PF_WIRE_EINVAL;
  }
  const int32_t status = pf_socket_address(udp->descriptor, to, &address, &address_len);
  if (status != PF_WIRE_OK) return status;
  for (;;) {
    if (sendto(udp->descriptor, bytes, bytes_len, MSG_DONTWAIT, &address.any, address_len) >= 0) {
      return 1;
    }
    if (errno == EINTR) continue;
    return pf_is_refusal(errno) ? 0 : PF_WIRE_ESOCKET;
  }
}

int32_t pf_wire_udp_set_dscp(struct pf_wire_udp *udp, uint32_t dscp) {
  if (udp == NULL || dscp > 63) return PF_WIRE_EINVAL;
  const int traffic_class = (int)dscp << 2;
  const int v4 =
      setsockopt(udp->descriptor, IPPROTO_IP, IP_TOS, &traffic_class, sizeof traffic_class);
  const int v6 =
      setsockopt(udp->descriptor, IPPROTO_IPV6, IPV6_TCLASS, &traffic_class, sizeof traffic_class);
  return v4 == 0 || v6 == 0 ? PF_WIRE_OK : PF_WIRE_ESOCKET;
}

int32_t pf_wire_udp_wake(struct pf_wire_udp *udp) {
  const uint64_t one = 1;
  if (udp == NULL) return PF_WIRE_EINVAL;
  return write(udp->wake, &one, sizeof one) == sizeof one || errno == EAGAIN ? PF_WIRE_OK
                                                                             : PF_WIRE_ESOCKET;
}
