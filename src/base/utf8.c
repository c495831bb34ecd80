/* In: bytes or code points. Out: how many are valid, code points, bytes. Never reads past the end.
 * The table of valid sequences is the Unicode Standard's 3-7 (also RFC 3629, section 4). */
#include "base/utf8.h"

#include <string.h>

static size_t sequence_bytes(const unsigned char *bytes, size_t n_bytes);

size_t ed_utf8_valid_prefix(const char *bytes, size_t n_bytes)
{
    const unsigned char *text = (const unsigned char *)bytes;
    size_t at = 0;
    while (at < n_bytes) {
        while (n_bytes - at >= 8) {
            uint64_t eight;
            memcpy(&eight, text + at, 8);
            if (eight & UINT64_C(0x8080808080808080))
                break;
            at += 8;
        }
        if (at == n_bytes)
            break;
        size_t n_used = sequence_bytes(text + at, n_bytes - at);
        if (n_used == 0)
            break;
        at += n_used;
    }
    return at;
}

/* Size of the valid sequence at the start of bytes[0 .. n_bytes), n_bytes >= 1, or 0. */
static size_t sequence_bytes(const unsigned char *bytes, size_t n_bytes)
{
    unsigned lead = bytes[0];
    if (lead < 0x80)
        return 1;

    /* Only the second byte's range depends on the lead. */
    unsigned low = 0x80, high = 0xBF;
    size_t n_used;
    if (lead >= 0xC2 && lead <= 0xDF) {
        n_used = 2;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
        n_used = 3;
        if (lead == 0xE0)
            low = 0xA0; /* shorter forms exist below U+0800 */
        else if (lead == 0xED)
            high = 0x9F; /* surrogates */
    } else if (lead >= 0xF0 && lead <= 0xF4) {
        n_used = 4;
        if (lead == 0xF0)
            low = 0x90; /* shorter forms exist below U+10000 */
        else if (lead == 0xF4)
            high = 0x8F; /* above U+10FFFF */
    } else {
        return 0;
    }

    if (n_bytes < n_used || bytes[1] < low || bytes[1] > high)
        return 0;
    for (size_t i = 2; i < n_used; i++)
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
    return n_used;
}

size_t ed_utf8_cut_bytes(const char *bytes, size_t n_bytes)
{
    const unsigned char *text = (const unsigned char *)bytes;
    for (size_t n_cut = 1; n_cut <= 3 && n_cut <= n_bytes; n_cut++) {
        unsigned byte = text[n_bytes - n_cut];
        if (byte < 0x80)
            return 0;
        if (byte >= 0xC0) {
            size_t n_wanted = byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
            return n_cut < n_wanted ? n_cut : 0;
        }
    }
    return 0;
}

uint32_t ed_utf8_decode(const char *bytes, size_t n_bytes, size_t *n_used)
{
    const unsigned char *text = (const unsigned char *)bytes;
    uint32_t lead = text[0];
    if (lead < 0x80 || n_bytes < 2) {
        *n_used = 1;
        return lead;
    }
    if (lead < 0xE0) {
        *n_used = 2;
        return (lead & 0x1F) << 6 | (text[1] & 0x3F);
    }
    if (lead < 0xF0 && n_bytes >= 3) {
        *n_used = 3;
        return (lead & 0x0F) << 12 | (uint32_t)(text[1] & 0x3F) << 6 | (text[2] & 0x3F);
    }
    if (n_bytes < 4) {
        *n_used = 1;
        return 0xFFFD;
    }
    *n_used = 4;
    return (lead & 0x07) << 18 | (uint32_t)(text[1] & 0x3F) << 12 |
           (uint32_t)(text[2] & 0x3F) << 6 | (text[3] & 0x3F);
}

size_t ed_utf8_encode(uint32_t code_point, char out[4])
{
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        out[0] = (char)(0xC0 | code_point >> 6);
        out[1] = (char)(0x80 | (code_point & 0x3F));
        return 2;
    }
    if (code_point < 0x10000) {
        out[0] = (char)(0xE0 | code_point >> 12);
        out[1] = (char)(0x80 | (code_point >> 6 & 0x3F));
        out[2] = (char)(0x80 | (code_point & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | code_point >> 18);
    out[1] = (char)(0x80 | (code_point >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code_point >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code_point & 0x3F));
    return 4;
}
