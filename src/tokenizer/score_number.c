/* In: a JSON number. Out: a double, computed the way serde_json 1 does without its feature
 * float_roundtrip: up to 64 bits of digits as a whole number, then one product or quotient. */
#include "tokenizer/score_number.h"

#include "base/number.h"

#include <math.h>
#include <stdint.h>

#define EXPONENT_MAX 100000 /* beyond it, nothing changes any more */

static double power_of_ten(int exponent);

bool ed_score_number(const char *digits, size_t n_bytes, double *out)
{
    uint64_t whole = 0;
    int exponent = 0, written = 0;
    size_t i = 0;
    bool negative = n_bytes > 0 && digits[0] == '-', after_point = false, full = false;
    for (i = negative ? 1 : 0; i < n_bytes && digits[i] != 'e' && digits[i] != 'E'; i++) {
        if (digits[i] == '.') {
            after_point = true;
            full = false; /* each part is cut for itself */
            continue;
        }
        uint64_t digit = (uint64_t)(digits[i] - '0'), next;
        full = full || __builtin_mul_overflow(whole, 10u, &next) ||
               __builtin_add_overflow(next, digit, &next);
        if (!full)
            whole = next;
        exponent += after_point ? (full ? 0 : -1) : (full ? 1 : 0);
    }
    if (i < n_bytes) {
        bool below = digits[i + 1] == '-';
        for (i += below || digits[i + 1] == '+' ? 2 : 1; i < n_bytes; i++)
            written = written < EXPONENT_MAX ? written * 10 + (digits[i] - '0') : EXPONENT_MAX;
        exponent += below ? -written : written;
    }

    double number = (double)whole;
    for (; exponent < -308 && number != 0; exponent += 308)
        number /= 1e308;
    if (number != 0 && exponent > 308)
        return false;
    if (number != 0)
        number = exponent < 0 ? number / power_of_ten(-exponent) : number * power_of_ten(exponent);
    *out = negative ? -number : number;
    return isfinite(number);
}

/* The nearest double, 0 <= exponent <= 308. */
static double power_of_ten(int exponent)
{
    double power = 1;
    if (exponent <= 22) { /* exact */
        for (int i = 0; i < exponent; i++)
            power *= 10;
        return power;
    }
    char text[8] = {'1', 'e', (char)('0' + exponent / 100), (char)('0' + exponent / 10 % 10),
                    (char)('0' + exponent % 10)};
    return ed_parse_double(text);
}
