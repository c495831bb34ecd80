/* Ids to text, with each decoder. */
#include "support/expected.h"
#include "tokenizer/tokenizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MARK "\xE2\x96\x81"
#define BAD  "\xEF\xBF\xBD"

/* Ids 0 .. 9; 3 and 10 are special, 11 is added but not special. */
#define FILE_WITH(decoder, vocab)                                                                  \
    "{\"added_tokens\":[{\"content\":\"[S]\",\"special\":true},{\"content\":\"<b>\",\"special\":"  \
    "true},{\"content\":\"<c>\",\"special\":false}],\"decoder\":" decoder                          \
    ",\"model\":{\"type\":\"WordLevel\",\"unk_token\":\"u\",\"vocab\":{\"u\":0," vocab "}}}"

#define WORDPIECES                                                                                 \
    "\"it\":1,\"##s\":2,\"[S]\":3,\"'s\":4,\".\":5,\"##.\":6,\"do\":7,\"n't\":8,\"##\":9"
#define MARKED                                                                                     \
    "\"" MARK "a\":1,\"" MARK "\":2,\"[S]\":3,\"b" MARK "c\":4,\"<0xC3>\":5,\"<0xA9>\":6,"         \
    "\"<0x+A>\":7,\"<0x4>\":8,\"__\":9"
/* a, space + b, C3, A9, E4 B8, ... in the alphabet of byte-level BPE */
#define BYTES                                                                                      \
    "\"a\":1,\"\xC4\xA0"                                                                           \
    "b\":2,\"[S]\":3,\"\xC3\x83\":4,\"\xC2\xA9\":5,\"\xC3\xA4\xC2\xB8\":6,\"" MARK                 \
    "\":7,\"\xC3\xAD\":8,\"\xC5\x82\":9"

static void check(const char *json, const char *ids, bool skip_special, const char *expected)
{
    ed_tokenizer *tokenizer = NULL;
    embedd_error err;
    ed_buf text;
    int32_t list[16];
    size_t n = 0;
    ed_buf_init(&text, 1000);
    if (ed_tokenizer_open_bytes(&tokenizer, json, strlen(json), "t.json", &err) != EMBEDD_OK)
        fail_msg("%s", err.message);
    for (int id = 0, n_used; sscanf(ids, "%d%n", &id, &n_used) == 1; ids += n_used)
        list[n++] = id;
    if (ed_tokenizer_decode(tokenizer, list, n, skip_special, &text, &err) != EMBEDD_OK)
        fail_msg("%s", err.message);
    ed_buf_append(&text, "", 1);
    assert_string_equal(text.data, expected);
    ed_buf_clear(&text);
    ed_tokenizer_close(tokenizer);
}

static void special_tokens_go_if_asked_for(void **state)
{
    (void)state;
    check(FILE_WITH("null", WORDPIECES), "3 1 10 11 5 3", false, "[S] it <b> <c> . [S]");
    check(FILE_WITH("null", WORDPIECES), "3 1 10 11 5 3", true, "it <c> .");
    check(FILE_WITH("null", WORDPIECES), "-1 1 12 2000000000 5", false, "it .");
    check(FILE_WITH("null", WORDPIECES), "", false, "");
}

/* A token that is normalized is looked for among the special ones as it is then. */
static void added_tokens_are_normalized(void **state)
{
    (void)state;
    static const char file[] =
        "{\"normalizer\":{\"type\":\"Prepend\",\"prepend\":\"_\"},\"added_tokens\":["
        "{\"content\":\"z\",\"normalized\":true,\"special\":true},{\"content\":\"y\","
        "\"special\":true},{\"content\":\"x\",\"normalized\":true},{\"content\":\"x\"},"
        "{\"content\":\"in\",\"normalized\":true}],\"model\":{\"type\":\"WordLevel\",\"unk_token\":"
        "\"u\",\"vocab\":{\"u\":0,\"in\":1}}}";
    check(file, "0 1 2 3 4", false, "u _in _z y _x");
    check(file, "0 1 2 3 4", true, "u _in _z _x");
}

static void wordpieces_join(void **state)
{
    (void)state;
#define WORDPIECE(more) FILE_WITH("{\"type\":\"WordPiece\"" more "}", WORDPIECES)
    check(WORDPIECE(",\"prefix\":\"##\",\"cleanup\":true"), "1 2 7 8 1 4 5", true,
          "its don't it's.");
    check(WORDPIECE(",\"cleanup\":false"), "1 2 7 8 1 4 5", true, "its do n't it 's .");
    check(WORDPIECE(""), "2 1 6 9 1", true, "##s it. it"); /* the first stays as it is */
    check(WORDPIECE(",\"prefix\":\"\""), "1 5 1", true, "it.it");
}

static void marks_become_spaces(void **state)
{
    (void)state;
#define METASPACE(more) FILE_WITH("{\"type\":\"Metaspace\"" more "}", MARKED)
    check(METASPACE(",\"replacement\":\"" MARK "\",\"prepend_scheme\":\"always\""), "1 1 2 4", true,
          "a a b c");
    check(METASPACE(",\"prepend_scheme\":\"never\""), "1 1", true, " a a");
    check(METASPACE(",\"add_prefix_space\":false"), "1 1", true, " a a");
    check(METASPACE(",\"prepend_scheme\":\"first\""), "4 1", true, "bc a");
    check(METASPACE(",\"replacement\":\"_\""), "1 9 1", true, MARK "a  " MARK "a");
}

static void bytes_become_characters(void **state)
{
    (void)state;
#define BYTE_LEVEL FILE_WITH("{\"type\":\"ByteLevel\"}", BYTES)
    check(BYTE_LEVEL, "1 2 4 5", true, "a b\xC3\xA9");
    check(BYTE_LEVEL, "4 1 6 1 5", true, BAD "a" BAD "a" BAD);
    check(BYTE_LEVEL, "8 9 9", true, BAD BAD BAD); /* no surrogate begins so */
    check(BYTE_LEVEL, "7 3 2", false, MARK "[S] b");
#define FALLBACK FILE_WITH("{\"type\":\"ByteFallback\"}", MARKED)
    check(FALLBACK, "1 5 6 8", true, MARK "a\xC3\xA9<0x4>");
    check(FALLBACK, "5 1 6 5", true, BAD MARK "a" BAD BAD);
    check(FALLBACK, "7 7", true, "\n\n");
}

static void sequences_go_step_by_step(void **state)
{
    (void)state;
#define LLAMA                                                                                      \
    FILE_WITH("{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\",\"pattern\":{"           \
              "\"String\":\"" MARK "\"},\"content\":\" \"},{\"type\":\"ByteFallback\"},"           \
              "{\"type\":\"Fuse\"},{\"type\":\"Strip\",\"content\":\" \",\"start\":1,"             \
              "\"stop\":0}]}",                                                                     \
              MARKED)
    check(LLAMA, "1 5 6 2 2 4", true, "a\xC3\xA9  b c");
    check(LLAMA, "2 1", true, " a");
    check(FILE_WITH("{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"[a-b]\"},\"content\":\"-\"}",
                    MARKED),
          "1 4 8", true, MARK "--" MARK "c<0x4>");
    check(FILE_WITH("{\"type\":\"Strip\",\"content\":\"_\",\"start\":1,\"stop\":5}", MARKED), "9 1",
          true, MARK "a");
    check(FILE_WITH("{\"type\":\"BPEDecoder\",\"suffix\":\"s\"}", WORDPIECES), "1 4 4", true,
          "it' '");
}

static void what_is_not_known_is_refused_when_it_is_used(void **state)
{
    (void)state;
    const char *json = FILE_WITH("{\"type\":\"CTC\"}", WORDPIECES);
    ed_tokenizer *tokenizer = NULL;
    embedd_error err;
    ed_buf text;
    ed_buf_init(&text, 1000);
    assert_int_equal(ed_tokenizer_open_bytes(&tokenizer, json, strlen(json), "t.json", &err),
                     EMBEDD_OK);
    assert_int_equal(ed_tokenizer_decode(tokenizer, NULL, 0, false, &text, &err),
                     EMBEDD_UNSUPPORTED);
    assert_string_equal(err.message, "the tokenizer's decoder CTC is not supported");
    ed_tokenizer_close(tokenizer);

    static const char *const broken[] = {"7",
                                         "{}",
                                         "{\"type\":\"Replace\",\"content\":\"a\"}",
                                         "{\"type\":\"Metaspace\",\"replacement\":\"\"}",
                                         "{\"type\":\"Sequence\"}",
                                         "{\"type\":\"Sequence\",\"decoders\":[[]]}"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        char file[512];
        snprintf(file, sizeof file,
                 "{\"decoder\":%s,\"model\":{\"type\":\"WordLevel\",\"unk_token\":\"u\",\"vocab\":{"
                 "\"u\":0}}}",
                 broken[i]);
        assert_int_not_equal(
            ed_tokenizer_open_bytes(&tokenizer, file, strlen(file), "t.json", &err), EMBEDD_OK);
    }
    ed_buf_clear(&text);
}

/* The doors in embedd.h, on BERT. */
static void an_encoder_decodes(void **state)
{
    (void)state;
    embedd_model *model = NULL;
    embedd_encoder *encoder = NULL;
    embedd_error err;
    embedd_usage usage;
    embedd_text text;
    char path[4096];
    int32_t ids[512];
    size_t n_before, n_after;
    bool special;
    snprintf(path, sizeof path, "%s/golden/bert", expected_environment("EMBEDD_TEST_DATA"));
    assert_int_equal(embedd_model_open(path, NULL, &model, &err), EMBEDD_OK);
    assert_int_equal(embedd_encoder_open(model, &encoder, &err), EMBEDD_OK);
    assert_int_equal(
        embedd_encode(encoder, (embedd_text){"A cat's nap.", 12}, NULL, ids, 512, &usage, &err),
        EMBEDD_OK);
    assert_int_equal(usage.n_tokens, 9);
    assert_int_equal(embedd_decode(encoder, ids, 9, true, &text, &err), EMBEDD_OK);
    assert_int_equal(text.n_bytes, strlen("a cat ' s nap."));
    assert_memory_equal(text.bytes, "a cat ' s nap.", text.n_bytes);
    assert_int_equal(embedd_decode(encoder, ids, 2, false, &text, &err), EMBEDD_OK);
    assert_int_equal(text.n_bytes, strlen("[CLS] a"));
    assert_int_equal(embedd_decode(encoder, NULL, 0, false, &text, &err), EMBEDD_OK);
    assert_int_equal(text.n_bytes, 0);

    embedd_model_special_tokens(model, &n_before, &n_after);
    assert_int_equal(n_before, 1);
    assert_int_equal(n_after, 1);
    assert_string_equal(embedd_token_text(model, ids[0], &special), "[CLS]");
    assert_true(special);
    assert_string_equal(embedd_token_text(model, ids[3], &special), "##t");
    assert_false(special);
    assert_null(embedd_token_text(model, -7, NULL));
    embedd_encoder_close(encoder);
    embedd_model_close(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(special_tokens_go_if_asked_for),
        cmocka_unit_test(added_tokens_are_normalized),
        cmocka_unit_test(wordpieces_join),
        cmocka_unit_test(marks_become_spaces),
        cmocka_unit_test(bytes_become_characters),
        cmocka_unit_test(sequences_go_step_by_step),
        cmocka_unit_test(an_encoder_decodes),
        cmocka_unit_test(what_is_not_known_is_refused_when_it_is_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
