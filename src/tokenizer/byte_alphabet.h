/* The alphabet of byte-level BPE: a printable character for each byte. Printable bytes are their
 * own (as Latin-1), the others are U+0100 and on. */
#ifndef ED_BYTE_ALPHABET_H
#define ED_BYTE_ALPHABET_H

#include "base/memory.h"
#include "embedd.h"

/* Appends the characters of the text's bytes, at most two bytes each. False = out of memory. */
bool ed_byte_alphabet_append(embedd_text text, ed_buf *out);
/* The other way round; false, and nothing is appended: a character is not of the alphabet, or out
 * of memory. `text` is valid UTF-8. */
bool ed_byte_alphabet_append_bytes(embedd_text text, ed_buf *out);

#endif
