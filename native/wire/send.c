#include "send.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

#ifndef SOL_UDP
#define SOL_UDP 17
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define BATCH_MAX 64
/* What a segmented send may hold: the largest UDP payload over IPv6, rounded down. */
#define SEGMENTED_BYTES_MAX 65000
#define RATE_MIN 10000
/* How long a frame may wait in all for a full send buffer before its datagrams count as refused. */
#define BLOCKED_MS_MAX 4
#define NS_PER_SECOND 1000000000ull

struct outgoing {
  int descriptor;
  union pf_socket_address to;
  socklen_t to_len;
  size_t size;
  int wait_ms; /* left of BLOCKED_MS_MAX */
};

int pf_is_refusal(int error) {
  switch (error) {
    case EAGAIN:
    case ENOBUFS:
    case ENOMEM:
    case EPERM:
    case EACCES:
    case EMSGSIZE:
    case ECONNREFUSED:
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
      return 1;
    default:
      return 0;
  }
}

int32_t pf_check_route(const struct pf_wire_route *route, size_t route_len) {
  if (route == NULL || route_len != sizeof *route || route->burst_bytes_max == 0 ||
      route->burst_packets_max == 0 || route->to.port == 0 ||
      (route->rate_bytes_per_second != 0 && route->rate_bytes_per_second < RATE_MIN)) {
    return PF_WIRE_EINVAL;
  }
  return PF_WIRE_OK;
}

int32_t pf_socket_address(int descriptor, const struct pf_wire_address *address,
                          union pf_socket_address *out, socklen_t *out_len) {
  static const uint8_t MAPPED[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  int family = 0;
  socklen_t family_len = sizeof family;
  if (getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &family, &family_len) != 0) {
    return PF_WIRE_ESOCKET;
  }
  memset(out, 0, sizeof *out);
  if (family == AF_INET6) {
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons(address->port);
    memcpy(&out->v6.sin6_addr, address->ip, 16);
    *out_len = sizeof out->v6;
    return PF_WIRE_OK;
  }
  if (family != AF_INET) return PF_WIRE_ESOCKET;
  if (memcmp(address->ip, MAPPED, sizeof MAPPED) != 0) return PF_WIRE_EINVAL;
  out->v4.sin_family = AF_INET;
  out->v4.sin_port = htons(address->port);
  memcpy(&out->v4.sin_addr, address->ip + 12, 4);
  *out_len = sizeof out->v4;
  return PF_WIRE_OK;
}

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

static void sleep_until(uint64_t due_ns) {
  const struct timespec due = {(time_t)(due_ns / NS_PER_SECOND), (long)(due_ns % NS_PER_SECOND)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR) {
  }
}

/* True when another try is worth it: a signal came, or the full buffer drained within what is left to wait. */
static int is_worth_retrying(struct outgoing *out, int error) {
  if (error == EINTR) return 1;
  if (error != EAGAIN || out->wait_ms == 0) return 0;
  struct pollfd writable = {out->descriptor, POLLOUT, 0};
  const uint64_t from = now_ns();
  const int ready = poll(&writable, 1, out->wait_ms);
  const uint64_t waited_ms = (now_ns() - from + 999999) / 1000000;
  out->wait_ms = waited_ms >= (uint64_t)out->wait_ms ? 0 : out->wait_ms - (int)waited_ms;
  return ready > 0;
}

/* 0, or the errno that sending `bytes` as one message ended with. */
static int send_message(struct outgoing *out, uint8_t *bytes, size_t bytes_len, int is_segmented) {
  struct iovec part = {bytes, bytes_len};
  union {
    struct cmsghdr header;
    uint8_t bytes[CMSG_SPACE(sizeof(uint16_t))];
  } control;
  struct msghdr message = {
      .msg_name = &out->to, .msg_namelen = out->to_len, .msg_iov = &part, .msg_iovlen = 1};
  if (is_segmented) {
    memset(&control, 0, sizeof control);
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    control.header.cmsg_level = SOL_UDP;
    control.header.cmsg_type = UDP_SEGMENT;
    control.header.cmsg_len = CMSG_LEN(sizeof(uint16_t));
    const uint16_t size = (uint16_t)out->size;
    memcpy(CMSG_DATA(&control.header), &size, sizeof size);
  }
  for (;;) {
    if (sendmsg(out->descriptor, &message, MSG_DONTWAIT) >= 0) return 0;
    const int error = errno;
    if (!is_worth_retrying(out, error)) return error;
  }
}

static int32_t send_single(struct outgoing *out, uint8_t *datagrams, uint32_t count) {
  int32_t refused = 0;
  for (uint32_t n = 0; n < count; n++) {
    const int error = send_message(out, datagrams + n * out->size, out->size, 0);
    if (error == 0) continue;
    if (!pf_is_refusal(error)) return PF_WIRE_ESOCKET;
    refused++;
  }
  return refused;
}

static int32_t send_batch(struct pf_sender *sender, struct outgoing *out, uint8_t *datagrams,
                          uint32_t count) {
  struct mmsghdr messages[BATCH_MAX];
  struct iovec parts[BATCH_MAX];
  memset(messages, 0, count * sizeof messages[0]);
  for (uint32_t n = 0; n < count; n++) {
    parts[n] = (struct iovec){datagrams + n * out->size, out->size};
    messages[n].msg_hdr = (struct msghdr){
        .msg_name = &out->to, .msg_namelen = out->to_len, .msg_iov = &parts[n], .msg_iovlen = 1};
  }
  int32_t refused = 0;
  for (uint32_t n = 0; n < count;) {
    const int sent = sendmmsg(out->descriptor, messages + n, count - n, MSG_DONTWAIT);
    if (sent > 0) {
      n += (uint32_t)sent;
      continue;
    }
    const int error = errno;
    if (is_worth_retrying(out, error)) continue;
    if (error == ENOSYS) {
      sender->mode = PF_WIRE_SEND_SINGLE;
      const int32_t rest = send_single(out, datagrams + n * out->size, count - n);
      return rest < 0 ? rest : refused + rest;
    }
    if (!pf_is_refusal(error)) return PF_WIRE_ESOCKET;
    refused++;
    n++;
  }
  return refused;
}

static int32_t send_segmented(struct pf_sender *sender, struct outgoing *out, uint8_t *datagrams,
                              uint32_t count) {
  const int error = send_message(out, datagrams, count * out->size, 1);
  if (error == 0) return 0;
  if (pf_is_refusal(error) && error != EMSGSIZE) return (int32_t)count;
  /* It may be the segmentation that is refused, or the size on this path: single datagrams tell which. */
  const int32_t refused = send_batch(sender, out, datagrams, count);
  if (refused >= 0 && refused < (int32_t)count && sender->mode == PF_WIRE_SEND_GSO) {
    sender->mode = PF_WIRE_SEND_BATCH;
  }
  return refused;
}

static int32_t send_burst(struct pf_sender *sender, struct outgoing *out, uint8_t *datagrams,
                          uint32_t count) {
  int32_t refused = 0;
  while (count > 0) {
    uint32_t part = count < BATCH_MAX ? count : BATCH_MAX;
    int32_t result;
    if (sender->mode == PF_WIRE_SEND_GSO) {
      const uint32_t fitting = (uint32_t)(SEGMENTED_BYTES_MAX / out->size);
      if (part > fitting) part = fitting;
      result = part == 1 ? send_single(out, datagrams, part)
                         : send_segmented(sender, out, datagrams, part);
    } else if (sender->mode == PF_WIRE_SEND_BATCH) {
      result = send_batch(sender, out, datagrams, part);
    } else {
      result = send_single(out, datagrams, part);
    }
    if (result < 0) return result;
    refused += result;
    datagrams += part * out->size;
    count -= part;
  }
  return refused;
}

/* SplitMix64: equal seeds choose alike, whatever the seed. */
static uint32_t random_below(uint64_t *state, uint32_t below) {
  uint64_t mixed = *state += 0x9e3779b97f4a7c15u;
  mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
  return (uint32_t)((mixed ^ mixed >> 31) >> 32) % below;
}

/* Close the ranks over the datagrams to be dropped; how many are left. */
static uint32_t drop_some(struct pf_sender *sender, uint8_t *datagrams, uint32_t count, size_t size) {
  if (sender->drop_percent == 0) return count;
  uint32_t kept = 0;
  for (uint32_t n = 0; n < count; n++) {
    if (random_below(&sender->drop_state, 100) < sender->drop_percent) continue;
    if (kept != n) memcpy(datagrams + kept * size, datagrams + n * size, size);
    kept++;
  }
  return kept;
}

int32_t pf_send(struct pf_sender *sender, const struct pf_wire_route *route, uint8_t *datagrams,
                uint32_t count, size_t size) {
  struct outgoing out = {
      .descriptor = route->descriptor, .size = size, .wait_ms = BLOCKED_MS_MAX};
  const int32_t status =
      pf_socket_address(route->descriptor, &route->to, &out.to, &out.to_len);
  if (status != PF_WIRE_OK) return status;
  count = drop_some(sender, datagrams, count, size);

  const uint64_t rate = route->rate_bytes_per_second;
  uint32_t burst_max = (uint32_t)(route->burst_bytes_max / size);
  if (burst_max == 0) burst_max = 1;
  if (burst_max > route->burst_packets_max) burst_max = route->burst_packets_max;
  uint64_t due_ns = now_ns();
  /* A frame right behind another waits for the other's last burst. */
  if (rate != 0 && sender->due_ns > due_ns) due_ns = sender->due_ns;
  int32_t refused = 0;
  while (count > 0) {
    const uint32_t burst = count < burst_max ? count : burst_max;
    if (rate != 0 && due_ns > now_ns()) sleep_until(due_ns);
    const int32_t result = send_burst(sender, &out, datagrams, burst);
    if (result < 0) return result;
    refused += result;
    if (rate != 0) due_ns += burst * size * NS_PER_SECOND / rate;
    datagrams += burst * size;
    count -= burst;
  }
  sender->due_ns = due_ns;
  return refused;
}
