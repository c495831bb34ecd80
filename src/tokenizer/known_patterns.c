/* In: text. Out: where the regular expressions of GPT-2 and of cl100k (GPT-4, Llama 3, Qwen 2)
 * match, found in one walk: of the alternatives the first that matches counts, and something
 * matches at every character. */
#include "tokenizer/known_patterns.h"

#include "base/utf8.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/unicode_class.h"

#include <string.h>

#define LONG_S 0x17Fu /* its capital is S */

typedef enum char_kind { KIND_END, KIND_SPACE, KIND_LETTER, KIND_NUMBER, KIND_OTHER } char_kind;

static size_t run_end(embedd_text text, size_t at, char_kind kind, size_t n_max);
static size_t contraction_end(embedd_text text, size_t at, bool any_case);
static size_t spaces_end(embedd_text text, size_t at, bool line_ends);

bool ed_known_pattern(ed_pre_step *step, const char *regex)
{
    static const struct {
        const char *regex;
        ed_find_match find;
        unsigned digits_max;
    } known[] = {
        {ED_PATTERN_GPT2, ed_find_gpt2, 0},
        {ED_PATTERN_QWEN2, ed_find_cl100k, 1},
        {ED_PATTERN_LLAMA3, ed_find_cl100k, 3},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(regex, known[i].regex) != 0)
            continue;
        step->find = known[i].find;
        step->digits_max = known[i].digits_max;
        return true;
    }
    return false;
}

static inline char_kind kind_at(embedd_text text, size_t at, size_t *n_used)
{
    *n_used = 0;
    if (at >= text.n_bytes)
        return KIND_END;
    unsigned flags = ed_unicode_flags(ed_utf8_decode(text.bytes + at, text.n_bytes - at, n_used));
    return flags & ED_UNICODE_LETTER   ? KIND_LETTER
           : flags & ED_UNICODE_NUMBER ? KIND_NUMBER
           : flags & ED_UNICODE_SPACE  ? KIND_SPACE
                                       : KIND_OTHER;
}

bool ed_find_gpt2(const ed_pre_step *step, embedd_text text, size_t from, size_t *begin,
                  size_t *end)
{
    (void)step;
    if (from >= text.n_bytes)
        return false;
    size_t n_used;
    *begin = from;
    *end = contraction_end(text, from, false);
    if (*end > from)
        return true;
    size_t at = from + (text.bytes[from] == ' ');
    char_kind kind = kind_at(text, at, &n_used);
    *end = kind == KIND_SPACE || kind == KIND_END ? spaces_end(text, from, false)
                                                  : run_end(text, at, kind, SIZE_MAX);
    return true;
}

bool ed_find_cl100k(const ed_pre_step *step, embedd_text text, size_t from, size_t *begin,
                    size_t *end)
{
    if (from >= text.n_bytes)
        return false;
    size_t n_used, after_used;
    *begin = from;
    *end = contraction_end(text, from, true);
    if (*end > from)
        return true;
    char first = text.bytes[from];
    char_kind kind = kind_at(text, from, &n_used);
    char_kind after = kind_at(text, from + n_used, &after_used);
    if (kind == KIND_LETTER)
        *end = run_end(text, from, KIND_LETTER, SIZE_MAX);
    else if (kind == KIND_NUMBER)
        *end = run_end(text, from, KIND_NUMBER, step->digits_max);
    else if (after == KIND_LETTER && first != '\r' && first != '\n')
        *end = run_end(text, from + n_used, KIND_LETTER, SIZE_MAX);
    else if (kind == KIND_SPACE && !(first == ' ' && after == KIND_OTHER))
        *end = spaces_end(text, from, true);
    else {
        *end = run_end(text, from + (first == ' '), KIND_OTHER, SIZE_MAX);
        while (*end < text.n_bytes && (text.bytes[*end] == '\r' || text.bytes[*end] == '\n'))
            (*end)++;
    }
    return true;
}

/* End of the run of characters of one kind, of n_max at most. */
static size_t run_end(embedd_text text, size_t at, char_kind kind, size_t n_max)
{
    size_t n_used;
    for (size_t n = 0; n < n_max && kind_at(text, at, &n_used) == kind; n++)
        at += n_used;
    return at;
}

/* 's 't 're 've 'm 'll 'd; `at` where there is none. */
static size_t contraction_end(embedd_text text, size_t at, bool any_case)
{
    char next[2] = {0, 0};
    if (text.bytes[at] != '\'' || at + 1 >= text.n_bytes)
        return at;
    for (size_t i = 0; i < 2 && at + 1 + i < text.n_bytes; i++) {
        next[i] = text.bytes[at + 1 + i];
        if (any_case && next[i] >= 'A' && next[i] <= 'Z')
            next[i] = (char)(next[i] - 'A' + 'a');
    }
    if (memchr("stmd", next[0], 4))
        return at + 2;
    if ((next[0] == 'r' && next[1] == 'e') || (next[0] == 'v' && next[1] == 'e') ||
        (next[0] == 'l' && next[1] == 'l'))
        return at + 3;
    size_t n_used;
    if (any_case && ed_utf8_decode(text.bytes + at + 1, text.n_bytes - at - 1, &n_used) == LONG_S)
        return at + 1 + n_used;
    return at;
}

/* The end of what matches in a run of spaces: up to its last line end (if that counts); else all of
 * it at the end of the text; else all but the last, which goes with what follows. */
static size_t spaces_end(embedd_text text, size_t at, bool line_ends)
{
    size_t end = at, last = at, line_end = at, n_used;
    while (kind_at(text, end, &n_used) == KIND_SPACE) {
        last = end;
        end += n_used;
        if (text.bytes[last] == '\r' || text.bytes[last] == '\n')
            line_end = end;
    }
    if (line_ends && line_end > at)
        return line_end;
    return end == text.n_bytes || last == at ? end : last;
}
