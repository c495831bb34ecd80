/* In: a float. Out: the shortest decimal text that reads back to the same float, and of those the
 * nearest. Never prints what JSON lacks (NaN, Infinity), never depends on the locale.
 *
 * The method is Schubfach (R. Giulietti, "The Schubfach way to render doubles", 2020) for float32.
 * All decimals that read back to v lie in the rounding interval round v. With k chosen so that
 * 10^k <= width < 10^(k+1), the interval holds at least one multiple of 10^k and at most one
 * of 10^(k+1): that one is the shortest if it is there, else the multiple of 10^k next to v is. */
#include "server/float_text.h"

#include <stdbool.h>
#include <string.h>

#define POWER_MIN -31
#define POWER_MAX 45

/* powers[e - POWER_MIN] = floor(10^e / 2^(floor(log2(10^e)) - 63)) + 1: the leading 64 bits. */
static const uint64_t powers[POWER_MAX - POWER_MIN + 1] = {
    0x81ceb32c4b43fcf5, 0xa2425ff75e14fc32, 0xcad2f7f5359a3b3f, 0xfd87b5f28300ca0e,
    0x9e74d1b791e07e49, 0xc612062576589ddb, 0xf79687aed3eec552, 0x9abe14cd44753b53,
    0xc16d9a0095928a28, 0xf1c90080baf72cb2, 0x971da05074da7bef, 0xbce5086492111aeb,
    0xec1e4a7db69561a6, 0x9392ee8e921d5d08, 0xb877aa3236a4b44a, 0xe69594bec44de15c,
    0x901d7cf73ab0acda, 0xb424dc35095cd810, 0xe12e13424bb40e14, 0x8cbccc096f5088cc,
    0xafebff0bcb24aaff, 0xdbe6fecebdedd5bf, 0x89705f4136b4a598, 0xabcc77118461cefd,
    0xd6bf94d5e57a42bd, 0x8637bd05af6c69b6, 0xa7c5ac471b478424, 0xd1b71758e219652c,
    0x83126e978d4fdf3c, 0xa3d70a3d70a3d70b, 0xcccccccccccccccd, 0x8000000000000001,
    0xa000000000000001, 0xc800000000000001, 0xfa00000000000001, 0x9c40000000000001,
    0xc350000000000001, 0xf424000000000001, 0x9896800000000001, 0xbebc200000000001,
    0xee6b280000000001, 0x9502f90000000001, 0xba43b74000000001, 0xe8d4a51000000001,
    0x9184e72a00000001, 0xb5e620f480000001, 0xe35fa931a0000001, 0x8e1bc9bf04000001,
    0xb1a2bc2ec5000001, 0xde0b6b3a76400001, 0x8ac7230489e80001, 0xad78ebc5ac620001,
    0xd8d726b7177a8001, 0x878678326eac9001, 0xa968163f0a57b401, 0xd3c21bcecceda101,
    0x84595161401484a1, 0xa56fa5b99019a5c9, 0xcecb8f27f4200f3b, 0x813f3978f8940985,
    0xa18f07d736b90be6, 0xc9f2c9cd04674edf, 0xfc6f7c4045812297, 0x9dc5ada82b70b59e,
    0xc5371912364ce306, 0xf684df56c3e01bc7, 0x9a130b963a6c115d, 0xc097ce7bc90715b4,
    0xf0bdc21abb48db21, 0x96769950b50d88f5, 0xbc143fa4e250eb32, 0xeb194f8e1ae525fe,
    0x92efd1b8d0cf37bf, 0xb7abc627050305ae, 0xe596b7b0c643c71a, 0x8f7e32ce7bea5c70,
    0xb35dbf821ae4f38c,
};

typedef struct decimal {
    uint32_t digits; /* below 10^9 */
    int exponent;    /* value = digits * 10^exponent */
} decimal;

static decimal to_decimal(uint32_t mantissa, int exponent, bool narrow_below);
static uint32_t scale(uint64_t power, uint32_t factor);
static size_t put_digits(decimal value, char *out);
static size_t put_exponent(int exponent, char *out);
static uint64_t eight_digits(uint32_t number);

size_t ed_float_text(float value, char out[ED_FLOAT_TEXT_ROOM])
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t fraction = bits & 0x7fffff;
    int biased = (int)(bits >> 23 & 0xff);
    size_t n_sign = bits >> 31;
    if (biased == 0xff)
        return 0;
    out[0] = '-';
    if (biased == 0 && fraction == 0) {
        memcpy(out + n_sign, "0.0", 3);
        return n_sign + 3;
    }
    decimal shortest =
        biased == 0 ? to_decimal(fraction, -149, false)
                    : to_decimal(fraction | 0x800000, biased - 150, fraction == 0 && biased > 1);
    return n_sign + put_digits(shortest, out + n_sign);
}

/* v = mantissa * 2^exponent. Everything is computed times 4, so that the interval's ends, half a
 * unit away, are whole: 4v - 2 .. 4v + 2, or 4v - 1 where the floats below lie twice as dense. */
static decimal to_decimal(uint32_t mantissa, int exponent, bool narrow_below)
{
    /* k = floor(log10(width)), the width being 2^exponent or three quarters of it. */
    int k = (exponent * 1262611 - (narrow_below ? 524031 : 0)) >> 22;
    int shift = exponent + ((-k * 1741647) >> 19) + 1; /* 1 .. 4; floor(log2(10^-k)) */
    uint64_t power = powers[-k - POWER_MIN];
    uint32_t middle = scale(power, mantissa << 2 << shift);
    uint32_t lower = scale(power, ((mantissa << 2) - (narrow_below ? 1 : 2)) << shift);
    uint32_t upper = scale(power, ((mantissa << 2) + 2) << shift);
    /* An end reads back to v only if v is even: ties go to even. */
    lower += mantissa & 1;
    upper -= mantissa & 1;

    uint32_t below = middle >> 2; /* floor(v / 10^k) */
    if (below >= 10) {
        uint32_t tens = below / 10;
        bool down_fits = lower <= 40 * tens;
        bool up_fits = 40 * tens + 40 <= upper;
        if (down_fits != up_fits)
            return (decimal){tens + up_fits, k + 1};
    }
    bool down_fits = lower <= 4 * below;
    bool up_fits = 4 * below + 4 <= upper;
    if (down_fits != up_fits)
        return (decimal){below + up_fits, k};
    uint32_t half = 4 * below + 2;
    bool up = middle > half || (middle == half && (below & 1));
    return (decimal){below + up, k};
}

/* factor * 10^-k, rounded to odd: the last bit is 1 where anything was cut off, which keeps every
 * comparison with an even number exact. The table's excess shows as at most 1 in the fraction. */
static uint32_t scale(uint64_t power, uint32_t factor)
{
    uint64_t low = (power & 0xffffffff) * factor;
    uint64_t high = (power >> 32) * factor + (low >> 32);
    return (uint32_t)(high >> 32) | ((uint32_t)high > 1);
}

/* 0.0123, 12.3 or 1.23e-9, whichever is shortest; always with a point or an exponent, so that no
 * reader takes it for an integer and drops the sign of zero. */
static size_t put_digits(decimal value, char *out)
{
    uint32_t digits = value.digits;
    int point = value.exponent + 8; /* exponent of the first of nine digits */
    while (digits < 100000000) {
        digits *= 10;
        point--;
    }
    char first = (char)('0' + digits / 100000000);
    uint64_t rest = eight_digits(digits % 100000000);
    size_t n_rest = rest ? 8 - (size_t)__builtin_clzll(rest) / 8 : 0;
    rest += 0x3030303030303030;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    rest = __builtin_bswap64(rest);
#endif
    if (point < 0 && point >= -3) {
        char *at = out + 1 - point;
        memcpy(out, "0.000000", 8);
        at[0] = first;
        memcpy(at + 1, &rest, 8);
        return (size_t)(at - out) + 1 + n_rest;
    }
    if (point >= 0 && point < 9) {
        char number[9 + 8] = {first};
        memcpy(number + 1, &rest, 8);
        size_t n_whole = (size_t)point + 1;
        size_t n_fraction = n_rest > (size_t)point ? n_rest - (size_t)point : 1;
        number[9] = '0';
        memcpy(out, number, 9);
        out[n_whole] = '.';
        memcpy(out + n_whole + 1, number + n_whole, 8);
        return n_whole + 1 + n_fraction;
    }
    out[0] = first;
    out[1] = '.';
    memcpy(out + 2, &rest, 8);
    size_t n_bytes = n_rest ? n_rest + 2 : 1;
    return n_bytes + put_exponent(point, out + n_bytes);
}

static size_t put_exponent(int exponent, char *out)
{
    char *at = out;
    *at++ = 'e';
    if (exponent < 0) {
        *at++ = '-';
        exponent = -exponent;
    }
    if (exponent >= 10)
        *at++ = (char)('0' + exponent / 10);
    *at++ = (char)('0' + exponent % 10);
    return (size_t)(at - out);
}

/* number < 10^8 as eight bytes 0 .. 9, the first digit in the lowest byte. Each step halves the
 * lanes: two of four digits, four of two, eight of one; (x * 10486) >> 20 is x / 100 below 10^4,
 * (x * 103) >> 10 is x / 10 below 100. */
static uint64_t eight_digits(uint32_t number)
{
    uint64_t lanes = number / 10000 | (uint64_t)(number % 10000) << 32;
    uint64_t upper = (lanes * 10486) >> 20 & 0x0000007f0000007f;
    lanes = upper | (lanes - upper * 100) << 16;
    upper = (lanes * 103) >> 10 & 0x000f000f000f000f;
    return upper | (lanes - upper * 10) << 8;
}
