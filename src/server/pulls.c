/* In: names of models. Out: models on the disk that are served from then on, or why not. Never
 * downloads what nobody waits for. */
#include "server/pulls.h"

#include "base/clock.h"
#include "base/error.h"
#include "hub/hub.h"
#include "server/json_text.h"
#include "server/log.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define TELL_NS     100000000u /* between two calls of progress */
#define FILE_BYTES  256
#define SHORT_BYTES 64

struct ed_pull {
    ed_pulls *pulls;
    char *name;
    ed_pull_use *first; /* who waits */
    size_t n_refs;      /* uses that look at it, and the queue */
    bool given_up;      /* nobody joins any more */
    char file[FILE_BYTES];
    char digest[128];
    uint64_t n_done, n_bytes; /* of the file */
    bool untold;
    uint64_t told_ns;
    ed_pull *next; /* in the queue */
};

struct ed_pulls {
    ed_models *models;
    const char *store;
    pthread_t thread;
    bool started;
    pthread_mutex_t mutex; /* guards everything below, all pulls and the uses' private fields */
    pthread_cond_t work;
    bool stop;
    ed_pull *first; /* the one at hand, then those that wait for it */
};

static void *run(void *context);
static void fetch(ed_pull *pull);
static void on_progress(void *context, const char *file, const char *digest, uint64_t n_done,
                        uint64_t n_bytes);
static void tell(ed_pull *pull, bool now);
static void on_note(void *context, const char *sentence);
static bool is_unwanted(void *context);
static void end(ed_pull *pull, const embedd_error *err);
static ed_pull *new_pull(ed_pulls *ps, const char *name);
static void release(ed_pull *pull);

embedd_status ed_pulls_open(ed_pulls **out, ed_models *models, const char *store, embedd_error *err)
{
    ed_pulls *ps = ed_calloc(1, sizeof *ps);
    if (!ps)
        return ed_fail(err, EMBEDD_MEMORY, "no memory for downloads");
    ps->models = models;
    ps->store = store;
    pthread_mutex_init(&ps->mutex, NULL);
    pthread_cond_init(&ps->work, NULL);
    ps->started = pthread_create(&ps->thread, NULL, run, ps) == 0;
    if (!ps->started) {
        ed_pulls_close(ps);
        return ed_fail(err, EMBEDD_MEMORY, "the downloading thread could not be started");
    }
    *out = ps;
    return EMBEDD_OK;
}

void ed_pulls_close(ed_pulls *ps)
{
    if (!ps)
        return;
    if (ps->started) {
        pthread_mutex_lock(&ps->mutex);
        ps->stop = true;
        pthread_cond_signal(&ps->work);
        pthread_mutex_unlock(&ps->mutex);
        pthread_join(ps->thread, NULL);
    }
    for (ed_pull *next; ps->first; ps->first = next) {
        next = ps->first->next;
        release(ps->first);
    }
    pthread_cond_destroy(&ps->work);
    pthread_mutex_destroy(&ps->mutex);
    ed_free(ps);
}

/* ---- who waits ------------------------------------------------------------------------------- */

bool ed_pulls_wait(ed_pulls *ps, ed_pull_use *use, const char *name)
{
    pthread_mutex_lock(&ps->mutex);
    ed_pull **at = &ps->first;
    while (*at && ((*at)->given_up || strcmp((*at)->name, name) != 0))
        at = &(*at)->next;
    if (!*at && !use->left && !ps->stop)
        *at = new_pull(ps, name);
    ed_pull *pull = use->left || ps->stop ? NULL : *at;
    if (pull) {
        use->pull = pull;
        use->waiting = true;
        use->next = pull->first;
        pull->first = use;
        pull->n_refs++;
        pthread_cond_signal(&ps->work);
    }
    pthread_mutex_unlock(&ps->mutex);
    return pull != NULL;
}

bool ed_pulls_leave(ed_pulls *ps, ed_pull_use *use)
{
    if (!ps)
        return false;
    pthread_mutex_lock(&ps->mutex);
    bool was_waiting = use->waiting;
    use->left = true;
    use->waiting = false;
    if (was_waiting) {
        ed_pull_use **at = &use->pull->first;
        while (*at != use)
            at = &(*at)->next;
        *at = use->next;
        use->pull->given_up = use->pull->first == NULL;
    }
    pthread_mutex_unlock(&ps->mutex);
    return was_waiting;
}

void ed_pulls_put_status(ed_pulls *ps, const ed_pull_use *use, ed_buf *line)
{
    char what[SHORT_BYTES + 16] = "pulling manifest";
    if (ps)
        pthread_mutex_lock(&ps->mutex); /* the use may just begin to wait */
    const ed_pull *pull = ps && use->pull && use->pull->file[0] ? use->pull : NULL;
    if (pull)
        snprintf(what, sizeof what, "pulling %.*s", SHORT_BYTES, pull->file);
    ed_buf_append_text(line, "{\"status\":");
    ed_json_text_string_or_null(line, what);
    if (pull)
        ed_buf_printf(line, ",\"digest\":\"%s\",\"total\":%" PRIu64 ",\"completed\":%" PRIu64,
                      pull->digest, pull->n_bytes, pull->n_done);
    ed_buf_append_text(line, "}\n");
    if (ps)
        pthread_mutex_unlock(&ps->mutex);
}

void ed_pulls_forget(ed_pulls *ps, ed_pull_use *use)
{
    if (!use->pull)
        return;
    pthread_mutex_lock(&ps->mutex);
    release(use->pull);
    use->pull = NULL;
    pthread_mutex_unlock(&ps->mutex);
}

static ed_pull *new_pull(ed_pulls *ps, const char *name)
{
    ed_pull *pull = ed_calloc(1, sizeof *pull);
    char *copy = ed_strdup(name);
    if (!pull || !copy) {
        ed_free(pull);
        ed_free(copy);
        return NULL;
    }
    pull->pulls = ps;
    pull->name = copy;
    pull->n_refs = 1;
    return pull;
}

static void release(ed_pull *pull)
{
    if (--pull->n_refs > 0)
        return;
    ed_free(pull->name);
    ed_free(pull);
}

/* ---- the thread ------------------------------------------------------------------------------ */

static void *run(void *context)
{
    ed_pulls *ps = context;
    pthread_mutex_lock(&ps->mutex);
    while (!ps->stop) {
        ed_pull *pull = ps->first;
        if (!pull) {
            pthread_cond_wait(&ps->work, &ps->mutex);
            continue;
        }
        bool wanted = !pull->given_up;
        pthread_mutex_unlock(&ps->mutex);
        if (wanted)
            fetch(pull);
        pthread_mutex_lock(&ps->mutex);
        ps->first = pull->next;
        release(pull);
    }
    pthread_mutex_unlock(&ps->mutex);
    return NULL;
}

static void fetch(ed_pull *pull)
{
    ed_pulls *ps = pull->pulls;
    const ed_hub_watcher watcher = {
        .context = pull, .progress = on_progress, .note = on_note, .stop = is_unwanted};
    ed_hub_result result;
    embedd_error err = {.status = EMBEDD_OK};
    ed_log(ED_LOG_INFO, "pulling %s", pull->name);
    embedd_status status = ed_hub_pull(pull->name, ps->store, &watcher, &result, &err);
    if (status == EMBEDD_OK) {
        status = ed_models_add(ps->models, result.name, result.folder, &err);
        ed_log(ED_LOG_INFO, "%s is here: %s", result.name, result.folder);
        ed_hub_result_clear(&result);
    }
    if (status != EMBEDD_OK)
        ed_log(ED_LOG_WARNING, "%s was not pulled: %s", pull->name, err.message);
    end(pull, &err);
}

/* All who wait are told, without the mutex: each may be gone at once. */
static void end(ed_pull *pull, const embedd_error *err)
{
    ed_pulls *ps = pull->pulls;
    pthread_mutex_lock(&ps->mutex);
    ed_pull_use *use = pull->first;
    pull->first = NULL;
    pull->given_up = true; /* who comes now finds the model, or tries anew */
    for (ed_pull_use *u = use; u; u = u->next) {
        u->waiting = false;
        u->error = *err;
    }
    pthread_mutex_unlock(&ps->mutex);
    for (ed_pull_use *next; use; use = next) {
        next = use->next;
        use->done(use);
    }
}

static void on_progress(void *context, const char *file, const char *digest, uint64_t n_done,
                        uint64_t n_bytes)
{
    ed_pull *pull = context;
    pthread_mutex_lock(&pull->pulls->mutex);
    bool other = strcmp(file, pull->file) != 0;
    snprintf(pull->file, sizeof pull->file, "%s", file);
    snprintf(pull->digest, sizeof pull->digest, "%s", digest);
    pull->n_done = n_done;
    pull->n_bytes = n_bytes;
    pull->untold = true;
    tell(pull, other || n_done == n_bytes);
    pthread_mutex_unlock(&pull->pulls->mutex);
}

/* What there is to tell, unless that was done a moment ago. With the mutex. */
static void tell(ed_pull *pull, bool now)
{
    uint64_t now_ns = ed_clock_ns();
    if (!pull->untold || (!now && now_ns - pull->told_ns < TELL_NS))
        return;
    pull->untold = false;
    pull->told_ns = now_ns;
    for (ed_pull_use *use = pull->first; use; use = use->next)
        if (use->progress)
            use->progress(use);
}

static void on_note(void *context, const char *sentence)
{
    (void)context;
    ed_log(ED_LOG_WARNING, "%s", sentence);
}

/* Asked again and again, also while nothing comes. */
static bool is_unwanted(void *context)
{
    ed_pull *pull = context;
    pthread_mutex_lock(&pull->pulls->mutex);
    tell(pull, false);
    bool unwanted = pull->given_up || pull->pulls->stop;
    pthread_mutex_unlock(&pull->pulls->mutex);
    return unwanted;
}
