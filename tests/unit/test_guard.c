/* Who may call: hosts, origins and keys (the vectors of A45). */
#include "server/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *const listed[] = {"https://app.example", "app://desk"};

static const ed_guard open_guard = {.host = "127.0.0.1", .port = 8421};
static const ed_guard key_guard = {.host = "127.0.0.1", .port = 8421, .api_key = "s3cret-key"};
static const ed_guard page_guard = {
    .host = "127.0.0.1", .port = 8421, .origins = listed, .n_origins = 2};

static ed_problem_code check_host(const char *host)
{
    return ed_guard_check(&open_guard, &(ed_guard_headers){.host = host}, true);
}

static void test_a45_hosts_that_are_ours(void **state)
{
    static const char *const ours[] = {"127.0.0.1:8421", "127.0.0.1",  "localhost:8421",
                                       "LocalHost",      "[::1]:8421", "[::1]"};
    (void)state;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        assert_int_equal(check_host(ours[i]), ED_PROBLEM_NONE);
    const ed_guard other = {.host = "127.0.0.2", .port = 80};
    assert_int_equal(ed_guard_check(&other, &(ed_guard_headers){.host = "127.0.0.2:80"}, true),
                     ED_PROBLEM_NONE);
    const ed_guard six = {.host = "fe80::1", .port = 80};
    assert_int_equal(ed_guard_check(&six, &(ed_guard_headers){.host = "[fe80::1]:80"}, true),
                     ED_PROBLEM_NONE);
}

static void test_a45_hosts_of_others(void **state)
{
    static const char *const others[] = {
        "evil.example",
        "evil.example:8421",
        "127.0.0.1.evil.example:8421",
        "127.0.0.1:84210",
        "127.0.0.1:8422",
        "127.0.0.1:",
        "127.0.0.1:08421",
        "127.0.0.1:8421 ",
        "127.0.0.1@evil.example",
        "localhost.",
        "localhost.evil.com",
        "localhostx:8421",
        "0.0.0.0:8421",
        "127.1:8421",
        "2130706433:8421",
        "[::ffff:127.0.0.1]",
        "::1",
        "[::1",
        "192.168.1.10:8421",
        "host.internal",
        "",
        "xlocalhost",
        " localhost",
        "127.0.0.1:8421:8421",
        "127.0.0.1:+8421",
        "127.0.0.1:8421/",
        "127.0.0.1:0x20e5",
    };
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (check_host(others[i]) != ED_PROBLEM_FORBIDDEN_HOST)
            fail_msg("%s", others[i]);
    assert_int_equal(check_host(NULL), ED_PROBLEM_FORBIDDEN_HOST);
}

static void test_any_host_reaches_a_remote_server(void **state)
{
    const ed_guard remote = {.host = "0.0.0.0", .port = 8421, .any_host = true};
    (void)state;
    assert_int_equal(ed_guard_check(&remote, &(ed_guard_headers){.host = "box.lan:8421"}, true),
                     ED_PROBLEM_NONE);
    assert_int_equal(
        ed_guard_check(&remote,
                       &(ed_guard_headers){.host = "box.lan", .origin = "https://evil.example"},
                       true),
        ED_PROBLEM_FORBIDDEN_ORIGIN);
}

static ed_problem_code check_page(const ed_guard *guard, const char *origin, const char *site)
{
    return ed_guard_check(
        guard, &(ed_guard_headers){.host = "127.0.0.1", .origin = origin, .fetch_site = site},
        true);
}

static void test_a45_web_pages_are_refused(void **state)
{
    static const char *const origins[] = {"https://evil.example",
                                          "null",
                                          "",
                                          "http://127.0.0.1:8421",
                                          "http://localhost:3000",
                                          "file://",
                                          "chrome-extension://abc"};
    (void)state;
    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++)
        assert_int_equal(check_page(&open_guard, origins[i], NULL), ED_PROBLEM_FORBIDDEN_ORIGIN);
    assert_int_equal(check_page(&open_guard, NULL, "cross-site"), ED_PROBLEM_FORBIDDEN_ORIGIN);
    assert_int_equal(check_page(&open_guard, NULL, "same-site"), ED_PROBLEM_FORBIDDEN_ORIGIN);
    assert_int_equal(check_page(&open_guard, NULL, "whatever"), ED_PROBLEM_FORBIDDEN_ORIGIN);
    assert_int_equal(check_page(&open_guard, NULL, "none"), ED_PROBLEM_NONE);
    assert_int_equal(check_page(&open_guard, NULL, "same-origin"), ED_PROBLEM_NONE);
    assert_int_equal(check_page(&open_guard, NULL, NULL), ED_PROBLEM_NONE);
}

static void test_our_own_page_may_call(void **state)
{
    static const char *const ours[] = {"http://127.0.0.1:8421", "http://localhost:8421",
                                       "http://[::1]:8421"};
    static const char *const others[] = {
        "http://127.0.0.1",           "http://localhost",           "http://[::1]",
        "https://127.0.0.1:8421",     "http://127.0.0.1:8422",      "http://127.0.0.1:84210",
        "http://localhost.evil:8421", "http://evil.localhost:8421", "http://localhost:8421.evil"};
    (void)state;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        assert_int_equal(check_page(&open_guard, ours[i], "same-origin"), ED_PROBLEM_NONE);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(check_page(&open_guard, others[i], "same-origin"),
                         ED_PROBLEM_FORBIDDEN_ORIGIN);
    assert_int_equal(check_page(&open_guard, ours[0], "same-site"), ED_PROBLEM_FORBIDDEN_ORIGIN);
    /* by a name that was made to point here, on a server that takes any */
    const ed_guard any = {.host = "0.0.0.0", .port = 8421, .any_host = true};
    assert_int_equal(ed_guard_check(&any,
                                    &(ed_guard_headers){.host = "evil:8421",
                                                        .origin = "http://evil:8421",
                                                        .fetch_site = "same-origin"},
                                    false),
                     ED_PROBLEM_FORBIDDEN_ORIGIN);
}

static void test_listed_origins_may_call(void **state)
{
    (void)state;
    assert_int_equal(check_page(&page_guard, "https://app.example", "cross-site"), ED_PROBLEM_NONE);
    assert_int_equal(check_page(&page_guard, "app://desk", NULL), ED_PROBLEM_NONE);
    assert_int_equal(check_page(&page_guard, "https://app.example.evil", NULL),
                     ED_PROBLEM_FORBIDDEN_ORIGIN);
    assert_int_equal(check_page(&page_guard, "https://app.exampl", NULL),
                     ED_PROBLEM_FORBIDDEN_ORIGIN);
    assert_true(ed_guard_lists_origin(&page_guard, "app://desk"));
    assert_false(ed_guard_lists_origin(&page_guard, NULL));
}

static ed_problem_code check_key(const ed_guard *guard, const char *authorization, bool needed)
{
    return ed_guard_check(
        guard, &(ed_guard_headers){.host = "127.0.0.1", .authorization = authorization}, needed);
}

static void test_a45_keys(void **state)
{
    static const char *const wrong[] = {"Bearer s3cret-kez",
                                        "Bearer s3cret-ke",
                                        "Bearer s3cret-key ",
                                        "Bearer s3cret-keys3cret-key",
                                        "Bearer ",
                                        "Bearer",
                                        "s3cret-key",
                                        "Basic s3cret-key",
                                        ""};
    (void)state;
    assert_int_equal(check_key(&key_guard, "Bearer s3cret-key", true), ED_PROBLEM_NONE);
    assert_int_equal(check_key(&key_guard, "bearer s3cret-key", true), ED_PROBLEM_NONE);
    assert_int_equal(check_key(&key_guard, NULL, true), ED_PROBLEM_UNAUTHORIZED);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(check_key(&key_guard, wrong[i], true), ED_PROBLEM_UNAUTHORIZED);
    assert_int_equal(check_key(&key_guard, NULL, false), ED_PROBLEM_NONE);
    assert_int_equal(check_key(&open_guard, "Bearer ollama", true), ED_PROBLEM_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a45_hosts_that_are_ours),
        cmocka_unit_test(test_a45_hosts_of_others),
        cmocka_unit_test(test_any_host_reaches_a_remote_server),
        cmocka_unit_test(test_a45_web_pages_are_refused),
        cmocka_unit_test(test_our_own_page_may_call),
        cmocka_unit_test(test_listed_origins_may_call),
        cmocka_unit_test(test_a45_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
