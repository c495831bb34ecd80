/* Where a user-perceived character ends (UAX 29, extended grapheme clusters), as far as the
 * normalizer Precompiled of Hugging Face tokenizers can tell: pairs of regional indicators, always
 * longer than what it looks at, are not kept together. */
#ifndef ED_GRAPHEME_H
#define ED_GRAPHEME_H

#include "embedd.h"

typedef enum ed_grapheme_class {
    ED_GRAPHEME_OTHER,
    ED_GRAPHEME_BREAKS, /* controls: nothing joins them, but CR and LF each other */
    ED_GRAPHEME_EXTENDS,
    ED_GRAPHEME_EXTENDS_CONJUNCT, /* and may stand inside a conjunct */
    ED_GRAPHEME_LINKER,           /* joins two consonants to a conjunct */
    ED_GRAPHEME_CONSONANT,
    ED_GRAPHEME_PREPENDS,
    ED_GRAPHEME_PICTOGRAPH,
    ED_GRAPHEME_HANGUL_L,
    ED_GRAPHEME_HANGUL_V,
    ED_GRAPHEME_HANGUL_T,
    ED_GRAPHEME_HANGUL_SYLLABLE
} ed_grapheme_class;

extern const uint8_t ed_grapheme_block_of[0x110000 / 128];
extern const uint8_t ed_grapheme_blocks[][128];

/* `text` is valid UTF-8, begin < n_bytes. */
size_t ed_grapheme_end(embedd_text text, size_t begin);

#endif
