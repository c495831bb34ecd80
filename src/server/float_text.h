/* Floats as JSON numbers: the shortest text that reads back to the same float32. */
#ifndef ED_FLOAT_TEXT_H
#define ED_FLOAT_TEXT_H

#include <stddef.h>
#include <stdint.h>

#define ED_FLOAT_TEXT_MAX  15 /* bytes of the longest text, such as -1.17549435e-38 */
#define ED_FLOAT_TEXT_ROOM 24 /* bytes that may be written, the text and what is left behind it */

/* Writes `value` to `out`, without NUL; returns the bytes of the text, 0 if it is NaN or infinite.
 * 1 gives "1.0", -0 "-0.0", 1e-9 "1e-9". */
size_t ed_float_text(float value, char out[ED_FLOAT_TEXT_ROOM]);

#endif
