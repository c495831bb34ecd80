/* The tokenizer as the engine sees it: limits, refusals, time. */
#include "support/small_tokenizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

typedef struct fixture {
    ed_tokenizer *tokenizer;
    ed_tokenizer_scratch *scratch;
    int32_t ids[64];
    size_t n_ids, n_total;
    embedd_error err;
} fixture;

static int open_fixture(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    f->tokenizer = small_tokenizer_open(&(small_tokenizer){0});
    *state = f;
    return ed_tokenizer_scratch_open(&f->scratch, f->tokenizer, &f->err);
}

static int close_fixture(void **state)
{
    fixture *f = *state;
    ed_tokenizer_scratch_close(f->scratch);
    ed_tokenizer_close(f->tokenizer);
    free(f);
    return 0;
}

static embedd_status encode(fixture *f, const char *text, size_t n_bytes, size_t tokens_max)
{
    return ed_tokenizer_encode(f->tokenizer, f->scratch, (embedd_text){text, n_bytes}, tokens_max,
                               f->ids, &f->n_ids, &f->n_total, &f->err);
}

static void a_long_text_is_cut_but_counted(void **state)
{
    fixture *f = *state;
    for (size_t tokens_max = 2; tokens_max <= 12; tokens_max++) {
        size_t n_kept = tokens_max < 10 ? tokens_max : 10;
        memset(f->ids, 0xFF, sizeof f->ids);
        assert_int_equal(encode(f, "a b a b a b a b", 15, tokens_max), EMBEDD_OK);
        assert_int_equal(f->n_total, 10);
        assert_int_equal(f->n_ids, n_kept);
        assert_int_equal(f->ids[0], 1);
        for (size_t i = 1; i + 1 < n_kept; i++)
            assert_int_equal(f->ids[i], i % 2 ? 3 : 5);
        assert_int_equal(f->ids[n_kept - 1], 2);
        assert_int_equal(f->ids[n_kept], -1); /* not written */
    }
}

static void too_little_room_is_refused(void **state)
{
    fixture *f = *state;
    assert_int_equal(encode(f, "a", 1, 1), EMBEDD_ARGUMENT);
    assert_string_equal(f->err.message, "1 tokens have no room for the 2 special tokens");
}

static void odd_texts_are_fine(void **state)
{
    fixture *f = *state;
    assert_int_equal(encode(f, "", 0, 64), EMBEDD_OK);
    assert_int_equal(f->n_ids, 2);
    assert_int_equal(encode(f, NULL, 0, 64), EMBEDD_OK);
    assert_int_equal(f->n_ids, 2);
    assert_int_equal(encode(f, "a\0b", 3, 64), EMBEDD_OK); /* NUL is a control, and goes */
    assert_int_equal(f->n_ids, 3);
    assert_int_equal(f->ids[1], 7);
}

static void invalid_utf8_is_refused_with_its_place(void **state)
{
    fixture *f = *state;
    assert_int_equal(encode(f, "ab\xC3(", 4, 64), EMBEDD_UTF8);
    assert_string_equal(f->err.message, "the text is not valid UTF-8 at byte 2");
    assert_int_equal(encode(f, "\xED\xA0\x80", 3, 64), EMBEDD_UTF8);
    assert_int_equal(encode(f, "\xE4\xB8", 2, 64), EMBEDD_UTF8);
    assert_int_equal(encode(f, "\xE4\xB8\xAD", 3, 64), EMBEDD_OK); /* and is ready for the next */
    assert_int_equal(f->ids[1], 10);
}

#define BPE(vocab, merges, more)                                                                   \
    "{\"model\":{" more "\"type\":\"BPE\",\"vocab\":{" vocab "},\"merges\":" merges "}}"
#define UNIGRAM(vocab, unk_id)                                                                     \
    "{\"model\":{\"type\":\"Unigram\",\"vocab\":[" vocab "],\"unk_id\":" unk_id "}}"

static void files_are_refused_by_name(void **state)
{
    fixture *f = *state;
    ed_tokenizer *tokenizer;
    static const struct {
        const char *json;
        embedd_status status;
        const char *message;
    } cases[] = {
        {"", EMBEDD_FORMAT, NULL},
        {"{\"model\":", EMBEDD_FORMAT, NULL},
        {"[]", EMBEDD_FORMAT, "t.json: not a JSON object"},
        {"null", EMBEDD_FORMAT, "t.json: not a JSON object"},
        {"{}", EMBEDD_FORMAT, "t.json: model is missing"},
        {"{\"version\":\"2.0\"}", EMBEDD_UNSUPPORTED, "t.json: version 2.0 is not supported"},
        {"{\"model\":{}}", EMBEDD_FORMAT, "t.json: model has no type"},
        {"{\"model\":{\"type\":\"BNE\",\"vocab\":{}}}", EMBEDD_UNSUPPORTED,
         "t.json: model BNE is not supported"},
        {BPE("\"a\":0", "[]", "\"dropout\":0.1,"), EMBEDD_UNSUPPORTED,
         "t.json: dropout is not supported"},
        {BPE("\"a\":0", "null", ""), EMBEDD_FORMAT, "t.json: merges is not a list"},
        {BPE("\"a\":0", "[\"aa\"]", ""), EMBEDD_FORMAT,
         "t.json: merges[0] is not a pair of tokens"},
        {BPE("\"a\":0,\"aa\":1", "[\"a a\",[\"a\"]]", ""), EMBEDD_FORMAT,
         "t.json: merges[1] is not a pair of tokens"},
        {BPE("\"a\":0", "[[\"a\",\"a\"]]", ""), EMBEDD_FORMAT,
         "t.json: merges[0]: what they make is not in vocab"},
        {BPE("\"a\":0", "[]", "\"unk_token\":\"u\","), EMBEDD_FORMAT,
         "t.json: unk_token u is not in vocab"},
        {UNIGRAM("[\"a\",-1]", "null"), EMBEDD_UNSUPPORTED,
         "t.json: a Unigram without unk_id is not supported"},
        {UNIGRAM("[\"a\",-1]", "1"), EMBEDD_FORMAT, "t.json: unk_id 1 is not in vocab"},
        {UNIGRAM("[\"a\"]", "0"), EMBEDD_FORMAT, "t.json: the score of a is not a number"},
        {UNIGRAM("[\"a\",1e999]", "0"), EMBEDD_FORMAT, "t.json: the score of a is not a number"},
        {UNIGRAM("[1,1]", "0"), EMBEDD_FORMAT, "t.json: vocab[0] has no token"},
        {"{\"model\":{\"type\":\"WordLevel\",\"vocab\":{\"a\":0}}}", EMBEDD_FORMAT,
         "t.json: unk_token is missing"},
        {"{\"model\":{\"vocab\":{},\"vocab\":{}}}", EMBEDD_FORMAT, "t.json: vocab is there twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(ed_tokenizer_open_bytes(&tokenizer, cases[i].json, strlen(cases[i].json),
                                                 "t.json", &f->err),
                         cases[i].status);
        if (cases[i].message)
            assert_string_equal(f->err.message, cases[i].message);
        assert_null(tokenizer);
    }
    assert_int_equal(ed_tokenizer_open(&tokenizer, "/nowhere", NULL, &f->err), EMBEDD_NOT_FOUND);
    ed_tokenizer_close(NULL);
    ed_tokenizer_scratch_close(NULL);
}

/* The type of a WordPiece model may be missing. */
static void early_files_open(void **state)
{
    fixture *f = *state;
    static const char json[] = "{\"model\":{\"unk_token\":\"u\",\"continuing_subword_prefix\":\"\","
                               "\"max_input_chars_per_word\":9,\"vocab\":{\"u\":0,\"a\":1}}}";
    ed_tokenizer *tokenizer;
    assert_int_equal(ed_tokenizer_open_bytes(&tokenizer, json, sizeof json - 1, "t.json", &f->err),
                     EMBEDD_OK);
    assert_string_equal(small_tokenizer_ids(tokenizer, "aa"), "1 1");
    ed_tokenizer_close(tokenizer);
}

/* Processor time: other programs must not make the test fail. */
static uint64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Nanoseconds for `unit` repeated up to n_bytes; the best of three. */
static uint64_t time_of(const ed_tokenizer *tokenizer, const char *unit, size_t n_bytes)
{
    ed_tokenizer_scratch *scratch;
    embedd_error err;
    int32_t ids[512];
    size_t n_ids, n_total, unit_bytes = strlen(unit);
    uint64_t best = UINT64_MAX;
    char *text = malloc(n_bytes);
    n_bytes -= n_bytes % unit_bytes;
    for (size_t i = 0; i < n_bytes; i++)
        text[i] = unit[i % unit_bytes];
    assert_int_equal(ed_tokenizer_scratch_open(&scratch, tokenizer, &err), EMBEDD_OK);
    for (size_t i = 0; i < 3; i++) {
        uint64_t begin = cpu_ns(), end;
        assert_int_equal(ed_tokenizer_encode(tokenizer, scratch, (embedd_text){text, n_bytes}, 512,
                                             ids, &n_ids, &n_total, &err),
                         EMBEDD_OK);
        end = cpu_ns();
        best = end - begin < best ? end - begin : best;
    }
    ed_tokenizer_scratch_close(scratch);
    free(text);
    return best;
}

#define UNIGRAM_MODEL                                                                              \
    "\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"byte_fallback\":true,\"vocab\":[[\"u\",0],"    \
    "[\"a\",-2],[\"b\",-2],[\"ab\",-3],[\"aaaa\",-5],[\"_\",-2],[\"__\",-3],[\"_ab\",-4]]}"
#define BPE_MODEL                                                                                  \
    "\"model\":{\"type\":\"BPE\",\"unk_token\":\"u\",\"fuse_unk\":true,\"vocab\":{\"u\":0,\"a\":"  \
    "1,"                                                                                           \
    "\"aa\":2,\"aaaa\":3,\"b\":4,\"ab\":5,\"abab\":6,\"_\":7,\"__\":8,\"ba\":9},\"merges\":[\"a "  \
    "a\","                                                                                         \
    "\"aa aa\",\"b a\",\"a b\",\"ab ab\",\"_ _\"]}"
#define LLAMA3                                                                                     \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}{1,3}| "         \
    "?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+"

/* Four times the text may take eight times as long, to be safe on a busy machine: what is quadratic
 * takes sixteen. */
static void time_is_linear_in_the_text(void **state)
{
    (void)state;
    static const char *const units[] = {
        "a",
        " ",
        "\n",
        "ab",
        "a b ",
        ".",
        "\xCC\x81",
        "\xCC\x81\xCC\xA3",
        "a\xCC\x81",
        "\xE4\xB8\xAD",
        "\xED\x95\x9C",
        "\xC4\xB0",
        "[",
        "[SE",
        "[SEP]",
        "L ",
        "R ",
        " L",
        "x",
        "xx ",
        "\xE1\x84\x80",
        " \n",
        "'",
        "1",
        "aaab",
    };
    /* Whole texts as one word, too. */
    static const char *const others[] = {
        "{" UNIGRAM_MODEL "}",
        "{\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":"
        "\"WhitespaceSplit\"},"
        "{\"type\":\"Metaspace\",\"replacement\":\"_\"}]},\"normalizer\":{\"type\":\"Sequence\","
        "\"normalizers\":[{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" "
        "{2,}\"},\"content\":\"_\"},"
        "{\"type\":\"Strip\",\"strip_left\":true,\"strip_right\":true}]}," UNIGRAM_MODEL "}",
        "{\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"_\"},"
        "\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"String\":\" \"},\"behavior\":"
        "\"MergedWithPrevious\",\"invert\":false}," BPE_MODEL "}",
        "{\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":true}," BPE_MODEL "}",
        "{\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"" LLAMA3
        "\"},\"behavior\":\"Isolated\",\"invert\":false}," BPE_MODEL "}",
    };
    const small_tokenizer kinds[] = {
        {0},
        {.normalizer = "{\"type\":\"NFC\"}",
         .pre_tokenizer = "null",
         .word_chars_max = "1000000000"},
        {.added_tokens = "[{\"content\":\"[SEP]\"},{\"content\":\"L\",\"lstrip\":true},"
                         "{\"content\":\"R\",\"rstrip\":true},{\"content\":\" \",\"rstrip\":true},"
                         "{\"content\":\"xx\",\"normalized\":true,\"single_word\":true}]"},
    };
    const size_t n_kinds = sizeof kinds / sizeof *kinds;
    for (size_t k = 0; k < n_kinds + sizeof others / sizeof *others; k++) {
        ed_tokenizer *tokenizer = NULL;
        embedd_error err;
        if (k < n_kinds)
            tokenizer = small_tokenizer_open(&kinds[k]);
        else if (ed_tokenizer_open_bytes(&tokenizer, others[k - n_kinds],
                                         strlen(others[k - n_kinds]), "t.json", &err) != EMBEDD_OK)
            fail_msg("%s", err.message);
        for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
            uint64_t small = time_of(tokenizer, units[i], (size_t)32 << 10);
            uint64_t large = time_of(tokenizer, units[i], (size_t)128 << 10);
            if (large > 8 * small && large > 20000000)
                fail_msg("kind %zu, \"%s\": %llu ns, then %llu ns", k, units[i],
                         (unsigned long long)small, (unsigned long long)large);
        }
        ed_tokenizer_close(tokenizer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_text_is_cut_but_counted),
        cmocka_unit_test(too_little_room_is_refused),
        cmocka_unit_test(odd_texts_are_fine),
        cmocka_unit_test(invalid_utf8_is_refused_with_its_place),
        cmocka_unit_test(files_are_refused_by_name),
        cmocka_unit_test(early_files_open),
        cmocka_unit_test(time_is_linear_in_the_text),
    };
    return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
