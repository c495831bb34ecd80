/* In: what the user typed. Out: checked numbers, or a sentence that names the option. */
#include "cli/number_list.h"

#include "base/checked.h"
#include "base/error.h"
#include "base/number.h"

#include <string.h>

/* Digits at *text, which moves behind them. */
static bool read_digits(const char **text, size_t *out)
{
    const char *begin = *text;

    *out = 0;
    for (; **text >= '0' && **text <= '9'; (*text)++)
        if (!ed_mul_size(*out, 10, out) || !ed_add_size(*out, (size_t)(**text - '0'), out))
            return false;
    return *text > begin;
}

embedd_status ed_read_number_list(const char *text, const char *option, size_t max,
                                  ed_number_list *out, embedd_error *err)
{
    const char *at = text;

    out->n_numbers = 0;
    for (;;) {
        size_t number;
        bool good = read_digits(&at, &number) && number >= 1 && number <= max &&
                    out->n_numbers < ED_NUMBERS_MAX && (*at == ',' || *at == '\0');
        if (!good)
            return ed_fail(err, EMBEDD_ARGUMENT,
                           "%s: at most %d numbers from 1 to %zu with commas between them, not "
                           "'%s'",
                           option, ED_NUMBERS_MAX, max, text);
        out->numbers[out->n_numbers++] = number;
        if (*at++ == '\0')
            return EMBEDD_OK;
    }
}

embedd_status ed_read_decimal(const char *text, const char *option, double max, double *out,
                              embedd_error *err)
{
    size_t n = strlen(text);
    bool good = n > 0 && strspn(text, "0123456789.") == n;

    *out = good ? ed_parse_double(text) : 0;
    if (!(*out > 0 && *out <= max))
        return ed_fail(err, EMBEDD_ARGUMENT, "%s: a number above 0, at most %g, not '%s'", option,
                       max, text);
    return EMBEDD_OK;
}
