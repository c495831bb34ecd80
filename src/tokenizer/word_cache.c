/* In: words and their ids. Out: the ids, when a word comes again. */
#include "tokenizer/word_cache.h"

#include <string.h>

_Static_assert(sizeof(ed_word_cache_entry) == 64, "an entry is a cache line");
_Static_assert((ED_WORD_CACHE_ENTRIES & (ED_WORD_CACHE_ENTRIES - 1)) == 0, "a power of two");

static uint64_t read_eight(const char *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static uint32_t read_four(const char *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static void make_key(ed_word_key *key, embedd_text word)
{
    const char *bytes = word.bytes, *end = word.bytes + word.n_bytes;
    const unsigned char *few = (const unsigned char *)bytes;
    *key = (ed_word_key){{0}};
    if (word.n_bytes > 16) {
        key->parts[2] = read_eight(bytes + 8);
        key->parts[3] = read_eight(end - 16);
    }
    if (word.n_bytes >= 8) {
        key->parts[0] = read_eight(bytes);
        key->parts[1] = read_eight(end - 8);
    } else if (word.n_bytes >= 4) {
        key->parts[0] = read_four(bytes) | (uint64_t)read_four(end - 4) << 32;
    } else {
        key->parts[0] =
            few[0] | (uint64_t)few[word.n_bytes / 2] << 8 | (uint64_t)few[word.n_bytes - 1] << 16;
    }
}

ed_word_cache_entry *ed_word_cache_place(ed_word_cache_entry *entries, embedd_text word,
                                         ed_word_key *key)
{
    const uint64_t odd = UINT64_C(0x9E3779B97F4A7C15);
    if (word.n_bytes == 0 || word.n_bytes > ED_WORD_CACHE_BYTES_MAX)
        return NULL;
    make_key(key, word);
    uint64_t hash = (key->parts[0] ^ word.n_bytes) * odd;
    hash = (hash ^ hash >> 29 ^ key->parts[1]) * odd;
    hash = (hash ^ hash >> 29 ^ key->parts[2] ^ key->parts[3] << 1) * odd;
    return &entries[hash >> 32 & (ED_WORD_CACHE_ENTRIES - 1)];
}

void ed_word_cache_put(ed_word_cache_entry *entry, embedd_text word, const ed_word_key *key,
                       const int32_t *ids, size_t n_ids)
{
    if (n_ids > ED_WORD_CACHE_IDS_MAX)
        return;
    entry->key = *key;
    entry->n_bytes = (uint16_t)word.n_bytes;
    entry->n_ids = (uint16_t)n_ids;
    memcpy(entry->ids, ids, n_ids * sizeof *ids);
}
