/* Rows of waiting requests into packed batches, each lane on a thread of its own.
 *
 * A batch is of one target, which is a model's sessions; targets whose requests wait take turns. So
 * no two batches share the cores, however many models there are.
 *
 * Whatever waits is merged: row by row a batch takes of the client that has had fewest tokens, and
 * of its requests the one that has had fewest. So a request of one sentence is in the next batch,
 * beside a part of one of a thousand texts; and a client with sixty requests gets as much as one
 * with one. A request that waits alone starts at once. A batch holds about a fifth of a second of
 * work at most, so that the next is never far.
 *
 * For a short text that is far all the same: it would be computed in a hundredth of the time. So
 * there may be an express lane, with a small session of each target, that computes on one thread
 * while a batch runs. It takes whole requests that are less than half as long as that batch. */
#ifndef ED_SCHEDULER_H
#define ED_SCHEDULER_H

#include "embedd.h"
#include "server/client.h"
#include "server/metrics.h"

/* embedd_embed_rows with its session as context; a test gives another. */
typedef embedd_status (*ed_embed_function)(void *context, const embedd_row *rows, size_t n_rows,
                                           embedd_error *err);

/* What computes rows; must live as long as one of its tickets is not done. */
typedef struct ed_target {
    ed_embed_function embed;
    void *context; /* of the main lane */
    size_t batch_tokens_max;
    void *express_context; /* NULL = its requests do not use the express lane */
    size_t express_tokens_max;
    uint64_t ns_per_ktoken; /* the scheduler's; zero it before */
} ed_target;

/* One request's rows. */
typedef struct ed_ticket {
    ed_target *target;
    ed_client *client; /* must live until the ticket is done */
    embedd_row *rows;  /* [n_rows], n_rows >= 1; the caller's until done */
    size_t n_rows;
    size_t n_tokens; /* of all rows */
    /* From here on the scheduler's; zero it before. */
    embedd_error error; /* at done: status OK, or the status of row `index`; no message */
    bool cancelled;
    bool waiting;     /* in the list */
    size_t next_row;  /* rows before it have been given to a batch */
    size_t n_running; /* rows in the batch that runs */
    uint64_t n_had;   /* as of a client */
    struct ed_ticket *previous, *next;
} ed_ticket;

/* All rows are computed, or the ticket has failed or was cancelled, and no row is in use any more.
 * Called once for each ticket that was taken, on a computing thread or in ed_scheduler_cancel. */
typedef void (*ed_ticket_done)(ed_ticket *ticket);

/* The first n_rows of a ticket that is not done are computed. With the scheduler's lock held: it
 * must not call the scheduler, nor wait for anybody who does. */
typedef void (*ed_ticket_progress)(ed_ticket *ticket, size_t n_rows);

typedef struct ed_scheduler_options {
    bool express; /* there is an express lane */
    ed_ticket_done done;
    ed_ticket_progress progress; /* NULL = nobody asks */
    size_t queue_tokens_max;     /* waiting or running; a client's only request may have more */
    size_t queue_requests_max;
    unsigned stuck_ms;
    ed_histogram *batch_tokens; /* NULL = not counted */
} ed_scheduler_options;

typedef struct ed_scheduler_stats {
    size_t n_requests; /* waiting or running */
    size_t n_tokens;   /* waiting or running */
    uint64_t n_batches_done;
    uint64_t n_tokens_done;
    uint64_t n_texts_done;
    bool stuck; /* a batch has been running for stuck_ms */
} ed_scheduler_stats;

typedef struct ed_scheduler ed_scheduler;

embedd_status ed_scheduler_open(ed_scheduler **out, const ed_scheduler_options *options,
                                embedd_error *err);
/* Cancels what waits, lets the running batch end. NULL is allowed. */
void ed_scheduler_close(ed_scheduler *scheduler);

typedef enum ed_submit { ED_SUBMIT_TAKEN, ED_SUBMIT_FULL, ED_SUBMIT_CANCELLED } ed_submit;

/* CANCELLED if ed_scheduler_cancel came first. `done` is called for a ticket that was taken only.
 */
ed_submit ed_scheduler_submit(ed_scheduler *scheduler, ed_ticket *ticket);

/* Its waiting rows leave the queue now; rows in the running batch are computed for nothing. May
 * come before the ticket is submitted and after it is done. */
void ed_scheduler_cancel(ed_scheduler *scheduler, ed_ticket *ticket);

void ed_scheduler_get_stats(ed_scheduler *scheduler, ed_scheduler_stats *stats);

#endif
