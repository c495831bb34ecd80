/* The precompiled_charsmap of SentencePiece: short strings to what they are replaced by. */
#ifndef ED_CHARSMAP_H
#define ED_CHARSMAP_H

#include "base/memory.h"
#include "embedd.h"

typedef struct ed_charsmap {
    unsigned char *bytes;       /* owned: size of the trie, the trie, and what it points into */
    const unsigned char *units; /* [n_units] little-endian words: a double array (Darts) */
    size_t n_units;
    const char *texts; /* [texts_bytes], each ends with a NUL */
    size_t texts_bytes;
    bool is_plain[256]; /* of ASCII: stays as it is, and joins no other of them */
    bool longest;       /* set after open: as SentencePiece and llama.cpp have it, see charsmap.c */
} ed_charsmap;

/* From base64. FORMAT, MEMORY. Close after a failure, too. */
embedd_status ed_charsmap_open(ed_charsmap *map, const char *base64, size_t n_bytes,
                               const char *where, embedd_error *err);
void ed_charsmap_close(ed_charsmap *map); /* a zeroed struct is allowed */

/* Appends the text with all replacements done, in linear time. False = out of memory. */
bool ed_charsmap_run(const ed_charsmap *map, embedd_text text, ed_buf *out);

#endif
