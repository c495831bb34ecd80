/* Memory that requests may hold in all: bodies, tokens, vectors, replies. */
#ifndef ED_BUDGET_H
#define ED_BUDGET_H

#include "server/client.h"

typedef struct ed_budget {
    atomic_size_t n_used;
    size_t n_max;
    ed_clients *clients; /* who share it */
} ed_budget;

/* What a request holds of it. */
typedef struct ed_budget_part {
    ed_client *client; /* whose request it is; NULL = no one's */
    size_t n_bytes;
} ed_budget_part;

/* n_bytes more for a request. One alone may have any amount: each of its parts has its own limit.
 */
static inline bool ed_budget_take(ed_budget *budget, ed_budget_part *part, size_t n_bytes)
{
    size_t n_used = atomic_load(&budget->n_used);
    size_t n_own = part->client ? atomic_load(&part->client->n_bytes) : 0;
    size_t n_clients = atomic_load(&budget->clients->n_clients);
    do {
        if (n_used > part->n_bytes && !ed_is_fair(n_own, n_bytes, n_used, budget->n_max, n_clients))
            return false;
    } while (!atomic_compare_exchange_weak(&budget->n_used, &n_used, n_used + n_bytes));
    if (part->client)
        atomic_fetch_add(&part->client->n_bytes, n_bytes);
    part->n_bytes += n_bytes;
    return true;
}

/* Gives back all but n_kept of what a request holds. */
static inline void ed_budget_give(ed_budget *budget, ed_budget_part *part, size_t n_kept)
{
    if (part->n_bytes <= n_kept)
        return;
    size_t n_less = part->n_bytes - n_kept;
    atomic_fetch_sub(&budget->n_used, n_less);
    if (part->client)
        atomic_fetch_sub(&part->client->n_bytes, n_less);
    part->n_bytes = n_kept;
}

#endif
