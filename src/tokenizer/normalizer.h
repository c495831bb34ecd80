/* The "normalizer" of tokenizer.json: text to text.
 *
 * It is flattened into a list of steps on code points when it is opened: Sequence is its parts,
 * BertNormalizer is up to five. */
#ifndef ED_NORMALIZER_H
#define ED_NORMALIZER_H

#include "tokenizer/code_points.h"

struct json_object;

#define ED_NORMALIZER_STEPS_MAX 32

/* Works in place or into the spare array; false = out of memory. What it makes of a text is what it
 * makes of the parts, wherever the text is cut before a character that combines with nothing. */
typedef bool (*ed_normalizer_step)(ed_code_points *points);

typedef struct ed_normalizer {
    ed_normalizer_step steps[ED_NORMALIZER_STEPS_MAX];
    size_t n_steps;
    unsigned char of_byte[256]; /* what an ASCII character becomes, see normalizer.c */
} ed_normalizer;

typedef struct ed_normalizer_scratch {
    ed_code_points points;
    ed_buf text;
} ed_normalizer_scratch;

void ed_normalizer_scratch_init(ed_normalizer_scratch *scratch);
void ed_normalizer_scratch_clear(ed_normalizer_scratch *scratch);

/* `json` NULL or null: the text stays as it is. UNSUPPORTED (named), FORMAT. Holds no memory. */
embedd_status ed_normalizer_open(ed_normalizer *normalizer, struct json_object *json,
                                 const char *where, embedd_error *err);

/* *out is `text` itself or memory of the scratch, good until the next call. `text` is valid UTF-8.
 * False = out of memory. */
bool ed_normalizer_run(const ed_normalizer *normalizer, ed_normalizer_scratch *scratch,
                       embedd_text text, embedd_text *out);

/* The steps, in normalizer_steps.c, normalizer_gguf.c and unicode_normal.c. */
bool ed_normalizer_clean(ed_code_points *points);
bool ed_normalizer_pad_chinese(ed_code_points *points);
bool ed_normalizer_strip_nonspacing(ed_code_points *points);
bool ed_normalizer_strip_marks(ed_code_points *points);
bool ed_normalizer_lower(ed_code_points *points);
bool ed_normalizer_keep_bases(ed_code_points *points);
bool ed_normalizer_clean_gguf(ed_code_points *points);
bool ed_normalizer_lower_simple(ed_code_points *points);

#endif
