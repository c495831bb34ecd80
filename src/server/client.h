/* Who sends requests, told apart so that none can take from the others what is scarce: the turns of
 * the computing threads, room in the queue, memory. */
#ifndef ED_CLIENT_H
#define ED_CLIENT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct MHD_Connection;

/* Lives while it has requests. */
typedef struct ed_client {
    uint64_t id;
    atomic_size_t n_bytes; /* of the memory budget */
    /* the scheduler's */
    size_t n_tokens;    /* waiting or running */
    size_t n_waiting;   /* tickets in its list */
    uint64_t n_had;     /* of the computing threads' time, see scheduler.c */
    uint64_t n_due;     /* what each of its requests should have had */
    uint64_t last_turn; /* the pipeline's: when a worker last took a job of it */
    /* the table's */
    size_t n_requests;
    struct ed_client *next;
} ed_client;

typedef struct ed_clients {
    pthread_mutex_t mutex; /* guards the list and its counts */
    ed_client *first;
    size_t n_requests; /* of all */
    atomic_size_t n_clients;
} ed_clients;

void ed_clients_init(ed_clients *clients);
void ed_clients_clear(ed_clients *clients); /* when all have left */

/* One request more of the client. NULL if it, or all together, have too many; or out of memory. */
ed_client *ed_clients_enter(ed_clients *clients, uint64_t id, size_t requests_max);
void ed_clients_leave(ed_clients *clients, ed_client *client); /* NULL is allowed */

/* Who it is: on another machine its address. On this one, where all addresses are alike, the
 * process behind a Unix socket, and how the request introduces itself: X-Client-Id, Authorization,
 * User-Agent, Origin, and what a proxy says of whom it speaks for. */
uint64_t ed_client_id(struct MHD_Connection *connection);

/* May a client that has n_own of the n_used have n_more? Anyone may take what is free, but for the
 * last eighth: that is shared by those who have little. */
static inline bool ed_is_fair(size_t n_own, size_t n_more, size_t n_used, size_t n_max,
                              size_t n_clients)
{
    size_t n_kept = n_max / 8;
    size_t n_free = n_used < n_max ? n_max - n_used : 0;
    if (n_more > n_free)
        return false;
    return n_free - n_more >= n_kept || (n_clients > 0 && n_own + n_more <= n_kept / n_clients);
}

#endif
