/* The scheduler with a fake model: who gets into which batch, who is told what. */
#include "server/scheduler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POISON    -1
#define BATCH_MAX 100

/* A request of rows of equal length; the vector of a row is its first id. */
typedef struct request {
    ed_ticket ticket; /* first: `done` gets this */
    int32_t *ids;     /* [n_rows] */
    float *out;       /* [n_rows] */
    bool done;
    size_t batches_at_done;
    size_t n_computed; /* rows, as told */
    size_t n_told;     /* how often */
} request;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int express;             /* the context of the express lane */
static bool express_allowed;    /* it computes as it likes */
static size_t n_allowed;        /* the model computes only so many batches */
static size_t n_entered;        /* batches that have come to the gate */
static size_t n_batches;        /* that have passed */
static size_t n_rows_run;       /* rows computed */
static size_t tokens_most;      /* of any batch of more than one row */
static const float *seen[4096]; /* out pointers of the last batch */
static size_t n_seen;

static embedd_status fake_embed(void *context, const embedd_row *rows, size_t n_rows,
                                embedd_error *err)
{
    (void)err;
    embedd_status status = EMBEDD_OK;
    size_t n_tokens = 0;
    pthread_mutex_lock(&mutex);
    n_entered++;
    pthread_cond_broadcast(&changed);
    while (n_batches >= n_allowed && !(context == &express && express_allowed))
        pthread_cond_wait(&changed, &mutex);
    n_seen = n_rows;
    for (size_t i = 0; i < n_rows; i++) {
        seen[i] = rows[i].out;
        n_tokens += rows[i].n_tokens;
        *rows[i].out += (float)rows[i].ids[0];
        if (rows[i].ids[0] == POISON)
            status = EMBEDD_NONFINITE;
    }
    if (status != EMBEDD_OK)
        for (size_t i = 0; i < n_rows; i++)
            *rows[i].out = 0; /* unspecified after a failure */
    if (n_rows > 1 && n_tokens > tokens_most)
        tokens_most = n_tokens;
    n_rows_run += n_rows;
    n_batches++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
    return status;
}

static ed_target first_target, second_target;
static ed_client first_client, second_client; /* requests are of the first, unless a test says */

static void on_done(ed_ticket *ticket)
{
    request *r = (request *)ticket;
    pthread_mutex_lock(&mutex);
    assert_false(r->done);
    r->done = true;
    r->batches_at_done = n_batches;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

/* Every time more rows than before, never all of them, and they are computed. */
static void on_progress(ed_ticket *ticket, size_t n_rows)
{
    request *r = (request *)ticket;
    pthread_mutex_lock(&mutex);
    assert_false(r->done);
    assert_true(n_rows > r->n_computed && n_rows < ticket->n_rows);
    for (size_t i = r->n_computed; i < n_rows; i++)
        assert_true(r->out[i] == (float)r->ids[i]);
    r->n_computed = n_rows;
    r->n_told++;
    pthread_mutex_unlock(&mutex);
}

static request *request_new(size_t n_rows, size_t tokens_per_row)
{
    request *r = calloc(1, sizeof *r);
    assert_non_null(r);
    r->ids = calloc(n_rows, sizeof *r->ids);
    r->out = calloc(n_rows, sizeof *r->out);
    r->ticket.rows = calloc(n_rows, sizeof *r->ticket.rows);
    assert_true(r->ids && r->out && r->ticket.rows);
    for (size_t i = 0; i < n_rows; i++) {
        r->ids[i] = (int32_t)i + 1;
        r->ticket.rows[i] =
            (embedd_row){.ids = &r->ids[i], .n_tokens = tokens_per_row, .out = &r->out[i]};
    }
    r->ticket.target = &first_target;
    r->ticket.client = &first_client;
    r->ticket.n_rows = n_rows;
    r->ticket.n_tokens = n_rows * tokens_per_row;
    return r;
}

static void request_free(request *r)
{
    free(r->ids);
    free(r->out);
    free(r->ticket.rows);
    free(r);
}

static void allow(size_t n_more)
{
    pthread_mutex_lock(&mutex);
    n_allowed = n_more == SIZE_MAX ? SIZE_MAX : n_batches + n_more;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

static void allow_express(void)
{
    pthread_mutex_lock(&mutex);
    express_allowed = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

static void wait_entered(size_t n)
{
    pthread_mutex_lock(&mutex);
    while (n_entered < n)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
}

static void wait_done(request *r)
{
    pthread_mutex_lock(&mutex);
    while (!r->done)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
}

static bool is_done(request *r)
{
    pthread_mutex_lock(&mutex);
    bool done = r->done;
    pthread_mutex_unlock(&mutex);
    return done;
}

/* How many rows of r are in the batch that has run last. */
static size_t seen_of(const request *r)
{
    size_t n = 0;
    for (size_t i = 0; i < n_seen; i++)
        n += seen[i] >= r->out && seen[i] < r->out + r->ticket.n_rows;
    return n;
}

static void check_vectors(const request *r)
{
    assert_int_equal(r->ticket.error.status, EMBEDD_OK);
    for (size_t i = 0; i < r->ticket.n_rows; i++)
        if (r->out[i] != (float)r->ids[i])
            fail_msg("row %zu was computed %g times", i, (double)r->out[i] / (double)r->ids[i]);
}

static ed_scheduler *scheduler_open(size_t queue_tokens_max, size_t queue_requests_max,
                                    size_t express_tokens_max)
{
    ed_scheduler *scheduler = NULL;
    embedd_error err;
    const ed_scheduler_options options = {.express = express_tokens_max > 0,
                                          .done = on_done,
                                          .progress = on_progress,
                                          .queue_tokens_max = queue_tokens_max,
                                          .queue_requests_max = queue_requests_max,
                                          .stuck_ms = 30};
    first_target = (ed_target){.embed = fake_embed,
                               .batch_tokens_max = BATCH_MAX,
                               .express_context = express_tokens_max ? &express : NULL,
                               .express_tokens_max = express_tokens_max};
    second_target = first_target;
    memset(&first_client, 0, sizeof first_client);
    memset(&second_client, 0, sizeof second_client);
    n_entered = n_batches = n_rows_run = tokens_most = n_seen = 0;
    n_allowed = SIZE_MAX;
    express_allowed = false;
    assert_int_equal(ed_scheduler_open(&scheduler, &options, &err), EMBEDD_OK);
    return scheduler;
}

static ed_scheduler *scheduler_new(size_t queue_tokens_max, size_t queue_requests_max)
{
    return scheduler_open(queue_tokens_max, queue_requests_max, 0);
}

static void submit(ed_scheduler *scheduler, request *r)
{
    assert_int_equal(ed_scheduler_submit(scheduler, &r->ticket), ED_SUBMIT_TAKEN);
}

static void test_a_lone_request_starts_at_once(void **state)
{
    (void)state;
    ed_scheduler *scheduler = scheduler_new(100000, 10);
    request *r = request_new(3, 7);
    submit(scheduler, r);
    wait_done(r);
    check_vectors(r);
    assert_int_equal(n_batches, 1);
    ed_scheduler_stats stats;
    ed_scheduler_get_stats(scheduler, &stats);
    assert_int_equal(stats.n_requests, 0);
    assert_int_equal(stats.n_tokens, 0);
    assert_int_equal(stats.n_tokens_done, 21);
    assert_int_equal(stats.n_texts_done, 3);
    ed_scheduler_close(scheduler);
    request_free(r);
}

static void test_progress_is_told(void **state)
{
    (void)state;
    ed_scheduler *scheduler = scheduler_new(100000, 10);
    request *r = request_new(10, BATCH_MAX / 2);
    submit(scheduler, r);
    wait_done(r);
    check_vectors(r);
    assert_int_equal(n_batches, 5);
    assert_int_equal(r->n_told, 4); /* the end is told by itself */
    assert_int_equal(r->n_computed, 8);
    ed_scheduler_close(scheduler);
    request_free(r);
}

static void test_a_small_request_is_in_the_next_batch(void **state)
{
    (void)state;
    ed_scheduler *scheduler = scheduler_new(100000, 10);
    request *bulk = request_new(1000, 10), *small = request_new(1, 10);
    allow(0);
    submit(scheduler, bulk);
    wait_entered(1);
    submit(scheduler, small);
    allow(SIZE_MAX);
    wait_done(small);
    wait_done(bulk);
    assert_int_equal(small->batches_at_done, 2);
    assert_int_equal(bulk->batches_at_done, 101); /* 1,001 rows, 10 in each batch */
    check_vectors(bulk);
    check_vectors(small);
    ed_scheduler_close(scheduler);
    request_free(bulk);
    request_free(small);
}

/* The main lane stands at the gate with a batch of 100 tokens; only the express lane can compute.
 */
static void test_short_requests_overtake_a_batch(void **state)
{
    (void)state;
    ed_scheduler *scheduler = scheduler_open(100000, 10, 60);
    request *bulk = request_new(30, 10), *small = request_new(3, 10), *other = request_new(2, 20),
            *middle = request_new(6, 10);
    allow(0);
    submit(scheduler, bulk);
    wait_entered(1);
    submit(scheduler, middle); /* more than half of the batch */
    submit(scheduler, small);
    wait_entered(2);
    submit(scheduler, other);
    allow_express();
    wait_done(small);
    wait_done(other);
    assert_false(is_done(bulk));
    assert_false(is_done(middle));
    assert_int_equal(n_batches, 2);
    allow(SIZE_MAX);
    wait_done(bulk);
    wait_done(middle);
    request *all[] = {bulk, small, other, middle};
    for (size_t i = 0; i < 4; i++)
        check_vectors(all[i]);
    ed_scheduler_stats stats;
    ed_scheduler_get_stats(scheduler, &stats);
    assert_int_equal(stats.n_requests, 0);
    assert_int_equal(stats.n_tokens, 0);
    ed_scheduler_close(scheduler);
    for (size_t i = 0; i < 4; i++)
        request_free(all[i]);
}

static void test_requests_share_a_batch(void **state)
{
    (void)state;
    ed_scheduler *scheduler = scheduler_new(100000, 10);
    request *first = request_new(1, 10), *a = request_new(100, 5), *b = request_new(100, 5),
            *c = request_new(2, 10);
    allow(0);
    submit(scheduler, first);
    wait_entered(1);
    submit(scheduler, a);
    submit(scheduler, b);
    submit(scheduler, c);
    allow(2);
    wait_done(c);
    assert_int_equal(c->batches_at_done, 2);
    /* 100 tokens: a third for each, and what c leaves goes to the others. */
    assert_int_equal(seen_of(c), 2);
    assert_int_equal(seen_of(b), 8);
    assert_int_equal(seen_of(a), 8);
    allow(SIZE_MAX);
    wait_done(a);
    wait_done(b);
    check_vectors(a);
    check_vectors(b);
    check_vectors(c);
    ed_scheduler_close(scheduler);
    request_free(first);
    request_free(a);
    request_free(b);
    request_free(c);
}

static void test_targets_take_turns(void **state)
{
    enum { N = 12 };
    request *all[N];
    (void)state;
    ed_scheduler *scheduler = scheduler_new(100000, 100);
    request *first = request_new(1, 10);
    allow(0);
    submit(scheduler, first);
    wait_entered(1);
    for (size_t i = 0; i < N; i++) {
        all[i] = request_new(20, 10);
        all[i]->ticket.target = i % 3 ? &first_target : &second_target;
        submit(scheduler, all[i]);
    }
    size_t n_second_batches = 0;
    for (size_t batch = 1; batch < 14; batch++) {
        size_t n_first = 0, n_second = 0;
        allow(1);
        wait_entered(batch + 1);
        for (size_t i = 0; i < N && batch > 1; i++)
            *(all[i]->ticket.target == &first_target ? &n_first : &n_second) += seen_of(all[i]);
        assert_true(batch == 1 || (n_first == 0) != (n_second == 0)); /* never both in one batch */
        assert_true(batch != 2 || n_second > 0);                      /* in the order they came */
        n_second_batches += n_second > 0;
    }
    assert_int_equal(n_second_batches, 4); /* of twelve: a third of the rows are its */
    allow(SIZE_MAX);
    for (size_t i = 0; i < N; i++) {
        wait_done(all[i]);
        check_vectors(all[i]);
        request_free(all[i]);
    }
    ed_scheduler_close(scheduler);
    request_free(first);
}

/* The batch that runs is of the first target. */
static void test_an_express_batch_is_of_one_target(void **state)
{
    (void)state;
    ed_scheduler *scheduler = scheduler_open(100000, 10, 60);
    request *bulk = request_new(30, 10), *a = request_new(1, 10), *b = request_new(1, 10),
            *c = request_new(1, 10);
    second_target.express_tokens_max = 20;
    a->ticket.target = c->ticket.target = &second_target;
    allow(0);
    submit(scheduler, bulk);
    wait_entered(1);
    submit(scheduler, a);
    wait_entered(2);
    submit(scheduler, b);
    submit(scheduler, c);
    allow_express();
    wait_done(a);
    wait_done(b);
    wait_done(c);
    assert_false(is_done(bulk));
    assert_int_equal(n_batches, 3);
    allow(SIZE_MAX);
    wait_done(bulk);
    request *all[] = {bulk, a, b, c};
    for (size_t i = 0; i < 4; i++)
        check_vectors(all[i]);
    ed_scheduler_close(scheduler);
    for (size_t i = 0; i < 4; i++)
        request_free(all[i]);
}

/* Sixty large requests of one client, a small one of another: half of each batch is the other's. */
static void test_a_greedy_client_gets_one_share(void **state)
{
    enum { N = 60 };
    request *greedy[N];
    (void)state;
    ed_scheduler *scheduler = scheduler_new(1000000, 100);
    request *first = request_new(1, 10), *other = request_new(10, 20), *late = request_new(4, 10);
    other->ticket.client = late->ticket.client = &second_client;
    allow(0);
    submit(scheduler, first);
    wait_entered(1);
    for (size_t i = 0; i < N; i++) {
        greedy[i] = request_new(50, 10);
        submit(scheduler, greedy[i]);
    }
    submit(scheduler, other);
    allow(3);
    wait_entered(4);
    submit(scheduler, late); /* after a while of the greedy one alone: no debts, no savings */
    allow(SIZE_MAX);
    wait_done(other);
    wait_done(late);
    assert_true(other->batches_at_done <= 1 + 5 + 1); /* 200 tokens, 50 in each batch */
    assert_true(late->batches_at_done <= 4 + 3);
    check_vectors(other);
    check_vectors(late);
    for (size_t i = 0; i < N; i++) {
        wait_done(greedy[i]);
        check_vectors(greedy[i]);
        request_free(greedy[i]);
    }
    assert_true(n_batches < 10 * N / 2 + 20);
    assert_int_equal(first_client.n_tokens + second_client.n_tokens, 0);
    assert_int_equal(first_client.n_waiting + second_client.n_waiting, 0);
    ed_scheduler_close(scheduler);
    request_free(first);
    request_free(other);
    request_free(late);
}

static void test_a_full_queue_refuses_who_filled_it(void **state)
{
    (void)state;
    ed_scheduler *scheduler = scheduler_new(1000, 100);
    request *greedy = request_new(87, 10), *more = request_new(1, 10), *other = request_new(30, 10),
            *again = request_new(1, 10);
    other->ticket.client = again->ticket.client = &second_client;
    allow(0);
    submit(scheduler, greedy);
    wait_entered(1);
    assert_int_equal(ed_scheduler_submit(scheduler, &more->ticket), ED_SUBMIT_FULL);
    submit(scheduler, other); /* the first of its client, more than what is left */
    assert_int_equal(ed_scheduler_submit(scheduler, &again->ticket), ED_SUBMIT_FULL);
    allow(SIZE_MAX);
    wait_done(other);
    wait_done(greedy);
    submit(scheduler, more);
    submit(scheduler, again);
    wait_done(more);
    wait_done(again);
    request *all[] = {greedy, more, other, again};
    for (size_t i = 0; i < 4; i++) {
        check_vectors(all[i]);
        request_free(all[i]);
    }
    ed_scheduler_close(scheduler);
}

/* Of 800, 100 are kept for those who have little. */
static void test_the_last_eighth_is_shared(void **state)
{
    (void)state;
    assert_true(ed_is_fair(690, 10, 690, 800, 1));
    assert_false(ed_is_fair(690, 11, 690, 800, 1));
    assert_false(ed_is_fair(700, 1, 700, 800, 2));
    assert_true(ed_is_fair(0, 50, 700, 800, 2));
    assert_false(ed_is_fair(0, 51, 700, 800, 2));
    assert_false(ed_is_fair(49, 2, 749, 800, 2));
    assert_false(ed_is_fair(0, 1, 800, 800, 2));
    assert_false(ed_is_fair(0, 1, 900, 800, 2));
    assert_false(ed_is_fair(0, SIZE_MAX, 1, 800, 1));
    assert_true(ed_is_fair(0, 1, 0, 1, 0));
}

static void test_nobody_waits_for_ever(void **state)
{
    enum { N_SMALL = 400 };
    request *small[N_SMALL];
    (void)state;
    ed_scheduler *scheduler = scheduler_new(100000, 500);
    request *first = request_new(1, 10), *bulk = request_new(20, 60);
    allow(0);
    submit(scheduler, first);
    wait_entered(1);
    for (size_t i = 0; i < N_SMALL; i++) {
        small[i] = request_new(1, 20);
        if (i == N_SMALL / 2)
            submit(scheduler, bulk); /* each of its rows takes the room of three others */
        submit(scheduler, small[i]);
    }
    allow(SIZE_MAX);
    wait_done(bulk);
    size_t last = 0;
    for (size_t i = 0; i < N_SMALL; i++) {
        wait_done(small[i]);
        check_vectors(small[i]);
        assert_true(small[i]->batches_at_done >= last); /* first come, first served */
        last = small[i]->batches_at_done;
        request_free(small[i]);
    }
    check_vectors(bulk);
    assert_true(bulk->batches_at_done < last + 20); /* some of its 20 rows came before */
    assert_true(tokens_most <= BATCH_MAX);
    ed_scheduler_close(scheduler);
    request_free(first);
    request_free(bulk);
}

static void test_a_row_longer_than_a_batch_runs_alone(void **state)
{
    (void)state;
    ed_scheduler *scheduler = scheduler_new(100000, 10);
    request *r = request_new(3, BATCH_MAX + 50);
    submit(scheduler, r);
    wait_done(r);
    check_vectors(r);
    assert_int_equal(n_batches, 3);
    ed_scheduler_close(scheduler);
    request_free(r);
}

static void test_a29_a_full_queue_refuses(void **state)
{
    (void)state;
    ed_scheduler *scheduler = scheduler_new(1000, 3);
    request *huge = request_new(500, 10), *b = request_new(1, 10), *c = request_new(1, 10),
            *d = request_new(1, 10), *e = request_new(80, 10);
    allow(0);
    submit(scheduler, huge); /* alone, a request may have more than the queue */
    wait_entered(1);
    assert_int_equal(ed_scheduler_submit(scheduler, &b->ticket), ED_SUBMIT_FULL);
    allow(SIZE_MAX);
    wait_done(huge);
    check_vectors(huge);

    allow(0);
    submit(scheduler, e);
    assert_int_equal(ed_scheduler_submit(scheduler, &huge->ticket), ED_SUBMIT_FULL);
    submit(scheduler, b);
    submit(scheduler, c);
    assert_int_equal(ed_scheduler_submit(scheduler, &d->ticket), ED_SUBMIT_FULL);
    allow(SIZE_MAX);
    wait_done(e);
    wait_done(b);
    wait_done(c);
    submit(scheduler, d);
    wait_done(d);
    ed_scheduler_close(scheduler);
    request *all[] = {huge, b, c, d, e};
    for (size_t i = 0; i < 5; i++)
        request_free(all[i]);
}

static void test_a30_a_cancelled_request_leaves_the_queue(void **state)
{
    (void)state;
    ed_scheduler *scheduler = scheduler_new(100000, 10);
    request *running = request_new(100, 10), *waiting = request_new(100, 10),
            *early = request_new(1, 10), *other = request_new(2, 10);
    allow(0);
    submit(scheduler, running);
    wait_entered(1);
    submit(scheduler, waiting);
    submit(scheduler, other);

    ed_scheduler_cancel(scheduler, &waiting->ticket);
    assert_true(is_done(waiting)); /* at once: none of its rows runs */
    assert_true(waiting->ticket.cancelled);
    ed_scheduler_cancel(scheduler, &waiting->ticket); /* again changes nothing */
    ed_scheduler_cancel(scheduler, &running->ticket);
    assert_false(is_done(running)); /* its memory is in use until the batch ends */
    ed_scheduler_stats stats;
    ed_scheduler_get_stats(scheduler, &stats);
    assert_int_equal(stats.n_requests, 2);
    assert_int_equal(stats.n_tokens, 100 + 20);

    ed_scheduler_cancel(scheduler, &early->ticket);
    assert_int_equal(ed_scheduler_submit(scheduler, &early->ticket), ED_SUBMIT_CANCELLED);

    allow(SIZE_MAX);
    wait_done(running);
    wait_done(other);
    check_vectors(other);
    assert_int_equal(n_rows_run, 10 + 2);
    ed_scheduler_get_stats(scheduler, &stats);
    assert_int_equal(stats.n_requests, 0);
    assert_int_equal(stats.n_tokens, 0);
    ed_scheduler_close(scheduler);
    request *all[] = {running, waiting, early, other};
    for (size_t i = 0; i < 4; i++)
        request_free(all[i]);
}

static void test_a_failure_stays_with_its_request(void **state)
{
    (void)state;
    ed_scheduler *scheduler = scheduler_new(100000, 10);
    request *first = request_new(1, 10), *good = request_new(3, 10), *bad = request_new(30, 10),
            *late = request_new(3, 10);
    bad->ids[2] = POISON;
    bad->ids[3] = POISON;
    allow(0);
    submit(scheduler, first);
    wait_entered(1);
    submit(scheduler, good);
    submit(scheduler, bad);
    submit(scheduler, late);
    allow(SIZE_MAX);
    wait_done(good);
    wait_done(bad);
    wait_done(late);
    check_vectors(good);
    check_vectors(late);
    assert_int_equal(bad->ticket.error.status, EMBEDD_NONFINITE);
    assert_int_equal(bad->ticket.error.index, 2);
    ed_scheduler_stats stats;
    ed_scheduler_get_stats(scheduler, &stats);
    assert_int_equal(stats.n_requests, 0);
    assert_int_equal(stats.n_tokens, 0);
    ed_scheduler_close(scheduler);
    request *all[] = {first, good, bad, late};
    for (size_t i = 0; i < 4; i++)
        request_free(all[i]);
}

static void test_a33_a_batch_that_does_not_end_is_stuck(void **state)
{
    ed_scheduler_stats stats;
    (void)state;
    ed_scheduler *scheduler = scheduler_new(100000, 10);
    request *r = request_new(1, 10);
    ed_scheduler_get_stats(scheduler, &stats);
    assert_false(stats.stuck);
    allow(0);
    submit(scheduler, r);
    wait_entered(1);
    ed_scheduler_get_stats(scheduler, &stats);
    for (int i = 0; i < 1000 && !stats.stuck; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        ed_scheduler_get_stats(scheduler, &stats);
    }
    assert_true(stats.stuck);
    allow(SIZE_MAX);
    wait_done(r);
    ed_scheduler_get_stats(scheduler, &stats);
    assert_false(stats.stuck);
    ed_scheduler_close(scheduler);
    request_free(r);
}

static void *allow_later(void *context)
{
    (void)context;
    allow(SIZE_MAX);
    return NULL;
}

static void test_close_cancels_what_waits(void **state)
{
    (void)state;
    ed_scheduler *scheduler = scheduler_new(100000, 10);
    request *running = request_new(1, 10), *waiting = request_new(1, 10);
    allow(0);
    submit(scheduler, running);
    wait_entered(1);
    submit(scheduler, waiting);
    pthread_t opener;
    assert_int_equal(pthread_create(&opener, NULL, allow_later, NULL), 0);
    ed_scheduler_close(scheduler);
    pthread_join(opener, NULL);
    assert_true(running->done);
    assert_true(waiting->done);
    check_vectors(running);
    request_free(running);
    request_free(waiting);
}

/* Many clients at once: every row exactly once, whatever the interleaving. */
typedef struct client {
    ed_scheduler *scheduler;
    unsigned seed;
    bool ok;
} client;

static void *client_main(void *context)
{
    client *c = context;
    unsigned seed = c->seed;
    for (int i = 0; i < 100; i++) {
        seed = seed * 1664525u + 1013904223u;
        request *r = request_new(1 + seed / 65536 % 30, 1 + seed / 4096 % 40);
        r->ticket.target = seed / 256 % 4 ? &first_target : &second_target;
        c->ok &= ed_scheduler_submit(c->scheduler, &r->ticket) == ED_SUBMIT_TAKEN;
        bool cancel = seed / 16 % 8 == 0;
        if (cancel)
            ed_scheduler_cancel(c->scheduler, &r->ticket);
        wait_done(r);
        for (size_t row = 0; !cancel && row < r->ticket.n_rows; row++)
            c->ok &= r->out[row] == (float)r->ids[row];
        request_free(r);
    }
    return NULL;
}

static void test_a28_many_clients(void **state)
{
    enum { N_CLIENTS = 8 };
    client clients[N_CLIENTS];
    pthread_t threads[N_CLIENTS];
    ed_scheduler_stats stats;
    (void)state;
    ed_scheduler *scheduler = scheduler_open(1000000, 100, 40);
    for (unsigned i = 0; i < N_CLIENTS; i++) {
        clients[i] = (client){scheduler, i + 1, true};
        assert_int_equal(pthread_create(&threads[i], NULL, client_main, &clients[i]), 0);
    }
    for (size_t i = 0; i < N_CLIENTS; i++) {
        pthread_join(threads[i], NULL);
        assert_true(clients[i].ok);
    }
    ed_scheduler_get_stats(scheduler, &stats);
    assert_int_equal(stats.n_requests, 0);
    assert_int_equal(stats.n_tokens, 0);
    assert_true(tokens_most <= BATCH_MAX);
    ed_scheduler_close(scheduler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_lone_request_starts_at_once),
        cmocka_unit_test(test_progress_is_told),
        cmocka_unit_test(test_a_small_request_is_in_the_next_batch),
        cmocka_unit_test(test_short_requests_overtake_a_batch),
        cmocka_unit_test(test_requests_share_a_batch),
        cmocka_unit_test(test_targets_take_turns),
        cmocka_unit_test(test_an_express_batch_is_of_one_target),
        cmocka_unit_test(test_a_greedy_client_gets_one_share),
        cmocka_unit_test(test_a_full_queue_refuses_who_filled_it),
        cmocka_unit_test(test_the_last_eighth_is_shared),
        cmocka_unit_test(test_nobody_waits_for_ever),
        cmocka_unit_test(test_a_row_longer_than_a_batch_runs_alone),
        cmocka_unit_test(test_a29_a_full_queue_refuses),
        cmocka_unit_test(test_a30_a_cancelled_request_leaves_the_queue),
        cmocka_unit_test(test_a_failure_stays_with_its_request),
        cmocka_unit_test(test_a33_a_batch_that_does_not_end_is_stuck),
        cmocka_unit_test(test_close_cancels_what_waits),
        cmocka_unit_test(test_a28_many_clients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
