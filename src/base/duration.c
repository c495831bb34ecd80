/* In: a text. Out: nanoseconds. Never reads beyond the text, which may have no NUL. */
#include "base/duration.h"

#include <string.h>

#define NS_PER_S 1e9

typedef struct cursor {
    const char *at, *end;
} cursor;

static bool read_number(cursor *c, double *out);
static bool read_unit(cursor *c, double *ns_per_unit);

bool ed_duration_parse(const char *text, size_t n_bytes, int64_t *ns)
{
    cursor c = {text, text + n_bytes};
    double total = 0, number, unit;
    bool negative = c.at < c.end && *c.at == '-';
    if (c.at < c.end && (*c.at == '-' || *c.at == '+'))
        c.at++;
    if (!read_number(&c, &number))
        return false;
    if (c.at == c.end) {
        total = number * NS_PER_S;
    } else {
        for (;;) {
            if (!read_unit(&c, &unit))
                return false;
            total += number * unit;
            if (c.at == c.end)
                break;
            if (!read_number(&c, &number))
                return false;
        }
    }
    *ns = (negative && total > 0) || total >= (double)ED_FOREVER ? ED_FOREVER : (int64_t)total;
    return true;
}

/* Digits with at most one point among them. */
static bool read_number(cursor *c, double *out)
{
    double value = 0, place = 1;
    size_t n_digits = 0;
    bool fraction = false;
    for (; c->at < c->end; c->at++) {
        if (*c->at == '.' && !fraction) {
            fraction = true;
            continue;
        }
        if (*c->at < '0' || *c->at > '9')
            break;
        n_digits++;
        value = value * 10 + (*c->at - '0');
        place *= fraction ? 10 : 1;
    }
    *out = value / place;
    return n_digits > 0 && n_digits < 30;
}

static bool read_unit(cursor *c, double *ns_per_unit)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"ns", 1},       {"us", 1e3},          {"ms", 1e6},
                 {"s", NS_PER_S}, {"m", 60 * NS_PER_S}, {"h", 3600 * NS_PER_S}};
    size_t n = 0;
    while (c->at + n < c->end && c->at[n] >= 'a' && c->at[n] <= 'z')
        n++;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strlen(units[i].name) != n || memcmp(units[i].name, c->at, n) != 0)
            continue;
        *ns_per_unit = units[i].ns;
        c->at += n;
        return true;
    }
    return false;
}
