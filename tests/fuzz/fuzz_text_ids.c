/* Texts of any bytes, with tokenizers of every kind: refused as UTF-8, or ids that exist, the first
 * of them the same whatever the limit, and again for a text that was seen before; and ids of any
 * kind become UTF-8. The first byte of the input chooses the tokenizer. */
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

#define SPACE_MARK "\xE2\x96\x81"
#define TO_MARK                                                                                    \
    "\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"String\":\" "                             \
    "\"},\"content\":\"" SPACE_MARK "\"},"
#define FROM_MARK                                                                                  \
    "\"decoder\":{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\",\"pattern\":{"         \
    "\"String\":\"" SPACE_MARK "\"},\"content\":\" \"},{\"type\":\"ByteFallback\"},"               \
    "{\"type\":\"Fuse\"},{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":1}]},"
#define METASPACE(kind)                                                                            \
    "\"" kind "\":{\"type\":\"Metaspace\",\"replacement\":\"" SPACE_MARK                           \
    "\",\"prepend_scheme\":\"always\",\"split\":true},"
#define UNIGRAM                                                                                    \
    "\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"byte_fallback\":true,\"vocab\":[[\"u\",0],"    \
    "[\"" SPACE_MARK "\",-2],[\"" SPACE_MARK                                                       \
    "a\",-2.5],[\"a\",-3],[\"b\",-2],[\"ab\",-4],[\"<0xC3>\",-9],[\"<0xA9>\",-9],[\"aba\",-3]]}"
#define SPM_BPE                                                                                    \
    "\"model\":{\"type\":\"BPE\",\"unk_token\":\"u\",\"fuse_unk\":true,\"byte_fallback\":true,"    \
    "\"vocab\":{\"u\":0,\"a\":1,\"b\":2,\"" SPACE_MARK "\":3,\"" SPACE_MARK                        \
    "a\":4,\"ab\":5,\"b" SPACE_MARK "\":6,\"<0xC3>\":7,\"<0xA9>\":8,\"aa\":9,\"" SPACE_MARK        \
    "aa\":10},\"merges\":[\"" SPACE_MARK " a\",\"b " SPACE_MARK "\",\"a b\",\"a a\",\"" SPACE_MARK \
    "a a\"]}"
#define BYTE_BPE                                                                                   \
    "\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"\\u0120\":2,\"\\u00c3\":3,"          \
    "\"\\u00a9\":4,"                                                                               \
    "\"ab\":5,\"\\u0120a\":6,\"\\u00c3\\u00a9\":7,\"'\":8,\"s\":9,\"'s\":10,\"1\":11},\"merges\":" \
    "["                                                                                            \
    "\"a b\",\"\\u0120 a\",\"\\u00c3 \\u00a9\",\"' s\"]}"
#define BYTE_LEVEL(kind)                                                                           \
    "\"" kind "\":{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"use_regex\":true},"

static const char *const files[] = {
    "{\"normalizer\":{\"type\":\"BertNormalizer\"}," WORDS PROCESSOR ADDED MODEL "}",
    "{\"normalizer\":{\"type\":\"BertNormalizer\",\"lowercase\":false}," WORDS PROCESSOR MODEL "}",
    "{\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"BertNormalizer\","
    "\"strip_accents\":false},{\"type\":\"NFC\"}]}," WORDS ADDED MODEL "}",
    "{\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFKC\"},"
    "{\"type\":\"StripAccents\"},{\"type\":\"Lowercase\"}]}," PROCESSOR ADDED MODEL "}",
    "{\"normalizer\":{\"type\":\"NFKD\"},\"decoder\":{\"type\":\"WordPiece\"}," MODEL "}",
    "{" METASPACE("pre_tokenizer") METASPACE("decoder") ADDED UNIGRAM "}",
    "{" TO_MARK FROM_MARK SPM_BPE "}",
    "{" BYTE_LEVEL("pre_tokenizer") BYTE_LEVEL("decoder") ADDED BYTE_BPE "}",
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

static void check_decoded(const ed_tokenizer *tokenizer, const int32_t *ids, size_t n_ids)
{
    embedd_error err;
    ed_buf text;
    ed_buf_init(&text, SIZE_MAX / 4);
    for (int skip_special = 0; skip_special < 2; skip_special++)
        if (ed_tokenizer_decode(tokenizer, ids, n_ids, skip_special, &text, &err) != EMBEDD_OK ||
            ed_utf8_valid_prefix(text.data, text.n_bytes) != text.n_bytes)
            abort();
    ed_buf_clear(&text);
}

/* Each byte an id: in any order, and some that no token has. */
static void check_any_ids(const ed_tokenizer *tokenizer, const uint8_t *bytes, size_t n_bytes)
{
    int32_t ids[64];
    size_t n = n_bytes < 64 ? n_bytes : 64;
    for (size_t i = 0; i < n; i++)
        ids[i] = bytes[i] % 32 - 2;
    check_decoded(tokenizer, ids, n);
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
    check_any_ids(tokenizer, data + 1, n_text);
    if (valid) {
        size_t n_special = ed_tokenizer_n_special(tokenizer);
        if (n_ids != n_total || n_ids < n_special)
            abort();
        for (size_t i = 0; i < n_ids; i++)
            if (ids[i] < 0 || (size_t)ids[i] >= ed_tokenizer_ids_max(tokenizer))
                abort();
        check_decoded(tokenizer, ids, n_ids);
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
