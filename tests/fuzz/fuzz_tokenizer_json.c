/* A tokenizer.json of any bytes: it is refused with a message, or it opens, encodes and decodes. */
#include "tokenizer/tokenizer.h"

#include "base/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TOKENS_MAX 300 /* more than any number of special tokens that is let through */

static void check_text(const ed_tokenizer *tokenizer, ed_tokenizer_scratch *scratch,
                       embedd_text text)
{
    int32_t ids[TOKENS_MAX];
    size_t n_ids, n_total;
    embedd_error err;
    embedd_status status =
        ed_tokenizer_encode(tokenizer, scratch, text, TOKENS_MAX, ids, &n_ids, &n_total, &err);
    if (status == EMBEDD_LIMIT) /* of a regular expression */
        return;
    if (status != EMBEDD_OK || n_ids > TOKENS_MAX || n_ids > n_total)
        abort();
    for (size_t i = 0; i < n_ids; i++)
        if (ids[i] < 0 || (size_t)ids[i] >= ed_tokenizer_ids_max(tokenizer))
            abort();
}

/* All ids, and some that no token has. */
static void check_decoder(const ed_tokenizer *tokenizer)
{
    int32_t ids[TOKENS_MAX];
    embedd_error err;
    ed_buf text;
    ed_buf_init(&text, SIZE_MAX / 4);
    for (int32_t i = 0; i < TOKENS_MAX; i++)
        ids[i] = i - 1;
    for (int skip_special = 0; skip_special < 2; skip_special++) {
        embedd_status status =
            ed_tokenizer_decode(tokenizer, ids, TOKENS_MAX, skip_special, &text, &err);
        if (status != EMBEDD_OK && status != EMBEDD_UNSUPPORTED && status != EMBEDD_LIMIT &&
            status != EMBEDD_MEMORY) /* a Replace may make more of a text than is let through */
            abort();
        if (ed_utf8_valid_prefix(text.data, text.n_bytes) != text.n_bytes)
            abort();
    }
    ed_buf_clear(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    static const char *const texts[] = {"",
                                        "a",
                                        "[SEP] ab\tb. A[MASK]  <x>",
                                        "\xC3\x89 e\xCC\x81\xCC\xA3 \xE4\xB8\xAD\xED\x95\x9C",
                                        "\xC4\xB0\xEF\xAC\x81\xE2\x80\xA8##a",
                                        " it's 12345\r\n\n \xE2\x96\x81 x<0x41>",
                                        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"};
    ed_tokenizer *tokenizer;
    ed_tokenizer_scratch *scratch;
    embedd_error err = {.message = ""};
    if (ed_tokenizer_open_bytes(&tokenizer, (const char *)data, n_bytes, "f", &err) != EMBEDD_OK) {
        if (tokenizer || strncmp(err.message, "f: ", 3) != 0)
            abort();
        return 0;
    }
    if (ed_tokenizer_scratch_open(&scratch, tokenizer, &err) != EMBEDD_OK)
        abort();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_text(tokenizer, scratch, (embedd_text){texts[i], strlen(texts[i])});
    check_decoder(tokenizer);
    ed_tokenizer_scratch_close(scratch);
    ed_tokenizer_close(tokenizer);
    return 0;
}
