/* The vectors of FIPS 180-4's examples, and pieces of every size. */
#include "hub/sha.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

static void expect_sha(ed_sha_kind kind, const char *text, const char *expected)
{
    ed_sha sha;
    char hex[ED_SHA_HEX_MAX];

    ed_sha_init(&sha, kind);
    ed_sha_add(&sha, text, strlen(text));
    ed_sha_hex(&sha, hex);
    assert_string_equal(hex, expected);
}

static void sha256_of_known_texts(void **state)
{
    (void)state;
    expect_sha(ED_SHA_256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect_sha(ED_SHA_256, "abc",
               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect_sha(ED_SHA_256, two_blocks,
               "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void sha1_of_known_texts(void **state)
{
    (void)state;
    expect_sha(ED_SHA_1, "", "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    expect_sha(ED_SHA_1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d");
    expect_sha(ED_SHA_1, two_blocks, "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
}

static void a_million_letters(void **state)
{
    static const char *const expected[] = {
        [ED_SHA_1] = "34aa973cd4c4daa4f61eeb2bdbad27316534016f",
        [ED_SHA_256] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"};
    char letters[1000];
    char hex[ED_SHA_HEX_MAX];
    ed_sha sha;

    (void)state;
    memset(letters, 'a', sizeof letters);
    for (int kind = ED_SHA_1; kind <= ED_SHA_256; kind++) {
        ed_sha_init(&sha, (ed_sha_kind)kind);
        for (int i = 0; i < 1000; i++)
            ed_sha_add(&sha, letters, sizeof letters);
        ed_sha_hex(&sha, hex);
        assert_string_equal(hex, expected[kind]);
    }
}

/* Whatever the pieces, the sum is that of the whole; every length round a block's end. */
static void pieces_make_the_whole(void **state)
{
    char text[200];
    char whole[ED_SHA_HEX_MAX], pieces[ED_SHA_HEX_MAX];
    ed_sha sha;

    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 7);
    for (size_t n = 0; n <= sizeof text; n++) {
        for (size_t piece = 1; piece <= 70; piece += 3) {
            ed_sha_init(&sha, ED_SHA_256);
            ed_sha_add(&sha, text, n);
            ed_sha_hex(&sha, whole);
            ed_sha_init(&sha, ED_SHA_256);
            for (size_t at = 0; at < n; at += piece)
                ed_sha_add(&sha, text + at, n - at < piece ? n - at : piece);
            ed_sha_hex(&sha, pieces);
            assert_string_equal(whole, pieces);
        }
    }
}

/* What `printf 'Hello, World!' | git hash-object --stdin` prints. */
static void name_of_a_git_blob(void **state)
{
    ed_sha sha;
    char hex[ED_SHA_HEX_MAX];

    (void)state;
    ed_sha_init(&sha, ED_SHA_1);
    ed_sha_add(&sha, "blob 13", 8); /* its NUL belongs to it */
    ed_sha_add(&sha, "Hello, World!", 13);
    ed_sha_hex(&sha, hex);
    assert_string_equal(hex, "b45ef6fec89518d314f546fd6c3025367b721684");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_of_known_texts), cmocka_unit_test(sha1_of_known_texts),
        cmocka_unit_test(a_million_letters),     cmocka_unit_test(pieces_make_the_whole),
        cmocka_unit_test(name_of_a_git_blob),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
