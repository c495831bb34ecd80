/* The "normalizer" of tokenizer.json: text to text.
 *
 * It is flattened into a list of passes over the text when it is opened. Sequence is its parts;
 * what works on characters, such as the five things that BertNormalizer does, shares one pass. */
#ifndef ED_NORMALIZER_H
#define ED_NORMALIZER_H

#include "tokenizer/character_pass.h"
#include "tokenizer/charsmap.h"
#include "tokenizer/pattern.h"

struct json_object;

#define ED_NORMALIZER_PASSES_MAX 32

typedef struct ed_normalizer_scratch {
    ed_code_points points;
    ed_buf text, spare; /* of passes one after the other */
    ed_pattern_scratch pattern;
} ed_normalizer_scratch;

void ed_normalizer_scratch_init(ed_normalizer_scratch *scratch);
void ed_normalizer_scratch_clear(ed_normalizer_scratch *scratch);

/* Only what `run` needs is set. */
typedef struct ed_normalizer_pass {
    /* Appends to `out`. MEMORY, LIMIT. */
    embedd_status (*run)(const struct ed_normalizer_pass *pass, ed_normalizer_scratch *scratch,
                         embedd_text text, ed_buf *out);
    bool keeps_begin; /* a text's first character comes from its first, never from a later one */
    ed_character_pass characters;
    ed_charsmap charsmap;
    ed_pattern pattern;
    char *content; /* [content_bytes] */
    size_t content_bytes;
    bool strip_left, strip_right;
} ed_normalizer_pass;

typedef struct ed_normalizer {
    ed_normalizer_pass *passes; /* [n_passes] */
    size_t n_passes;
} ed_normalizer;

/* `json` NULL or null: the text stays as it is. `lower_case`: Lowercase comes before all else,
 * unless the normalizer is one or a Sequence with one, as sentence-transformers has it. UNSUPPORTED
 * (named), FORMAT, MEMORY. Close after a failure, too. */
embedd_status ed_normalizer_open(ed_normalizer *normalizer, struct json_object *json,
                                 bool lower_case, const char *where, embedd_error *err);
void ed_normalizer_close(ed_normalizer *normalizer); /* a zeroed struct is allowed */

/* *out is `text` itself or memory of the scratch, good until the next call. `text` is valid UTF-8.
 * MEMORY, LIMIT (a pattern took too many steps). */
embedd_status ed_normalizer_run(const ed_normalizer *normalizer, ed_normalizer_scratch *scratch,
                                embedd_text text, embedd_text *out);

/* In normalizer_passes.c. */
embedd_status ed_normalizer_run_characters(const ed_normalizer_pass *pass,
                                           ed_normalizer_scratch *scratch, embedd_text text,
                                           ed_buf *out);
embedd_status ed_normalizer_run_charsmap(const ed_normalizer_pass *pass,
                                         ed_normalizer_scratch *scratch, embedd_text text,
                                         ed_buf *out);
embedd_status ed_normalizer_run_replace(const ed_normalizer_pass *pass,
                                        ed_normalizer_scratch *scratch, embedd_text text,
                                        ed_buf *out);
embedd_status ed_normalizer_run_prepend(const ed_normalizer_pass *pass,
                                        ed_normalizer_scratch *scratch, embedd_text text,
                                        ed_buf *out);
embedd_status ed_normalizer_run_strip(const ed_normalizer_pass *pass,
                                      ed_normalizer_scratch *scratch, embedd_text text,
                                      ed_buf *out);
embedd_status ed_normalizer_run_byte_level(const ed_normalizer_pass *pass,
                                           ed_normalizer_scratch *scratch, embedd_text text,
                                           ed_buf *out);

#endif
