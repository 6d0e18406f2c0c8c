/* Which counters of a sealed stream have been seen; private to the wire shim. */
#ifndef PF_WIRE_REPLAY_H
#define PF_WIRE_REPLAY_H

#include <stdint.h>

struct pf_replay {
  uint64_t *words; /* one bit for each of the last `size` counters */
  uint64_t size;   /* a power of two from 64 on; 0: everything is fresh */
  uint64_t top;    /* the highest counter */
  int has_top;
};

/* 0 when memory is short. A window that failed to open may be closed. */
int pf_replay_open(struct pf_replay *replay, uint32_t size);
void pf_replay_close(struct pf_replay *replay);
/* Whether `counter` is neither seen nor too old. */
int pf_replay_is_fresh(const struct pf_replay *replay, uint64_t counter);
/* Remember a fresh counter. Only one whose packet was authentic, or anyone could move the window. */
void pf_replay_add(struct pf_replay *replay, uint64_t counter);

#endif
