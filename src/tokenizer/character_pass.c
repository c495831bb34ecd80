/* In: valid UTF-8. Out: the same text after some steps on its characters, as UTF-8. Never recurses.
 *
 * ASCII runs take a table: what the steps make of each ASCII character is asked once, at open. The
 * steps themselves see only the stretches round other characters. A stretch begins at the last
 * ASCII character before, because a mark may combine with it, and ends before a character that
 * combines with nothing. */
#include "tokenizer/character_pass.h"

#include "base/utf8.h"
#include "tokenizer/unicode_class.h"

#include <string.h>

#define STRETCH_BYTES    4096 /* a longer one is cut where it can be: scratch stays small */
#define BYTE_DROPPED     0xFE
#define BYTE_NEEDS_STEPS 0xFF

static bool run_steps(const ed_character_pass *pass, ed_code_points *points, embedd_text text,
                      ed_buf *out);
static size_t stretch_begin(const ed_character_pass *pass, embedd_text text, size_t covered,
                            size_t at, ed_buf *out);
static size_t stretch_end(const ed_character_pass *pass, embedd_text text, size_t at);

bool ed_character_pass_finish(ed_character_pass *pass)
{
    ed_code_points points = {0};
    ed_buf out;
    ed_buf_init(&out, 1024);
    memset(pass->of_byte, BYTE_NEEDS_STEPS, sizeof pass->of_byte);
    bool ok = true;
    for (unsigned char byte = 0; byte < 0x80 && ok; byte++) {
        ed_buf_reset(&out);
        ok = run_steps(pass, &points, (embedd_text){(const char *)&byte, 1}, &out);
        if (ok && out.n_bytes == 0)
            pass->of_byte[byte] = BYTE_DROPPED;
        else if (ok && out.n_bytes == 1)
            pass->of_byte[byte] = (unsigned char)out.data[0];
    }
    ed_buf_clear(&out);
    ed_code_points_clear(&points);
    return ok;
}

bool ed_character_pass_run(const ed_character_pass *pass, ed_code_points *points, embedd_text text,
                           ed_buf *buf)
{
    size_t i = 0, covered = 0; /* covered: end of the last stretch */
    while (i < text.n_bytes) {
        if (!ed_buf_reserve(buf, text.n_bytes - i))
            return false;
        char *to = buf->data + buf->n_bytes;
        for (; i < text.n_bytes; i++) {
            unsigned char byte = pass->of_byte[(unsigned char)text.bytes[i]];
            if (byte == BYTE_NEEDS_STEPS)
                break;
            *to = (char)byte; /* written over by the next if this one is dropped */
            to += byte != BYTE_DROPPED;
        }
        buf->n_bytes = (size_t)(to - buf->data);
        if (i == text.n_bytes)
            break;

        size_t begin = stretch_begin(pass, text, covered, i, buf);
        i = covered = stretch_end(pass, text, i);
        if (!run_steps(pass, points, (embedd_text){text.bytes + begin, i - begin}, buf))
            return false;
    }
    return true;
}

/* The steps on one stretch. */
static bool run_steps(const ed_character_pass *pass, ed_code_points *points, embedd_text text,
                      ed_buf *out)
{
    if (!ed_code_points_decode(points, text))
        return false;
    for (size_t i = 0; i < pass->n_steps; i++)
        if (!pass->steps[i](points))
            return false;
    return ed_code_points_encode(points, out);
}

/* Where the stretch with the character at `at` begins: at the last character before it that stays.
 * Takes back what was written for it. */
static size_t stretch_begin(const ed_character_pass *pass, embedd_text text, size_t covered,
                            size_t at, ed_buf *out)
{
    size_t begin = at;
    while (begin > covered) {
        begin--;
        if (pass->of_byte[(unsigned char)text.bytes[begin]] != BYTE_DROPPED) {
            out->n_bytes--;
            break;
        }
    }
    return begin;
}

static size_t stretch_end(const ed_character_pass *pass, embedd_text text, size_t at)
{
    size_t i = at;
    while (i < text.n_bytes) {
        size_t n_used;
        uint32_t code_point = ed_utf8_decode(text.bytes + i, text.n_bytes - i, &n_used);
        if (code_point < 0x80) {
            if (pass->of_byte[code_point] < 0x80)
                break;
        } else if (i - at >= STRETCH_BYTES) {
            bool combines =
                (code_point >= 0x1160 && code_point <= 0x11FF) || /* Hangul */
                (ed_unicode_flags(code_point) & (ED_UNICODE_CONTROL | ED_UNICODE_MARK_NONSPACING |
                                                 ED_UNICODE_MARK | ED_UNICODE_DECOMPOSES));
            if (!combines)
                break;
        }
        i += n_used;
    }
    return i;
}
