/* The listening socket: open before the model is, so that a client can ask how far it is. */
#ifndef ED_LISTEN_H
#define ED_LISTEN_H

#include "server/server.h"

typedef struct ed_listener {
    int fd;
    char host[64]; /* the address in numbers */
    unsigned port; /* the one that was free, if 0 was asked for */
} ed_listener;

/* ED_EXIT_OK, ED_EXIT_ADDRESS (the port is taken, or the address is not this machine's), or
 * ED_EXIT_USAGE (not an address; not a loopback address without allow_remote). Says why in `err`.
 */
ed_exit ed_listener_open(ed_listener *listener, const char *host, unsigned port, bool allow_remote,
                         embedd_error *err);
/* "http://127.0.0.1:8421" */
void ed_listener_url(const ed_listener *listener, char *out, size_t out_cap);

#endif
