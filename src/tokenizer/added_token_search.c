/* In: a text. Out: its pieces, added tokens and what lies between. Follows find_matches of
 * huggingface/tokenizers, tokenizer/added_vocabulary.rs, to the odd cases: a token that takes white
 * space to its right does not keep later matches from beginning in there. */
#include "tokenizer/added_tokens.h"

#include "base/utf8.h"
#include "tokenizer/unicode_class.h"

static const ed_added_token *find(const ed_added_tokens *added, const ed_added_set *set,
                                  embedd_text text, size_t from, size_t *begin, size_t *end);
static bool touches_word(embedd_text text, size_t begin, size_t end);
static size_t spaces_begin(embedd_text text, size_t at, size_t floor);
static size_t spaces_end(embedd_text text, size_t at);
static uint32_t char_before(embedd_text text, size_t at, size_t *begin);

bool ed_added_tokens_next(const ed_added_tokens *added, const ed_added_set *set, embedd_text text,
                          ed_piece_cursor *cursor, ed_piece *piece)
{
    const ed_added_token *token;
    size_t begin, end;
    if (cursor->waiting) {
        cursor->waiting = false;
        *piece = cursor->token;
        return true;
    }
    while ((token = find(added, set, text, cursor->search_from, &begin, &end))) {
        cursor->search_from = end;
        if (token->single_word && touches_word(text, begin, end))
            continue;
        if (token->lstrip)
            begin = spaces_begin(text, begin, cursor->covered);
        if (token->rstrip) {
            if (end >= cursor->spaces_end)
                cursor->spaces_end = spaces_end(text, end);
            end = cursor->spaces_end;
        }
        if (begin >= end)
            continue; /* its white space went to the token before */
        size_t covered = cursor->covered;
        cursor->covered = end;
        *piece = (ed_piece){{text.bytes + begin, end - begin}, token->id};
        if (covered < begin) {
            cursor->waiting = true;
            cursor->token = *piece;
            *piece = (ed_piece){{text.bytes + covered, begin - covered}, -1};
        }
        return true;
    }
    cursor->search_from = text.n_bytes;
    if (cursor->covered >= text.n_bytes)
        return false;
    *piece = (ed_piece){{text.bytes + cursor->covered, text.n_bytes - cursor->covered}, -1};
    cursor->covered = text.n_bytes;
    return true;
}

/* The leftmost token from `from` on, the longest of those that begin there; NULL = none. */
static const ed_added_token *find(const ed_added_tokens *added, const ed_added_set *set,
                                  embedd_text text, size_t from, size_t *begin, size_t *end)
{
    if (set->empty)
        return NULL;
    for (size_t i = from; i < text.n_bytes; i++) {
        if (!set->begins[(unsigned char)text.bytes[i]])
            continue;
        const ed_added_token *longest = NULL;
        uint32_t base = set->trie.root, index;
        for (size_t j = i; j < text.n_bytes; j++) {
            if (!ed_trie_step(&set->trie, &base, (unsigned char)text.bytes[j], &index))
                break;
            if (index != ED_TRIE_NONE) {
                longest = &added->tokens[index];
                *end = j + 1;
            }
        }
        if (longest) {
            *begin = i;
            return longest;
        }
    }
    return NULL;
}

static bool touches_word(embedd_text text, size_t begin, size_t end)
{
    size_t unused;
    return (begin > 0 && (ed_unicode_flags(char_before(text, begin, &unused)) & ED_UNICODE_WORD)) ||
           (end < text.n_bytes &&
            (ed_unicode_flags(ed_utf8_decode(text.bytes + end, text.n_bytes - end, &unused)) &
             ED_UNICODE_WORD));
}

/* Begin of the white space that ends at `at`, not before `floor`. */
static size_t spaces_begin(embedd_text text, size_t at, size_t floor)
{
    size_t begin;
    while (at > floor && (ed_unicode_flags(char_before(text, at, &begin)) & ED_UNICODE_SPACE))
        at = begin;
    return at > floor ? at : floor;
}

static size_t spaces_end(embedd_text text, size_t at)
{
    size_t n_used;
    while (at < text.n_bytes &&
           (ed_unicode_flags(ed_utf8_decode(text.bytes + at, text.n_bytes - at, &n_used)) &
            ED_UNICODE_SPACE))
        at += n_used;
    return at;
}

static uint32_t char_before(embedd_text text, size_t at, size_t *begin)
{
    size_t n_used, i = at - 1;
    while (i > 0 && ((unsigned char)text.bytes[i] & 0xC0) == 0x80)
        i--;
    *begin = i;
    return ed_utf8_decode(text.bytes + i, text.n_bytes - i, &n_used);
}
