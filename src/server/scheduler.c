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

struct ed_scheduler {
    ed_scheduler_options options;
    pthread_t thread;
    bool started;
    pthread_mutex_t mutex; /* guards everything below and the scheduler's part of every ticket */
    pthread_cond_t work;
    bool stop;
    ed_ticket *first, *last;  /* tickets with rows that wait; the head got least lately */
    size_t n_waiting_tickets; /* in the list */
    ed_scheduler_stats stats; /* all but `stuck` */
    uint64_t batch_began_ns;  /* 0 = nothing runs */
    uint64_t ns_per_ktoken;   /* moving average; 0 = unknown */

    /* The batch: written under the mutex, read by the computing thread without. */
    embedd_row *rows;    /* [rows_cap] */
    ed_ticket **tickets; /* [rows_cap] whose row it is */
    size_t rows_cap;
    size_t n_rows;
    size_t n_tokens;
    embedd_status *failures; /* [rows_cap] of the row alone, if the batch failed */
};

static void *compute(void *context);
static void build_batch(ed_scheduler *s);
static void take_rows(ed_scheduler *s, ed_ticket *ticket, size_t tokens_max, size_t batch_max);
static size_t batch_tokens_wanted(const ed_scheduler *s);
static void run_batch(ed_scheduler *s);
static ed_ticket *end_batch(ed_scheduler *s, uint64_t took_ns);
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
    s->rows_cap =
        options->batch_tokens_max < BATCH_ROWS_MAX ? options->batch_tokens_max : BATCH_ROWS_MAX;
    s->rows = ed_calloc(s->rows_cap, sizeof *s->rows);
    s->tickets = ed_calloc(s->rows_cap, sizeof *s->tickets);
    s->failures = ed_calloc(s->rows_cap, sizeof *s->failures);
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->work, NULL);
    embedd_status status = EMBEDD_OK;
    if (!s->rows || !s->tickets || !s->failures)
        status = ed_fail(err, EMBEDD_MEMORY, "no memory for the scheduler");
    else if (pthread_create(&s->thread, NULL, compute, s) != 0)
        status = ed_fail(err, EMBEDD_MEMORY, "the computing thread could not be started");
    s->started = status == EMBEDD_OK;
    if (s->started)
        *out = s;
    else
        ed_scheduler_close(s);
    return status;
}

void ed_scheduler_close(ed_scheduler *s)
{
    if (!s)
        return;
    if (s->started) {
        pthread_mutex_lock(&s->mutex);
        s->stop = true;
        ed_ticket *ended = NULL;
        for (ed_ticket *ticket; (ticket = s->first);) {
            ticket->cancelled = true;
            finish(s, ticket, &ended);
        }
        pthread_cond_signal(&s->work);
        pthread_mutex_unlock(&s->mutex);
        tell_done(s, ended);
        pthread_join(s->thread, NULL);
    }
    pthread_cond_destroy(&s->work);
    pthread_mutex_destroy(&s->mutex);
    ed_free(s->rows);
    ed_free(s->tickets);
    ed_free(s->failures);
    ed_free(s);
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
        pthread_cond_signal(&s->work);
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
    stats->stuck = s->batch_began_ns != 0 &&
                   ed_clock_ns() - s->batch_began_ns >= (uint64_t)s->options.stuck_ms * 1000000;
    pthread_mutex_unlock(&s->mutex);
}

/* ---- the computing thread -------------------------------------------------------------------- */

static void *compute(void *context)
{
    ed_scheduler *s = context;
    pthread_mutex_lock(&s->mutex);
    while (!s->stop) {
        if (!s->first) {
            pthread_cond_wait(&s->work, &s->mutex);
            continue;
        }
        build_batch(s);
        uint64_t began_ns = ed_clock_ns();
        s->batch_began_ns = began_ns;
        pthread_mutex_unlock(&s->mutex);

        run_batch(s);

        uint64_t took_ns = ed_clock_ns() - began_ns;
        pthread_mutex_lock(&s->mutex);
        s->batch_began_ns = 0;
        ed_ticket *ended = end_batch(s, took_ns);
        pthread_mutex_unlock(&s->mutex);
        tell_done(s, ended);
        pthread_mutex_lock(&s->mutex);
    }
    pthread_mutex_unlock(&s->mutex);
    return NULL;
}

/* First everyone's share, then the rest to those who have more. Whoever got rows goes behind those
 * who got none, so nobody waits for ever. */
static void build_batch(ed_scheduler *s)
{
    size_t wanted = batch_tokens_wanted(s);
    size_t share = wanted / s->n_waiting_tickets;
    s->n_rows = 0;
    s->n_tokens = 0;
    for (ed_ticket *t = s->first; t; t = t->next)
        take_rows(s, t, share, wanted);
    for (ed_ticket *t = s->first; t; t = t->next)
        take_rows(s, t, wanted, wanted);
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
}

/* Rows of one ticket while it has no more than tokens_max in the batch. Its first row comes
 * whatever its share is; the batch's first row whatever the batch should hold. */
static void take_rows(ed_scheduler *s, ed_ticket *ticket, size_t tokens_max, size_t batch_max)
{
    size_t n_own = 0;
    for (size_t i = ticket->next_row - ticket->n_running; i < ticket->next_row; i++)
        n_own += ticket->rows[i].n_tokens;
    while (ticket->next_row < ticket->n_rows && s->n_rows < s->rows_cap) {
        const embedd_row *row = &ticket->rows[ticket->next_row];
        bool fits = s->n_rows == 0 || s->n_tokens + row->n_tokens <= batch_max;
        bool shared = ticket->n_running == 0 || n_own + row->n_tokens <= tokens_max;
        if (!fits || !shared)
            return;
        s->rows[s->n_rows] = *row;
        s->tickets[s->n_rows++] = ticket;
        s->n_tokens += row->n_tokens;
        n_own += row->n_tokens;
        ticket->next_row++;
        ticket->n_running++;
    }
}

static size_t batch_tokens_wanted(const ed_scheduler *s)
{
    size_t wanted = BATCH_TOKENS_FIRST;
    uint64_t work_ns = s->n_waiting_tickets > 1 ? BATCH_NS / 2 : BATCH_NS;
    if (s->ns_per_ktoken > 0)
        wanted = (size_t)(work_ns * 1000 / s->ns_per_ktoken);
    if (wanted < BATCH_TOKENS_MIN)
        wanted = BATCH_TOKENS_MIN;
    return wanted < s->options.batch_tokens_max ? wanted : s->options.batch_tokens_max;
}

/* Without the mutex. If the batch fails, each row shows by itself whether it is at fault: alone it
 * has the same vector as in company. */
static void run_batch(ed_scheduler *s)
{
    embedd_error err;
    memset(s->failures, 0, s->n_rows * sizeof *s->failures);
    if (s->options.embed(s->options.embed_context, s->rows, s->n_rows, &err) == EMBEDD_OK)
        return;
    for (size_t i = 0; i < s->n_rows; i++)
        s->failures[i] = s->options.embed(s->options.embed_context, &s->rows[i], 1, &err);
}

static ed_ticket *end_batch(ed_scheduler *s, uint64_t took_ns)
{
    ed_ticket *ended = NULL;
    if (s->n_tokens >= BATCH_TOKENS_MIN) { /* small ones tell of overhead, not of speed */
        uint64_t latest = took_ns * 1000 / s->n_tokens + 1;
        s->ns_per_ktoken = s->ns_per_ktoken ? (3 * s->ns_per_ktoken + latest) / 4 : latest;
    }
    s->stats.n_batches_done++;
    if (s->options.batch_tokens)
        ed_histogram_add(s->options.batch_tokens, s->n_tokens);
    s->stats.n_tokens_done += s->n_tokens;
    s->stats.n_texts_done += s->n_rows;
    for (size_t i = 0; i < s->n_rows; i++) {
        ed_ticket *ticket = s->tickets[i];
        s->stats.n_tokens -= s->rows[i].n_tokens;
        if (s->failures[i] != EMBEDD_OK && ticket->error.status == EMBEDD_OK) {
            /* A ticket's rows are in order: this is the first of those not yet counted off. */
            ticket->error.status = s->failures[i];
            ticket->error.index = ticket->next_row - ticket->n_running;
        }
        ticket->n_running--;
        bool over = ticket->next_row == ticket->n_rows || ticket->cancelled ||
                    ticket->error.status != EMBEDD_OK;
        if (ticket->n_running == 0 && over)
            finish(s, ticket, &ended);
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
