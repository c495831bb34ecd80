/* Who is connected, who is too slow, and who has gone. A thread of its own looks at every
 * connection some times a second: a slow sender is cut off, the work of a client that has closed
 * its connection is cancelled, and so is work that takes too long. */
#ifndef ED_CONNECTIONS_H
#define ED_CONNECTIONS_H

#include "server/pipeline.h"

typedef struct ed_connections ed_connections;
typedef struct ed_connection ed_connection; /* one of them, from accept to close */

typedef struct ed_connections_options {
    unsigned header_ms; /* see server.h */
    unsigned body_ms;
    unsigned idle_ms;
    unsigned deadline_ms;
} ed_connections_options;

embedd_status ed_connections_open(ed_connections **out, const ed_connections_options *options,
                                  embedd_error *err);
/* After the last connection has been removed. NULL is allowed. */
void ed_connections_close(ed_connections *connections);

/* NULL = out of memory. It waits for a request from now on. */
ed_connection *ed_connections_add(ed_connections *connections, int fd);
void ed_connections_remove(ed_connections *connections, ed_connection *connection);

/* What the connection does next. Each returns false if it has been cut off meanwhile: nothing may
 * be sent on it any more. NULL is allowed for `connection`, and is false. */
bool ed_connection_reads_header(ed_connections *connections, ed_connection *connection);
bool ed_connection_reads_body(ed_connections *connections, ed_connection *connection,
                              size_t n_more);
bool ed_connection_works(ed_connections *connections, ed_connection *connection, ed_job *job);
bool ed_connection_sends(ed_connections *connections, ed_connection *connection, size_t n_bytes);
bool ed_connection_rests(ed_connections *connections, ed_connection *connection);

/* The work is over, whatever has become of its connection: its reply is sent now, or nobody has the
 * connection any more. */
void ed_connections_end_work(ed_connections *connections, const ed_job *job, size_t n_bytes);

/* Cancels all work, when the server must end. */
void ed_connections_cancel_all(ed_connections *connections, ed_cancel reason);

#endif
