/* In: code points. Out: their normalization form. Never recurses, never sorts in more than linear
 * time: runs of combining marks may be as long as the text.
 *
 * Decompositions and combining classes are utf8proc's. They are stable for a character from the
 * release on that has it; ED_UNICODE_DECOMPOSES tells which characters the reference knows. */
#include "tokenizer/unicode_normal.h"

#include "tokenizer/unicode_class.h"

#include <string.h>
#include <utf8proc.h>

#define DECOMPOSITION_MAX 32 /* the longest, of U+FDFA, has 18 */
#define SHORT_RUN         16

static bool decompose(ed_code_points *points, utf8proc_option_t options);
static void order_marks(ed_code_points *points);
static void sort_by_insertion(uint32_t *run, size_t n);
static void sort_by_counting(uint32_t *run, size_t n, uint32_t *spare);
static uint32_t compose_pair(uint32_t first, uint32_t second);

static unsigned combining_class(uint32_t code_point)
{
    if (!(ed_unicode_flags(code_point) & ED_UNICODE_DECOMPOSES))
        return 0;
    return (unsigned char)utf8proc_get_property((utf8proc_int32_t)code_point)->combining_class;
}

/* ---- NFD, NFKD ------------------------------------------------------------------------------- */

bool ed_unicode_decompose(ed_code_points *points)
{
    return decompose(points, UTF8PROC_DECOMPOSE);
}

bool ed_unicode_decompose_compat(ed_code_points *points)
{
    return decompose(points, UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT);
}

static bool decompose(ed_code_points *points, utf8proc_option_t options)
{
    size_t i = 0, n = 0;
    while (i < points->n && !(ed_unicode_flags(points->at[i]) & ED_UNICODE_DECOMPOSES))
        i++;
    if (i == points->n)
        return true;

    for (i = 0; i < points->n; i++) {
        if (!ed_code_points_reserve(points, n + DECOMPOSITION_MAX + (points->n - i)))
            return false;
        uint32_t code_point = points->at[i];
        points->spare[n] = code_point;
        utf8proc_ssize_t n_parts = 1;
        if (ed_unicode_flags(code_point) & ED_UNICODE_DECOMPOSES) {
            int boundary = 0; /* of no use here, but it must be given */
            n_parts = utf8proc_decompose_char((utf8proc_int32_t)code_point,
                                              (utf8proc_int32_t *)points->spare + n,
                                              DECOMPOSITION_MAX, options, &boundary);
        }
        n += n_parts > 0 && n_parts <= DECOMPOSITION_MAX ? (size_t)n_parts : 1;
    }
    ed_code_points_swap(points, n);
    order_marks(points);
    return true;
}

uint32_t ed_unicode_base(uint32_t code_point)
{
    utf8proc_int32_t parts[DECOMPOSITION_MAX];
    int boundary = 0;
    utf8proc_ssize_t n_parts = 0;

    if (ed_unicode_flags(code_point) & ED_UNICODE_DECOMPOSES)
        n_parts = utf8proc_decompose_char((utf8proc_int32_t)code_point, parts, DECOMPOSITION_MAX,
                                          UTF8PROC_DECOMPOSE, &boundary);
    return n_parts > 0 ? (uint32_t)parts[0] : code_point;
}

/* Canonical ordering: marks between two starters are sorted by class, equal ones keep their order.
 */
static void order_marks(ed_code_points *points)
{
    for (size_t i = 0; i < points->n; i++) {
        unsigned class = combining_class(points->at[i]);
        if (class == 0)
            continue;
        size_t begin = i;
        bool sorted = true;
        for (unsigned next; ++i < points->n && (next = combining_class(points->at[i])) != 0;) {
            sorted = sorted && class <= next;
            class = next;
        }
        if (sorted)
            continue;
        if (i - begin <= SHORT_RUN)
            sort_by_insertion(points->at + begin, i - begin);
        else
            sort_by_counting(points->at + begin, i - begin, points->spare);
    }
}

static void sort_by_insertion(uint32_t *run, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        uint32_t mark = run[i];
        size_t j = i;
        for (; j > 0 && combining_class(run[j - 1]) > combining_class(mark); j--)
            run[j] = run[j - 1];
        run[j] = mark;
    }
}

static void sort_by_counting(uint32_t *run, size_t n, uint32_t *spare)
{
    size_t begin_of[257] = {0};
    for (size_t i = 0; i < n; i++)
        begin_of[combining_class(run[i]) + 1]++;
    for (size_t class = 1; class < 257; class ++)
        begin_of[class] += begin_of[class - 1];
    for (size_t i = 0; i < n; i++)
        spare[begin_of[combining_class(run[i])]++] = run[i];
    memcpy(run, spare, n * sizeof *run);
}

/* ---- NFC, NFKC ------------------------------------------------------------------------------- */

/* A mark joins the last starter unless one of its own or a higher class stands between them. */
bool ed_unicode_compose(ed_code_points *points)
{
    enum { NOTHING = -1 };
    uint32_t *starter = NULL;
    int between = NOTHING; /* class of the last mark kept after the starter */
    size_t n = 0;
    for (size_t i = 0; i < points->n; i++) {
        uint32_t code_point = points->at[i];
        int class = (int)combining_class(code_point);
        if (starter && between < class) {
            uint32_t composed = compose_pair(*starter, code_point);
            if (composed != 0) {
                *starter = composed;
                continue;
            }
        }
        points->at[n] = code_point;
        between = class;
        if (class == 0) {
            starter = &points->at[n];
            between = NOTHING;
        }
        n++;
    }
    points->n = n;
    return true;
}

/* The primary composite of two code points, or 0. */
static uint32_t compose_pair(uint32_t first, uint32_t second)
{
    /* Only marks and the vowels and final consonants of Hangul join what is before them. */
    bool joins = (ed_unicode_flags(second) & ED_UNICODE_MARK) ||
                 (second >= 0x1161 && second <= 0x1175) || (second >= 0x11A8 && second <= 0x11C2);
    if (!joins)
        return 0;
    utf8proc_int32_t pair[] = {(utf8proc_int32_t)first, (utf8proc_int32_t)second};
    if (utf8proc_normalize_utf32(pair, 2, UTF8PROC_STABLE | UTF8PROC_COMPOSE) != 1)
        return 0;
    uint32_t composed = (uint32_t)pair[0];
    return ed_unicode_flags(composed) & ED_UNICODE_DECOMPOSES ? composed : 0;
}
