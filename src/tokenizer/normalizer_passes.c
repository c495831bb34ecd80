/* In: a text. Out: what one pass of a normalizer makes of it. Sources: huggingface/tokenizers,
 * normalizers/. */
#include "tokenizer/normalizer.h"

#include "base/utf8.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/unicode_class.h"

embedd_status ed_normalizer_run_characters(const ed_normalizer_pass *pass,
                                           ed_normalizer_scratch *scratch, embedd_text text,
                                           ed_buf *out)
{
    bool ok = ed_character_pass_run(&pass->characters, &scratch->points, text, out);
    return ok ? EMBEDD_OK : EMBEDD_MEMORY;
}

embedd_status ed_normalizer_run_charsmap(const ed_normalizer_pass *pass,
                                         ed_normalizer_scratch *scratch, embedd_text text,
                                         ed_buf *out)
{
    (void)scratch;
    return ed_charsmap_run(&pass->charsmap, text, out) ? EMBEDD_OK : EMBEDD_MEMORY;
}

embedd_status ed_normalizer_run_replace(const ed_normalizer_pass *pass,
                                        ed_normalizer_scratch *scratch, embedd_text text,
                                        ed_buf *out)
{
    return ed_pattern_replace(&pass->pattern, &scratch->pattern, text,
                              (embedd_text){pass->content, pass->content_bytes}, out);
}

embedd_status ed_normalizer_run_prepend(const ed_normalizer_pass *pass,
                                        ed_normalizer_scratch *scratch, embedd_text text,
                                        ed_buf *out)
{
    (void)scratch;
    if (text.n_bytes > 0)
        ed_buf_append(out, pass->content, pass->content_bytes);
    ed_buf_append(out, text.bytes, text.n_bytes);
    return out->failed ? EMBEDD_MEMORY : EMBEDD_OK;
}

static bool is_space_at(embedd_text text, size_t at, size_t *n_used)
{
    uint32_t code_point = ed_utf8_decode(text.bytes + at, text.n_bytes - at, n_used);
    return ed_unicode_flags(code_point) & ED_UNICODE_SPACE;
}

embedd_status ed_normalizer_run_strip(const ed_normalizer_pass *pass,
                                      ed_normalizer_scratch *scratch, embedd_text text, ed_buf *out)
{
    size_t begin = 0, end = text.n_bytes, n_used;
    (void)scratch;
    while (pass->strip_left && begin < end && is_space_at(text, begin, &n_used))
        begin += n_used;
    while (pass->strip_right && end > begin) {
        size_t last = end - 1;
        while (last > begin && ((unsigned char)text.bytes[last] & 0xC0) == 0x80)
            last--;
        if (!is_space_at(text, last, &n_used))
            break;
        end = last;
    }
    return ed_buf_append(out, text.bytes + begin, end - begin) ? EMBEDD_OK : EMBEDD_MEMORY;
}

embedd_status ed_normalizer_run_byte_level(const ed_normalizer_pass *pass,
                                           ed_normalizer_scratch *scratch, embedd_text text,
                                           ed_buf *out)
{
    (void)pass;
    (void)scratch;
    return ed_byte_alphabet_append(text, out) ? EMBEDD_OK : EMBEDD_MEMORY;
}
