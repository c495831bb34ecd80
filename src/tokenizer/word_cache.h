/* The ids of words met lately. Words repeat, and a look-up costs less than merging them again.
 *
 * A table with one place for each hash: a word takes the place of what was there before. */
#ifndef ED_WORD_CACHE_H
#define ED_WORD_CACHE_H

#include "embedd.h"

#define ED_WORD_CACHE_ENTRIES   8192 /* of 64 bytes */
#define ED_WORD_CACHE_BYTES_MAX 32   /* of a word that is kept */
#define ED_WORD_CACHE_IDS_MAX   7    /* likewise */

/* The word's first and last bytes, overlapping: with its size they are the word. */
typedef struct ed_word_key {
    uint64_t parts[4];
} ed_word_key;

typedef struct ed_word_cache_entry {
    ed_word_key key;
    uint16_t n_bytes; /* 0: free */
    uint16_t n_ids;
    int32_t ids[ED_WORD_CACHE_IDS_MAX];
} ed_word_cache_entry;

/* The word's place in entries[ED_WORD_CACHE_ENTRIES], with its key; NULL where it is too long or
 * empty. */
ed_word_cache_entry *ed_word_cache_place(ed_word_cache_entry *entries, embedd_text word,
                                         ed_word_key *key);

static inline bool ed_word_cache_holds(const ed_word_cache_entry *entry, embedd_text word,
                                       const ed_word_key *key)
{
    const uint64_t *x = entry->key.parts, *y = key->parts;
    return entry->n_bytes == word.n_bytes &&
           ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3])) == 0;
}

/* Keeps the word if its ids are few enough. */
void ed_word_cache_put(ed_word_cache_entry *entry, embedd_text word, const ed_word_key *key,
                       const int32_t *ids, size_t n_ids);

#endif
