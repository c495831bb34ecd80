/* Which pairs of tokens merge to which third one, and in which order they do. */
#ifndef ED_PAIR_MERGES_H
#define ED_PAIR_MERGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ED_RANK_NONE UINT32_MAX

typedef struct ed_pair_merge {
    uint32_t left, right;
    uint32_t rank; /* lower ones are merged first; ED_RANK_NONE: this slot is free */
    int32_t merged;
} ed_pair_merge;

typedef struct ed_pair_merges {
    ed_pair_merge *slots; /* [n_slots], a hash table; n_slots is a power of two */
    size_t n_slots, n_pairs;
} ed_pair_merges;

void ed_pair_merges_close(ed_pair_merges *merges); /* a zeroed struct is allowed */
/* Of a pair that occurs twice the last one counts. False = out of memory. */
bool ed_pair_merges_add(ed_pair_merges *merges, ed_pair_merge merge);

/* A token of a word in the making. */
typedef struct ed_word_symbol {
    int32_t id; /* -1: merged into the one before */
    uint32_t previous, next;
    uint32_t rank; /* of the merge with the next one, or ED_RANK_NONE */
    int32_t merged;
} ed_word_symbol;

/* Merges the symbols, whose ids alone are set, until no pair merges; those that are left have an id
 * >= 0. heap: [2 * n_symbols], any contents. n log n. */
void ed_pair_merges_run(const ed_pair_merges *merges, ed_word_symbol *symbols, uint64_t *heap,
                        size_t n_symbols);

#endif
