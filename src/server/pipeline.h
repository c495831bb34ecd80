/* A request's way from body to reply: parse on a worker, wait for the model if it is not in memory,
 * encode on a worker, compute in the scheduler, print on a worker. Knows nothing of HTTP. */
#ifndef ED_PIPELINE_H
#define ED_PIPELINE_H

#include "documents/file_root.h"
#include "server/budget.h"
#include "server/models.h"
#include "server/reply.h"
#include "server/scheduler.h"

typedef struct ed_pipeline ed_pipeline;

typedef enum ed_cancel {
    ED_CANCEL_NONE,
    ED_CANCEL_GONE,     /* the client has closed the connection */
    ED_CANCEL_DEADLINE, /* it took too long */
    ED_CANCEL_DRAINING  /* the server must end now */
} ed_cancel;

/* One request; zeroed by its owner before the first use. From ed_pipeline_start to `finished` the
 * pipeline owns it, and only ed_pipeline_cancel may touch it. */
typedef struct ed_job {
    ed_ticket ticket; /* first: a ticket of the scheduler is its job */
    /* in; and request.dialect, ticket.client */
    ed_pipeline *pipeline;
    char *body; /* [n_body], from ed_realloc; freed when no longer needed */
    size_t n_body;
    bool body_is_file; /* of this type, and `options` is the JSON instead */
    ed_document_type body_type;
    ed_buf options;
    void (*finished)(struct ed_job *job); /* on a worker */
    /* Of a dialect with put_line, or NULL: n_computed has grown. It must not call the pipeline. */
    void (*progress)(struct ed_job *job);
    void *context;
    /* out */
    atomic_size_t
        n_computed;     /* texts whose vectors are there; a dialect with put_line keeps them */
    ed_problem problem; /* code NONE: `reply` is the body of a 200 */
    ed_buf reply;
    size_t n_truncated;                             /* texts that were cut */
    size_t n_replaced;                              /* see ed_request */
    uint64_t prepared_ns, computed_ns, finished_ns; /* by ed_clock_ns; 0 = not reached */
    /* the pipeline's */
    uint64_t began_ns;
    ed_request request;
    embedd_encode_options encode;
    size_t n_dimensions;
    size_t n_vectors;      /* see ed_result */
    embedd_usage *usages;  /* [n_texts] */
    int32_t *ids;          /* [n_tokens] of all texts */
    float *vectors;        /* [n_vectors][n_dimensions] */
    ed_budget_part memory; /* the body's bytes are in it, too */
    atomic_int cancel;     /* an ed_cancel */
    ed_model_use use;      /* of the model it asks for */
    ed_pull_use pull;      /* of the model it wants downloaded */
    bool parsed;           /* the next stage is the encoding */
    bool computed;         /* the next stage is the reply */
    struct ed_job *next;   /* in a worker's queue */
} ed_job;

typedef struct ed_pipeline_options {
    ed_models *models;               /* loaded for ed_pipeline_n_workers() */
    ed_pulls *pulls;                 /* NULL = clients may not have models downloaded */
    const ed_file_roots *file_roots; /* NULL = none */
    ed_budget *budget;
    ed_histogram *batch_tokens; /* NULL = not counted */
    bool token_ids;             /* see server.h */
    size_t texts_max;
    size_t body_bytes_max;
    size_t queue_tokens_max;
    size_t queue_requests_max;
    unsigned stuck_ms;
} ed_pipeline_options;

/* Each needs an encoder of each model. */
size_t ed_pipeline_n_workers(void);

embedd_status ed_pipeline_open(ed_pipeline **out, const ed_pipeline_options *options,
                               embedd_error *err);
/* All jobs must be finished. NULL is allowed. */
void ed_pipeline_close(ed_pipeline *pipeline);

void ed_pipeline_start(ed_job *job);
/* Finishes it early, at once if it waits. Any number of times, from any thread, from before its
 * start until it is finished; the first reason counts. */
void ed_pipeline_cancel(ed_job *job, ed_cancel reason);
void ed_pipeline_get_stats(ed_pipeline *pipeline, ed_scheduler_stats *stats);

/* Frees what a job holds and gives its memory back to the budget. */
void ed_job_clear(ed_job *job, ed_budget *budget);

/* Of a dialect with put_line: a line of the reply. False if there is no memory, or the number is
 * not finite. */
bool ed_job_put_line(const ed_job *job, ed_buf *line, size_t text_index);

#endif
