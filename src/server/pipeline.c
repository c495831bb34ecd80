/* In: jobs with a body. Out: the same jobs, finished. Never lets a request of many texts hold all
 * workers: the first takes small ones only. */
#include "server/pipeline.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/thread_pool.h"
#include "server/dialect.h"
#include "server/prepare.h"
#include "server/pull_request.h"

#include <pthread.h>

#define SMALL_BODY_BYTES   ((size_t)64 << 10)
#define SMALL_REPLY_FLOATS ((size_t)64 << 10)
#define CORES_PER_WORKER   8 /* beyond the first two: encoding is a small part of the work */

typedef struct queue {
    ed_job *first, *last;
} queue;

typedef struct worker {
    ed_pipeline *pipeline;
    size_t number; /* of its encoder, in every model */
    pthread_t thread;
    bool started;
    bool small_only;
} worker;

struct ed_pipeline {
    ed_pipeline_options options;
    ed_scheduler *scheduler;
    worker *workers; /* [n_workers] */
    size_t n_workers;
    pthread_mutex_t mutex; /* guards the queues and `stop` */
    pthread_cond_t work;
    queue small, large;
    uint64_t n_turns; /* of clients */
    bool stop;
};

static embedd_status open_workers(ed_pipeline *p, embedd_error *err);
static void *work(void *context);
static ed_job *wait_for_job(worker *w);
static bool choose_model(ed_pipeline *p, ed_job *job);
static ed_served_model *find_model(ed_models *models, const ed_request *request);
static void on_model_ready(ed_model_use *use);
static void start_pull(ed_pipeline *p, ed_job *job);
static void on_pull_progress(ed_pull_use *use);
static void on_pull_done(ed_pull_use *use);
static void finish_pull(ed_job *job);
static void prepare(worker *w, ed_job *job);
static void write_reply(ed_job *job);
static bool check_computed(ed_job *job);
static void finish(ed_job *job);
static void free_inputs(ed_job *job);
static bool is_small(const ed_job *job);
static void queue_push(ed_pipeline *p, ed_job *job);
static ed_job *queue_pop(ed_pipeline *p, queue *q);
static void on_ticket_done(ed_ticket *ticket);
static void on_ticket_progress(ed_ticket *ticket, size_t n_rows);
static ed_result result_of(const ed_job *job);

size_t ed_pipeline_n_workers(void)
{
    return 2 + ed_cpu_cores() / CORES_PER_WORKER;
}

embedd_status ed_pipeline_open(ed_pipeline **out, const ed_pipeline_options *options,
                               embedd_error *err)
{
    ed_pipeline *p = ed_calloc(1, sizeof *p);
    if (!p)
        return ed_fail(err, EMBEDD_MEMORY, "no memory for the request queue");
    p->options = *options;
    pthread_mutex_init(&p->mutex, NULL);
    pthread_cond_init(&p->work, NULL);
    const ed_scheduler_options scheduler = {
        .express = true,
        .done = on_ticket_done,
        .progress = on_ticket_progress,
        .queue_tokens_max = options->queue_tokens_max,
        .queue_requests_max = options->queue_requests_max,
        .stuck_ms = options->stuck_ms,
        .batch_tokens = options->batch_tokens,
    };
    embedd_status status = ed_scheduler_open(&p->scheduler, &scheduler, err);
    if (status == EMBEDD_OK)
        status = open_workers(p, err);
    if (status == EMBEDD_OK)
        *out = p;
    else
        ed_pipeline_close(p);
    return status;
}

static embedd_status open_workers(ed_pipeline *p, embedd_error *err)
{
    p->n_workers = ed_pipeline_n_workers();
    p->workers = ed_calloc(p->n_workers, sizeof *p->workers);
    if (!p->workers)
        return ed_fail(err, EMBEDD_MEMORY, "no memory for the workers");
    for (size_t i = 0; i < p->n_workers; i++) {
        worker *w = &p->workers[i];
        w->pipeline = p;
        w->number = i;
        w->small_only = i == 0;
        if (pthread_create(&w->thread, NULL, work, w) != 0)
            return ed_fail(err, EMBEDD_MEMORY, "a worker thread could not be started");
        w->started = true;
    }
    return EMBEDD_OK;
}

void ed_pipeline_close(ed_pipeline *p)
{
    if (!p)
        return;
    ed_scheduler_close(p->scheduler);
    pthread_mutex_lock(&p->mutex);
    p->stop = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->mutex);
    for (size_t i = 0; p->workers && i < p->n_workers; i++) {
        if (p->workers[i].started)
            pthread_join(p->workers[i].thread, NULL);
    }
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->mutex);
    ed_free(p->workers);
    ed_free(p);
}

void ed_pipeline_start(ed_job *job)
{
    job->began_ns = ed_clock_ns();
    queue_push(job->pipeline, job);
}

void ed_pipeline_cancel(ed_job *job, ed_cancel reason)
{
    int none = ED_CANCEL_NONE;
    if (!atomic_compare_exchange_strong(&job->cancel, &none, reason))
        return;
    if (ed_models_leave(job->pipeline->options.models, &job->use)) {
        queue_push(job->pipeline, job);
    } else if (ed_pulls_leave(job->pipeline->options.pulls, &job->pull)) {
        job->computed = true;
        queue_push(job->pipeline, job);
    } else {
        ed_scheduler_cancel(job->pipeline->scheduler, &job->ticket);
    }
}

void ed_pipeline_get_stats(ed_pipeline *p, ed_scheduler_stats *stats)
{
    ed_scheduler_get_stats(p->scheduler, stats);
}

void ed_job_clear(ed_job *job, ed_budget *budget)
{
    free_inputs(job);
    if (job->pull.pull)
        ed_pulls_forget(job->pipeline->options.pulls, &job->pull);
    ed_buf_clear(&job->reply);
    ed_budget_give(budget, &job->memory, 0);
}

static void free_inputs(ed_job *job)
{
    ed_request_clear(&job->request);
    ed_buf_clear(&job->options);
    ed_free(job->body);
    ed_free(job->ticket.rows);
    ed_free(job->usages);
    ed_free(job->ids);
    ed_free(job->vectors);
    job->body = NULL;
    job->ticket.rows = NULL;
    job->usages = NULL;
    job->ids = NULL;
    job->vectors = NULL;
}

/* ---- the workers ----------------------------------------------------------------------------- */

static void *work(void *context)
{
    worker *w = context;
    for (ed_job *job; (job = wait_for_job(w));) {
        if (job->computed && job->request.dialect->answer == ED_ANSWER_PULL)
            finish_pull(job);
        else if (job->computed)
            write_reply(job);
        else if (job->parsed || choose_model(w->pipeline, job))
            prepare(w, job);
    }
    return NULL;
}

/* NULL when the pipeline closes. */
static ed_job *wait_for_job(worker *w)
{
    ed_pipeline *p = w->pipeline;
    ed_job *job = NULL;
    pthread_mutex_lock(&p->mutex);
    for (;;) {
        if (!w->small_only)
            job = queue_pop(p, &p->large);
        if (!job)
            job = queue_pop(p, &p->small);
        if (job || p->stop)
            break;
        pthread_cond_wait(&p->work, &p->mutex);
    }
    pthread_mutex_unlock(&p->mutex);
    return job;
}

/* True: the job has a model, or the reason why not. False: it is not ours any more. */
static bool choose_model(ed_pipeline *p, ed_job *job)
{
    job->parsed = true;
    if (!ed_prepare_request(job, &p->options))
        return true;
    if (job->request.dialect->answer == ED_ANSWER_PULL) {
        start_pull(p, job);
        return false;
    }
    ed_served_model *model = find_model(p->options.models, &job->request);
    if (!model) {
        ed_models_set_unknown(p->options.models, &job->problem);
        return true;
    }
    job->use.model = model;
    job->use.ready = on_model_ready;
    job->use.context = job;
    return ed_models_take(p->options.models, &job->use);
}

static ed_served_model *find_model(ed_models *models, const ed_request *request)
{
    ed_models_stats stats;
    ed_served_model *model = ed_models_find(models, request->model);
    if (model)
        return model;
    ed_models_rescan(models); /* it may have come to the folder since */
    ed_models_get_stats(models, &stats);
    bool any = request->any_model && stats.n_models == 1;
    return ed_models_find(models, any ? (embedd_text){0} : request->model);
}

static void on_model_ready(ed_model_use *use)
{
    ed_job *job = use->context;
    queue_push(job->pipeline, job);
}

static void start_pull(ed_pipeline *p, ed_job *job)
{
    job->pull.progress = job->request.stream ? on_pull_progress : NULL;
    job->pull.done = on_pull_done;
    job->pull.context = job;
    if (!ed_pull_request_start(job, p->options.models, p->options.pulls))
        finish_pull(job);
}

static void on_pull_progress(ed_pull_use *use)
{
    ed_job *job = use->context;
    atomic_fetch_add(&job->n_computed, 1);
    job->progress(job);
}

static void on_pull_done(ed_pull_use *use)
{
    ed_pull_request_end(use->context);
    finish_pull(use->context);
}

static void finish_pull(ed_job *job)
{
    const ed_result result = result_of(job);
    if (check_computed(job) && job->problem.code == ED_PROBLEM_NONE) {
        ed_buf_init(&job->reply, ed_reply_bytes_max(&job->request, &result));
        job->request.dialect->put_vectors(&job->reply, &job->request, &result, &job->problem);
    }
    finish(job);
}

static void prepare(worker *w, ed_job *job)
{
    ed_pipeline *p = w->pipeline;
    ed_loaded_model *loaded = job->use.loaded;
    const ed_prepare_options options = {.model = loaded ? loaded->model : NULL,
                                        .encoder = loaded ? loaded->encoders[w->number] : NULL,
                                        .file_roots = p->options.file_roots,
                                        .budget = p->options.budget,
                                        .body_bytes_max = p->options.body_bytes_max};
    if (job->problem.code == ED_PROBLEM_NONE && !loaded)
        ed_problem_set(&job->problem,
                       job->use.error.status == EMBEDD_MEMORY ? ED_PROBLEM_MODEL_MEMORY
                                                              : ED_PROBLEM_MODEL_FAILED,
                       EMBEDD_NO_INDEX, "%s", job->use.error.message);
    if (job->problem.code != ED_PROBLEM_NONE || !ed_prepare(job, &options)) {
        check_computed(job); /* a cancelled job's reason goes first */
        finish(job);
        return;
    }
    if (job->request.dialect->answer == ED_ANSWER_TEXT) {
        finish(job);
        return;
    }
    if (job->request.n_texts == 0) {
        write_reply(job);
        return;
    }
    job->prepared_ns = ed_clock_ns();
    job->ticket.target = &loaded->target;
    switch (ed_scheduler_submit(p->scheduler, &job->ticket)) {
    case ED_SUBMIT_TAKEN:
        return; /* the job is not ours any more */
    case ED_SUBMIT_FULL:
        ed_problem_set(&job->problem, ED_PROBLEM_OVERLOADED, EMBEDD_NO_INDEX, NULL);
        break;
    case ED_SUBMIT_CANCELLED:
        check_computed(job);
        break;
    }
    finish(job);
}

static void on_ticket_done(ed_ticket *ticket)
{
    ed_job *job = (ed_job *)ticket;
    job->computed = true;
    job->computed_ns = ed_clock_ns();
    queue_push(job->pipeline, job);
}

static void on_ticket_progress(ed_ticket *ticket, size_t n_rows)
{
    ed_job *job = (ed_job *)ticket;
    atomic_store(&job->n_computed, n_rows);
    if (job->progress)
        job->progress(job);
}

/* All but the model's id: a job that is finished has no model any more. */
static ed_result result_of(const ed_job *job)
{
    return (ed_result){.n_dimensions = job->n_dimensions,
                       .vectors = job->vectors,
                       .n_vectors = job->n_vectors,
                       .usages = job->usages,
                       .pulls = job->pipeline->options.pulls,
                       .pull = &job->pull,
                       .seconds = (double)(ed_clock_ns() - job->began_ns) * 1e-9};
}

bool ed_job_put_line(const ed_job *job, ed_buf *line, size_t text_index)
{
    ed_problem problem;
    const ed_result result = result_of(job);
    return job->request.dialect->put_line(line, &job->request, &result, text_index, &problem);
}

static void write_reply(ed_job *job)
{
    ed_result result = result_of(job);
    result.model_id = ed_served_model_id(job->use.model);
    if (check_computed(job)) {
        size_t bytes_max = ed_reply_bytes_max(&job->request, &result);
        ed_buf_init(&job->reply, bytes_max);
        if (job->request.dialect->answer != ED_ANSWER_SPARSE && !job->request.dialect->put_line)
            ed_buf_reserve(&job->reply, bytes_max / 16 * 13); /* what most vectors take */
        job->request.dialect->put_vectors(&job->reply, &job->request, &result, &job->problem);
        atomic_store(&job->n_computed, job->request.n_texts);
    }
    finish(job);
}

/* False, and the problem, if there are no vectors to print. */
static bool check_computed(ed_job *job)
{
    embedd_status status = job->ticket.error.status;
    switch ((ed_cancel)atomic_load(&job->cancel)) {
    case ED_CANCEL_NONE:
        break;
    case ED_CANCEL_GONE: /* nobody will read it */
        return ed_problem_set(&job->problem, ED_PROBLEM_INTERNAL, EMBEDD_NO_INDEX, NULL);
    case ED_CANCEL_DEADLINE:
        return ed_problem_set(&job->problem, ED_PROBLEM_DEADLINE_EXCEEDED, EMBEDD_NO_INDEX, NULL);
    case ED_CANCEL_DRAINING:
        return ed_problem_set(&job->problem, ED_PROBLEM_DRAINING, EMBEDD_NO_INDEX, NULL);
    }
    if (status == EMBEDD_IO) { /* a file of the model was cut: which one? */
        ed_models_discard(job->pipeline->options.models, &job->use);
        if (embedd_model_check_files(job->use.loaded->model, &job->use.error) != EMBEDD_OK)
            return ed_problem_set(&job->problem, ED_PROBLEM_MODEL_FAILED, EMBEDD_NO_INDEX, "%s",
                                  job->use.error.message);
    }
    if (status != EMBEDD_OK)
        return ed_problem_set(&job->problem, ed_problem_of(status), job->ticket.error.index, NULL);
    return true;
}

/* The reply is all that is needed from here on. */
static void finish(ed_job *job)
{
    if (job->problem.code != ED_PROBLEM_NONE)
        ed_buf_clear(&job->reply);
    job->n_replaced = job->request.n_replaced;
    ed_models_give(job->pipeline->options.models, &job->use,
                   job->request.keeps ? &job->request.keep_alive_ns : NULL);
    job->finished_ns = ed_clock_ns();
    if (job->request.dialect->put_line) { /* it is read until ed_job_clear */
        job->finished(job);
        return;
    }
    free_inputs(job);
    ed_budget_give(job->pipeline->options.budget, &job->memory, job->reply.cap);
    job->finished(job);
}

/* ---- the queues ------------------------------------------------------------------------------ */

static bool is_small(const ed_job *job)
{
    if (job->computed)
        return job->n_vectors * job->n_dimensions <= SMALL_REPLY_FLOATS;
    return job->n_body <= SMALL_BODY_BYTES && !job->request.dialect->make_texts;
}

static void queue_push(ed_pipeline *p, ed_job *job)
{
    queue *q = is_small(job) ? &p->small : &p->large;
    job->next = NULL;
    pthread_mutex_lock(&p->mutex);
    if (q->first)
        q->last->next = job;
    else
        q->first = job;
    q->last = job;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->mutex);
}

/* Clients take turns, each with its oldest job. */
static ed_job *queue_pop(ed_pipeline *p, queue *q)
{
    ed_job *best = q->first, *before_best = NULL;
    for (ed_job *before = q->first; before && before->next; before = before->next)
        if (before->next->ticket.client->last_turn < best->ticket.client->last_turn) {
            before_best = before;
            best = before->next;
        }
    if (!best)
        return NULL;
    *(before_best ? &before_best->next : &q->first) = best->next;
    if (q->last == best)
        q->last = before_best;
    best->ticket.client->last_turn = ++p->n_turns;
    return best;
}
