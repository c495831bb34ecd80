/* SHA-256 (FIPS 180-4) and Git's name of a blob, which is a SHA-1: the two checksums of the hub. */
#ifndef ED_SHA_H
#define ED_SHA_H

#include <stddef.h>
#include <stdint.h>

typedef enum ed_sha_kind { ED_SHA_1, ED_SHA_256 } ed_sha_kind;

#define ED_SHA_HEX_MAX 65 /* 64 digits and the NUL */

typedef struct ed_sha {
    ed_sha_kind kind;
    uint32_t state[8];
    uint64_t n_bytes; /* added so far */
    unsigned char block[64];
} ed_sha;

void ed_sha_init(ed_sha *sha, ed_sha_kind kind);
void ed_sha_add(ed_sha *sha, const void *data, size_t n_bytes);
/* Lower-case hexadecimal; the struct is used up. */
void ed_sha_hex(ed_sha *sha, char out[ED_SHA_HEX_MAX]);

#endif
