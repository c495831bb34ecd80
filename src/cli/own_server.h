/* This program as embedd serve, in a process of its own, to be measured over HTTP. */
#ifndef ED_OWN_SERVER_H
#define ED_OWN_SERVER_H

#include "cli/embedding_server.h"

typedef struct ed_own_server {
    ed_embedding_server address;
    long pid;
    int stdin_fd;         /* its end ends the server */
    double start_seconds; /* from the start of the process to its ready line */
} ed_own_server;

/* `arguments` are those of embedd serve but for the port, and end with NULL. No variable of
 * embedd's reaches it. IO: it does not start; NETWORK: no ready line. */
embedd_status ed_own_server_start(ed_own_server *server, const char *const *arguments,
                                  embedd_error *err);
void ed_own_server_stop(ed_own_server *server); /* zeroed is allowed */

#endif
