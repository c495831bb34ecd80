/* Models that clients ask for and this machine does not have: one thread downloads them, one after
 * the other. Requests for one model share its download. Knows nothing of HTTP. */
#ifndef ED_PULLS_H
#define ED_PULLS_H

#include "base/memory.h"
#include "server/models.h"

typedef struct ed_pulls ed_pulls;
typedef struct ed_pull ed_pull; /* one download */

/* `store` is the folder that models go to, NULL = embedd's own; it must outlive the pulls. What was
 * pulled becomes one of `models`. */
embedd_status ed_pulls_open(ed_pulls **out, ed_models *models, const char *store,
                            embedd_error *err);
/* Gives up the download at hand, which takes a second at most. Nobody may wait any more. NULL is
 * allowed. */
void ed_pulls_close(ed_pulls *pulls);

/* A request that waits for a model. Its owner zeroes it and sets the first three. */
typedef struct ed_pull_use {
    /* There is something new to tell, at most a few times a second; NULL = nobody wants to know. It
     * must not call the pulls. */
    void (*progress)(struct ed_pull_use *use);
    void (*done)(struct ed_pull_use *use); /* on the pulls' thread: `error` is set */
    void *context;
    /* the pulls' */
    embedd_error error; /* status OK: the model can be used */
    ed_pull *pull;      /* until ed_pulls_forget */
    bool waiting, left;
    struct ed_pull_use *next;
} ed_pull_use;

/* `name` is one for ed_hub_pull. True: `done` will be called, unless ed_pulls_leave comes first.
 * False: no memory, or the use has left already. */
bool ed_pulls_wait(ed_pulls *pulls, ed_pull_use *use, const char *name);
/* Any time, from any thread. True if it was waiting: `done` will not be called any more. A download
 * that nobody waits for is given up; what has come is kept for the next one. */
bool ed_pulls_leave(ed_pulls *pulls, ed_pull_use *use);
/* How it goes, as a line of Ollama's: {"status","digest","total","completed"}. */
void ed_pulls_put_status(ed_pulls *pulls, const ed_pull_use *use, ed_buf *line);
/* The use is not looked at any more. */
void ed_pulls_forget(ed_pulls *pulls, ed_pull_use *use);

#endif
