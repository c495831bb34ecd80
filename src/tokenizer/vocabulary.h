/* The tokens of a model by text and by id. */
#ifndef ED_VOCABULARY_H
#define ED_VOCABULARY_H

#include "embedd.h"
#include "tokenizer/trie.h"

struct json_object;

#define ED_ID_MAX ((int32_t)ED_TRIE_VALUE_MAX)

typedef struct ed_vocabulary_token {
    int32_t id;
    const char *text; /* in `texts`, with a NUL after it */
} ed_vocabulary_token;

typedef struct ed_vocabulary {
    ed_trie trie;                /* text to id */
    ed_vocabulary_token *tokens; /* [n_tokens], by rising id; ids may have holes */
    size_t n_tokens, tokens_cap;
    char *texts;
} ed_vocabulary;

/* From the JSON of an object {"token": id, ...}, known to be well-formed; bytes NULL is refused.
 * FORMAT: an id that is no whole number or above ED_ID_MAX; a token or an id that occurs twice.
 * Allocates in proportion to the text. Close after a failure, too. */
embedd_status ed_vocabulary_open(ed_vocabulary *vocabulary, embedd_text json, const char *where,
                                 embedd_error *err);
/* From the JSON of a list [["token", score], ...]; ids are places. Of a token that occurs twice the
 * last id counts. *scores [n_tokens] is the caller's (ed_free) even after a failure. `exact`: else
 * scores are read as score_number.h has it. */
embedd_status ed_vocabulary_open_scored(ed_vocabulary *vocabulary, double **scores,
                                        embedd_text json, bool exact, const char *where,
                                        embedd_error *err);
void ed_vocabulary_close(ed_vocabulary *vocabulary); /* a zeroed struct is allowed */

/* -1 = no such token. */
int32_t ed_vocabulary_find(const ed_vocabulary *vocabulary, const char *bytes, size_t n_bytes);
/* NULL = no token has this id. */
const char *ed_vocabulary_token_of(const ed_vocabulary *vocabulary, int32_t id);

/* The id of a model's "unk_token", -1 if there is none; FORMAT: it is not in the vocabulary. */
embedd_status ed_vocabulary_read_unknown(const ed_vocabulary *vocabulary, struct json_object *model,
                                         int32_t *out, const char *where, embedd_error *err);

/* The ids of the tokens <0x00> .. <0xFF>, -1 where there is none. */
void ed_vocabulary_find_bytes(const ed_vocabulary *vocabulary, int32_t ids[256]);

/* A number from a file as an id; `what` names it in the error. */
embedd_status ed_read_id(struct json_object *json, int32_t *out, const char *what,
                         const char *where, embedd_error *err);

#endif
