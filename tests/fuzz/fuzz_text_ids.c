/* Texts of any bytes, with tokenizers of every kind: refused as UTF-8, or ids that exist, the first
 * of them the same whatever the limit. The first byte of the input chooses the tokenizer. */
#include "tokenizer/tokenizer.h"

#include "base/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FEW 7

#define ADDED                                                                                      \
    "\"added_tokens\":[{\"content\":\"[SEP]\",\"normalized\":false},"                              \
    "{\"content\":\"<m>\",\"lstrip\":true,\"normalized\":false},"                                  \
    "{\"content\":\"<r>\",\"rstrip\":true,\"normalized\":false},"                                  \
    "{\"content\":\" \",\"lstrip\":true,\"normalized\":false,\"single_word\":true},"               \
    "{\"content\":\"\\u00c9t\",\"normalized\":true,\"single_word\":true},"                         \
    "{\"content\":\"ab\",\"normalized\":true,\"rstrip\":true,\"lstrip\":true}],"
#define MODEL                                                                                      \
    "\"model\":{\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\","                                   \
    "\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":20,\"vocab\":{"             \
    "\"[UNK]\":0,\"[CLS]\":1,\"[SEP]\":2,\"a\":3,\"##a\":4,\"ab\":5,\"##b\":6,\"b\":7,\".\":8,"    \
    "\"\\u4e2d\":9,\"\\u0301\":10,\"##\\u0301\":11,\"\\u00e9\":12,\"##\\u00e9\":13,\"i\":14}}"
#define PROCESSOR                                                                                  \
    "\"post_processor\":{\"type\":\"BertProcessing\",\"sep\":[\"s\",2],\"cls\":[\"c\",1]},"
#define WORDS "\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},"

static const char *const files[] = {
    "{\"normalizer\":{\"type\":\"BertNormalizer\"}," WORDS PROCESSOR ADDED MODEL "}",
    "{\"normalizer\":{\"type\":\"BertNormalizer\",\"lowercase\":false}," WORDS PROCESSOR MODEL "}",
    "{\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"BertNormalizer\","
    "\"strip_accents\":false},{\"type\":\"NFC\"}]}," WORDS ADDED MODEL "}",
    "{\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFKC\"},"
    "{\"type\":\"StripAccents\"},{\"type\":\"Lowercase\"}]}," PROCESSOR ADDED MODEL "}",
    "{\"normalizer\":{\"type\":\"NFKD\"}," MODEL "}",
};
enum { N_FILES = sizeof files / sizeof *files };

static ed_tokenizer *tokenizers[N_FILES];
static ed_tokenizer_scratch *scratches[N_FILES];

static void open_all(void)
{
    embedd_error err;
    for (size_t i = 0; i < N_FILES && !tokenizers[i]; i++)
        if (ed_tokenizer_open_bytes(&tokenizers[i], files[i], strlen(files[i]), "f", &err) !=
                EMBEDD_OK ||
            ed_tokenizer_scratch_open(&scratches[i], tokenizers[i], &err) != EMBEDD_OK)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    if (n_bytes == 0)
        return 0;
    open_all();
    size_t which = data[0] % N_FILES, n_ids, n_total, n_few, n_total_again;
    const ed_tokenizer *tokenizer = tokenizers[which];
    size_t n_text = n_bytes - 1, tokens_max = n_text * 32 + 16; /* NFKD makes 18 of one at most */
    char *text = malloc(n_text ? n_text : 1);
    int32_t *ids = malloc(tokens_max * sizeof *ids), few[FEW];
    if (!text || !ids)
        abort();
    memcpy(text, data + 1, n_text);

    embedd_text whole = {text, n_text};
    embedd_error err;
    embedd_status status = ed_tokenizer_encode(tokenizer, scratches[which], whole, tokens_max, ids,
                                               &n_ids, &n_total, &err);
    bool valid = ed_utf8_valid_prefix(text, n_text) == n_text;
    if (status != (valid ? EMBEDD_OK : EMBEDD_UTF8))
        abort();
    if (valid) {
        size_t n_special = ed_tokenizer_n_special(tokenizer);
        if (n_ids != n_total || n_ids < n_special)
            abort();
        for (size_t i = 0; i < n_ids; i++)
            if (ids[i] < 0 || (size_t)ids[i] >= ed_tokenizer_ids_max(tokenizer))
                abort();
        if (ed_tokenizer_encode(tokenizer, scratches[which], whole, FEW, few, &n_few,
                                &n_total_again, &err) != EMBEDD_OK ||
            n_total_again != n_total || n_few != (n_total < FEW ? n_total : FEW) ||
            memcmp(few, ids, (n_few - (n_special > 0)) * sizeof *ids) != 0)
            abort();
    }
    free(text);
    free(ids);
    return 0;
}
