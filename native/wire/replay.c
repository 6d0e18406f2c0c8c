#include "replay.h"

#include <stdlib.h>
#include <string.h>

int pf_replay_open(struct pf_replay *replay, uint32_t size) {
  *replay = (struct pf_replay){.size = size};
  if (size == 0) return 1;
  replay->words = calloc(size / 64, sizeof replay->words[0]);
  return replay->words != NULL;
}

void pf_replay_close(struct pf_replay *replay) {
  free(replay->words);
}

int pf_replay_is_fresh(const struct pf_replay *replay, uint64_t counter) {
  if (replay->size == 0 || !replay->has_top || counter > replay->top) return 1;
  if (replay->top - counter >= replay->size) return 0;
  const uint64_t at = counter & (replay->size - 1);
  return (replay->words[at / 64] >> at % 64 & 1) == 0;
}

void pf_replay_add(struct pf_replay *replay, uint64_t counter) {
  if (replay->size == 0) return;
  if (!replay->has_top || counter > replay->top) {
    const uint64_t ahead = replay->has_top ? counter - replay->top : replay->size;
    if (ahead >= replay->size) memset(replay->words, 0, replay->size / 8);
    for (uint64_t step = 1; ahead < replay->size && step < ahead; step++) {
      const uint64_t at = (replay->top + step) & (replay->size - 1);
      replay->words[at / 64] &= ~(1ull << at % 64);
    }
    replay->top = counter;
    replay->has_top = 1;
  }
  const uint64_t at = counter & (replay->size - 1);
  replay->words[at / 64] |= 1ull << at % 64;
}
