/* In: normalized text. Out: words between white space, each punctuation mark a word of its own.
 * Source: huggingface/tokenizers, pre_tokenizers/bert.rs. */
#include "tokenizer/pre_tokenizer.h"

#include "base/utf8.h"
#include "tokenizer/unicode_class.h"

/* Whether the character at `at` ends a word: ED_UNICODE_SPACE, ED_UNICODE_PUNCTUATION or 0. */
static inline unsigned cut_at(const uint16_t *ascii, embedd_text text, size_t at, size_t *n_used)
{
    unsigned char byte = (unsigned char)text.bytes[at];
    *n_used = 1;
    unsigned flags =
        byte < 0x80 ? ascii[byte]
                    : ed_unicode_flags(ed_utf8_decode(text.bytes + at, text.n_bytes - at, n_used));
    return flags & (ED_UNICODE_SPACE | ED_UNICODE_PUNCTUATION);
}

size_t ed_next_words_bert(embedd_text text, size_t *at, embedd_text *words, size_t n_max)
{
    const uint16_t *ascii = ed_unicode_blocks[ed_unicode_block_of[0]];
    size_t i = *at, n_words = 0, n_used;
    while (i < text.n_bytes && n_words < n_max) {
        unsigned cut = cut_at(ascii, text, i, &n_used);
        size_t begin = i;
        i += n_used;
        if (cut & ED_UNICODE_SPACE)
            continue;
        if (!cut)
            while (i < text.n_bytes && !cut_at(ascii, text, i, &n_used))
                i += n_used;
        words[n_words++] = (embedd_text){text.bytes + begin, i - begin};
    }
    *at = i;
    return n_words;
}
