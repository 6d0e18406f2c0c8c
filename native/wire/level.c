#include "level.h"

#include "wire.h"

int pf_level_is_present(uint32_t level) {
  if (level == PF_WIRE_LEVEL_SCALAR) return 1;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const int has_avx2 = __builtin_cpu_supports("avx2") != 0;
  const int has_avx512 =
      __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0;
  const int has_gfni = __builtin_cpu_supports("gfni") != 0;
  switch (level) {
    case PF_WIRE_LEVEL_SSSE3:
      return __builtin_cpu_supports("ssse3") != 0;
    case PF_WIRE_LEVEL_AVX2:
      return has_avx2;
    case PF_WIRE_LEVEL_AVX512:
      return has_avx2 && has_avx512;
    case PF_WIRE_LEVEL_GFNI_AVX2:
      return has_gfni && has_avx2;
    case PF_WIRE_LEVEL_GFNI_AVX512:
      return has_gfni && has_avx2 && has_avx512;
    default:
      return 0;
  }
#elif defined(__aarch64__)
  return level == PF_WIRE_LEVEL_NEON;
#else
  return 0;
#endif
}

uint32_t pf_level_best(void) {
  uint32_t best = PF_WIRE_LEVEL_SCALAR;
  for (uint32_t level = 0; level < PF_WIRE_LEVEL_COUNT; level++) {
    if (pf_level_is_present(level)) best = level;
  }
  return best;
}
