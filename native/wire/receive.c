#include <errno.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "replay.h"
#include "seal.h"
#include "send.h"
#include "wire.h"

#ifndef SOL_UDP
#define SOL_UDP 17
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif

/* Of the values that SO_MEMINFO gives. */
#define MEMORY_VALUES 9
#define MEMORY_BUFFER_SIZE 1
#define MEMORY_DROPS 8

#define MESSAGES_MAX 32
/* A message is one datagram or several that the system joined. */
#define MESSAGE_SIZE_MAX 65536
/* An odd number of cache lines more, so that the beginnings of messages do not share cache sets. */
#define MESSAGE_STRIDE (MESSAGE_SIZE_MAX + 25 * 64)
#define PACKET_ALIGNMENT 64
/* 60 ms of 2 Gbit/s: how long a client may look elsewhere. */
#define BUFFER_SIZE (16 << 20)
#define CONTROL_SIZE (CMSG_SPACE(sizeof(struct timespec)) + CMSG_SPACE(sizeof(int)))
#define SIZE_MAX_LIMIT 65535

/* What came out of the socket as one message and has not been handed over. */
struct message {
  const uint8_t *bytes;
  size_t size;
  size_t segment_size; /* of every datagram in it but the last */
  uint64_t arrived_at_us;
};

struct pf_wire_receiver {
  int descriptor;
  int wake;
  struct pf_wire_opening opening;
  struct pf_seal seal;
  struct pf_replay replay;
  struct pf_wire_arrivals arrivals;
  uint32_t drops_before; /* the socket's own count when it was last read */
  struct message messages[MESSAGES_MAX];
  uint32_t message_count;
  uint32_t message_next;
  uint8_t *staging;
  struct mmsghdr headers[MESSAGES_MAX];
  struct iovec parts[MESSAGES_MAX];
  _Alignas(struct cmsghdr) uint8_t controls[MESSAGES_MAX][CONTROL_SIZE];
};

/* Where opened packets go. */
struct output {
  struct pf_wire_packet *packets;
  size_t packets_max;
  size_t packet_count;
  uint8_t *bytes;
  size_t size;
  size_t used; /* a multiple of PACKET_ALIGNMENT */
};

static size_t aligned(size_t size) {
  return (size + PACKET_ALIGNMENT - 1) & ~(size_t)(PACKET_ALIGNMENT - 1);
}

static int64_t time_us(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Bytes that a seal adds to a packet. */
static size_t overhead_of(const struct pf_wire_opening *opening) {
  if (!opening->is_sealed) return 0;
  return opening->seal.prefix_size + (opening->seal.tag_offset < 0 ? PF_TAG_SIZE : 0u);
}

static int is_opening_valid(const struct pf_wire_opening *opening) {
  const uint32_t window = opening->replay_window;
  if (opening->size_max == 0 || opening->size_max > SIZE_MAX_LIMIT ||
      window > PF_WIRE_REPLAY_WINDOW_MAX || (window & (window - 1)) != 0 ||
      (window > 0 && window < 64)) {
    return 0;
  }
  const struct pf_wire_seal *seal = &opening->seal;
  if (!opening->is_sealed) return window == 0;
  /* What is not in the prefix cannot be known here. */
  return pf_seal_is_valid(seal) && seal->prefix_nonce_from <= seal->nonce_counter_offset &&
         seal->nonce_counter_offset + 8 <= seal->prefix_nonce_from + seal->prefix_nonce_length &&
         overhead_of(opening) <= opening->size_max;
}

static void set_option(int descriptor, int level, int name, int value) {
  (void)setsockopt(descriptor, level, name, &value, sizeof value);
}

/* Wishes, all of them: a receiver without them still works. */
static void set_options(int descriptor) {
  set_option(descriptor, SOL_SOCKET, SO_RCVBUF, BUFFER_SIZE);
  set_option(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_SIZE);
  set_option(descriptor, SOL_SOCKET, SO_TIMESTAMPNS, 1);
  set_option(descriptor, SOL_UDP, UDP_GRO, 1);
}

static void read_memory(struct pf_wire_receiver *receiver) {
  uint32_t values[MEMORY_VALUES] = {0};
  socklen_t values_len = sizeof values;
  if (getsockopt(receiver->descriptor, SOL_SOCKET, SO_MEMINFO, values, &values_len) != 0) return;
  receiver->arrivals.buffer_size = values[MEMORY_BUFFER_SIZE];
  receiver->arrivals.overflowed += (uint32_t)(values[MEMORY_DROPS] - receiver->drops_before);
  receiver->drops_before = values[MEMORY_DROPS];
}

static int32_t prepare(struct pf_wire_receiver *receiver) {
  const struct pf_wire_opening *opening = &receiver->opening;
  int family = 0;
  socklen_t family_len = sizeof family;
  if (getsockopt(receiver->descriptor, SOL_SOCKET, SO_DOMAIN, &family, &family_len) != 0 ||
      (family != AF_INET && family != AF_INET6)) {
    return PF_WIRE_ESOCKET;
  }
  receiver->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (receiver->wake < 0) return PF_WIRE_ESOCKET;
  receiver->staging = malloc((size_t)MESSAGES_MAX * MESSAGE_STRIDE);
  if (receiver->staging == NULL || !pf_replay_open(&receiver->replay, opening->replay_window)) {
    return PF_WIRE_ENOMEM;
  }
  for (size_t n = 0; n < MESSAGES_MAX; n++) {
    receiver->parts[n] =
        (struct iovec){receiver->staging + n * MESSAGE_STRIDE, MESSAGE_SIZE_MAX};
    receiver->headers[n].msg_hdr.msg_iov = &receiver->parts[n];
    receiver->headers[n].msg_hdr.msg_iovlen = 1;
    receiver->headers[n].msg_hdr.msg_control = receiver->controls[n];
  }
  if (!opening->is_sealed) return PF_WIRE_OK;
  const int32_t status = pf_seal_open(&receiver->seal);
  if (status != PF_WIRE_OK) return status;
  return pf_seal_set_opening_key(&receiver->seal, opening->seal.cipher, opening->seal.key);
}

int32_t pf_wire_receiver_open(int32_t descriptor, const struct pf_wire_opening *opening,
                              size_t opening_len, struct pf_wire_receiver **receiver) {
  if (receiver == NULL) return PF_WIRE_EINVAL;
  *receiver = NULL;
  if (opening == NULL || opening_len != sizeof *opening || !is_opening_valid(opening)) {
    return PF_WIRE_EINVAL;
  }
  struct pf_wire_receiver *opened = calloc(1, sizeof *opened);
  if (opened == NULL) return PF_WIRE_ENOMEM;
  opened->descriptor = descriptor;
  opened->wake = -1;
  opened->opening = *opening;
  const int32_t status = prepare(opened);
  if (status != PF_WIRE_OK) {
    /* The socket is not this receiver's yet. */
    opened->descriptor = -1;
    pf_wire_receiver_close(opened);
    return status;
  }
  set_options(descriptor);
  read_memory(opened);
  opened->arrivals.overflowed = 0;
  *receiver = opened;
  return PF_WIRE_OK;
}

void pf_wire_receiver_close(struct pf_wire_receiver *receiver) {
  if (receiver == NULL) return;
  if (receiver->descriptor >= 0) {
    set_option(receiver->descriptor, SOL_UDP, UDP_GRO, 0);
    set_option(receiver->descriptor, SOL_SOCKET, SO_TIMESTAMPNS, 0);
  }
  if (receiver->wake >= 0) close(receiver->wake);
  pf_seal_close(&receiver->seal);
  pf_replay_close(&receiver->replay);
  free(receiver->staging);
  OPENSSL_cleanse(&receiver->opening, sizeof receiver->opening);
  free(receiver);
}

/* Decrypt to `out`; 1, or 0 for a datagram that counts as something else. */
static int unseal(struct pf_wire_receiver *receiver, const uint8_t *datagram, size_t size,
                  uint8_t *out, uint64_t *counter) {
  const struct pf_wire_seal *seal = &receiver->opening.seal;
  uint8_t nonce[12];
  memcpy(nonce, seal->nonce_template, sizeof nonce);
  memcpy(nonce + seal->prefix_nonce_from, datagram, seal->prefix_nonce_length);
  *counter = 0;
  for (unsigned at = 0; at < 8; at++) {
    const unsigned shift = (seal->is_counter_big_endian ? 7 - at : at) * 8;
    *counter |= (uint64_t)nonce[seal->nonce_counter_offset + at] << shift;
  }
  if (!pf_replay_is_fresh(&receiver->replay, *counter)) {
    receiver->arrivals.replayed++;
    return 0;
  }
  const uint8_t *tag =
      seal->tag_offset < 0 ? datagram + size - PF_TAG_SIZE : datagram + seal->tag_offset;
  if (!pf_seal_aead_open(&receiver->seal, nonce, datagram, seal->aad_size,
                         datagram + seal->prefix_size, size - overhead_of(&receiver->opening), tag,
                         out)) {
    receiver->arrivals.forged++;
    return 0;
  }
  pf_replay_add(&receiver->replay, *counter);
  return 1;
}

static void take_datagram(struct pf_wire_receiver *receiver, const struct message *from, size_t size,
                          struct output *output) {
  const size_t overhead = overhead_of(&receiver->opening);
  uint8_t *out = output->bytes + output->used;
  uint64_t counter = 0;
  receiver->arrivals.bytes += size;
  if (size < overhead || size > receiver->opening.size_max) {
    receiver->arrivals.misshapen++;
    return;
  }
  if (!receiver->opening.is_sealed) {
    memcpy(out, from->bytes, size);
  } else if (!unseal(receiver, from->bytes, size, out, &counter)) {
    return;
  }
  receiver->arrivals.opened++;
  output->packets[output->packet_count++] =
      (struct pf_wire_packet){.counter = counter,
                              .arrived_at_us = from->arrived_at_us,
                              .offset = (uint32_t)output->used,
                              .size = (uint32_t)(size - overhead)};
  output->used += aligned(size - overhead);
}

/* Hand over what was fetched, as far as it fits; 0 when something is left. */
static int take_messages(struct pf_wire_receiver *receiver, struct output *output) {
  for (; receiver->message_next < receiver->message_count; receiver->message_next++) {
    struct message *message = &receiver->messages[receiver->message_next];
    do {
      if (output->packet_count == output->packets_max ||
          output->size - output->used < aligned(receiver->opening.size_max)) {
        return 0;
      }
      const size_t size =
          message->size < message->segment_size ? message->size : message->segment_size;
      take_datagram(receiver, message, size, output);
      message->bytes += size;
      message->size -= size;
    } while (message->size > 0);
  }
  return 1;
}

/* `now_us`: the monotonic clock and the wall clock, which the system's time stamps follow. */
static struct message describe(struct mmsghdr *header, const int64_t now_us[2]) {
  struct msghdr *from = &header->msg_hdr;
  struct message message = {.bytes = from->msg_iov->iov_base,
                            .size = header->msg_len,
                            .segment_size = header->msg_len,
                            .arrived_at_us = (uint64_t)now_us[0]};
  for (struct cmsghdr *part = CMSG_FIRSTHDR(from); part != NULL; part = CMSG_NXTHDR(from, part)) {
    if (part->cmsg_level == SOL_UDP && part->cmsg_type == UDP_GRO) {
      int size = 0;
      memcpy(&size, CMSG_DATA(part), sizeof size);
      if (size > 0) message.segment_size = (size_t)size;
    } else if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_TIMESTAMPNS) {
      struct timespec stamp;
      memcpy(&stamp, CMSG_DATA(part), sizeof stamp);
      const int64_t age_us =
          now_us[1] - ((int64_t)stamp.tv_sec * 1000000 + stamp.tv_nsec / 1000);
      /* Whoever sets the wall clock must not move packets into the future, or before the start. */
      if (age_us > 0 && age_us < now_us[0]) message.arrived_at_us -= (uint64_t)age_us;
    }
  }
  return message;
}

/* Take messages off the socket without waiting; their number or a status. */
static int32_t fetch(struct pf_wire_receiver *receiver) {
  for (size_t n = 0; n < MESSAGES_MAX; n++) {
    receiver->headers[n].msg_hdr.msg_controllen = CONTROL_SIZE;
  }
  int count;
  do {
    count = recvmmsg(receiver->descriptor, receiver->headers, MESSAGES_MAX, MSG_DONTWAIT, NULL);
    /* A refusal is an ICMP answer to something sent before; reading it has cleared it. */
  } while (count < 0 && errno != EAGAIN && (errno == EINTR || pf_is_refusal(errno)));
  if (count < 0) return errno == EAGAIN ? 0 : PF_WIRE_ESOCKET;
  const int64_t now_us[2] = {time_us(CLOCK_MONOTONIC), time_us(CLOCK_REALTIME)};
  for (int n = 0; n < count; n++) {
    receiver->messages[n] = describe(&receiver->headers[n], now_us);
  }
  receiver->message_count = (uint32_t)count;
  receiver->message_next = 0;
  receiver->arrivals.fetched_at_us = (uint64_t)now_us[0];
  return count;
}

/* 1 when the socket has something, 0 after the time or a wake, or a status. */
static int32_t wait_for(const struct pf_wire_receiver *receiver, int32_t timeout_ms) {
  struct pollfd events[2] = {{receiver->descriptor, POLLIN, 0}, {receiver->wake, POLLIN, 0}};
  const int ready = poll(events, 2, timeout_ms);
  if (ready < 0) return errno == EINTR ? 0 : PF_WIRE_ESOCKET;
  if (ready == 0) return 0;
  if (events[1].revents != 0) {
    uint64_t calls;
    const ssize_t taken = read(receiver->wake, &calls, sizeof calls);
    return taken == sizeof calls || errno == EAGAIN ? 0 : PF_WIRE_ESOCKET;
  }
  return events[0].revents & POLLNVAL ? PF_WIRE_ESOCKET : 1;
}

int32_t pf_wire_receiver_receive(struct pf_wire_receiver *receiver, int32_t timeout_ms,
                                 struct pf_wire_packet *packets, size_t packets_len, uint8_t *out,
                                 size_t out_len, struct pf_wire_arrivals *arrivals,
                                 size_t arrivals_len) {
  if (receiver == NULL || packets == NULL || packets_len < sizeof *packets || out == NULL ||
      out_len < aligned(receiver->opening.size_max) || out_len > UINT32_MAX || arrivals == NULL ||
      arrivals_len != sizeof *arrivals) {
    return PF_WIRE_EINVAL;
  }
  struct output output = {.packets = packets,
                          .packets_max = packets_len / sizeof *packets,
                          .bytes = out,
                          .size = out_len};
  int32_t status = 1;
  /* What the last call had no room for comes first. */
  if (receiver->message_next == receiver->message_count) status = wait_for(receiver, timeout_ms);
  while (status > 0 && take_messages(receiver, &output)) status = fetch(receiver);
  /* A fault does not cost what came before it: the next call meets it again. */
  if (status < 0 && output.packet_count == 0) return status;
  read_memory(receiver);
  *arrivals = receiver->arrivals;
  return (int32_t)output.packet_count;
}

int32_t pf_wire_receiver_wake(struct pf_wire_receiver *receiver) {
  const uint64_t one = 1;
  if (receiver == NULL) return PF_WIRE_EINVAL;
  return write(receiver->wake, &one, sizeof one) == sizeof one || errno == EAGAIN
             ? PF_WIRE_OK
             : PF_WIRE_ESOCKET;
}
