/* How long something is kept: "5m", "1h30m", "0", "-1". */
#ifndef ED_DURATION_H
#define ED_DURATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ED_FOREVER INT64_MAX /* as nanoseconds */

/* Numbers with the units ns, us, ms, s, m, h, as Go writes durations, or one number without unit,
 * which is seconds. A negative one, and one too long to count, is ED_FOREVER. False if it is none
 * of these; *ns is unchanged then. */
bool ed_duration_parse(const char *text, size_t n_bytes, int64_t *ns);

#endif
