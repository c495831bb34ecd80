/* In: the parts of a tokenizer. Out: their JSON, appended to a buffer. */
#include "tokenizer/json_writer.h"

#include <string.h>

void ed_json_write_string(ed_buf *buf, embedd_text text)
{
    ed_json_write_prefixed(buf, "", text);
}

void ed_json_write_prefixed(ed_buf *buf, const char *prefix, embedd_text text)
{
    ed_buf_append_text(buf, "\"");
    ed_buf_append_text(buf, prefix);
    size_t begin = 0;
    for (size_t i = 0; i < text.n_bytes; i++) {
        unsigned char byte = (unsigned char)text.bytes[i];
        if (byte >= 0x20 && byte != '"' && byte != '\\')
            continue;
        ed_buf_append(buf, text.bytes + begin, i - begin);
        ed_buf_printf(buf, "\\u%04x", byte);
        begin = i + 1;
    }
    ed_buf_append(buf, text.bytes + begin, text.n_bytes - begin);
    ed_buf_append_text(buf, "\"");
}

/* Whatever the program's locale has between the digits, JSON has a point. */
void ed_json_write_number(ed_buf *buf, double number)
{
    size_t begin = buf->n_bytes;
    ed_buf_printf(buf, "%.17g", number);
    for (size_t i = begin; i < buf->n_bytes; i++)
        if (!strchr("0123456789+-e", buf->data[i]))
            buf->data[i] = '.';
}

void ed_json_write_base64(ed_buf *buf, embedd_text bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    ed_buf_append_text(buf, "\"");
    for (size_t i = 0; i < bytes.n_bytes; i += 3) {
        size_t n = bytes.n_bytes - i < 3 ? bytes.n_bytes - i : 3;
        uint32_t group = 0;
        for (size_t j = 0; j < 3; j++)
            group = group << 8 | (j < n ? (unsigned char)bytes.bytes[i + j] : 0);
        char out[4];
        for (size_t j = 0; j < 4; j++)
            out[j] = j <= n ? digits[group >> (18 - 6 * j) & 63] : '=';
        ed_buf_append(buf, out, 4);
    }
    ed_buf_append_text(buf, "\"");
}

void ed_json_write_added_token(ed_buf *buf, size_t id, embedd_text text, bool special, bool lstrip)
{
    ed_buf_printf(buf,
                  "{\"id\":%zu,\"special\":%s,\"normalized\":false,\"lstrip\":%s,\"content\":", id,
                  special ? "true" : "false", lstrip ? "true" : "false");
    ed_json_write_string(buf, text);
    ed_buf_append_text(buf, "}");
}

void ed_json_write_template(ed_buf *buf, int32_t first, int32_t last)
{
    ed_buf_append_text(buf, "{\"type\":\"TemplateProcessing\",\"single\":[");
    if (first >= 0)
        ed_buf_append_text(buf, "{\"SpecialToken\":{\"id\":\"first\"}},");
    ed_buf_append_text(buf, "{\"Sequence\":{\"id\":\"A\"}}");
    if (last >= 0)
        ed_buf_append_text(buf, ",{\"SpecialToken\":{\"id\":\"last\"}}");
    ed_buf_printf(buf, "],\"special_tokens\":{\"first\":{\"ids\":[%d]},\"last\":{\"ids\":[%d]}}}",
                  (int)first, (int)last);
}
