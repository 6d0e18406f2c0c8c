/*
 * Interleaved samples between one writing and one reading thread, without locks, and the rule by which a reader of a live
 * source decides between data, silence and waiting. "Frame" here is one sample of every channel.
 */
#ifndef PF_PIPEWIRE_RING_H
#define PF_PIPEWIRE_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define PF_RING_FRAMES 32768u /* a power of two, four of the longest periods PipeWire knows */

#define PF_LATENCY_FRAMES_MAX 2880u /* 60 ms */
#define PF_LATENCY_FRAMES_KEPT 480u /* 10 ms */

struct pf_ring {
  float *samples; /* PF_RING_FRAMES × channels */
  uint32_t channels;
  _Atomic uint64_t written; /* frames since the start, by the writer */
  _Atomic uint64_t taken;   /* frames since the start, by the reader */
};

/* False when there is no memory. */
bool pf_ring_open(struct pf_ring *ring, uint32_t channels);
void pf_ring_close(struct pf_ring *ring);

/* Reader: frames that can be taken. */
uint32_t pf_ring_available(struct pf_ring *ring);
/* Writer: append what fits and forget the rest. */
void pf_ring_write(struct pf_ring *ring, const float *samples, uint32_t frames);
/* Reader: copy out and take; at most what is available. */
void pf_ring_read(struct pf_ring *ring, float *out, uint32_t frames);
/* Reader: take without copying; at most what is available. */
void pf_ring_skip(struct pf_ring *ring, uint32_t frames);

/*
 * Reader: how many frames to skip before reading `wanted`, so that what waits does not grow old: none up to 60 ms or two
 * periods of the server, all but 10 ms beyond that.
 */
uint32_t pf_ring_surplus(uint32_t available, uint32_t wanted, uint32_t period);

struct pf_pacer {
  int64_t clock_ns; /* up to when samples were handed out; 0 before the first */
  bool is_live;     /* the last block came from the source */
};

enum pf_pace { PF_PACE_WAIT, PF_PACE_DATA, PF_PACE_SILENCE };

/*
 * What to do at `now_ns` with `available` frames there, `wanted` asked for and `period` frames as the source's last
 * portion. WAIT sets *until_ns. The other two count as done: the pacer goes on.
 *
 * A live source may be late by two periods and 10 ms. After that silence makes up for the time that passed, then follows
 * at the nominal rate until there are samples again. Who asks too late by more than 100 ms finds the clock set anew
 * rather than a burst.
 */
enum pf_pace pf_pace_next(struct pf_pacer *pacer, int64_t now_ns, uint32_t available, uint32_t wanted,
                          uint32_t period, int64_t *until_ns);

#endif
