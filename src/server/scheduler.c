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
#define HAD_PER_TOKEN      1024      /* parts, so that one can be shared by many */

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
    size_t tokens_max;       /* the main lane's */
    embedd_status *failures; /* [BATCH_ROWS_MAX] of the row alone, if the batch failed */
    uint64_t began_ns;       /* 0 = nothing runs */
} lane;

struct ed_scheduler {
    ed_scheduler_options options;
    pthread_mutex_t mutex; /* guards everything below and the scheduler's part of every ticket */
    pthread_cond_t work;
    bool stop;
    ed_ticket *first, *last;  /* tickets with rows that wait, as they came */
    size_t n_waiting_tickets; /* in the list */
    size_t n_waiting_clients; /* whose they are */
    size_t n_clients;         /* with tokens waiting or running */
    uint64_t n_due;           /* what each client should have had */
    ed_scheduler_stats stats; /* all but `stuck` */
    lane main, express;
};

static embedd_status open_lane(lane *l, embedd_error *err);
static void close_lane(lane *l);
static void *compute(void *context);
static bool build_batch(lane *l);
static bool build_express(lane *l);
static ed_ticket *least_served(const lane *l, bool (*fits)(const lane *l, const ed_ticket *ticket));
static bool fits_batch(const lane *l, const ed_ticket *ticket);
static bool fits_express(const lane *l, const ed_ticket *ticket);
static void take_row(lane *l, ed_ticket *ticket);
static size_t batch_tokens_wanted(const ed_target *target, bool others_wait);
static void run_batch(lane *l);
static ed_ticket *end_batch(lane *l, uint64_t took_ns);
static void finish(ed_scheduler *s, ed_ticket *ticket, ed_ticket **ended);
static bool has_room(const ed_scheduler *s, const ed_ticket *ticket);
static void count_tokens(ed_scheduler *s, ed_client *client, size_t n_more, size_t n_less);
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
    } else if (!has_room(s, ticket)) {
        result = ED_SUBMIT_FULL;
    } else {
        ticket->error.status = EMBEDD_OK;
        s->stats.n_requests++;
        count_tokens(s, ticket->client, ticket->n_tokens, 0);
        list_append(s, ticket);
        pthread_cond_broadcast(&s->work);
    }
    pthread_mutex_unlock(&s->mutex);
    return result;
}

/* Who has nothing in the queue is never told that others have filled it. */
static bool has_room(const ed_scheduler *s, const ed_ticket *ticket)
{
    const ed_client *client = ticket->client;
    return s->stats.n_requests < s->options.queue_requests_max &&
           (client->n_tokens == 0 ||
            ed_is_fair(client->n_tokens, ticket->n_tokens, s->stats.n_tokens,
                       s->options.queue_tokens_max, s->n_clients));
}

static void count_tokens(ed_scheduler *s, ed_client *client, size_t n_more, size_t n_less)
{
    bool had_some = client->n_tokens > 0;
    client->n_tokens = client->n_tokens + n_more - n_less;
    s->stats.n_tokens = s->stats.n_tokens + n_more - n_less;
    s->n_clients = s->n_clients + (client->n_tokens > 0) - had_some;
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

/* Row by row to whoever has had least; for the target of the first of them. */
static bool build_batch(lane *l)
{
    ed_scheduler *s = l->scheduler;
    l->target = NULL;
    ed_ticket *ticket = least_served(l, fits_batch);
    if (!ticket)
        return false;
    l->target = ticket->target;
    l->tokens_max = batch_tokens_wanted(l->target, s->n_waiting_tickets > 1);
    for (; ticket; ticket = least_served(l, fits_batch))
        take_row(l, ticket);
    return true;
}

/* While the main lane is busy: requests that would wait for it much longer than they take. The
 * first of them says whose they are. */
static bool build_express(lane *l)
{
    if (l->scheduler->main.began_ns == 0)
        return false;
    l->target = NULL;
    for (ed_ticket *ticket; (ticket = least_served(l, fits_express));) {
        l->target = ticket->target;
        for (size_t n_left = ticket->n_rows; n_left > 0; n_left--)
            take_row(l, ticket);
    }
    return l->n_rows > 0;
}

/* The client that has had least, and of its tickets the one that has had least. */
static ed_ticket *least_served(const lane *l, bool (*fits)(const lane *l, const ed_ticket *ticket))
{
    ed_ticket *best = NULL;
    for (ed_ticket *t = l->scheduler->first; t && l->n_rows < BATCH_ROWS_MAX; t = t->next) {
        bool less = !best || t->client->n_had < best->client->n_had ||
                    (t->client->n_had == best->client->n_had && t->n_had < best->n_had);
        if (less && (!l->target || t->target == l->target) && fits(l, t))
            best = t;
    }
    return best;
}

/* The batch's first row does whatever the batch should hold. */
static bool fits_batch(const lane *l, const ed_ticket *ticket)
{
    return l->n_rows == 0 || l->n_tokens + ticket->rows[ticket->next_row].n_tokens <= l->tokens_max;
}

/* All of it, or nothing. */
static bool fits_express(const lane *l, const ed_ticket *ticket)
{
    size_t tokens_max = l->scheduler->main.n_tokens / 2;
    if (tokens_max > ticket->target->express_tokens_max)
        tokens_max = ticket->target->express_tokens_max;
    return ticket->target->express_context && ticket->next_row == 0 &&
           l->n_tokens + ticket->n_tokens <= tokens_max &&
           ticket->n_rows <= BATCH_ROWS_MAX - l->n_rows;
}

/* The clocks of fairness: whoever takes a row has had its tokens, and everybody who waits should
 * have had an equal part of them. Who comes begins with what the others should have had, neither
 * ahead of them nor behind. */
static void take_row(lane *l, ed_ticket *ticket)
{
    ed_scheduler *s = l->scheduler;
    ed_client *client = ticket->client;
    const embedd_row *row = &ticket->rows[ticket->next_row];
    uint64_t n_had = (uint64_t)row->n_tokens * HAD_PER_TOKEN;
    client->n_had += n_had;
    ticket->n_had += n_had;
    s->n_due += n_had / s->n_waiting_clients;
    client->n_due += n_had / client->n_waiting;
    l->rows[l->n_rows] = *row;
    l->tickets[l->n_rows++] = ticket;
    l->n_tokens += row->n_tokens;
    ticket->n_running++;
    if (++ticket->next_row == ticket->n_rows)
        list_remove(s, ticket);
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
        count_tokens(s, ticket->client, 0, l->rows[i].n_tokens);
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
        count_tokens(s, ticket->client, 0, ticket->rows[ticket->next_row].n_tokens);
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
    ed_client *client = ticket->client;
    if (client->n_waiting++ == 0) {
        s->n_waiting_clients++;
        if (client->n_had < s->n_due)
            client->n_had = s->n_due;
    }
    ticket->n_had = client->n_due;
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
    s->n_waiting_clients -= --ticket->client->n_waiting == 0;
}
