/* In: a text and where a grapheme begins. Out: where it ends. Linear in its length. */
#include "tokenizer/grapheme.h"

#include "base/utf8.h"

#define ZERO_WIDTH_JOINER 0x200Du
#define HANGUL_FIRST      0xAC00u
#define HANGUL_FINALS     28 /* of them, one is "none": those syllables may take one */

/* What came before, as far as it decides what follows. */
typedef struct grapheme_state {
    uint32_t code_point;
    ed_grapheme_class class;
    bool consonant, linked;  /* a consonant, and a linker after it */
    bool pictograph, joined; /* a pictograph, and a joiner after it */
} grapheme_state;

static ed_grapheme_class class_of(uint32_t code_point)
{
    return (ed_grapheme_class)
        ed_grapheme_blocks[ed_grapheme_block_of[code_point / 128]][code_point % 128];
}

static bool goes_on(const grapheme_state *before, uint32_t code_point, ed_grapheme_class class);
static bool hangul_goes_on(const grapheme_state *before, ed_grapheme_class class);
static void advance(grapheme_state *state, uint32_t code_point, ed_grapheme_class class);

size_t ed_grapheme_end(embedd_text text, size_t begin)
{
    grapheme_state state = {0};
    size_t at = begin, n_used;
    while (at < text.n_bytes) {
        uint32_t code_point = ed_utf8_decode(text.bytes + at, text.n_bytes - at, &n_used);
        ed_grapheme_class class = class_of(code_point);
        if (at > begin && !goes_on(&state, code_point, class))
            break;
        advance(&state, code_point, class);
        at += n_used;
    }
    return at;
}

static bool goes_on(const grapheme_state *before, uint32_t code_point, ed_grapheme_class class)
{
    if (before->class == ED_GRAPHEME_BREAKS || class == ED_GRAPHEME_BREAKS)
        return before->code_point == '\r' && code_point == '\n';
    if (before->class == ED_GRAPHEME_PREPENDS)
        return true;
    switch (class) {
    case ED_GRAPHEME_EXTENDS:
    case ED_GRAPHEME_EXTENDS_CONJUNCT:
    case ED_GRAPHEME_LINKER:
        return true;
    case ED_GRAPHEME_CONSONANT:
        return before->linked;
    case ED_GRAPHEME_PICTOGRAPH:
        return before->joined;
    case ED_GRAPHEME_HANGUL_L:
    case ED_GRAPHEME_HANGUL_V:
    case ED_GRAPHEME_HANGUL_T:
    case ED_GRAPHEME_HANGUL_SYLLABLE:
        return hangul_goes_on(before, class);
    case ED_GRAPHEME_OTHER:
    case ED_GRAPHEME_BREAKS:
    case ED_GRAPHEME_PREPENDS:
        break;
    }
    return false;
}

static bool hangul_goes_on(const grapheme_state *before, ed_grapheme_class class)
{
    bool syllable = before->class == ED_GRAPHEME_HANGUL_SYLLABLE;
    bool open = syllable && (before->code_point - HANGUL_FIRST) % HANGUL_FINALS == 0;
    if (before->class == ED_GRAPHEME_HANGUL_L)
        return class != ED_GRAPHEME_HANGUL_T;
    if (before->class == ED_GRAPHEME_HANGUL_V || open)
        return class == ED_GRAPHEME_HANGUL_V || class == ED_GRAPHEME_HANGUL_T;
    return (before->class == ED_GRAPHEME_HANGUL_T || syllable) && class == ED_GRAPHEME_HANGUL_T;
}

static void advance(grapheme_state *state, uint32_t code_point, ed_grapheme_class class)
{
    bool joiner = code_point == ZERO_WIDTH_JOINER;
    bool extends = class == ED_GRAPHEME_EXTENDS_CONJUNCT || class == ED_GRAPHEME_LINKER;
    state->linked = state->consonant && (class == ED_GRAPHEME_LINKER || (extends && state->linked));
    state->consonant = class == ED_GRAPHEME_CONSONANT || (extends && state->consonant);
    state->joined = joiner && state->pictograph;
    state->pictograph =
        class == ED_GRAPHEME_PICTOGRAPH || (extends && !joiner && state->pictograph);
    state->code_point = code_point;
    state->class = class;
}
