/* In: any bytes. Out: printable text of a known width: no byte of a text reaches the terminal as a
 * control sequence. */
#include "cli/text_table.h"

#include "base/utf8.h"

#include <string.h>
#include <utf8proc.h>

typedef struct glyph {
    size_t n_bytes;
    size_t columns;
    bool printable;
} glyph;

static glyph read_glyph(const char *text, size_t n_bytes)
{
    size_t n = n_bytes < 4 ? n_bytes : 4;
    size_t n_used;

    if (ed_utf8_valid_prefix(text, n) == 0)
        return (glyph){1, 1, false};
    /* The first character is whole if nothing, or something behind it, is wrong. */
    uint32_t c = ed_utf8_decode(text, n, &n_used);
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);
    if (category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CF ||
        category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP)
        return (glyph){n_used, 1, false};
    return (glyph){n_used, (size_t)utf8proc_charwidth((utf8proc_int32_t)c), true};
}

size_t ed_text_width(const char *text, size_t n_bytes)
{
    size_t columns = 0;

    for (size_t i = 0; i < n_bytes;) {
        glyph g = read_glyph(text + i, n_bytes - i);
        columns += g.columns;
        i += g.n_bytes;
    }
    return columns;
}

void ed_append_cell(ed_buf *out, const char *text, size_t n_bytes, size_t columns)
{
    bool cut = ed_text_width(text, n_bytes) > columns;
    size_t n_dots = !cut ? 0 : columns < 3 ? columns : 3;
    size_t used = 0;

    for (size_t i = 0; i < n_bytes;) {
        glyph g = read_glyph(text + i, n_bytes - i);
        if (used + g.columns + n_dots > columns)
            break;
        if (g.printable)
            ed_buf_append(out, text + i, g.n_bytes);
        else
            ed_buf_append(out, " ", 1);
        used += g.columns;
        i += g.n_bytes;
    }
    ed_buf_append(out, "...", n_dots);
    for (used += n_dots; used < columns; used++)
        ed_buf_append(out, " ", 1);
}
