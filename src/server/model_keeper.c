/* In: models that somebody waits for, that have changed, that nobody uses. Out: loaded, replaced,
 * unloaded. The only thread that opens and closes models; the mutex is open meanwhile. */
#include "server/served_model.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "formats/model_store.h"
#include "server/log.h"
#include "server/timed_wait.h"

typedef enum room { ROOM_NOW, ROOM_LATER, ROOM_NEVER } room;
typedef enum opened { OPENED, OPEN_FAILED, OPEN_TOO_LARGE } opened;

static void reload(ed_models *ms);
static void find_again(ed_models *ms, ed_served_model *m);
static bool look_next(ed_models *ms);
static void look_at(ed_models *ms, ed_served_model *m);
static bool free_retired(ed_models *ms);
static bool load_next(ed_models *ms);
static bool fails_again(const ed_served_model *m);
static room make_room(ed_models *ms, ed_served_model *m, embedd_error *err);
static bool any_is_evicting(const ed_models *ms);
static opened open_model(ed_models *ms, ed_served_model *m, ed_loaded_model **out,
                         embedd_error *err);
static bool make_room_for(ed_models *ms, size_t n_bytes);
static void tell_waiting(ed_models *ms, ed_served_model *m);
static bool replace_next(ed_models *ms);
static bool unload_next(ed_models *ms, uint64_t *wait_ns);
static void unload(ed_models *ms, ed_served_model *m, const char *why);
static void close_loaded(ed_models *ms, ed_loaded_model *loaded);
static uint64_t idle_left_ns(const ed_served_model *m);
static ed_served_model *least_recent(ed_models *ms, bool idle);

void *ed_models_keep(void *context)
{
    ed_models *ms = context;
    pthread_mutex_lock(&ms->mutex);
    while (!ms->stop) {
        uint64_t wait_ns = UINT64_MAX;
        if (ms->reload)
            reload(ms);
        else if (free_retired(ms) || load_next(ms) || look_next(ms) || replace_next(ms) ||
                 unload_next(ms, &wait_ns))
            continue;
        else if (wait_ns == UINT64_MAX)
            pthread_cond_wait(&ms->changed, &ms->mutex);
        else
            ed_timed_wait(&ms->changed, &ms->mutex, wait_ns);
    }
    pthread_mutex_unlock(&ms->mutex);
    return NULL;
}

static void reload(ed_models *ms)
{
    ms->reload = false;
    pthread_mutex_unlock(&ms->mutex);
    pthread_mutex_lock(&ms->scan_mutex);
    ed_models_scan(ms);
    pthread_mutex_unlock(&ms->scan_mutex);
    pthread_mutex_lock(&ms->mutex);
    for (size_t i = 0; i < ms->n_list; i++) {
        if (!ms->list[i]->from_folder)
            find_again(ms, ms->list[i]);
        look_at(ms, ms->list[i]);
    }
}

/* A name of a store may lead to another file now: it was pulled again. */
static void find_again(ed_models *ms, ed_served_model *m)
{
    char *path = NULL;
    pthread_mutex_unlock(&ms->mutex);
    embedd_status status = ed_model_store_find(m->id, &path, NULL);
    pthread_mutex_lock(&ms->mutex);
    if (status != EMBEDD_OK)
        return;
    ed_free(m->path);
    m->path = path;
}

static bool look_next(ed_models *ms)
{
    for (size_t i = 0; i < ms->n_list; i++) {
        if (!ms->list[i]->look)
            continue;
        look_at(ms, ms->list[i]);
        return true;
    }
    return false;
}

static void look_at(ed_models *ms, ed_served_model *m)
{
    ed_model_files files = {0};
    char *path = ed_strdup(m->path);
    m->look = false;
    pthread_mutex_unlock(&ms->mutex);
    if (path)
        ed_model_files_look(&files, path);
    ed_free(path);
    pthread_mutex_lock(&ms->mutex);
    if (files.stamp != 0) /* a model in memory may do without its files */
        m->files = files;
}

/* ---- loading --------------------------------------------------------------------------------- */

/* The one that somebody has waited for longest. */
static bool load_next(ed_models *ms)
{
    ed_served_model *m = NULL;
    embedd_error err = {.status = EMBEDD_OK};
    for (size_t i = 0; i < ms->n_list; i++) {
        ed_served_model *other = ms->list[i];
        if (other->first_use && !other->loaded &&
            (!m || other->first_use->number < m->first_use->number))
            m = other;
    }
    if (!m)
        return false;
    m->is_loading = true;
    look_at(ms, m);
    if (fails_again(m)) {
        m->is_loading = false;
        tell_waiting(ms, m);
        return true;
    }
    room where = make_room(ms, m, &err);
    bool again = where == ROOM_NOW && open_model(ms, m, &m->loaded, &err) == OPEN_TOO_LARGE;
    m->is_loading = false;
    if (where == ROOM_LATER || again)
        return again;
    m->failure = err;
    m->used_ns = ed_clock_ns();
    if (err.status != EMBEDD_OK) {
        ms->stats.n_failures++;
        ed_log(ED_LOG_ERROR, "%s is not loaded: %s", m->id, err.message);
    }
    tell_waiting(ms, m);
    return true;
}

/* Files that were found to be wrong are not read again before they have changed. */
static bool fails_again(const ed_served_model *m)
{
    switch (m->failure.status) {
    case EMBEDD_FORMAT:
    case EMBEDD_UNSUPPORTED:
    case EMBEDD_NONFINITE:
    case EMBEDD_CHECKSUM:
    case EMBEDD_CPU:
        return !m->loaded && !ed_served_model_is_stale(m);
    case EMBEDD_OK:
    case EMBEDD_ARGUMENT:
    case EMBEDD_LIMIT:
    case EMBEDD_UTF8:
    case EMBEDD_TOO_LONG:
    case EMBEDD_NOT_FOUND:
    case EMBEDD_IO:
    case EMBEDD_MEMORY:
    case EMBEDD_NETWORK:
        break;
    }
    return false;
}

/* By what it took the last time, or else by the size of its files. */
static room make_room(ed_models *ms, ed_served_model *m, embedd_error *err)
{
    size_t n_max = ms->options.memory_bytes_max;
    if (n_max == 0)
        return ROOM_NOW;
    bool known = m->n_bytes_known > 0 && !ed_served_model_is_stale(m);
    size_t n_bytes = known ? m->n_bytes_known : m->files.n_bytes;
    if (n_bytes > n_max) {
        ed_fail(err, EMBEDD_MEMORY, "the model takes %zu MiB, and --memory-max is %zu",
                (n_bytes >> 20) + 1, n_max >> 20);
        return ROOM_NEVER;
    }
    if (make_room_for(ms, n_bytes))
        return ROOM_NOW;
    /* All are in use: one is not taken any more, and goes when it is idle. */
    ed_served_model *other = any_is_evicting(ms) ? NULL : least_recent(ms, false);
    if (other)
        other->evicting = true;
    return ROOM_LATER;
}

static bool make_room_for(ed_models *ms, size_t n_bytes)
{
    while (ms->stats.n_bytes + n_bytes > ms->options.memory_bytes_max) {
        ed_served_model *idle = least_recent(ms, true);
        if (!idle)
            return false;
        unload(ms, idle, "another model needs its room");
    }
    return true;
}

static bool any_is_evicting(const ed_models *ms)
{
    for (size_t i = 0; i < ms->n_list; i++)
        if (ms->list[i]->evicting)
            return true;
    return false;
}

/* Whoever uses m->loaded may go on meanwhile. OPEN_TOO_LARGE: it takes more than its files made one
 * think, which is known from now on. */
static opened open_model(ed_models *ms, ed_served_model *m, ed_loaded_model **out,
                         embedd_error *err)
{
    ed_loaded_model *loaded = NULL;
    ed_model_files files = {0};
    char *path = ed_strdup(m->path);
    pthread_mutex_unlock(&ms->mutex);
    uint64_t began_ns = ed_clock_ns();
    if (path)
        ed_model_files_look(&files, path); /* before they are read: a later change is seen */
    embedd_status status = path ? ed_loaded_model_open(&loaded, path, &ms->options.loading, err)
                                : ed_fail(err, EMBEDD_MEMORY, "no memory for a model");
    double took_s = (double)(ed_clock_ns() - began_ns) * 1e-9;
    ed_free(path);
    pthread_mutex_lock(&ms->mutex);
    m->files = files;
    m->loaded_stamp = files.stamp;
    m->n_bytes_known = loaded ? loaded->n_bytes : 0;
    if (status != EMBEDD_OK)
        return OPEN_FAILED;
    if (ms->options.memory_bytes_max > 0 && !make_room_for(ms, loaded->n_bytes)) {
        pthread_mutex_unlock(&ms->mutex);
        ed_loaded_model_close(loaded);
        pthread_mutex_lock(&ms->mutex);
        return OPEN_TOO_LARGE;
    }
    ed_log(ED_LOG_INFO, "%s is loaded after %.3f s: %s, %zu dimensions, %s, %zu threads", m->id,
           took_s, loaded->info->architecture, loaded->info->dimensions, loaded->info->cpu_level,
           embedd_session_threads(loaded->session));
    ed_model_facts_copy(&m->facts, loaded->info);
    ms->stats.n_bytes += loaded->n_bytes;
    ms->stats.n_loads++;
    *out = loaded;
    return OPENED;
}

/* One that is told may be gone at once, and another may come meanwhile. */
static void tell_waiting(ed_models *ms, ed_served_model *m)
{
    ed_model_use *use = m->first_use;
    m->first_use = m->last_use = NULL;
    for (ed_model_use *u = use; u; u = u->next) {
        u->waiting = false;
        u->loaded = m->loaded;
        u->error = m->failure;
        if (m->loaded)
            m->loaded->n_users++;
    }
    pthread_mutex_unlock(&ms->mutex);
    for (ed_model_use *next; use; use = next) {
        next = use->next;
        use->ready(use);
    }
    pthread_mutex_lock(&ms->mutex);
}

/* ---- other files ----------------------------------------------------------------------------- */

/* The old model answers until the new one is there; if that cannot be loaded, longer. Where there
 * is no room for both, the old one goes first. */
static bool replace_next(ed_models *ms)
{
    size_t n_max = ms->options.memory_bytes_max;
    ed_loaded_model *loaded = NULL;
    embedd_error err;
    for (size_t i = 0; i < ms->n_list; i++) {
        ed_served_model *m = ms->list[i];
        if (!m->loaded || m->gone || m->evicting || !ed_served_model_is_stale(m))
            continue;
        bool fits = n_max == 0 || ms->stats.n_bytes + m->files.n_bytes <= n_max;
        switch (fits ? open_model(ms, m, &loaded, &err) : OPEN_TOO_LARGE) {
        case OPENED:
            if (m->loaded) { /* it has not made room for the new one */
                m->loaded->next = ms->retired;
                ms->retired = m->loaded;
            }
            m->loaded = loaded;
            m->failure.status = EMBEDD_OK;
            ed_log(ED_LOG_INFO, "%s is replaced: its files have changed", m->id);
            break;
        case OPEN_TOO_LARGE:
            m->evicting = m->loaded != NULL;
            break;
        case OPEN_FAILED:
            if (m->loaded) /* it has not been given up meanwhile */
                m->n_bytes_known = m->loaded->n_bytes;
            ms->stats.n_failures++;
            ed_log(ED_LOG_ERROR, "%s stays as it was; what its files are now is not loaded: %s",
                   m->id, err.message);
            break;
        }
        return true;
    }
    return false;
}

static bool free_retired(ed_models *ms)
{
    for (ed_loaded_model **at = &ms->retired; *at; at = &(*at)->next) {
        ed_loaded_model *loaded = *at;
        if (loaded->n_users > 0)
            continue;
        *at = loaded->next;
        close_loaded(ms, loaded);
        return true;
    }
    return false;
}

/* ---- unloading ------------------------------------------------------------------------------- */

/* Or after how long there may be one. */
static bool unload_next(ed_models *ms, uint64_t *wait_ns)
{
    for (size_t i = 0; i < ms->n_list; i++) {
        ed_served_model *m = ms->list[i];
        if (!m->loaded || m->loaded->n_users > 0)
            continue;
        uint64_t left_ns = m->evicting || m->gone ? 0 : idle_left_ns(m);
        if (left_ns == 0) {
            unload(ms, m,
                   m->gone       ? "it is not in the folder any more"
                   : m->evicting ? "it makes room"
                                 : "nobody uses it");
            return true;
        }
        if (left_ns < *wait_ns)
            *wait_ns = left_ns;
    }
    return false;
}

static uint64_t idle_left_ns(const ed_served_model *m)
{
    uint64_t idle_ns = ed_clock_ns() - m->used_ns;
    if (m->keep_alive_ns == ED_FOREVER)
        return UINT64_MAX;
    return idle_ns >= (uint64_t)m->keep_alive_ns ? 0 : (uint64_t)m->keep_alive_ns - idle_ns;
}

static ed_served_model *least_recent(ed_models *ms, bool idle)
{
    ed_served_model *found = NULL;
    for (size_t i = 0; i < ms->n_list; i++) {
        ed_served_model *m = ms->list[i];
        if (m->loaded && (!idle || m->loaded->n_users == 0) &&
            (!found || m->used_ns < found->used_ns))
            found = m;
    }
    return found;
}

static void unload(ed_models *ms, ed_served_model *m, const char *why)
{
    ed_loaded_model *loaded = m->loaded;
    m->loaded = NULL;
    m->evicting = false;
    m->keep_alive_ns = ms->options.keep_alive_ns;
    ms->stats.n_unloads++;
    ed_log(ED_LOG_INFO, "%s is unloaded: %s", m->id, why);
    close_loaded(ms, loaded);
}

static void close_loaded(ed_models *ms, ed_loaded_model *loaded)
{
    size_t n_bytes = loaded->n_bytes;
    pthread_mutex_unlock(&ms->mutex);
    ed_loaded_model_close(loaded);
    pthread_mutex_lock(&ms->mutex);
    ms->stats.n_bytes -= n_bytes;
}
