/* In: bytes. Out: a JSON string. Never puts a raw byte above 0x7e or below 0x20 into it. */
#include "server/json_text.h"

#include "base/utf8.h"

#include <string.h>

/* Of an escape that is shorter than \u000a, or 0. */
static char letter_of(char c)
{
    switch (c) {
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    case '"':
    case '\\':
        return c;
    default:
        return '\0';
    }
}

bool ed_json_text_string(ed_buf *buf, const char *bytes, size_t n_bytes)
{
    ed_buf_append(buf, "\"", 1);
    for (size_t at = 0; at < n_bytes;) {
        size_t n_plain = 0;
        while (at + n_plain < n_bytes && bytes[at + n_plain] >= ' ' && bytes[at + n_plain] <= '~' &&
               bytes[at + n_plain] != '"' && bytes[at + n_plain] != '\\')
            n_plain++;
        ed_buf_append(buf, bytes + at, n_plain);
        at += n_plain;
        if (at == n_bytes)
            break;
        size_t n_used = 1, n_whole = n_bytes - at < 4 ? n_bytes - at : 4;
        uint32_t c = 0xfffd;
        char letter = letter_of(bytes[at]);
        if (letter) {
            ed_buf_printf(buf, "\\%c", letter);
            at++;
            continue;
        }
        for (size_t n = 1; n <= n_whole && c == 0xfffd; n++)
            if (ed_utf8_valid_prefix(bytes + at, n) == n)
                c = ed_utf8_decode(bytes + at, n, &n_used);
        if (c >= 0x10000)
            ed_buf_printf(buf, "\\u%04x\\u%04x", (unsigned)(0xd800 + ((c - 0x10000) >> 10)),
                          (unsigned)(0xdc00 + ((c - 0x10000) & 0x3ff)));
        else
            ed_buf_printf(buf, "\\u%04x", (unsigned)c);
        at += n_used;
    }
    return ed_buf_append(buf, "\"", 1);
}

bool ed_json_text_string_or_null(ed_buf *buf, const char *text)
{
    return text ? ed_json_text_string(buf, text, strlen(text)) : ed_buf_append_text(buf, "null");
}
