/* In: a charsmap; then texts. Out: the texts with its replacements. A grapheme shorter than 6 bytes
 * is replaced as a whole where the map has one of its beginnings, the shortest; else each of its
 * characters is. Source: huggingface/tokenizers, normalizers/precompiled.rs, and spm_precompiled.
 * SentencePiece itself replaces the longest beginning of what is left, again and again, and so does
 * llama.cpp (src/llama-vocab.cpp, llm_tokenizer_ugm_session): that is `longest`.
 * The map is a stranger's: a place outside of it means "not there". */
#include "tokenizer/charsmap.h"

#include "base/error.h"
#include "base/utf8.h"
#include "tokenizer/grapheme.h"

#include <string.h>

#define WHOLE_BYTES_MAX 5  /* of a grapheme that is looked up as a whole */
#define KEY_BYTES_MAX   64 /* of a beginning; in nmt_nfkc 20 */

static bool decode_base64(unsigned char *out, size_t *n_out, const char *text, size_t n_bytes);
static embedd_text find(const ed_charsmap *map, embedd_text text);
static embedd_text find_longest(const ed_charsmap *map, embedd_text text, size_t *n_used);
static embedd_text text_at(const ed_charsmap *map, size_t begin);
static size_t plain_bytes(const ed_charsmap *map, embedd_text text, size_t at);
static bool append_one(const ed_charsmap *map, embedd_text text, ed_buf *out);
static bool run_longest(const ed_charsmap *map, embedd_text text, ed_buf *out);

embedd_status ed_charsmap_open(ed_charsmap *map, const char *base64, size_t n_bytes,
                               const char *where, embedd_error *err)
{
    *map = (ed_charsmap){0};
    size_t n_decoded = 0;
    map->bytes = ed_calloc(n_bytes / 4 + 1, 3);
    if (!map->bytes)
        return ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
    if (!decode_base64(map->bytes, &n_decoded, base64, n_bytes))
        return ed_fail(err, EMBEDD_FORMAT, "%s: precompiled_charsmap is not base64", where);
    size_t trie_bytes = n_decoded < 4
                            ? 0
                            : map->bytes[0] | (size_t)map->bytes[1] << 8 |
                                  (size_t)map->bytes[2] << 16 | (size_t)map->bytes[3] << 24;
    if (n_decoded < 4 || trie_bytes < 4 || trie_bytes > n_decoded - 4)
        return ed_fail(err, EMBEDD_FORMAT, "%s: precompiled_charsmap is cut short", where);
    map->n_units = trie_bytes / 4;
    map->units = map->bytes + 4;
    map->texts = (const char *)map->units + map->n_units * 4;
    map->texts_bytes = n_decoded - 4 - map->n_units * 4;
    if (ed_utf8_valid_prefix(map->texts, map->texts_bytes) != map->texts_bytes)
        return ed_fail(err, EMBEDD_FORMAT, "%s: precompiled_charsmap is not valid UTF-8", where);
    for (unsigned char byte = 0; byte < 128; byte++)
        map->is_plain[byte] =
            byte != '\r' && !find(map, (embedd_text){(const char *)&byte, 1}).bytes;
    return EMBEDD_OK;
}

void ed_charsmap_close(ed_charsmap *map)
{
    ed_free(map->bytes);
    *map = (ed_charsmap){0};
}

static int digit_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* RFC 4648 with its padding. */
static bool decode_base64(unsigned char *out, size_t *n_out, const char *text, size_t n_bytes)
{
    size_t n_padding = 0, n = 0;
    if (n_bytes % 4 != 0)
        return false;
    while (n_padding < 2 && n_padding < n_bytes && text[n_bytes - 1 - n_padding] == '=')
        n_padding++;
    for (size_t i = 0; i < n_bytes; i += 4) {
        uint32_t group = 0;
        for (size_t j = 0; j < 4; j++) {
            bool padding = i + j >= n_bytes - n_padding;
            int digit = padding ? 0 : digit_of(text[i + j]);
            if (digit < 0)
                return false;
            group = group << 6 | (uint32_t)digit;
        }
        out[n++] = (unsigned char)(group >> 16);
        out[n++] = (unsigned char)(group >> 8);
        out[n++] = (unsigned char)group;
    }
    *n_out = n - n_padding;
    return true;
}

/* ---- run ------------------------------------------------------------------------------------- */

bool ed_charsmap_run(const ed_charsmap *map, embedd_text text, ed_buf *out)
{
    if (map->longest)
        return run_longest(map, text, out);
    for (size_t at = 0; at < text.n_bytes;) {
        size_t n_plain = plain_bytes(map, text, at);
        if (n_plain > 0) {
            if (!ed_buf_append(out, text.bytes + at, n_plain))
                return false;
            at += n_plain;
            continue;
        }
        size_t end = ed_grapheme_end(text, at), n_used;
        embedd_text whole = {text.bytes + at, end - at}, mapped = {NULL, 0};
        if (whole.n_bytes <= WHOLE_BYTES_MAX)
            mapped = find(map, whole);
        if (mapped.bytes) {
            if (!ed_buf_append(out, mapped.bytes, mapped.n_bytes))
                return false;
            at = end;
            continue;
        }
        for (; at < end; at += n_used) {
            ed_utf8_decode(text.bytes + at, end - at, &n_used);
            if (!append_one(map, (embedd_text){text.bytes + at, n_used}, out))
                return false;
        }
    }
    return true;
}

/* Characters from `at` on that are graphemes of their own, and stay as they are. */
static size_t plain_bytes(const ed_charsmap *map, embedd_text text, size_t at)
{
    size_t n = 0;
    while (at + n < text.n_bytes && map->is_plain[(unsigned char)text.bytes[at + n]])
        n++;
    bool joined = at + n < text.n_bytes && (unsigned char)text.bytes[at + n] >= 0x80;
    return n - (n > 0 && joined); /* the last one may join what follows */
}

static bool append_one(const ed_charsmap *map, embedd_text text, ed_buf *out)
{
    embedd_text mapped = find(map, text);
    return ed_buf_append(out, mapped.bytes ? mapped.bytes : text.bytes,
                         mapped.bytes ? mapped.n_bytes : text.n_bytes);
}

static bool run_longest(const ed_charsmap *map, embedd_text text, ed_buf *out)
{
    for (size_t at = 0, n_used; at < text.n_bytes; at += n_used) {
        embedd_text rest = {text.bytes + at, text.n_bytes - at};
        embedd_text mapped = find_longest(map, rest, &n_used);
        if (!mapped.bytes) {
            ed_utf8_decode(rest.bytes, rest.n_bytes, &n_used);
            mapped = (embedd_text){rest.bytes, n_used};
        }
        if (!ed_buf_append(out, mapped.bytes, mapped.n_bytes))
            return false;
    }
    return true;
}

static uint32_t unit_at(const ed_charsmap *map, size_t place)
{
    if (place >= map->n_units)
        return 0;
    const unsigned char *unit = map->units + place * 4;
    return unit[0] | (uint32_t)unit[1] << 8 | (uint32_t)unit[2] << 16 | (uint32_t)unit[3] << 24;
}

/* A unit: its children are at place ^ offset ^ byte; with the bit HAS_VALUE, the unit at place ^
 * offset is a value. */
#define HAS_VALUE  (1u << 8)
#define LABEL_MASK (1u << 31 | 0xFFu)
#define VALUE_MASK (~(1u << 31))

static size_t offset_of(uint32_t unit)
{
    return (size_t)(unit >> 10) << ((unit & 1u << 9) >> 6);
}

/* From `place` along one byte; false if no entry goes on with it. *unit is the cell that was
 * reached, and the value's, if it has one, is at the new place. */
static bool follow(const ed_charsmap *map, size_t *place, char byte, uint32_t *unit)
{
    *place ^= (unsigned char)byte;
    *unit = unit_at(map, *place);
    if (byte == '\0' || (*unit & LABEL_MASK) != (unsigned char)byte)
        return false;
    *place ^= offset_of(*unit);
    return true;
}

/* What the shortest beginning of `text` that is in the map is replaced by; bytes NULL: none is. */
static embedd_text find(const ed_charsmap *map, embedd_text text)
{
    size_t place = offset_of(unit_at(map, 0));
    uint32_t unit;
    for (size_t i = 0; i < text.n_bytes && follow(map, &place, text.bytes[i], &unit); i++)
        if (unit & HAS_VALUE)
            return text_at(map, unit_at(map, place) & VALUE_MASK);
    return (embedd_text){NULL, 0};
}

/* The same for the longest one, which ends where a character does. */
static embedd_text find_longest(const ed_charsmap *map, embedd_text text, size_t *n_used)
{
    size_t place = offset_of(unit_at(map, 0)), n = text.n_bytes;
    embedd_text found = {NULL, 0};
    uint32_t unit;
    for (size_t i = 0; i < n && i < KEY_BYTES_MAX && follow(map, &place, text.bytes[i], &unit);
         i++) {
        bool whole = i + 1 == n || ((unsigned char)text.bytes[i + 1] & 0xC0) != 0x80;
        if (!(unit & HAS_VALUE) || !whole)
            continue;
        found = text_at(map, unit_at(map, place) & VALUE_MASK);
        *n_used = i + 1;
    }
    return found;
}

static embedd_text text_at(const ed_charsmap *map, size_t begin)
{
    const char *text = map->texts + (begin < map->texts_bytes ? begin : map->texts_bytes);
    if (begin == map->texts_bytes)
        return (embedd_text){text, 0};
    if (begin > map->texts_bytes || ((unsigned char)*text & 0xC0) == 0x80)
        return (embedd_text){NULL, 0};
    const char *end = memchr(text, '\0', map->texts_bytes - begin);
    return (embedd_text){text, end ? (size_t)(end - text) : map->texts_bytes - begin};
}
