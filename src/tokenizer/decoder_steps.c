/* In: texts, at first the tokens themselves. Out: texts, after one step of a decoder. Linear.
 * Source: huggingface/tokenizers, decoders/ and pre_tokenizers/byte_level.rs, metaspace.rs. */
#include "base/utf8.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/decoder.h"

#include <string.h>

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

static bool begins_with(embedd_text text, const char *prefix, size_t n_bytes)
{
    return text.n_bytes >= n_bytes && memcmp(text.bytes, prefix, n_bytes) == 0;
}

/* Appends `text` with every `from`, which is not empty, written as `to`. */
static bool append_replaced(ed_buf *out, embedd_text text, embedd_text from, embedd_text to)
{
    while (text.n_bytes > 0) {
        const char *found = memmem(text.bytes, text.n_bytes, from.bytes, from.n_bytes);
        size_t n_before = found ? (size_t)(found - text.bytes) : text.n_bytes;
        size_t n_used = n_before + (found ? from.n_bytes : 0);
        ed_buf_append(out, text.bytes, n_before);
        if (found)
            ed_buf_append(out, to.bytes, to.n_bytes);
        text = (embedd_text){text.bytes + n_used, text.n_bytes - n_used};
    }
    return !out->failed;
}

/* ---- WordPiece ------------------------------------------------------------------------------- */

/* What a word between spaces became when it was written with a space before it. */
static bool clean(ed_buf *text, ed_buf *spare)
{
    static const char *const rules[][2] = {
        {" .", "."},   {" ?", "?"},     {" !", "!"},     {" ,", ","},
        {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},   {" do not", " don't"},
        {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        embedd_text from = {rules[i][0], strlen(rules[i][0])};
        embedd_text to = {rules[i][1], strlen(rules[i][1])};
        if (text->n_bytes < from.n_bytes)
            continue;
        ed_buf_reset(spare);
        if (!append_replaced(spare, (embedd_text){text->data, text->n_bytes}, from, to))
            return false;
        ed_buf swapped = *text;
        *text = *spare;
        *spare = swapped;
    }
    return true;
}

embedd_status ed_decode_wordpiece(const ed_decoder_step *step, const ed_text_list *in,
                                  ed_text_list *out)
{
    ed_buf text, spare;
    bool ok = true;
    ed_buf_init(&text, out->bytes.bytes_max);
    ed_buf_init(&spare, out->bytes.bytes_max);
    for (size_t i = 0; i < in->n && ok; i++) {
        embedd_text token = ed_text_list_at(in, i);
        bool goes_on = begins_with(token, step->text, step->text_bytes);
        size_t n_left_out = i > 0 && goes_on ? step->text_bytes : 0;
        ed_buf_reset(&text);
        if (i > 0 && !goes_on)
            ed_buf_append(&text, " ", 1);
        ok = ed_buf_append(&text, token.bytes + n_left_out, token.n_bytes - n_left_out) &&
             (!step->cleans || clean(&text, &spare)) &&
             ed_buf_append(&out->bytes, text.data, text.n_bytes) && ed_text_list_end(out);
    }
    ed_buf_clear(&text);
    ed_buf_clear(&spare);
    return ok ? EMBEDD_OK : EMBEDD_MEMORY;
}

/* ---- bytes ----------------------------------------------------------------------------------- */

/* How many bytes stand for one U+FFFD where text[0] begins no character: all that could go on to
 * be one (the Unicode Standard, 3.9, "substitution of maximal subparts"). */
static size_t broken_bytes(const unsigned char *text, size_t n_bytes)
{
    unsigned lead = text[0], low = 0x80, high = 0xBF;
    size_t n_wanted = lead < 0xC2 || lead > 0xF4 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (lead == 0xE0)
        low = 0xA0;
    else if (lead == 0xED)
        high = 0x9F;
    else if (lead == 0xF0)
        low = 0x90;
    else if (lead == 0xF4)
        high = 0x8F;
    size_t n = 1;
    for (; n < n_wanted && n < n_bytes && text[n] >= low && text[n] <= high; n++) {
        low = 0x80;
        high = 0xBF;
    }
    return n;
}

static bool append_lossy(ed_buf *out, embedd_text text)
{
    while (text.n_bytes > 0) {
        size_t n_valid = ed_utf8_valid_prefix(text.bytes, text.n_bytes), n_used = n_valid;
        ed_buf_append(out, text.bytes, n_valid);
        if (n_valid < text.n_bytes) {
            n_used +=
                broken_bytes((const unsigned char *)text.bytes + n_valid, text.n_bytes - n_valid);
            ed_buf_append_text(out, REPLACEMENT);
        }
        text = (embedd_text){text.bytes + n_used, text.n_bytes - n_used};
    }
    return !out->failed;
}

embedd_status ed_decode_byte_level(const ed_decoder_step *step, const ed_text_list *in,
                                   ed_text_list *out)
{
    (void)step;
    ed_buf bytes;
    bool ok = true;
    ed_buf_init(&bytes, out->bytes.bytes_max);
    for (size_t i = 0; i < in->n && ok; i++) {
        embedd_text token = ed_text_list_at(in, i);
        ok = ed_byte_alphabet_append_bytes(token, &bytes) ||
             (!bytes.failed && ed_buf_append(&bytes, token.bytes, token.n_bytes));
    }
    ok = ok && append_lossy(&out->bytes, (embedd_text){bytes.data, bytes.n_bytes}) &&
         ed_text_list_end(out);
    ed_buf_clear(&bytes);
    return ok ? EMBEDD_OK : EMBEDD_MEMORY;
}

/* -1: it is not <0xNN>. A '+' before one digit is what Rust reads as a number, too. */
static int byte_of(embedd_text token)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    int value = 0;
    if (token.n_bytes != 6 || memcmp(token.bytes, "<0x", 3) != 0 || token.bytes[5] != '>')
        return -1;
    for (size_t i = 3; i < 5; i++) {
        const char *digit = memchr(digits, token.bytes[i], sizeof digits - 1);
        if (!digit && !(i == 3 && token.bytes[i] == '+'))
            return -1;
        value = value * 16 + (digit ? (int)(digit - digits) % 16 : 0);
    }
    return value;
}

/* Bytes one after the other are one text if they are UTF-8, else a U+FFFD each. */
static bool end_bytes(ed_buf *bytes, ed_text_list *out)
{
    bool ok = true;
    if (bytes->n_bytes == 0)
        return true;
    if (ed_utf8_valid_prefix(bytes->data, bytes->n_bytes) == bytes->n_bytes)
        ok = ed_buf_append(&out->bytes, bytes->data, bytes->n_bytes) && ed_text_list_end(out);
    else
        for (size_t i = 0; i < bytes->n_bytes && ok; i++)
            ok = ed_buf_append_text(&out->bytes, REPLACEMENT) && ed_text_list_end(out);
    ed_buf_reset(bytes);
    return ok;
}

embedd_status ed_decode_byte_fallback(const ed_decoder_step *step, const ed_text_list *in,
                                      ed_text_list *out)
{
    (void)step;
    ed_buf bytes;
    bool ok = true;
    ed_buf_init(&bytes, out->bytes.bytes_max);
    for (size_t i = 0; i < in->n && ok; i++) {
        embedd_text token = ed_text_list_at(in, i);
        int value = byte_of(token);
        char byte = (char)value;
        if (value >= 0)
            ok = ed_buf_append(&bytes, &byte, 1);
        else
            ok = end_bytes(&bytes, out) && ed_buf_append(&out->bytes, token.bytes, token.n_bytes) &&
                 ed_text_list_end(out);
    }
    ok = ok && end_bytes(&bytes, out);
    ed_buf_clear(&bytes);
    return ok ? EMBEDD_OK : EMBEDD_MEMORY;
}

/* ---- the others ------------------------------------------------------------------------------ */

embedd_status ed_decode_fuse(const ed_decoder_step *step, const ed_text_list *in, ed_text_list *out)
{
    (void)step;
    return ed_buf_append(&out->bytes, in->bytes.data, in->bytes.n_bytes) && ed_text_list_end(out)
               ? EMBEDD_OK
               : EMBEDD_MEMORY;
}

embedd_status ed_decode_bpe(const ed_decoder_step *step, const ed_text_list *in, ed_text_list *out)
{
    const embedd_text suffix = {step->text, step->text_bytes};
    for (size_t i = 0; i < in->n; i++) {
        embedd_text token = ed_text_list_at(in, i), space = {" ", i + 1 < in->n};
        bool ok = suffix.n_bytes > 0 ? append_replaced(&out->bytes, token, suffix, space)
                                     : ed_buf_append(&out->bytes, token.bytes, token.n_bytes);
        if (!ok || !ed_text_list_end(out))
            return EMBEDD_MEMORY;
    }
    return EMBEDD_OK;
}

embedd_status ed_decode_metaspace(const ed_decoder_step *step, const ed_text_list *in,
                                  ed_text_list *out)
{
    const embedd_text mark = {step->text, step->text_bytes};
    for (size_t i = 0; i < in->n; i++) {
        embedd_text space = {" ", i > 0 || !step->drops_prefix};
        if (!append_replaced(&out->bytes, ed_text_list_at(in, i), mark, space) ||
            !ed_text_list_end(out))
            return EMBEDD_MEMORY;
    }
    return EMBEDD_OK;
}

embedd_status ed_decode_replace(const ed_decoder_step *step, const ed_text_list *in,
                                ed_text_list *out)
{
    ed_pattern_scratch scratch = {0};
    embedd_status status = EMBEDD_OK;
    for (size_t i = 0; i < in->n && status == EMBEDD_OK; i++) {
        status = ed_pattern_replace(&step->pattern, &scratch, ed_text_list_at(in, i),
                                    (embedd_text){step->text, step->text_bytes}, &out->bytes);
        if (status == EMBEDD_OK && !ed_text_list_end(out))
            status = EMBEDD_MEMORY;
    }
    ed_pattern_scratch_clear(&scratch);
    return status;
}

embedd_status ed_decode_strip(const ed_decoder_step *step, const ed_text_list *in,
                              ed_text_list *out)
{
    const size_t n_bytes = step->text_bytes;
    for (size_t i = 0; i < in->n; i++) {
        embedd_text token = ed_text_list_at(in, i);
        size_t begin = 0, end = token.n_bytes;
        for (size_t j = 0; j < step->n_start && end - begin >= n_bytes; j++, begin += n_bytes)
            if (memcmp(token.bytes + begin, step->text, n_bytes) != 0)
                break;
        for (size_t j = 0; j < step->n_stop && end - begin >= n_bytes; j++, end -= n_bytes)
            if (memcmp(token.bytes + end - n_bytes, step->text, n_bytes) != 0)
                break;
        if (!ed_buf_append(&out->bytes, token.bytes + begin, end - begin) || !ed_text_list_end(out))
            return EMBEDD_MEMORY;
    }
    return EMBEDD_OK;
}
