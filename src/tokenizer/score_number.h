/* The score of a piece, as a tokenizer.json has it. */
#ifndef ED_SCORE_NUMBER_H
#define ED_SCORE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/* The double that Hugging Face `tokenizers` makes of a JSON number: one of eleven is not the
 * nearest one, and where two paths are equally good that decides. False: it is too large. */
bool ed_score_number(const char *digits, size_t n_bytes, double *out);

#endif
