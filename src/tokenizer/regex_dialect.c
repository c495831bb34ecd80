/* In: a regular expression for Oniguruma (Ruby's syntax, UTF-8). Out: one for PCRE2 that matches
 * the same. Few things are let through; they are those that tokenizers use. */
#include "tokenizer/regex_dialect.h"

#include "base/error.h"
#include "tokenizer/unicode_category.h"
#include "tokenizer/unicode_class.h"

#include <stdbool.h>
#include <string.h>

#define REGEX_BYTES_MAX ((size_t)1 << 20)

/* White_Space; \s of PCRE2 also has U+180E. */
#define SPACES                                                                                     \
    "\\x{9}-\\x{d}\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}"    \
    "\\x{205f}\\x{3000}"

static size_t take_escape(const char *at, bool in_class, ed_buf *out);
static size_t take_category(const char *at, bool in_class, ed_buf *out);
static bool write_categories(const char *name, size_t n_bytes, bool others, bool in_class,
                             ed_buf *out);
static bool ends_range(const char *at);
static size_t take_group(const char *at, ed_buf *out);

/* Each piece is copied or said in another way by a function that returns its length, 0 = refused.
 */
embedd_status ed_regex_translate(const char *regex, ed_buf *out, const char *where,
                                 embedd_error *err)
{
    bool in_class = false, class_begins = false;
    ed_buf_init(out, REGEX_BYTES_MAX);
    for (const char *at = regex; *at;) {
        size_t n_used = 1;
        if (*at == '\\')
            n_used = take_escape(at, in_class, out);
        else if (in_class &&
                 (*at == '[' || strncmp(at, "&&", 2) == 0 || (*at == ']' && class_begins)))
            n_used = 0; /* a set inside a set, what two have in common, and an odd end */
        else if (!in_class && *at == '(' && at[1] == '?')
            n_used = take_group(at, out);
        else if (!in_class && strncmp(at, "{,", 2) == 0)
            n_used = 0;
        else
            ed_buf_append(out, at, 1);
        if (n_used == 0)
            return ed_fail(err, EMBEDD_UNSUPPORTED,
                           "%s: the regular expression %.100s is not supported at %.8s", where,
                           regex, at);
        class_begins = !in_class ? *at == '[' : class_begins && *at == '^';
        in_class = in_class ? *at != ']' : *at == '[';
        at += n_used;
    }
    return out->failed
               ? ed_fail(err, EMBEDD_UNSUPPORTED, "%s: a regular expression is too long", where)
               : EMBEDD_OK;
}

static size_t take_escape(const char *at, bool in_class, ed_buf *out)
{
    char c = at[1];
    if (in_class && strchr("sdDpP", c) && ends_range(at))
        return 0;
    if (c == 's' || c == 'S') {
        if (in_class && c == 'S')
            return 0;
        if (!in_class)
            ed_buf_append_text(out, c == 's' ? "[" : "[^");
        ed_buf_append_text(out, SPACES);
        if (!in_class)
            ed_buf_append_text(out, "]");
        return 2;
    }
    if (c == 'd' || c == 'D')
        return write_categories("Nd", 2, c == 'D', in_class, out) ? 2 : 0;
    if (c == 'p' || c == 'P')
        return take_category(at, in_class, out);
    if (c == 'u' && strspn(at + 2, "0123456789abcdefABCDEF") >= 4) {
        ed_buf_printf(out, "\\x{%.4s}", at + 2);
        return 6;
    }
    if (c == 'x' && strspn(at + 2, "0123456789abcdefABCDEF") >= 2 && strncmp(at + 2, "8", 1) < 0) {
        ed_buf_append(out, at, 4);
        return 4;
    }
    if (c == '\0' || (!strchr("rntf", c) &&
                      !(c > ' ' && c < 0x7F && strchr("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", c))))
        return 0;
    ed_buf_append(out, at, 2);
    return 2;
}

/* A set after "a-": no range, and what it is depends on who reads it. `at` is inside of a class. */
static bool ends_range(const char *at)
{
    return at[-1] == '-' && at[-2] != '[' && at[-2] != '\\' && !(at[-2] == '^' && at[-3] == '[');
}

/* \p{L}, \p{Lu}, \P{N} */
static size_t take_category(const char *at, bool in_class, ed_buf *out)
{
    size_t n = at[2] == '{' ? strcspn(at, "}") + 1 : 0;

    if (n < 5 || n > 6 || at[n - 1] != '}')
        return 0;
    return write_categories(at + 3, n - 4, at[1] == 'P', in_class, out) ? n : 0;
}

/* All ranges of the categories that are called so or begin so, or those of all others: PCRE2 knows
 * another Unicode than the reference. Surrogates are in no text and in no range. */
static bool write_categories(const char *name, size_t n_bytes, bool others, bool in_class,
                             ed_buf *out)
{
    static const char names[] = ED_CATEGORY_NAMES;
    uint32_t wanted = 0, surrogates = 0;

    for (uint32_t i = 0; names[2 * i]; i++) {
        wanted |= (uint32_t)(memcmp(names + 2 * i, name, n_bytes) == 0) << i;
        surrogates |= (uint32_t)(memcmp(names + 2 * i, "Cs", 2) == 0) << i;
    }
    if (wanted == 0 || wanted == surrogates)
        return false;
    wanted = (others ? ~wanted : wanted) & ~surrogates;
    if (!in_class)
        ed_buf_append_text(out, "[");
    for (size_t i = 0, next; i < ed_n_category_starts; i = next) {
        uint32_t mask = (1U << ED_CATEGORY_BITS) - 1, first = ed_category_starts[i];
        for (next = i;
             next < ed_n_category_starts && (wanted >> (ed_category_starts[next] & mask) & 1);)
            next++;
        if (next == i) {
            next++;
            continue;
        }
        uint32_t end = next < ed_n_category_starts ? ed_category_starts[next] >> ED_CATEGORY_BITS
                                                   : ED_CODE_POINT_END;
        ed_buf_printf(out, "\\x{%x}-\\x{%x}", (unsigned)(first >> ED_CATEGORY_BITS),
                      (unsigned)(end - 1));
    }
    if (!in_class)
        ed_buf_append_text(out, "]");
    return true;
}

/* Groups and look-arounds; of options only i, which is the same in both. */
static size_t take_group(const char *at, ed_buf *out)
{
    static const char *const known[] = {"(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t n = strlen(known[i]);
        if (strncmp(at, known[i], n) != 0)
            continue;
        ed_buf_append(out, at, n);
        return n;
    }
    return 0;
}
