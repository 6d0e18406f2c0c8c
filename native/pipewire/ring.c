#include "ring.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_SECOND 1000000000
#define RATE_HZ 48000
#define LATE_NS_MIN 10000000
#define BEHIND_NS_MAX 100000000

_Static_assert((PF_RING_FRAMES & (PF_RING_FRAMES - 1)) == 0, "PF_RING_FRAMES is a power of two");

bool pf_ring_open(struct pf_ring *ring, uint32_t channels) {
  ring->samples = calloc((size_t)PF_RING_FRAMES * channels, sizeof(float));
  ring->channels = channels;
  atomic_init(&ring->written, 0);
  atomic_init(&ring->taken, 0);
  return ring->samples != NULL;
}

void pf_ring_close(struct pf_ring *ring) {
  free(ring->samples);
  ring->samples = NULL;
}

uint32_t pf_ring_available(struct pf_ring *ring) {
  uint64_t written = atomic_load_explicit(&ring->written, memory_order_acquire);
  return (uint32_t)(written - atomic_load_explicit(&ring->taken, memory_order_relaxed));
}

void pf_ring_write(struct pf_ring *ring, const float *samples, uint32_t frames) {
  uint64_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
  uint64_t taken = atomic_load_explicit(&ring->taken, memory_order_acquire);
  uint32_t free_frames = PF_RING_FRAMES - (uint32_t)(written - taken);
  if (frames > free_frames) frames = free_frames;
  uint32_t start = (uint32_t)written & (PF_RING_FRAMES - 1);
  uint32_t first = PF_RING_FRAMES - start < frames ? PF_RING_FRAMES - start : frames;
  size_t channels = ring->channels;
  memcpy(ring->samples + start * channels, samples, first * channels * sizeof(float));
  memcpy(ring->samples, samples + first * channels, (frames - first) * channels * sizeof(float));
  atomic_store_explicit(&ring->written, written + frames, memory_order_release);
}

void pf_ring_read(struct pf_ring *ring, float *out, uint32_t frames) {
  uint32_t start = (uint32_t)atomic_load_explicit(&ring->taken, memory_order_relaxed) & (PF_RING_FRAMES - 1);
  uint32_t first = PF_RING_FRAMES - start < frames ? PF_RING_FRAMES - start : frames;
  size_t channels = ring->channels;
  memcpy(out, ring->samples + start * channels, first * channels * sizeof(float));
  memcpy(out + first * channels, ring->samples, (frames - first) * channels * sizeof(float));
  pf_ring_skip(ring, frames);
}

void pf_ring_skip(struct pf_ring *ring, uint32_t frames) {
  uint64_t taken = atomic_load_explicit(&ring->taken, memory_order_relaxed);
  atomic_store_explicit(&ring->taken, taken + frames, memory_order_release);
}

uint32_t pf_ring_surplus(uint32_t available, uint32_t wanted, uint32_t period) {
  uint32_t limit = 2 * period > PF_LATENCY_FRAMES_MAX ? 2 * period : PF_LATENCY_FRAMES_MAX;
  uint32_t kept = PF_LATENCY_FRAMES_KEPT > wanted ? PF_LATENCY_FRAMES_KEPT : wanted;
  return available > limit && available > kept ? available - kept : 0;
}

static int64_t duration_ns(uint64_t frames) { return (int64_t)(frames * NS_PER_SECOND / RATE_HZ); }

enum pf_pace pf_pace_next(struct pf_pacer *pacer, int64_t now_ns, uint32_t available, uint32_t wanted,
                          uint32_t period, int64_t *until_ns) {
  int64_t block_ns = duration_ns(wanted);
  if (available >= wanted) {
    pacer->clock_ns = now_ns;
    pacer->is_live = true;
    return PF_PACE_DATA;
  }
  int64_t late_ns = duration_ns(2 * (uint64_t)period) + LATE_NS_MIN;
  int64_t behind_ns = now_ns - pacer->clock_ns - block_ns;
  if (pacer->clock_ns == 0 || behind_ns > late_ns + BEHIND_NS_MAX) {
    pacer->clock_ns = now_ns - block_ns;
    pacer->is_live = false;
  }
  int64_t due_ns = pacer->clock_ns + block_ns + (pacer->is_live ? late_ns : 0);
  if (now_ns < due_ns) {
    *until_ns = due_ns;
    return PF_PACE_WAIT;
  }
  pacer->clock_ns += block_ns;
  pacer->is_live = false;
  return PF_PACE_SILENCE;
}
