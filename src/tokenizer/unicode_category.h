/* General categories, as Hugging Face tokenizers sees them; kept for the reason that
 * unicode_class.h gives. */
#ifndef ED_UNICODE_CATEGORY_H
#define ED_UNICODE_CATEGORY_H

#include <stddef.h>
#include <stdint.h>

/* Two letters each; a category is known by its place. */
#define ED_CATEGORY_NAMES "LuLlLtLmLoMnMcMeNdNlNoPcPdPsPePiPfPoSmScSkSoZsZlZpCcCfCsCoCn"
#define ED_CATEGORY_BITS  5

/* Rising, from code point 0: (first << ED_CATEGORY_BITS) | category, up to the next one's first. */
extern const uint32_t ed_category_starts[];
extern const size_t ed_n_category_starts;

#endif
