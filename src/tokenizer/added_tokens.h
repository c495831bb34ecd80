/* The "added_tokens" of tokenizer.json: tokens that are found in a text before anything else.
 *
 * There are two sets: tokens with "normalized": false are looked for in the text as it came, the
 * others, themselves normalized, in what the normalizer made of the rest. In each set the leftmost
 * match wins, and of those the longest. */
#ifndef ED_ADDED_TOKENS_H
#define ED_ADDED_TOKENS_H

#include "tokenizer/normalizer.h"
#include "tokenizer/vocabulary.h"

typedef struct ed_added_token {
    char *text; /* [text_bytes], and a NUL */
    size_t text_bytes;
    char *shown; /* what it decodes to, if that is not its text */
    bool shown_normalized;
    int32_t id;
    bool special; /* left out of decoded texts if asked for */
    bool normalized;
    bool single_word;    /* not inside a word */
    bool lstrip, rstrip; /* takes the white space on that side with it */
} ed_added_token;

typedef struct ed_added_set {
    ed_trie trie; /* to the token's index */
    bool begins[256];
    bool empty;
} ed_added_set;

typedef struct ed_added_tokens {
    ed_added_token *tokens; /* [n_tokens] */
    size_t n_tokens;
    ed_added_set raw, normalized;
    ed_trie special;            /* the texts of the special ones */
    ed_vocabulary_token *shown; /* [n_tokens], by rising id: what each decodes to */
} ed_added_tokens;

/* Ids are the vocabulary's where it has the token; the others are numbered from the vocabulary's
 * size on, as the reference does whatever the file's "id" says. `json` may be NULL.
 * FORMAT, UNSUPPORTED, MEMORY. Close after a failure, too. */
embedd_status ed_added_tokens_open(ed_added_tokens *added, struct json_object *json,
                                   const ed_vocabulary *vocabulary, const ed_normalizer *normalizer,
                                   const char *where, embedd_error *err);
void ed_added_tokens_close(ed_added_tokens *added); /* a zeroed struct is allowed */

/* What a token decodes to: normalized, if the file lists it so once. NULL = no such id. */
const char *ed_added_tokens_shown(const ed_added_tokens *added, int32_t id);

/* A part of a text: an added token, or what lies between two. */
typedef struct ed_piece {
    embedd_text text;
    int32_t id; /* of the token, or -1 */
} ed_piece;

typedef struct ed_piece_cursor {
    size_t search_from;
    size_t covered;    /* everything before is in a piece */
    size_t spaces_end; /* of the white space that a token took last */
    ed_piece token;    /* found, and waiting for the text before it to be handed out */
    bool waiting;
} ed_piece_cursor;

/* The next piece of a valid text; false = no more. `cursor` begins zeroed. Pieces are not empty.
 * All of them together take time linear in the text. */
bool ed_added_tokens_next(const ed_added_tokens *added, const ed_added_set *set, embedd_text text,
                          ed_piece_cursor *cursor, ed_piece *piece);

#endif
