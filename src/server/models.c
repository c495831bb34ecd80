/* In: names and folders. Out: models in memory, to requests that need them. Never reads a file with
 * the mutex held, and never lets one model that cannot be loaded keep another from being served. */
#include "server/models.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "server/log.h"
#include "server/model_name.h"
#include "server/models_folder.h"
#include "server/served_model.h"
#include "server/timed_wait.h"

#include <string.h>

#define MODELS_MAX 1000        /* lists of them are one reply */
#define LOOK_NS    1000000000u /* files of a model in use, or a folder, are looked at so often */

static ed_served_model *add(ed_models *ms, const char *id, const char *path, bool from_folder);
static bool add_found(void *context, const char *id, const char *path);
static ed_served_model *find_id(ed_models *ms, const char *id);
static void mark_ambiguous(ed_models *ms, ed_served_model *m);
static void list_append(ed_served_model *m, ed_model_use *use);
static void list_remove(ed_served_model *m, const ed_model_use *use);

embedd_status ed_models_open(ed_models **out, const ed_models_options *options, embedd_error *err)
{
    ed_models *ms = ed_calloc(1, sizeof *ms);
    if (!ms)
        return ed_fail(err, EMBEDD_MEMORY, "no memory for the models");
    ms->options = *options;
    pthread_mutex_init(&ms->scan_mutex, NULL);
    pthread_mutex_init(&ms->mutex, NULL);
    ed_timed_condition_init(&ms->changed);
    ms->started = pthread_create(&ms->keeper, NULL, ed_models_keep, ms) == 0;
    if (!ms->started) {
        ed_models_close(ms);
        return ed_fail(err, EMBEDD_MEMORY, "the models' thread could not be started");
    }
    *out = ms;
    return EMBEDD_OK;
}

void ed_models_close(ed_models *ms)
{
    if (!ms)
        return;
    if (ms->started) {
        pthread_mutex_lock(&ms->mutex);
        ms->stop = true;
        pthread_cond_signal(&ms->changed);
        pthread_mutex_unlock(&ms->mutex);
        pthread_join(ms->keeper, NULL);
    }
    for (size_t i = 0; i < ms->n_list; i++) {
        ed_loaded_model_close(ms->list[i]->loaded);
        ed_free(ms->list[i]->id);
        ed_free(ms->list[i]->path);
        ed_free(ms->list[i]);
    }
    for (ed_loaded_model *next; ms->retired; ms->retired = next) {
        next = ms->retired->next;
        ed_loaded_model_close(ms->retired);
    }
    pthread_cond_destroy(&ms->changed);
    pthread_mutex_destroy(&ms->mutex);
    pthread_mutex_destroy(&ms->scan_mutex);
    ed_free(ms->list);
    ed_free(ms);
}

bool ed_models_are_loading(ed_models *ms)
{
    bool loading = false;
    pthread_mutex_lock(&ms->mutex);
    for (size_t i = 0; i < ms->n_list; i++)
        loading |= ms->list[i]->is_loading;
    pthread_mutex_unlock(&ms->mutex);
    return loading;
}

/* ---- which there are ------------------------------------------------------------------------- */

embedd_status ed_models_add(ed_models *ms, const char *id, const char *path, embedd_error *err)
{
    ed_served_model *m = add(ms, id, path, false);
    return m ? EMBEDD_OK : ed_fail(err, EMBEDD_MEMORY, "no memory for one more model");
}

/* One whose id is known gets the path. NULL = out of memory, or there are too many. */
static ed_served_model *add(ed_models *ms, const char *id, const char *path, bool from_folder)
{
    ed_served_model *m = NULL, *made = ed_calloc(1, sizeof *made);
    char *own_path = ed_strdup(path), *own_id = ed_strdup(id);
    ed_model_files files;
    ed_model_facts facts;
    ed_model_files_look(&files, path);
    ed_model_facts_read(&facts, path);
    pthread_mutex_lock(&ms->mutex);
    if (ms->n_list == ms->list_cap) {
        size_t cap = ms->list_cap ? 2 * ms->list_cap : 16;
        ed_served_model **list = ed_realloc(ms->list, cap, sizeof(ed_served_model *));
        ms->list = list ? list : ms->list;
        ms->list_cap = list ? cap : ms->list_cap;
    }
    if (made && own_path && own_id)
        m = find_id(ms, id);
    if (!m && made && own_path && own_id && ms->n_list < ms->list_cap && ms->n_list < MODELS_MAX) {
        m = made;
        *m = (ed_served_model){
            .id = own_id, .from_folder = from_folder, .keep_alive_ns = ms->options.keep_alive_ns};
        made = NULL;
        own_id = NULL;
        ms->list[ms->n_list++] = m;
        mark_ambiguous(ms, m);
    }
    if (m) {
        char *old_path = m->path;
        m->path = own_path;
        own_path = old_path;
        m->gone = false;
        m->files = files;
        if (!m->loaded)
            m->facts = facts;
    }
    pthread_mutex_unlock(&ms->mutex);
    ed_free(made);
    ed_free(own_path);
    ed_free(own_id);
    return m;
}

static void mark_ambiguous(ed_models *ms, ed_served_model *m)
{
    embedd_text name = ed_model_name_short(m->id);
    for (size_t i = 0; i < ms->n_list; i++) {
        ed_served_model *other = ms->list[i];
        if (other != m && ed_model_name_means(name, other->id))
            other->ambiguous = m->ambiguous = true;
    }
}

void ed_models_reload(ed_models *ms)
{
    pthread_mutex_lock(&ms->mutex);
    ms->reload = true;
    pthread_cond_signal(&ms->changed);
    pthread_mutex_unlock(&ms->mutex);
}

void ed_models_rescan(ed_models *ms)
{
    pthread_mutex_lock(&ms->scan_mutex);
    uint64_t now_ns = ed_clock_ns();
    if (ms->options.folder && (ms->scanned_ns == 0 || now_ns - ms->scanned_ns >= LOOK_NS))
        ed_models_scan(ms);
    pthread_mutex_unlock(&ms->scan_mutex);
}

void ed_models_scan(ed_models *ms)
{
    const char *folder = ms->options.folder;
    if (!folder)
        return;
    pthread_mutex_lock(&ms->mutex);
    uint64_t scan = ++ms->n_scans;
    pthread_mutex_unlock(&ms->mutex);
    bool ok = ed_models_folder_scan(folder, add_found, ms);
    if (!ok)
        ed_log(ED_LOG_WARNING,
               "%s cannot be read, or has too many models; those that are known stay as they are",
               folder);
    pthread_mutex_lock(&ms->mutex);
    for (size_t i = 0; i < ms->n_list && ok; i++) {
        ed_served_model *m = ms->list[i];
        if (m->from_folder && m->scan != scan)
            m->gone = true;
    }
    pthread_cond_signal(&ms->changed);
    pthread_mutex_unlock(&ms->mutex);
    ms->scanned_ns = ed_clock_ns();
}

/* A name that was given on the command line keeps the folder that was given with it. */
static bool add_found(void *context, const char *id, const char *path)
{
    ed_models *ms = context;
    pthread_mutex_lock(&ms->mutex);
    ed_served_model *m = find_id(ms, id);
    pthread_mutex_unlock(&ms->mutex);
    if ((!m || m->from_folder) && !(m = add(ms, id, path, true)))
        return false;
    pthread_mutex_lock(&ms->mutex);
    m->scan = ms->n_scans;
    pthread_mutex_unlock(&ms->mutex);
    return true;
}

static ed_served_model *find_id(ed_models *ms, const char *id)
{
    for (size_t i = 0; i < ms->n_list; i++)
        if (strcmp(ms->list[i]->id, id) == 0)
            return ms->list[i];
    return NULL;
}

ed_served_model *ed_models_find(ed_models *ms, embedd_text name)
{
    ed_served_model *found = NULL;
    pthread_mutex_lock(&ms->mutex);
    for (size_t i = 0; i < ms->n_list; i++) {
        ed_served_model *m = ms->list[i];
        if (m->gone)
            continue;
        if (name.bytes && strlen(m->id) == name.n_bytes &&
            memcmp(m->id, name.bytes, name.n_bytes) == 0) {
            found = m;
            break;
        }
        if (!found && (!name.bytes || ed_model_name_means(name, m->id)))
            found = m;
    }
    pthread_mutex_unlock(&ms->mutex);
    return found;
}

const char *ed_served_model_id(const ed_served_model *m)
{
    return m->id;
}

/* ---- who uses them --------------------------------------------------------------------------- */

bool ed_models_take(ed_models *ms, ed_model_use *use)
{
    ed_served_model *m = use->model;
    pthread_mutex_lock(&ms->mutex);
    bool now = true;
    use->error.status = EMBEDD_OK;
    if (use->left || ms->stop) {
        ed_fail(&use->error, EMBEDD_LIMIT, "the request is cancelled");
    } else if (m->loaded && !m->evicting) {
        use->loaded = m->loaded;
        m->loaded->n_users++;
        if (ed_clock_ns() - m->seen_ns >= LOOK_NS) {
            m->seen_ns = ed_clock_ns();
            m->look = true;
            pthread_cond_signal(&ms->changed);
        }
    } else {
        now = false;
        use->number = ms->n_uses++;
        list_append(m, use);
        pthread_cond_signal(&ms->changed);
    }
    pthread_mutex_unlock(&ms->mutex);
    return now;
}

bool ed_models_leave(ed_models *ms, ed_model_use *use)
{
    pthread_mutex_lock(&ms->mutex);
    bool was_waiting = use->waiting;
    use->left = true;
    if (was_waiting)
        list_remove(use->model, use);
    use->waiting = false;
    pthread_mutex_unlock(&ms->mutex);
    return was_waiting;
}

void ed_models_give(ed_models *ms, ed_model_use *use, const int64_t *keep_alive_ns)
{
    if (!use->loaded)
        return;
    pthread_mutex_lock(&ms->mutex);
    ed_served_model *m = use->model;
    m->used_ns = ed_clock_ns();
    if (keep_alive_ns)
        m->keep_alive_ns = *keep_alive_ns;
    if (--use->loaded->n_users == 0)
        pthread_cond_signal(&ms->changed);
    use->loaded = NULL;
    pthread_mutex_unlock(&ms->mutex);
}

void ed_models_discard(ed_models *ms, ed_model_use *use)
{
    pthread_mutex_lock(&ms->mutex);
    ed_served_model *m = use->model;
    if (m->loaded && m->loaded == use->loaded) {
        ed_log(ED_LOG_ERROR, "%s is given up: a file of it has become shorter", m->id);
        m->loaded->next = ms->retired;
        ms->retired = m->loaded;
        m->loaded = NULL;
        m->evicting = false;
        ms->stats.n_failures++;
    }
    pthread_mutex_unlock(&ms->mutex);
}

static void list_append(ed_served_model *m, ed_model_use *use)
{
    use->waiting = true;
    use->next = NULL;
    if (m->first_use)
        m->last_use->next = use;
    else
        m->first_use = use;
    m->last_use = use;
}

static void list_remove(ed_served_model *m, const ed_model_use *use)
{
    ed_model_use *previous = NULL;
    for (ed_model_use *u = m->first_use; u != use; u = u->next)
        previous = u;
    if (previous)
        previous->next = use->next;
    else
        m->first_use = use->next;
    if (m->last_use == use)
        m->last_use = previous;
}
