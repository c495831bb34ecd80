/* Steps of a normalizer that work on single characters, or on a base and its marks. */
#ifndef ED_CHARACTER_PASS_H
#define ED_CHARACTER_PASS_H

#include "tokenizer/code_points.h"

#define ED_CHARACTER_STEPS_MAX 32

/* Works in place or into the spare array; false = out of memory. What it makes of a text is what it
 * makes of the parts, wherever the text is cut before a character that combines with nothing. */
typedef bool (*ed_character_step)(ed_code_points *points);

typedef struct ed_character_pass {
    ed_character_step steps[ED_CHARACTER_STEPS_MAX];
    size_t n_steps;
    unsigned char of_byte[256]; /* what an ASCII character becomes, see character_pass.c */
} ed_character_pass;

/* After the last step was put into the list. False = out of memory. */
bool ed_character_pass_finish(ed_character_pass *pass);

/* Appends to `out`; `text` is valid UTF-8. False = out of memory. */
bool ed_character_pass_run(const ed_character_pass *pass, ed_code_points *points, embedd_text text,
                           ed_buf *out);

/* The steps, in character_steps.c, character_steps_gguf.c and unicode_normal.c. */
bool ed_character_clean(ed_code_points *points);
bool ed_character_pad_chinese(ed_code_points *points);
bool ed_character_strip_nonspacing(ed_code_points *points);
bool ed_character_strip_marks(ed_code_points *points);
bool ed_character_lower(ed_code_points *points);
bool ed_character_nmt(ed_code_points *points);
bool ed_character_keep_bases(ed_code_points *points);
bool ed_character_clean_gguf(ed_code_points *points);
bool ed_character_lower_simple(ed_code_points *points);

#endif
