/* In: bytes. Out: their characters. Source: the encoder of OpenAI's GPT-2. */
#include "tokenizer/byte_alphabet.h"

#include "base/checked.h"
#include "base/utf8.h"

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

/* -1: not of the alphabet. */
static int byte_of(uint32_t code_point)
{
    if (code_point > 0x143)
        return -1;
    for (unsigned byte = 0; byte < 256 && code_point >= 0x100; byte++)
        if (code_point_of(byte) == code_point)
            return (int)byte;
    return code_point < 0x100 && code_point_of(code_point) == code_point ? (int)code_point : -1;
}

bool ed_byte_alphabet_append_bytes(embedd_text text, ed_buf *out)
{
    if (!ed_buf_reserve(out, text.n_bytes))
        return false;
    char *to = out->data + out->n_bytes;
    for (size_t at = 0, n_used; at < text.n_bytes; at += n_used) {
        int byte = byte_of(ed_utf8_decode(text.bytes + at, text.n_bytes - at, &n_used));
        if (byte < 0)
            return false;
        *to++ = (char)byte;
    }
    out->n_bytes = (size_t)(to - out->data);
    return true;
}
