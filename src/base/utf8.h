/* UTF-8, strict: no overlong forms, no surrogates, nothing above U+10FFFF (RFC 3629). */
#ifndef ED_UTF8_H
#define ED_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Offset of the first byte that is not valid UTF-8, or n_bytes if all are. Fast on ASCII. */
size_t ed_utf8_valid_prefix(const char *bytes, size_t n_bytes);

/* Code point at bytes[0..n_bytes) of text known to be valid, n_bytes >= 1; *n_used = 1 .. 4. */
uint32_t ed_utf8_decode(const char *bytes, size_t n_bytes, size_t *n_used);

/* Writes 1 .. 4 bytes, returns how many; code_point must be a scalar value. */
size_t ed_utf8_encode(uint32_t code_point, char out[4]);

/* How many bytes at the end are the start of a character cut short: 0 .. 3. */
size_t ed_utf8_cut_bytes(const char *bytes, size_t n_bytes);

#endif
