/* In: valid UTF-8, or code points. Out: the other one. Grows, and keeps what it grew. */
#include "tokenizer/code_points.h"

#include "base/checked.h"
#include "base/utf8.h"

static size_t count_chars(embedd_text text);

void ed_code_points_clear(ed_code_points *points)
{
    ed_free(points->at);
    ed_free(points->spare);
    *points = (ed_code_points){0};
}

bool ed_code_points_reserve(ed_code_points *points, size_t n_max)
{
    if (n_max <= points->cap)
        return true;
    size_t cap;
    if (!ed_add_size(n_max, n_max / 2, &cap))
        return false;
    uint32_t *at = ed_realloc(points->at, cap, sizeof *at);
    if (at)
        points->at = at;
    uint32_t *spare = ed_realloc(points->spare, cap, sizeof *spare);
    if (spare)
        points->spare = spare;
    if (!at || !spare)
        return false;
    points->cap = cap;
    return true;
}

void ed_code_points_swap(ed_code_points *points, size_t n)
{
    uint32_t *at = points->at;
    points->at = points->spare;
    points->spare = at;
    points->n = n;
}

bool ed_code_points_decode(ed_code_points *points, embedd_text text)
{
    points->n = 0;
    if (!ed_code_points_reserve(points, count_chars(text)))
        return false;
    for (size_t i = 0; i < text.n_bytes;) {
        size_t n_used;
        points->at[points->n++] = ed_utf8_decode(text.bytes + i, text.n_bytes - i, &n_used);
        i += n_used;
    }
    return true;
}

static size_t count_chars(embedd_text text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n_bytes; i++)
        n += ((unsigned char)text.bytes[i] & 0xC0) != 0x80;
    return n;
}

bool ed_code_points_encode(const ed_code_points *points, ed_buf *out)
{
    size_t n_max;
    if (!ed_mul_size(points->n, 4, &n_max) || !ed_buf_reserve(out, n_max))
        return false;
    for (size_t i = 0; i < points->n; i++)
        out->n_bytes += ed_utf8_encode(points->at[i], out->data + out->n_bytes);
    return true;
}
