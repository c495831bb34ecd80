/* Unicode normalization forms (UAX 15) as Hugging Face tokenizers computes them: its tables are
 * those of Unicode 9, so later characters neither decompose nor reorder. Linear. */
#ifndef ED_UNICODE_NORMAL_H
#define ED_UNICODE_NORMAL_H

#include "tokenizer/code_points.h"

/* NFD, NFKD: false = out of memory. */
bool ed_unicode_decompose(ed_code_points *points);
bool ed_unicode_decompose_compat(ed_code_points *points);

/* The first part of a code point's NFD. */
uint32_t ed_unicode_base(uint32_t code_point);

/* Turns NFD into NFC, and NFKD into NFKC. */
bool ed_unicode_compose(ed_code_points *points);

#endif
