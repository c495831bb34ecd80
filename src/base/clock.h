/* Time that never goes back. */
#ifndef ED_CLOCK_H
#define ED_CLOCK_H

#include <stdint.h>

uint64_t ed_clock_ns(void); /* monotonic */

#endif
