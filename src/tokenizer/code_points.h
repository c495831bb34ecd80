/* A growing array of code points, with a second one of the same size for steps that cannot work in
 * place. */
#ifndef ED_CODE_POINTS_H
#define ED_CODE_POINTS_H

#include "base/memory.h"
#include "embedd.h"

typedef struct ed_code_points {
    uint32_t *at; /* [n] */
    size_t n;
    uint32_t *spare; /* [cap] */
    size_t cap;
} ed_code_points;

void ed_code_points_clear(ed_code_points *points); /* frees; a zeroed struct is allowed */

/* Room for n_max code points in both arrays; the first one's contents stay. False = out of memory.
 */
bool ed_code_points_reserve(ed_code_points *points, size_t n_max);
/* The n code points written to the spare array become the contents. */
void ed_code_points_swap(ed_code_points *points, size_t n);

/* Replaces the contents by those of valid UTF-8. */
bool ed_code_points_decode(ed_code_points *points, embedd_text text);
/* Appends UTF-8 to `out`. */
bool ed_code_points_encode(const ed_code_points *points, ed_buf *out);

#endif
