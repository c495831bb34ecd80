/* In: tickets of rows. Out: the same tickets, done. Never waits for more work before it starts,
 * never grows, never lets one request's failure reach another. */
#include "server/scheduler.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

#include <pthread.h>
#include <string.h>

#define BATCH_ROWS_MAX     4096
#define BATCH_TOKENS_FIRST 1024      /* until the speed is known */
#define BATCH_TOKENS_MIN   256       /* fewer do not keep the kernels busy */
#define BATCH_NS           200000000 /* work of one batch; half of it while others wait */

/* A thread and its batch: written under the mutex, read by the thread without. */
typedef struct lane {
    ed_scheduler *scheduler;
    bool (*build)(struct lane *lane); /* a batch of what waits; false if nothing is for this lane */
    pthread_t thread;
    bool started;
    ed_target *target;   /* of the batch */
    embedd_row *rows;    /* [BATCH_ROWS_MAX] */
    ed_ticket **tickets; /* [BATCH_ROWS_MAX] whose row it is */
    size_t n_rows;
    size_t n_tokens;
    embedd_status *failures; /* [BATCH_ROWS_MAX] of the row alone, if the batch failed */
    uint64_t began_ns;       /* 0 = nothing runs */
} lane;

struct ed_scheduler {
    ed_scheduler_options options;
    pthread_mutex_t mutex; /* guards everything below and the scheduler's part of every ticket */
    pthread_cond_t work;
    bool stop;
    ed_ticket *first, *last;  /* tickets with rows that wait; the head got least lately */
    size_t n_waiting_tickets; /* in the list */
    ed_scheduler_stats stats; /* all but `stuck` */
    lane main, express;
};

static embedd_status open_lane(lane *l, embedd_error *err);
static void close_lane(lane *l);
static void *compute(void *context);
static bool build_batch(lane *l);
static bool build_express(lane *l);
static void take_rows(lane *l, ed_ticket *ticket, size_t tokens_max, size_t batch_max);
static size_t batch_tokens_wanted(const ed_target *target, bool others_wait);
static void run_batch(lane *l);
static ed_ticket *end_batch(lane *l, uint64_t took_ns);
static void finish(ed_scheduler *s, ed_ticket *ticket, ed_ticket **ended);
static void tell_done(ed_scheduler *s, ed_ticket *ended);
static void list_append(ed_scheduler *s, ed_ticket *ticket);
static void list_remove(ed_scheduler *s, ed_ticket *ticket);

embedd_status ed_scheduler_open(ed_scheduler **out, const ed_scheduler_options *options,
                                embedd_error *err)
{
    ed_scheduler *s = ed_calloc(1, sizeof *s);
    if (!s)
        return ed_fail(err, EMBEDD_MEMORY, "no memory for the scheduler");
    s->options = *options;
    s->main = (lane){.scheduler = s, .build = build_batch};
    s->express = (lane){.scheduler = s, .build = build_express};
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->work, NULL);
    embedd_status status = open_lane(&s->main, err);
    if (status == EMBEDD_OK && options->express)
        status = open_lane(&s->express, err);
    if (status == EMBEDD_OK)
        *out = s;
    else
        ed_scheduler_close(s);
    return status;
}

static embedd_status open_lane(lane *l, embedd_error *err)
{
    l->rows = ed_calloc(BATCH_ROWS_MAX, sizeof *l->rows);
    l->tickets = ed_calloc(BATCH_ROWS_MAX, sizeof *l->tickets);
    l->failures = ed_calloc(BATCH_ROWS_MAX, sizeof *l->failures);
    if (!l->rows || !l->tickets || !l->failures)
        return ed_fail(err, EMBEDD_MEMORY, "no memory for the scheduler");
    if (pthread_create(&l->thread, NULL, compute, l) != 0)
        return ed_fail(err, EMBEDD_MEMORY, "a computing thread could not be started");
    l->started = true;
    return EMBEDD_OK;
}

void ed_scheduler_close(ed_scheduler *s)
{
    if (!s)
        return;
    ed_ticket *ended = NULL;
    pthread_mutex_lock(&s->mutex);
    s->stop = true;
    for (ed_ticket *ticket; (ticket = s->first);) {
        ticket->cancelled = true;
        finish(s, ticket, &ended);
    }
    pthread_cond_broadcast(&s->work);
    pthread_mutex_unlock(&s->mutex);
    tell_done(s, ended);
    close_lane(&s->main);
    close_lane(&s->express);
    pthread_cond_destroy(&s->work);
    pthread_mutex_destroy(&s->mutex);
    ed_free(s);
}

static void close_lane(lane *l)
{
    if (l->started)
        pthread_join(l->thread, NULL);
    ed_free(l->rows);
    ed_free(l->tickets);
    ed_free(l->failures);
}

ed_submit ed_scheduler_submit(ed_scheduler *s, ed_ticket *ticket)
{
    ed_submit result = ED_SUBMIT_TAKEN;
    pthread_mutex_lock(&s->mutex);
    if (ticket->cancelled || s->stop) {
        result = ED_SUBMIT_CANCELLED;
    } else if (s->stats.n_requests >= s->options.queue_requests_max ||
               (s->stats.n_requests > 0 &&
                (s->stats.n_tokens >= s->options.queue_tokens_max ||
                 ticket->n_tokens > s->options.queue_tokens_max - s->stats.n_tokens))) {
        result = ED_SUBMIT_FULL;
    } else {
        ticket->error.status = EMBEDD_OK;
        s->stats.n_requests++;
        s->stats.n_tokens += ticket->n_tokens;
        list_append(s, ticket);
        pthread_cond_broadcast(&s->work);
    }
    pthread_mutex_unlock(&s->mutex);
    return result;
}

void ed_scheduler_cancel(ed_scheduler *s, ed_ticket *ticket)
{
    ed_ticket *ended = NULL;
    pthread_mutex_lock(&s->mutex);
    ticket->cancelled = true;
    if (ticket->waiting)
        finish(s, ticket, &ended);
    pthread_mutex_unlock(&s->mutex);
    tell_done(s, ended);
}

void ed_scheduler_get_stats(ed_scheduler *s, ed_scheduler_stats *stats)
{
    pthread_mutex_lock(&s->mutex);
    *stats = s->stats;
    stats->stuck = false;
    uint64_t now_ns = ed_clock_ns();
    for (const lane *l = &s->main; l; l = l == &s->main ? &s->express : NULL)
        stats->stuck |=
            l->began_ns != 0 && now_ns - l->began_ns >= (uint64_t)s->options.stuck_ms * 1000000;
    pthread_mutex_unlock(&s->mutex);
}

/* ---- the computing threads ------------------------------------------------------------------- */

static void *compute(void *context)
{
    lane *l = context;
    ed_scheduler *s = l->scheduler;
    pthread_mutex_lock(&s->mutex);
    while (!s->stop) {
        l->n_rows = 0;
        l->n_tokens = 0;
        if (!l->build(l)) {
            pthread_cond_wait(&s->work, &s->mutex);
            continue;
        }
        uint64_t began_ns = ed_clock_ns();
        l->began_ns = began_ns;
        if (s->first)
            pthread_cond_broadcast(&s->work); /* what is left may be for the express lane */
        pthread_mutex_unlock(&s->mutex);

        run_batch(l);

        uint64_t took_ns = ed_clock_ns() - began_ns;
        pthread_mutex_lock(&s->mutex);
        l->began_ns = 0;
        ed_ticket *ended = end_batch(l, took_ns);
        pthread_mutex_unlock(&s->mutex);
        tell_done(s, ended);
        pthread_mutex_lock(&s->mutex);
    }
    pthread_mutex_unlock(&s->mutex);
    return NULL;
}

/* For the target of the first in the list: first everyone's share, then the rest to those who have
 * more. Whoever got rows goes behind those who got none, so nobody waits for ever. */
static bool build_batch(lane *l)
{
    ed_scheduler *s = l->scheduler;
    if (!s->first)
        return false;
    size_t n_sharing = 0;
    l->target = s->first->target;
    for (ed_ticket *t = s->first; t; t = t->next)
        n_sharing += t->target == l->target;
    size_t wanted = batch_tokens_wanted(l->target, s->n_waiting_tickets > 1);
    size_t share = wanted / n_sharing;
    for (ed_ticket *t = s->first; t; t = t->next)
        take_rows(l, t, share, wanted);
    for (ed_ticket *t = s->first; t; t = t->next)
        take_rows(l, t, wanted, wanted);
    ed_ticket *ticket = s->first;
    for (size_t n_left = s->n_waiting_tickets; n_left > 0; n_left--) {
        ed_ticket *next = ticket->next;
        if (ticket->n_running > 0) {
            list_remove(s, ticket);
            if (ticket->next_row < ticket->n_rows)
                list_append(s, ticket);
        }
        ticket = next;
    }
    return true;
}

/* While the main lane is busy: requests that would wait for it much longer than they take. The
 * first of them says whose they are. */
static bool build_express(lane *l)
{
    ed_scheduler *s = l->scheduler;
    if (s->main.began_ns == 0)
        return false;
    ed_ticket *next;
    for (ed_ticket *ticket = s->first; ticket; ticket = next) {
        next = ticket->next;
        ed_target *target = l->n_rows > 0 ? l->target : ticket->target;
        size_t tokens_max = s->main.n_tokens / 2;
        if (tokens_max > target->express_tokens_max)
            tokens_max = target->express_tokens_max;
        if (ticket->target != target || !target->express_context || ticket->next_row > 0 ||
            ticket->n_tokens > tokens_max - l->n_tokens)
            continue;
        l->target = target;
        take_rows(l, ticket, tokens_max, tokens_max);
        list_remove(s, ticket); /* all of it fits: a row has one token at least */
    }
    return l->n_rows > 0;
}

/* Rows of one ticket of the batch's target while it has no more than tokens_max in the batch. Its
 * first row comes whatever its share is; the batch's first row whatever the batch should hold. */
static void take_rows(lane *l, ed_ticket *ticket, size_t tokens_max, size_t batch_max)
{
    size_t n_own = 0;
    if (ticket->target != l->target)
        return;
    for (size_t i = ticket->next_row - ticket->n_running; i < ticket->next_row; i++)
        n_own += ticket->rows[i].n_tokens;
    while (ticket->next_row < ticket->n_rows && l->n_rows < BATCH_ROWS_MAX) {
        const embedd_row *row = &ticket->rows[ticket->next_row];
        bool fits = l->n_rows == 0 || l->n_tokens + row->n_tokens <= batch_max;
        bool shared = ticket->n_running == 0 || n_own + row->n_tokens <= tokens_max;
        if (!fits || !shared)
            return;
        l->rows[l->n_rows] = *row;
        l->tickets[l->n_rows++] = ticket;
        l->n_tokens += row->n_tokens;
        n_own += row->n_tokens;
        ticket->next_row++;
        ticket->n_running++;
    }
}

static size_t batch_tokens_wanted(const ed_target *target, bool others_wait)
{
    size_t wanted = BATCH_TOKENS_FIRST;
    uint64_t work_ns = others_wait ? BATCH_NS / 2 : BATCH_NS;
    if (target->ns_per_ktoken > 0)
        wanted = (size_t)(work_ns * 1000 / target->ns_per_ktoken);
    if (wanted < BATCH_TOKENS_MIN)
        wanted = BATCH_TOKENS_MIN;
    return wanted < target->batch_tokens_max ? wanted : target->batch_tokens_max;
}

/* Without the mutex. If the batch fails, each row shows by itself whether it is at fault: alone it
 * has the same vector as in company. */
static void run_batch(lane *l)
{
    embedd_error err;
    const ed_target *t = l->target;
    void *context = l == &l->scheduler->main ? t->context : t->express_context;
    memset(l->failures, 0, l->n_rows * sizeof *l->failures);
    if (t->embed(context, l->rows, l->n_rows, &err) == EMBEDD_OK)
        return;
    for (size_t i = 0; i < l->n_rows; i++)
        l->failures[i] = t->embed(context, &l->rows[i], 1, &err);
}

static ed_ticket *end_batch(lane *l, uint64_t took_ns)
{
    ed_scheduler *s = l->scheduler;
    ed_ticket *ended = NULL;
    /* small ones tell of overhead, not of speed */
    if (l == &s->main && l->n_tokens >= BATCH_TOKENS_MIN) {
        uint64_t latest = took_ns * 1000 / l->n_tokens + 1;
        uint64_t average = l->target->ns_per_ktoken;
        l->target->ns_per_ktoken = average ? (3 * average + latest) / 4 : latest;
    }
    s->stats.n_batches_done++;
    if (s->options.batch_tokens)
        ed_histogram_add(s->options.batch_tokens, l->n_tokens);
    s->stats.n_tokens_done += l->n_tokens;
    s->stats.n_texts_done += l->n_rows;
    for (size_t i = 0; i < l->n_rows; i++) {
        ed_ticket *ticket = l->tickets[i];
        s->stats.n_tokens -= l->rows[i].n_tokens;
        if (l->failures[i] != EMBEDD_OK && ticket->error.status == EMBEDD_OK) {
            /* A ticket's rows are in order: this is the first of those not yet counted off. */
            ticket->error.status = l->failures[i];
            ticket->error.index = ticket->next_row - ticket->n_running;
        }
        ticket->n_running--;
        bool over = ticket->next_row == ticket->n_rows || ticket->cancelled ||
                    ticket->error.status != EMBEDD_OK;
        if (ticket->n_running == 0 && over)
            finish(s, ticket, &ended);
        else if (ticket->n_running == 0 && s->options.progress)
            s->options.progress(ticket, ticket->next_row);
    }
    return ended;
}

/* Out of the queue. If rows of it still run, end_batch comes here again. */
static void finish(ed_scheduler *s, ed_ticket *ticket, ed_ticket **ended)
{
    if (ticket->waiting)
        list_remove(s, ticket);
    for (; ticket->next_row < ticket->n_rows; ticket->next_row++)
        s->stats.n_tokens -= ticket->rows[ticket->next_row].n_tokens;
    if (ticket->n_running > 0)
        return;
    s->stats.n_requests--;
    ticket->next = *ended;
    *ended = ticket;
}

/* Without the mutex; a ticket may be freed as soon as it is told. */
static void tell_done(ed_scheduler *s, ed_ticket *ended)
{
    while (ended) {
        ed_ticket *next = ended->next;
        s->options.done(ended);
        ended = next;
    }
}

/* ---- the list -------------------------------------------------------------------------------- */

static void list_append(ed_scheduler *s, ed_ticket *ticket)
{
    ticket->previous = s->last;
    ticket->next = NULL;
    if (s->last)
        s->last->next = ticket;
    else
        s->first = ticket;
    s->last = ticket;
    ticket->waiting = true;
    s->n_waiting_tickets++;
}

static void list_remove(ed_scheduler *s, ed_ticket *ticket)
{
    if (ticket->previous)
        ticket->previous->next = ticket->next;
    else
        s->first = ticket->next;
    if (ticket->next)
        ticket->next->previous = ticket->previous;
    else
        s->last = ticket->previous;
    ticket->waiting = false;
    s->n_waiting_tickets--;
}
