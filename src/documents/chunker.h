/* A text in chunks that are short enough to be embedded, each cut where it hurts least: before a
 * heading, after a paragraph, a sentence, a line, a word; inside a grapheme cluster only if that
 * alone is longer than a chunk. */
#ifndef ED_CHUNKER_H
#define ED_CHUNKER_H

#include "embedd.h"

#define ED_CHUNK_SIZE    800 /* the defaults */
#define ED_CHUNK_OVERLAP 100
#define ED_CHUNKS_MAX    200

/* Sizes are in characters, that is code points. */
typedef struct ed_chunk_options {
    size_t size;       /* of a chunk, at most; >= 1 */
    size_t overlap;    /* that a chunk repeats of the one before, at most; <= size / 2 */
    size_t chunks_max; /* what follows them is left out */
    bool markdown;
} ed_chunk_options;

typedef struct ed_chunk {
    size_t begin, end; /* bytes of the text */
    size_t first_character, n_characters;
} ed_chunk;

typedef struct ed_chunks {
    ed_chunk *chunks; /* [n_chunks] in order; without overlap they are the text, end to end */
    size_t n_chunks;
    bool cut; /* chunks_max were made and there was more */
} ed_chunks;

/* ED_CHUNK_OVERLAP, or half of a size that is too small for it. */
size_t ed_chunk_overlap_default(size_t size);

/* `text` is valid UTF-8; an empty one has no chunks. Depends on the text and the options only, and
 * takes time and memory in proportion to the chunks. MEMORY, or ARGUMENT for options that cannot
 * be.
 */
embedd_status ed_chunks_make(ed_chunks *out, embedd_text text, const ed_chunk_options *options,
                             embedd_error *err);
void ed_chunks_clear(ed_chunks *chunks); /* a zeroed one is allowed */

#endif
