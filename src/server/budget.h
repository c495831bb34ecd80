/* Memory that requests may hold in all: bodies, tokens, vectors, replies. */
#ifndef ED_BUDGET_H
#define ED_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct ed_budget {
    atomic_size_t n_used;
    size_t n_max;
} ed_budget;

/* n_bytes more for a request that holds *n_own, which grows. One alone may have any amount: each of
 * its parts has its own limit. */
static inline bool ed_budget_take(ed_budget *budget, size_t *n_own, size_t n_bytes)
{
    size_t n_used = atomic_load(&budget->n_used);
    do {
        if (n_used > *n_own && (n_used > budget->n_max || n_bytes > budget->n_max - n_used))
            return false;
    } while (!atomic_compare_exchange_weak(&budget->n_used, &n_used, n_used + n_bytes));
    *n_own += n_bytes;
    return true;
}

/* Gives back all but n_kept of what a request holds. */
static inline void ed_budget_give(ed_budget *budget, size_t *n_own, size_t n_kept)
{
    if (*n_own <= n_kept)
        return;
    atomic_fetch_sub(&budget->n_used, *n_own - n_kept);
    *n_own = n_kept;
}

#endif
