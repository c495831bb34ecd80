/* What a code point is, as Hugging Face tokenizers sees it.
 *
 * The answers are kept in unicode_tables.c and not asked of utf8proc: that library differs between
 * machines and follows new releases of Unicode, while a text must keep its ids. */
#ifndef ED_UNICODE_CLASS_H
#define ED_UNICODE_CLASS_H

#include <stddef.h>
#include <stdint.h>

enum {
    ED_UNICODE_SPACE = 1 << 0,           /* White_Space */
    ED_UNICODE_CONTROL = 1 << 1,         /* what BertNormalizer's clean_text removes */
    ED_UNICODE_MARK_NONSPACING = 1 << 2, /* what BertNormalizer's strip_accents removes */
    ED_UNICODE_MARK = 1 << 3,            /* what the normalizer StripAccents removes */
    ED_UNICODE_PUNCTUATION = 1 << 4,     /* what BertPreTokenizer cuts out */
    ED_UNICODE_WORD = 1 << 5,            /* \w of regular expressions */
    ED_UNICODE_DECOMPOSES = 1 << 6,      /* has a decomposition or a combining class */
    ED_UNICODE_LOWERS = 1 << 7,          /* is not its own small letter */
    ED_UNICODE_LETTER = 1 << 8,          /* \p{L} of Oniguruma */
    ED_UNICODE_NUMBER = 1 << 9,          /* \p{N} of Oniguruma */
    ED_UNICODE_NUMERIC = 1 << 10         /* what Digits cuts out */
};

#define ED_CODE_POINT_END 0x110000u

extern const uint8_t ed_unicode_block_of[ED_CODE_POINT_END / 128];
extern const uint16_t ed_unicode_blocks[][128];

/* The letters first, first + step, ... last have their small letters `distance` away. */
typedef struct ed_unicode_lower_range {
    uint32_t first, last;
    uint32_t step;
    int32_t distance;
} ed_unicode_lower_range;

extern const ed_unicode_lower_range ed_unicode_lower_ranges[]; /* rising */
extern const size_t ed_unicode_n_lower_ranges;

/* Bits of the list above; code_point < ED_CODE_POINT_END. */
static inline unsigned ed_unicode_flags(uint32_t code_point)
{
    return ed_unicode_blocks[ed_unicode_block_of[code_point / 128]][code_point % 128];
}

/* Small letter of a code point that is not U+0130, the only one whose small form is two. */
uint32_t ed_unicode_lower(uint32_t code_point);

#endif
