/* Four lanes of multiply and fold, so that the processor works on all four at once: memory is what
 * limits it. Never reads beyond the bytes it is given. */
#include "base/checksum.h"

#include <string.h>

#define N_LANES   ((size_t)4)
#define ODD_FIRST UINT64_C(0x9e3779b97f4a7c15) /* 2^64 / golden ratio */
#define ODD_NEXT  UINT64_C(0xff51afd7ed558ccd)

static uint64_t fold(uint64_t state, uint64_t word)
{
    state = (state ^ word) * ODD_FIRST;
    return state ^ state >> 29;
}

uint64_t ed_checksum(const void *bytes, size_t n_bytes, uint64_t seed)
{
    const unsigned char *at = bytes;
    size_t n_left = n_bytes;
    uint64_t lanes[N_LANES] = {seed, seed + ODD_FIRST, seed + ODD_NEXT, ~seed};
    uint64_t words[N_LANES];

    for (; n_left >= sizeof words; n_left -= sizeof words, at += sizeof words) {
        memcpy(words, at, sizeof words);
        for (size_t i = 0; i < N_LANES; i++)
            lanes[i] = fold(lanes[i], words[i]);
    }
    memset(words, 0, sizeof words);
    if (n_left > 0)
        memcpy(words, at, n_left);
    uint64_t sum = n_bytes * ODD_NEXT;
    for (size_t i = 0; i < N_LANES; i++)
        sum = fold(sum, fold(lanes[i], words[i]));
    sum = (sum ^ sum >> 32) * ODD_NEXT;
    return sum ^ sum >> 31;
}
