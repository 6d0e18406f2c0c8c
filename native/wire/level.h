/* Which arithmetic this processor has; private to the wire shim. */
#ifndef PF_WIRE_LEVEL_H
#define PF_WIRE_LEVEL_H

#include <stdint.h>

int pf_level_is_present(uint32_t level);
uint32_t pf_level_best(void);

#endif
