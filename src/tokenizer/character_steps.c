/* In: code points. Out: code points, changed by one step. Sources: huggingface/tokenizers,
 * normalizers/bert.rs, strip.rs, unicode.rs. */
#include "tokenizer/character_pass.h"

#include "base/checked.h"
#include "tokenizer/unicode_class.h"

static void remove_flagged(ed_code_points *points, unsigned flags);
static bool is_chinese(uint32_t code_point);

/* BertNormalizer, clean_text: controls go, every space is U+0020. */
bool ed_character_clean(ed_code_points *points)
{
    remove_flagged(points, ED_UNICODE_CONTROL);
    for (size_t i = 0; i < points->n; i++)
        if (ed_unicode_flags(points->at[i]) & ED_UNICODE_SPACE)
            points->at[i] = ' ';
    return true;
}

/* BertNormalizer, handle_chinese_chars: a space on both sides of each. */
bool ed_character_pad_chinese(ed_code_points *points)
{
    size_t n_chinese = 0, n_max, n = 0;
    for (size_t i = 0; i < points->n; i++)
        n_chinese += is_chinese(points->at[i]);
    if (n_chinese == 0)
        return true;
    if (!ed_mul_size(n_chinese, 2, &n_max) || !ed_add_size(n_max, points->n, &n_max) ||
        !ed_code_points_reserve(points, n_max))
        return false;

    for (size_t i = 0; i < points->n; i++) {
        bool padded = is_chinese(points->at[i]);
        if (padded)
            points->spare[n++] = ' ';
        points->spare[n++] = points->at[i];
        if (padded)
            points->spare[n++] = ' ';
    }
    ed_code_points_swap(points, n);
    return true;
}

/* BertNormalizer, strip_accents, after NFD. */
bool ed_character_strip_nonspacing(ed_code_points *points)
{
    remove_flagged(points, ED_UNICODE_MARK_NONSPACING);
    return true;
}

/* StripAccents */
bool ed_character_strip_marks(ed_code_points *points)
{
    remove_flagged(points, ED_UNICODE_MARK);
    return true;
}

bool ed_character_lower(ed_code_points *points)
{
    size_t n_dotted = 0, n_max, n;
    for (size_t i = 0; i < points->n; i++) {
        n_dotted += points->at[i] == 0x130;
        points->at[i] = ed_unicode_lower(points->at[i]);
    }
    if (n_dotted == 0)
        return true;

    /* U+0130 is the one letter whose small form is two: i and U+0307. */
    if (!ed_add_size(points->n, n_dotted, &n_max) || !ed_code_points_reserve(points, n_max))
        return false;
    n = 0;
    for (size_t i = 0; i < points->n; i++) {
        bool dotted = points->at[i] == 0x130;
        points->spare[n++] = dotted ? 'i' : points->at[i];
        if (dotted)
            points->spare[n++] = 0x307;
    }
    ed_code_points_swap(points, n);
    return true;
}

/* Nmt: controls go, odd spaces are U+0020. Source: normalizers/unicode.rs. */
bool ed_character_nmt(ed_code_points *points)
{
    size_t n = 0;
    for (size_t i = 0; i < points->n; i++) {
        uint32_t c = points->at[i];
        bool goes = (c >= 0x01 && c <= 0x08) || c == 0x0B || (c >= 0x0E && c <= 0x1F) ||
                    c == 0x7F || c == 0x8F || c == 0x9F;
        bool space = c == 0x09 || c == 0x0A || c == 0x0C || c == 0x0D || c == 0x1680 ||
                     (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 || c == 0x2581 ||
                     c == 0xFEFF || c == 0xFFFD;
        points->at[n] = space ? ' ' : c;
        n += !goes;
    }
    points->n = n;
    return true;
}

static void remove_flagged(ed_code_points *points, unsigned flags)
{
    size_t n = 0;
    for (size_t i = 0; i < points->n; i++) {
        points->at[n] = points->at[i];
        n += (ed_unicode_flags(points->at[i]) & flags) == 0;
    }
    points->n = n;
}

/* The blocks as the source lists them: U+2B820 .. U+2B91F are left out there, too. */
static bool is_chinese(uint32_t code_point)
{
    static const struct {
        uint32_t first, last;
    } blocks[] = {
        {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFAFF},   {0x20000, 0x2A6DF},
        {0x2A700, 0x2B73F}, {0x2B740, 0x2B81F}, {0x2B920, 0x2CEAF}, {0x2F800, 0x2FA1F},
    };
    if (code_point < blocks[0].first)
        return false;
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        if (code_point >= blocks[i].first && code_point <= blocks[i].last)
            return true;
    return false;
}
