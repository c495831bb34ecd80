/* The listening socket: open before the model is, so that a client can ask how far it is. */
#ifndef ED_LISTEN_H
#define ED_LISTEN_H

#include "server/server.h"

typedef struct ed_listener {
    int fd;
    char host[64];  /* the address in numbers; "" = a Unix socket */
    unsigned port;  /* the one that was free, if 0 was asked for */
    char path[112]; /* of a Unix socket */
    bool owns_path; /* made here, removed at close */
} ed_listener;

/* The socket that systemd hands over (LISTEN_FDS), or a Unix socket if the options have a path, or
 * their host and port. ED_EXIT_OK, ED_EXIT_ADDRESS (taken, or not this machine's), or ED_EXIT_USAGE
 * (not an address; not a loopback address without allow_remote and a key). Says why in `err`. */
ed_exit ed_listener_open(ed_listener *listener, const ed_server_options *options,
                         embedd_error *err);
/* `fd` may be -1: given away. */
void ed_listener_close(ed_listener *listener);
/* "http://127.0.0.1:8421", "unix:/run/embedd.sock" */
void ed_listener_url(const ed_listener *listener, char *out, size_t out_cap);

#endif
