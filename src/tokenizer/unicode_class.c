/* In: a code point. Out: its small letter, from the ranges of unicode_tables.c. */
#include "tokenizer/unicode_class.h"

uint32_t ed_unicode_lower(uint32_t code_point)
{
    if (!(ed_unicode_flags(code_point) & ED_UNICODE_LOWERS))
        return code_point;

    /* The last range that begins at or before the letter. */
    size_t low = 0, high = ed_unicode_n_lower_ranges;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (ed_unicode_lower_ranges[middle].first <= code_point)
            low = middle;
        else
            high = middle;
    }
    const ed_unicode_lower_range *range = &ed_unicode_lower_ranges[low];
    if (code_point > range->last || (code_point - range->first) % range->step != 0)
        return code_point;
    return (uint32_t)((int32_t)code_point + range->distance);
}
