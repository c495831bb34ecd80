/* What ends the process: a signal, POST /shutdown, the parent's end. */
#ifndef ED_LIFECYCLE_H
#define ED_LIFECYCLE_H

#include "embedd.h"

/* From now on the first SIGTERM or SIGINT is an event, the second ends the process at once, and
 * SIGPIPE is nothing; SIGHUP asks for a reload, unless it is ignored or standard input is a
 * terminal that may hang up. One per process. With exit_with_parent, so are the end of standard
 * input if it is a pipe or a socket (a terminal or /dev/null tells nothing of the parent), and a
 * new parent.
 */
embedd_status ed_lifecycle_open(bool exit_with_parent, embedd_error *err);
void ed_lifecycle_close(void);

typedef enum ed_event { ED_EVENT_NONE, ED_EVENT_LOADED, ED_EVENT_STOP, ED_EVENT_RELOAD } ed_event;

/* From any thread. */
void ed_lifecycle_tell(ed_event event);
/* The next event, or NONE after timeout_ms (-1 = no limit). */
ed_event ed_lifecycle_wait(int timeout_ms);

#endif
