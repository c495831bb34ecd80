/* A quick checksum: it finds damage to a file and tells two files apart, and is no proof against
 * someone who means harm. Its value depends on the machine's byte order. */
#ifndef ED_CHECKSUM_H
#define ED_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* Several pieces are joined by handing one's result to the next as `seed`. */
uint64_t ed_checksum(const void *bytes, size_t n_bytes, uint64_t seed);

#endif
