/* Tokenizers given as lists, as GGUF metadata has them: what tokenizer.json cannot say, and what a
 * list says in two ways. */
#include "tokenizer/tokenizer_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N_IDS_MAX 16
#define MAP_BYTES (4 + 4 * 128 + 3) /* a multiple of 3 */

#define TEXT(literal) ((embedd_text){literal, sizeof(literal) - 1})

/* Of the tokens below. */
static const embedd_text bpe_tokens[] = {TEXT("<mask>"), TEXT("\xC4\xA0"), TEXT("a"),
                                         TEXT("\xC4\xA0"
                                              "a")};
static const embedd_text bpe_merges[] = {TEXT("\xC4\xA0 a")};
static const int32_t bpe_types[] = {ED_PARTS_CONTROL, ED_PARTS_NORMAL, ED_PARTS_NORMAL,
                                    ED_PARTS_NORMAL};

static ed_tokenizer_parts bpe_parts(void)
{
    return (ed_tokenizer_parts){.kind = ED_PARTS_BYTE_BPE,
                                .tokens = bpe_tokens,
                                .n_tokens = 4,
                                .types = bpe_types,
                                .merges = bpe_merges,
                                .n_merges = 1,
                                .pre = "gpt-2",
                                .unknown = -1,
                                .mask = -1,
                                .first = -1,
                                .last = -1};
}

static void expect_ids(const ed_tokenizer_parts *parts, embedd_text text, const int32_t *expected,
                       size_t n_expected)
{
    embedd_error err = {.message = ""};
    ed_tokenizer *tokenizer = NULL;
    ed_tokenizer_scratch *scratch = NULL;
    int32_t ids[N_IDS_MAX];
    size_t n_ids = 0, n_total = 0;

    if (ed_tokenizer_open_parts(&tokenizer, parts, "p", &err) != EMBEDD_OK)
        fail_msg("%s", err.message);
    assert_int_equal(ed_tokenizer_scratch_open(&scratch, tokenizer, &err), EMBEDD_OK);
    assert_int_equal(
        ed_tokenizer_encode(tokenizer, scratch, text, N_IDS_MAX, ids, &n_ids, &n_total, &err),
        EMBEDD_OK);
    assert_int_equal(n_ids, n_expected);
    assert_memory_equal(ids, expected, n_expected * sizeof *ids);
    ed_tokenizer_scratch_close(scratch);
    ed_tokenizer_close(tokenizer);
}

static void a_token_may_take_the_spaces_before_it(void **state)
{
    ed_tokenizer_parts parts = bpe_parts();

    (void)state;
    expect_ids(&parts, TEXT("a <mask> a"), (const int32_t[]){2, 1, 0, 3}, 4);
    parts.lstrip = "<mask>";
    expect_ids(&parts, TEXT("a <mask> a"), (const int32_t[]){2, 0, 3}, 3);
}

static void the_types_say_which_tokens_are_special(void **state)
{
    ed_tokenizer_parts parts = bpe_parts();

    (void)state;
    parts.mask = 2;
    expect_ids(&parts, TEXT(" a"), (const int32_t[]){3}, 1);
    parts.types = NULL; /* then those with a part of their own are */
    expect_ids(&parts, TEXT(" a"), (const int32_t[]){1, 2}, 2);
}

static void ids_become_text_again(void **state)
{
    const ed_tokenizer_parts parts = bpe_parts();
    embedd_error err = {.message = ""};
    ed_tokenizer *tokenizer = NULL;
    ed_buf text;

    (void)state;
    ed_buf_init(&text, 64);
    assert_int_equal(ed_tokenizer_open_parts(&tokenizer, &parts, "p", &err), EMBEDD_OK);
    assert_int_equal(
        ed_tokenizer_decode(tokenizer, (const int32_t[]){0, 2, 3}, 3, true, &text, &err),
        EMBEDD_OK);
    assert_int_equal(text.n_bytes, 3);
    assert_memory_equal(text.data, "a a", 3);
    ed_buf_clear(&text);
    ed_tokenizer_close(tokenizer);
}

static void a_split_pattern_must_be_known(void **state)
{
    ed_tokenizer_parts parts = bpe_parts();
    embedd_error err = {.message = ""};
    ed_tokenizer *tokenizer = NULL;

    (void)state;
    parts.pre = "gpt";
    assert_int_equal(ed_tokenizer_open_parts(&tokenizer, &parts, "p", &err), EMBEDD_UNSUPPORTED);
    assert_string_equal(err.message, "p: pre-tokenizer gpt is not supported");
    assert_null(tokenizer);
}

/* "A" becomes "a": the trie's root, whose children are at 0 ^ label; "A" with its value at 65 ^ 66;
 * what the value points to. */
static void fill_charsmap(unsigned char map[MAP_BYTES])
{
    const uint32_t leaf = 66U << 10 | 1U << 8 | 'A', value = 1U << 31;

    memset(map, 0, MAP_BYTES);
    map[0] = (4 * 128) & 0xFF;
    map[1] = (4 * 128) >> 8;
    for (unsigned i = 0; i < 4; i++) {
        map[4 + 4 * 'A' + i] = (unsigned char)(leaf >> (8 * i));
        map[4 + 4 * ('A' ^ 66) + i] = (unsigned char)(value >> (8 * i));
    }
    map[4 + 4 * 128] = 'a';
}

static void a_charsmap_is_bytes_or_their_base64(void **state)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static const embedd_text tokens[] = {TEXT("<unk>"),
                                         TEXT("\xE2\x96\x81"
                                              "a"),
                                         TEXT("A")};
    static const float scores[] = {0, -1, -2};
    unsigned char map[MAP_BYTES];
    char base64[sizeof map / 3 * 4];
    ed_tokenizer_parts parts = {.kind = ED_PARTS_UNIGRAM,
                                .tokens = tokens,
                                .n_tokens = 3,
                                .scores = scores,
                                .unknown = 0,
                                .mask = -1,
                                .first = -1,
                                .last = -1,
                                .space_prefix = true};

    (void)state;
    fill_charsmap(map);
    for (size_t i = 0, j = 0; i + 2 < sizeof map; i += 3) {
        uint32_t group = (uint32_t)map[i] << 16 | (uint32_t)map[i + 1] << 8 | map[i + 2];
        for (unsigned shift = 24; shift > 0; shift -= 6)
            base64[j++] = digits[group >> (shift - 6) & 63];
    }
    parts.charsmap = (embedd_text){(const char *)map, sizeof map};
    expect_ids(&parts, TEXT("A"), (const int32_t[]){1}, 1);
    parts.charsmap = (embedd_text){NULL, 0};
    parts.charsmap_base64 = (embedd_text){base64, sizeof map / 3 * 4};
    expect_ids(&parts, TEXT("A"), (const int32_t[]){1}, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_may_take_the_spaces_before_it),
        cmocka_unit_test(the_types_say_which_tokens_are_special),
        cmocka_unit_test(ids_become_text_again),
        cmocka_unit_test(a_split_pattern_must_be_known),
        cmocka_unit_test(a_charsmap_is_bytes_or_their_base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
