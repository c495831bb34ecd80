/* "Did you mean": the word of a list that is nearest to what was typed. */
#ifndef ED_NEAREST_H
#define ED_NEAREST_H

#include <stddef.h>

/* NULL if none is near: more than a third of its letters differ. NULL words are skipped. */
const char *ed_nearest(const char *typed, const char *const *words, size_t n_words);

#endif
