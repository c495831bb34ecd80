/* In: bytes in pieces. Out: their checksum. Both functions share the block size, the padding and
 * the way of mixing a block into the state. */
#include "hub/sha.h"

#include <string.h>

#define BLOCK_BYTES 64

static const uint32_t sha256_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static void mix_block(ed_sha *sha, const unsigned char *block);

void ed_sha_init(ed_sha *sha, ed_sha_kind kind)
{
    static const uint32_t start[2][8] = {
        [ED_SHA_1] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0},
        [ED_SHA_256] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
                        0x1f83d9ab, 0x5be0cd19}};

    *sha = (ed_sha){.kind = kind};
    memcpy(sha->state, start[kind], sizeof sha->state);
}

void ed_sha_add(ed_sha *sha, const void *data, size_t n_bytes)
{
    const unsigned char *bytes = data;
    size_t used = sha->n_bytes % BLOCK_BYTES;

    sha->n_bytes += n_bytes;
    if (used > 0) {
        size_t n = n_bytes < BLOCK_BYTES - used ? n_bytes : BLOCK_BYTES - used;
        memcpy(sha->block + used, bytes, n);
        bytes += n;
        n_bytes -= n;
        if (used + n < BLOCK_BYTES)
            return;
        mix_block(sha, sha->block);
    }
    for (; n_bytes >= BLOCK_BYTES; bytes += BLOCK_BYTES, n_bytes -= BLOCK_BYTES)
        mix_block(sha, bytes);
    if (n_bytes > 0)
        memcpy(sha->block, bytes, n_bytes);
}

/* A one bit, zeros to 8 bytes before the end of a block, the length in bits. */
void ed_sha_hex(ed_sha *sha, char out[ED_SHA_HEX_MAX])
{
    static const char digits[] = "0123456789abcdef";
    static const unsigned char padding[BLOCK_BYTES] = {0x80};
    uint64_t n_bits = sha->n_bytes * 8;
    size_t used = sha->n_bytes % BLOCK_BYTES;
    size_t n_words = sha->kind == ED_SHA_1 ? 5 : 8;
    unsigned char length[8];

    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)(n_bits >> (56 - 8 * i));
    ed_sha_add(sha, padding, used < 56 ? 56 - used : 120 - used);
    ed_sha_add(sha, length, sizeof length);
    for (size_t i = 0; i < 8 * n_words; i++)
        out[i] = digits[(sha->state[i / 8] >> (28 - 4 * (i % 8))) & 15];
    out[8 * n_words] = '\0';
}

static uint32_t rotate_left(uint32_t x, unsigned n)
{
    return x << n | x >> (32 - n);
}

static uint32_t rotate_right(uint32_t x, unsigned n)
{
    return x >> n | x << (32 - n);
}

static uint32_t read_word(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* FIPS 180-4, 6.1.2; the letters are the standard's. */
static void mix_sha1(uint32_t state[5], const unsigned char *block)
{
    uint32_t w[80];
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];

    for (size_t t = 0; t < 16; t++)
        w[t] = read_word(block + 4 * t);
    for (size_t t = 16; t < 80; t++)
        w[t] = rotate_left(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
    for (size_t t = 0; t < 80; t++) {
        uint32_t f, k;
        if (t < 20) {
            f = (b & c) | (~b & d);
            k = 0x5a827999;
        } else if (t < 40) {
            f = b ^ c ^ d;
            k = 0x6ed9eba1;
        } else if (t < 60) {
            f = (b & c) | (b & d) | (c & d);
            k = 0x8f1bbcdc;
        } else {
            f = b ^ c ^ d;
            k = 0xca62c1d6;
        }
        uint32_t next = rotate_left(a, 5) + f + e + k + w[t];
        e = d;
        d = c;
        c = rotate_left(b, 30);
        b = a;
        a = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

/* FIPS 180-4, 6.2.2; v[0..7] are the standard's a..h. */
static void mix_sha256(uint32_t state[8], const unsigned char *block)
{
    uint32_t w[64], v[8];

    memcpy(v, state, sizeof v);
    for (size_t t = 0; t < 16; t++)
        w[t] = read_word(block + 4 * t);
    for (size_t t = 16; t < 64; t++) {
        uint32_t x = w[t - 15], y = w[t - 2];
        w[t] = w[t - 16] + w[t - 7] + (rotate_right(x, 7) ^ rotate_right(x, 18) ^ x >> 3) +
               (rotate_right(y, 17) ^ rotate_right(y, 19) ^ y >> 10);
    }
    for (size_t t = 0; t < 64; t++) {
        uint32_t a = v[0], e = v[4];
        uint32_t t1 = v[7] + (rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25)) +
                      ((e & v[5]) ^ (~e & v[6])) + sha256_constants[t] + w[t];
        uint32_t t2 = (rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22)) +
                      ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof v[0]);
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (size_t i = 0; i < 8; i++)
        state[i] += v[i];
}

static void mix_block(ed_sha *sha, const unsigned char *block)
{
    if (sha->kind == ED_SHA_1)
        mix_sha1(sha->state, block);
    else
        mix_sha256(sha->state, block);
}
