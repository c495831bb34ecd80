/* In: a regular expression for Oniguruma (Ruby's syntax, UTF-8). Out: one for PCRE2 that matches
 * the same. Few things are let through; they are those that tokenizers use. */
#include "tokenizer/regex_dialect.h"

#include "base/error.h"

#include <string.h>

#define REGEX_BYTES_MAX 65536

/* White_Space; \s of PCRE2 also has U+180E. */
#define SPACES                                                                                     \
    "\\x{9}-\\x{d}\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}"    \
    "\\x{205f}\\x{3000}"

static size_t take_escape(const char *at, bool in_class, ed_buf *out);
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
    if (c == 'p' || c == 'P') { /* a general category: \p{L}, \p{Lu}, \P{N} */
        size_t n = at[2] == '{' ? strcspn(at, "}") + 1 : 0;
        if (n < 5 || n > 6 || at[n - 1] != '}' || !strchr("LMNPSZC", at[3]) ||
            strspn(at + 3, "LMNPSZCabcdefghijklmnopqrstuvwxyz") != n - 4)
            return 0;
        ed_buf_append(out, at, n);
        return n;
    }
    if (c == 'u' && strspn(at + 2, "0123456789abcdefABCDEF") >= 4) {
        ed_buf_printf(out, "\\x{%.4s}", at + 2);
        return 6;
    }
    if (c == 'x' && strspn(at + 2, "0123456789abcdefABCDEF") >= 2 && strncmp(at + 2, "8", 1) < 0) {
        ed_buf_append(out, at, 4);
        return 4;
    }
    if (c == '\0' || (!strchr("dDrntf", c) &&
                      !(c > ' ' && c < 0x7F && strchr("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", c))))
        return 0;
    ed_buf_append(out, at, 2);
    return 2;
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
