/* Texts packed end to end: no padding, so no text's work or sums depend on another's length. */
#ifndef ED_BATCH_H
#define ED_BATCH_H

#include <stddef.h>
#include <stdint.h>

typedef struct ed_batch {
    const int32_t *tokens;     /* [T] */
    const uint32_t *positions; /* [T]: the place of each token in its text */
    const size_t *offsets;     /* [B + 1]; text b is tokens[offsets[b] .. offsets[b + 1]) */
    const size_t *n_first;     /* [B]: tokens before those of type 1; 0 = all are of type 0 */
    size_t n_texts;            /* B */
    size_t n_tokens;           /* T */
} ed_batch;

#endif
