/* In: bytes. Out: their characters. Source: the encoder of OpenAI's GPT-2. */
#include "tokenizer/byte_alphabet.h"

#include "base/checked.h"

static unsigned code_point_of(unsigned byte)
{
    if (byte <= 0x20)
        return 0x100 + byte;
    if (byte < 0x7F)
        return byte;
    if (byte <= 0xA0)
        return 0x121 + byte - 0x7F;
    return byte == 0xAD ? 0x143 : byte;
}

bool ed_byte_alphabet_append(embedd_text text, ed_buf *out)
{
    size_t n_max;
    if (!ed_mul_size(text.n_bytes, 2, &n_max) || !ed_buf_reserve(out, n_max))
        return false;
    char *to = out->data + out->n_bytes;
    for (size_t i = 0; i < text.n_bytes; i++) {
        unsigned code_point = code_point_of((unsigned char)text.bytes[i]);
        if (code_point < 0x80) {
            *to++ = (char)code_point;
        } else {
            *to++ = (char)(0xC0 | code_point >> 6);
            *to++ = (char)(0x80 | (code_point & 0x3F));
        }
    }
    out->n_bytes = (size_t)(to - out->data);
    return true;
}
