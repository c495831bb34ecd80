#include "support/folder.h"
#include "support/small_tokenizer.h"
#include "tokenizer/tokenizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char lines[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##a\r\nB\nb\n\xC3\xA9\ne\n"
                            "\xE4\xB8\xAD\n<s>\n</s>\n<mask>";

typedef struct fixture {
    char *folder;
    ed_tokenizer *tokenizer;
    embedd_error err;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    f = (fixture){.folder = folder_new()};
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    ed_tokenizer_close(f->tokenizer);
    folder_remove(f->folder);
    return 0;
}

static embedd_status try_open(fixture *f, bool lower_case)
{
    ed_tokenizer_close(f->tokenizer);
    return ed_tokenizer_open(&f->tokenizer, f->folder,
                             &(ed_tokenizer_options){.lower_case = lower_case}, &f->err);
}

static const char *ids_of(fixture *f, const char *text)
{
    embedd_status status = try_open(f, false);
    if (status != EMBEDD_OK)
        fail_msg("%s", f->err.message);
    return small_tokenizer_ids(f->tokenizer, text);
}

static void a_vocab_txt_is_a_bert(void **state)
{
    fixture *f = *state;
    folder_write_text(f->folder, "vocab.txt", lines);
    assert_string_equal(ids_of(f, "aa B \xC3\xA9\xE4\xB8\xADq[MASK]"), "2 5 6 8 10 11 1 4 3");
    folder_write_text(f->folder, "tokenizer_config.json",
                      "{\"do_lower_case\":false,\"tokenizer_class\":\"BertTokenizerFast\"}");
    assert_string_equal(ids_of(f, "aa B \xC3\xA9"), "2 5 6 7 9 3");
    folder_write_text(f->folder, "tokenizer_config.json",
                      "{\"strip_accents\":false,\"tokenize_chinese_chars\":false}");
    assert_string_equal(ids_of(f, "B \xC3\xA9 a\xE4\xB8\xAD"), "2 8 9 1 3");
    folder_write_text(f->folder, "tokenizer_config.json",
                      "{\"unk_token\":{\"content\":\"[MASK]\"},\"cls_token\":\"a\"}");
    assert_string_equal(ids_of(f, "q"), "5 4 3");
}

static void the_class_says_which_tokens_are_special(void **state)
{
    fixture *f = *state;
    folder_write_text(f->folder, "vocab.txt", lines);
    folder_write_text(f->folder, "config.json", "{\"model_type\":\"mpnet\"}");
    assert_string_equal(ids_of(f, "a  <mask> b"), "12 5 14 8 13");
    folder_write_text(f->folder, "tokenizer_config.json",
                      "{\"tokenizer_class\":\"BertTokenizer\",\"added_tokens_decoder\":{\"8\":{"
                      "\"content\":\"b\",\"normalized\":false,\"rstrip\":true,\"special\":true}}}");
    assert_string_equal(ids_of(f, "ab  b a"), "2 5 8 8 5 3");
    folder_write_text(f->folder, "tokenizer_config.json",
                      "{\"tokenizer_class\":\"KlingonTokenizer\"}");
    assert_int_equal(try_open(f, false), EMBEDD_UNSUPPORTED);
    assert_non_null(strstr(f->err.message, "KlingonTokenizer with a vocab.txt"));
}

static void odd_vocabularies_are_refused(void **state)
{
    fixture *f = *state;
    static const char *const cases[][2] = {
        {"[CLS]\n[SEP]\n", "unk_token [UNK] is not in vocab"},
        {"[UNK]\n[CLS]\n", "has no [SEP]"},
        {"[UNK]\n[CLS]\n[SEP]\na\na\n", "vocab has a twice"},
        {"[UNK]\n\xFF\n", "not valid UTF-8"},
        {"", "has no [CLS]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        folder_write_text(f->folder, "vocab.txt", cases[i][0]);
        assert_int_equal(try_open(f, false), EMBEDD_FORMAT);
        assert_non_null(strstr(f->err.message, cases[i][1]));
        assert_null(f->tokenizer);
    }
    folder_write_text(f->folder, "tokenizer_config.json", "[]");
    assert_int_equal(try_open(f, false), EMBEDD_FORMAT);
}

/* ---- SentencePiece --------------------------------------------------------------------------- */

typedef struct piece {
    const char *text;
    float score;
    char type;
} piece;

static const piece pieces[] = {
    {"<unk>", 0, 2},
    {"<s>", 0, 3},
    {"</s>", 0, 3},
    {"\xE2\x96\x81", -2, 1},
    {"a", -3, 1},
    {"\xE2\x96\x81"
     "a",
     -1, 1},
    {"b", -3, 1},
    {"ab", -4.5F, 1},
    {"!user!", 0, 4},
};

/* The message of `pieces`, with a type of model. */
static size_t model_of(char *out, char model_type)
{
    size_t n = 0;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        size_t text_bytes = strlen(pieces[i].text);
        out[n++] = 1 << 3 | 2; /* ModelProto.pieces */
        out[n++] = (char)(2 + text_bytes + 5 + 2);
        out[n++] = 1 << 3 | 2;
        out[n++] = (char)text_bytes;
        memcpy(out + n, pieces[i].text, text_bytes);
        n += text_bytes;
        out[n++] = 2 << 3 | 5;
        memcpy(out + n, &pieces[i].score, 4);
        n += 4;
        out[n++] = 3 << 3 | 0;
        out[n++] = pieces[i].type;
    }
    const char trainer[] = {2 << 3 | 2, 2, 3 << 3 | 0, model_type};
    memcpy(out + n, trainer, sizeof trainer);
    return n + sizeof trainer;
}

static void fairseq_ids_differ_from_the_pieces(void **state)
{
    fixture *f = *state;
    char model[512];
    folder_write(f->folder, "sentencepiece.bpe.model", model, model_of(model, 1));
    folder_write_text(f->folder, "config.json", "{\"model_type\":\"xlm-roberta\"}");
    /* <s> 0, <pad> 1, </s> 2, <unk> 3, then the pieces from the fourth on, and <mask>. */
    assert_string_equal(ids_of(f, "a ab<mask>b!user!q"), "0 6 6 7 10 4 7 9 4 3 2");
    folder_write_text(f->folder, "tokenizer_config.json",
                      "{\"tokenizer_class\":\"CamembertTokenizer\",\"add_prefix_space\":false}");
    /* <s>NOTUSED, <pad>, </s>NOTUSED, <unk>, <unk>NOTUSED, then the pieces from the second on. */
    assert_string_equal(ids_of(f, "a ab <mask>b"), "5 8 11 13 10 6");
}

static void odd_sentencepiece_models_are_refused(void **state)
{
    fixture *f = *state;
    char model[512];
    size_t n_bytes = model_of(model, 2);
    folder_write(f->folder, "tokenizer.model", model, n_bytes);
    assert_int_equal(try_open(f, false), EMBEDD_UNSUPPORTED);
    assert_non_null(strstr(f->err.message, "tokenizer_class \"\" without a tokenizer.json"));
    folder_write_text(f->folder, "config.json", "{\"model_type\":\"xlm-roberta\"}");
    assert_int_equal(try_open(f, false), EMBEDD_UNSUPPORTED);
    assert_non_null(strstr(f->err.message, "not a Unigram"));
    n_bytes = model_of(model, 1);
    for (size_t n = 0; n < n_bytes; n++) { /* cut short: never past the end */
        folder_write(f->folder, "tokenizer.model", model, n);
        embedd_status status = try_open(f, false);
        assert_true(status == EMBEDD_OK || status == EMBEDD_FORMAT || status == EMBEDD_UNSUPPORTED);
    }
    folder_write(f->folder, "tokenizer.model", model, n_bytes);
    folder_write_text(f->folder, "tokenizer_config.json", "{\"pad_token\":\"<p>\"}");
    assert_int_equal(try_open(f, false), EMBEDD_UNSUPPORTED);
    assert_non_null(strstr(f->err.message, "pad_token <p> is not supported"));
}

static void lower_case_comes_first_if_asked_for(void **state)
{
    fixture *f = *state;
    char *json = small_tokenizer_json(&(small_tokenizer){
        .normalizer = "null", .added_tokens = "[{\"content\":\"A\",\"normalized\":true}]"});
    folder_write_text(f->folder, "tokenizer.json", json);
    free(json);
    assert_string_equal(ids_of(f, "B A"), "1 0 11 2");
    assert_int_equal(try_open(f, true), EMBEDD_OK);
    assert_string_equal(small_tokenizer_ids(f->tokenizer, "B a"), "1 5 11 2");
    /* What lowers already stays as it is: here only after the marks are gone. */
    json = small_tokenizer_json(&(small_tokenizer){
        .normalizer = "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Replace\",\"pattern\":{"
                      "\"String\":\"B\"},\"content\":\"A\"},{\"type\":\"Lowercase\"}]}"});
    folder_write_text(f->folder, "tokenizer.json", json);
    free(json);
    assert_int_equal(try_open(f, true), EMBEDD_OK);
    assert_string_equal(small_tokenizer_ids(f->tokenizer, "B"), "1 3 2");
}

static void a_tokenizer_json_wins(void **state)
{
    fixture *f = *state;
    folder_write_text(f->folder, "vocab.txt", "nothing");
    char *json = small_tokenizer_json(&(small_tokenizer){0});
    folder_write_text(f->folder, "tokenizer.json", json);
    free(json);
    assert_string_equal(ids_of(f, "ab"), "1 7 2");
    folder_delete_file(f->folder, "tokenizer.json");
    folder_delete_file(f->folder, "vocab.txt");
    assert_int_equal(try_open(f, false), EMBEDD_NOT_FOUND);
    assert_non_null(strstr(f->err.message, "tokenizer.json"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_vocab_txt_is_a_bert, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_class_says_which_tokens_are_special, set_up, tear_down),
        cmocka_unit_test_setup_teardown(odd_vocabularies_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fairseq_ids_differ_from_the_pieces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(odd_sentencepiece_models_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lower_case_comes_first_if_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_tokenizer_json_wins, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
