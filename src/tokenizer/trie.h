/* A map from byte strings to numbers that finds the longest prefix in one walk: a double array.
 *
 * A state is a base; the child by byte c sits at cells[base ^ c] if that cell's byte is c. Bases
 * are unique, so that the byte alone tells whose child a cell is. */
#ifndef ED_TRIE_H
#define ED_TRIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ED_TRIE_NONE      0xFFFFFFu           /* no value here */
#define ED_TRIE_VALUE_MAX (ED_TRIE_NONE - 1u) /* values fit in 24 bits */
#define ED_TRIE_DEAD      0u                  /* the base of a state without children */

typedef struct ed_trie {
    uint64_t *cells; /* [n_cells]: base << 32 | value << 8 | byte */
    size_t n_cells;
    uint32_t root;
} ed_trie;

/* Strings in the making. */
typedef struct ed_trie_builder {
    struct ed_trie_node *nodes; /* [n_nodes], children after their parents */
    size_t n_nodes, nodes_cap;
    uint64_t *slots; /* [slots_cap], a hash table: parent, byte and node; 0 = free */
    size_t slots_cap;
} ed_trie_builder;

void ed_trie_builder_clear(ed_trie_builder *builder); /* frees; a zeroed struct is allowed */

/* Where the value of a string is to be put, NULL if out of memory. A new string has ED_TRIE_NONE
 * there. Good until the next call. */
uint32_t *ed_trie_builder_value(ed_trie_builder *builder, const char *bytes, size_t n_bytes);

/* False = out of memory. The builder may be cleared afterwards. */
bool ed_trie_open(ed_trie *trie, const ed_trie_builder *builder);
void ed_trie_close(ed_trie *trie); /* a zeroed struct is allowed */

/* The state after `byte`, ED_TRIE_DEAD and false where there is none. */
static inline bool ed_trie_step(const ed_trie *trie, uint32_t *base, unsigned char byte,
                                uint32_t *value)
{
    uint64_t cell = trie->cells[*base ^ byte];
    if ((unsigned char)cell != byte) {
        *base = ED_TRIE_DEAD;
        return false;
    }
    *base = (uint32_t)(cell >> 32);
    *value = (uint32_t)cell >> 8;
    return true;
}

/* State after all bytes from `base` on; ED_TRIE_DEAD if nothing goes on from there. */
uint32_t ed_trie_walk(const ed_trie *trie, uint32_t base, const char *bytes, size_t n_bytes);
/* Value of exactly this string (not empty), or ED_TRIE_NONE. */
uint32_t ed_trie_find(const ed_trie *trie, const char *bytes, size_t n_bytes);

#endif
