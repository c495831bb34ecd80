/* In: a word. Out: where it is cut, or what is written in its place. Sources:
 * huggingface/tokenizers, pre_tokenizers/. */
#include "base/utf8.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/unicode_class.h"

#include <string.h>

static unsigned flags_at(embedd_text text, size_t at, size_t *n_used)
{
    return ed_unicode_flags(ed_utf8_decode(text.bytes + at, text.n_bytes - at, n_used));
}

/* One character with one of the flags. */
bool ed_find_flagged(const ed_pre_step *step, embedd_text text, size_t from, size_t *begin,
                     size_t *end)
{
    for (size_t at = from, n_used; at < text.n_bytes; at += n_used) {
        if (flags_at(text, at, &n_used) & step->flags) {
            *begin = at;
            *end = at + n_used;
            return true;
        }
    }
    return false;
}

/* \w+|[^\w\s]+ */
bool ed_find_word_run(const ed_pre_step *step, embedd_text text, size_t from, size_t *begin,
                      size_t *end)
{
    const unsigned kinds = ED_UNICODE_WORD | ED_UNICODE_SPACE;
    size_t at = from, n_used;
    unsigned kind = 0;
    (void)step;
    while (at < text.n_bytes && (kind = flags_at(text, at, &n_used) & kinds) == ED_UNICODE_SPACE)
        at += n_used;
    *begin = at;
    while (at < text.n_bytes && (flags_at(text, at, &n_used) & kinds) == kind)
        at += n_used;
    *end = at;
    return *begin < *end;
}

bool ed_find_mark(const ed_pre_step *step, embedd_text text, size_t from, size_t *begin,
                  size_t *end)
{
    const char *last = text.bytes + text.n_bytes, *at = text.bytes + from;
    while ((size_t)(last - at) >= step->mark_bytes &&
           (at = memchr(at, step->mark[0], (size_t)(last - at) - step->mark_bytes + 1))) {
        if (memcmp(at, step->mark, step->mark_bytes) == 0) {
            *begin = (size_t)(at - text.bytes);
            *end = *begin + step->mark_bytes;
            return true;
        }
        at++;
    }
    return false;
}

bool ed_rewrite_metaspace(const ed_pre_step *step, embedd_text word, bool begins_text, ed_buf *out)
{
    bool marked = word.bytes[0] == ' ' || (word.n_bytes >= step->mark_bytes &&
                                           memcmp(word.bytes, step->mark, step->mark_bytes) == 0);
    if (!marked && (step->prepend || (step->prepend_first && begins_text)))
        ed_buf_append(out, step->mark, step->mark_bytes);
    size_t from = 0;
    while (from < word.n_bytes) {
        const char *space = memchr(word.bytes + from, ' ', word.n_bytes - from);
        size_t end = space ? (size_t)(space - word.bytes) : word.n_bytes;
        ed_buf_append(out, word.bytes + from, end - from);
        if (space)
            ed_buf_append(out, step->mark, step->mark_bytes);
        from = end + 1;
    }
    return !out->failed;
}

bool ed_rewrite_prefix_space(const ed_pre_step *step, embedd_text word, bool begins_text,
                             ed_buf *out)
{
    (void)step;
    (void)begins_text;
    if (word.bytes[0] != ' ')
        ed_buf_append(out, " ", 1);
    return ed_buf_append(out, word.bytes, word.n_bytes);
}

bool ed_rewrite_bytes(const ed_pre_step *step, embedd_text word, bool begins_text, ed_buf *out)
{
    (void)step;
    (void)begins_text;
    return ed_byte_alphabet_append(word, out);
}
