/* Bytes from the hub, by libcurl: redirects, retries, going on where it stopped. */
#ifndef ED_TRANSFER_H
#define ED_TRANSFER_H

#include "embedd.h"
#include "hub/hub.h"

/* Whether the watcher, which may be NULL, wants no more. */
static inline bool ed_hub_stopped(const ed_hub_watcher *watcher)
{
    return watcher && watcher->stop && watcher->stop(watcher->context);
}

typedef struct ed_transfer ed_transfer; /* one connection after the other; one thread */

/* `endpoint` is "https://huggingface.co" or a mirror's; `token` may be NULL and is sent to the
 * endpoint's scheme, host and port only. Both are copied. ARGUMENT, MEMORY. */
embedd_status ed_transfer_open(ed_transfer **out, const char *endpoint, const char *token,
                               const ed_hub_watcher *watcher, embedd_error *err);
void ed_transfer_close(ed_transfer *transfer);

/* Who takes the bytes. */
typedef struct ed_transfer_sink {
    void *context;
    uint64_t n_bytes;       /* held already: the transfer asks for what follows, and adds to it */
    uint64_t n_bytes_total; /* of the whole; 0 = not known */
    /* The next bytes. */
    embedd_status (*write)(void *context, const void *data, size_t n_bytes, embedd_error *err);
    /* Forget what is held: the server begins at 0. */
    embedd_status (*restart)(void *context, embedd_error *err);
} ed_transfer_sink;

/* GET endpoint + path. Failures that may pass are tried again, with growing pauses, as long as
 * bytes come in between. Returns the sink's failure, or NOT_FOUND, NETWORK, MEMORY. */
embedd_status ed_transfer_get(ed_transfer *transfer, const char *path, ed_transfer_sink *sink,
                              embedd_error *err);

#endif
