/* Models with real, small files: who waits for whom, and who may stop waiting. */
#include "server/models.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool gate_closed; /* whoever is told waits, and the keeper with him */
static size_t n_at_gate, n_told;

static void on_ready(ed_model_use *use)
{
    pthread_mutex_lock(&mutex);
    n_at_gate++;
    pthread_cond_broadcast(&changed);
    while (gate_closed)
        pthread_cond_wait(&changed, &mutex);
    *(bool *)use->context = true;
    n_told++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

static void close_gate(bool closed)
{
    pthread_mutex_lock(&mutex);
    gate_closed = closed;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

static void wait_at_gate(size_t n)
{
    pthread_mutex_lock(&mutex);
    while (n_at_gate < n)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
}

static void wait_told(size_t n)
{
    pthread_mutex_lock(&mutex);
    while (n_told < n)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
}

static ed_models *models_new(const char *const *names, size_t n_names, size_t memory_bytes_max)
{
    ed_models *models = NULL;
    embedd_error err;
    char path[512];
    const ed_models_options options = {.loading = {.session = {.n_threads = 1}, .n_encoders = 1},
                                       .memory_bytes_max = memory_bytes_max,
                                       .keep_alive_ns = ED_FOREVER};
    gate_closed = false;
    n_at_gate = n_told = 0;
    assert_int_equal(ed_models_open(&models, &options, &err), EMBEDD_OK);
    for (size_t i = 0; i < n_names; i++) {
        snprintf(path, sizeof path, "%s/golden/%s", getenv("EMBEDD_TEST_DATA"), names[i]);
        assert_int_equal(ed_models_add(models, names[i], path, &err), EMBEDD_OK);
    }
    return models;
}

static ed_model_use use_new(ed_models *models, const char *name, bool *told)
{
    ed_served_model *model = ed_models_find(models, (embedd_text){name, strlen(name)});
    assert_non_null(model);
    *told = false;
    return (ed_model_use){.model = model, .ready = on_ready, .context = told};
}

static size_t n_loaded(ed_models *models)
{
    ed_models_stats stats;
    ed_models_get_stats(models, &stats);
    return stats.n_loaded;
}

static void wait_loaded(ed_models *models, size_t n)
{
    while (n_loaded(models) != n)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static const char *const both[] = {"bert-mean-norm", "mpnet"};

static void test_the_first_waits_the_second_does_not(void **state)
{
    bool told;
    (void)state;
    ed_models *models = models_new(both, 2, 0);
    ed_model_use a = use_new(models, both[0], &told), b = a;
    assert_false(ed_models_take(models, &a));
    wait_told(1);
    assert_non_null(a.loaded);
    assert_int_equal(a.error.status, EMBEDD_OK);
    assert_string_equal(a.loaded->info->architecture, "bert");
    assert_true(ed_models_take(models, &b));
    assert_ptr_equal(a.loaded, b.loaded);
    assert_int_equal(n_loaded(models), 1);
    assert_false(ed_models_leave(models, &a));
    ed_models_give(models, &a, NULL);
    const int64_t at_once = 0;
    ed_models_give(models, &b, &at_once);
    wait_loaded(models, 0);
    ed_models_close(models);
}

static void test_one_that_waits_may_leave(void **state)
{
    bool told_a, told_b;
    (void)state;
    ed_models *models = models_new(both, 2, 0);
    ed_model_use a = use_new(models, both[0], &told_a), b = use_new(models, both[1], &told_b),
                 c = b, d = b;
    close_gate(true);
    assert_false(ed_models_take(models, &a));
    wait_at_gate(1); /* the keeper is busy */
    assert_false(ed_models_take(models, &b));
    assert_false(ed_models_take(models, &c));
    assert_true(ed_models_leave(models, &c));
    assert_true(ed_models_leave(models, &b));
    assert_false(ed_models_leave(models, &b));
    assert_true(ed_models_take(models, &b)); /* whoever has left does not wait again */
    assert_null(b.loaded);
    assert_int_not_equal(b.error.status, EMBEDD_OK);
    assert_false(ed_models_leave(models, &d)); /* before it comes */
    assert_true(ed_models_take(models, &d));
    assert_null(d.loaded);
    close_gate(false);
    wait_told(1);
    ed_models_give(models, &a, NULL);
    assert_int_equal(n_loaded(models), 1); /* nobody waited for the other any more */
    assert_false(told_b);
    ed_models_close(models);
}

/* Room for one of them: the second waits for the first, and who comes later waits behind it. */
static void test_whoever_waits_for_room_gets_it(void **state)
{
    bool told_a, told_b, told_c;
    (void)state;
    ed_models *models = models_new(both, 2, 0);
    ed_model_use a = use_new(models, both[0], &told_a), b = use_new(models, both[1], &told_b),
                 c = a;
    assert_false(ed_models_take(models, &a));
    assert_false(ed_models_take(models, &b));
    wait_told(2);
    size_t one = a.loaded->n_bytes > b.loaded->n_bytes ? a.loaded->n_bytes : b.loaded->n_bytes;
    ed_models_give(models, &a, NULL);
    ed_models_give(models, &b, NULL);
    ed_models_close(models);

    models = models_new(both, 2, one);
    a = use_new(models, both[0], &told_a);
    b = use_new(models, both[1], &told_b);
    c = use_new(models, both[0], &told_c);
    assert_false(ed_models_take(models, &a));
    wait_told(1);
    assert_false(ed_models_take(models, &b));
    /* The keeper finds out by loading it that there is no room. */
    while (ed_models_take(models, &c)) {
        ed_models_give(models, &c, NULL);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    assert_false(told_b);
    ed_models_give(models, &a, NULL);
    wait_told(2);
    assert_true(told_b);
    assert_string_equal(b.loaded->info->architecture, "mpnet");
    assert_false(told_c);
    assert_int_equal(n_loaded(models), 1);
    ed_models_give(models, &b, NULL);
    wait_told(3);
    assert_string_equal(c.loaded->info->architecture, "bert");
    ed_models_give(models, &c, NULL);
    ed_models_close(models);
}

static void test_one_that_cannot_be_loaded(void **state)
{
    static const char *const names[] = {"gguf", "mpnet"}; /* a folder without a model */
    bool told_a, told_b;
    (void)state;
    ed_models *models = models_new(names, 2, 0);
    ed_model_use a = use_new(models, names[0], &told_a), b = use_new(models, names[1], &told_b);
    assert_false(ed_models_take(models, &a));
    assert_false(ed_models_take(models, &b));
    wait_told(2);
    assert_null(a.loaded);
    assert_int_not_equal(a.error.status, EMBEDD_OK);
    assert_non_null(strstr(a.error.message, "gguf"));
    assert_non_null(b.loaded);
    ed_models_give(models, &a, NULL); /* of nothing */
    ed_models_give(models, &b, NULL);
    ed_models_close(models);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_waits_the_second_does_not),
        cmocka_unit_test(test_one_that_waits_may_leave),
        cmocka_unit_test(test_whoever_waits_for_room_gets_it),
        cmocka_unit_test(test_one_that_cannot_be_loaded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
