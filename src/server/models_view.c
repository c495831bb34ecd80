/* In: the models. Out: what lists and messages tell of them. */
#include "server/served_model.h"

#include "base/clock.h"
#include "server/model_name.h"

static void view_of(const ed_served_model *m, ed_model_view *view);

void ed_models_each(ed_models *ms, const ed_served_model *only,
                    void (*see)(void *context, const ed_model_view *view), void *context)
{
    ed_model_view view;
    pthread_mutex_lock(&ms->mutex);
    for (size_t i = 0; i < ms->n_list; i++) {
        if (ms->list[i]->gone || (only && ms->list[i] != only))
            continue;
        view_of(ms->list[i], &view);
        see(context, &view);
    }
    pthread_mutex_unlock(&ms->mutex);
}

static void view_of(const ed_served_model *m, ed_model_view *view)
{
    *view = (ed_model_view){.id = m->id,
                            .ambiguous = m->ambiguous,
                            .files = &m->files,
                            .facts = &m->facts,
                            .loaded = m->loaded,
                            .expires_in_ns = ED_FOREVER};
    if (m->failure.status != EMBEDD_OK)
        view->failure = m->failure.message;
    if (m->loaded)
        view->state = ED_MODEL_READY;
    else if (m->is_loading || m->first_use)
        view->state = ED_MODEL_LOADING;
    else if (view->failure)
        view->state = ED_MODEL_FAILED;
    if (m->loaded && m->keep_alive_ns != ED_FOREVER) {
        uint64_t idle_ns = m->loaded->n_users > 0 ? 0 : ed_clock_ns() - m->used_ns;
        view->expires_in_ns =
            idle_ns < (uint64_t)m->keep_alive_ns ? m->keep_alive_ns - (int64_t)idle_ns : 0;
    }
}

const char *ed_model_state_name(ed_model_state state)
{
    static const char *const names[] = {[ED_MODEL_UNLOADED] = "unloaded",
                                        [ED_MODEL_LOADING] = "loading",
                                        [ED_MODEL_READY] = "ready",
                                        [ED_MODEL_FAILED] = "failed"};
    return names[state];
}

void ed_models_get_stats(ed_models *ms, ed_models_stats *stats)
{
    pthread_mutex_lock(&ms->mutex);
    *stats = ms->stats;
    for (size_t i = 0; i < ms->n_list; i++) {
        stats->n_models += !ms->list[i]->gone;
        stats->n_loaded += ms->list[i]->loaded != NULL;
    }
    pthread_mutex_unlock(&ms->mutex);
}

void ed_models_set_unknown(ed_models *ms, ed_problem *problem)
{
    static const char sentence[] = "model not found, try pulling it first; this server has";
    embedd_text first = {0};
    size_t n_others = 0;
    pthread_mutex_lock(&ms->mutex);
    for (size_t i = 0; i < ms->n_list; i++) {
        if (ms->list[i]->gone)
            continue;
        n_others += first.bytes != NULL;
        if (!first.bytes)
            first = ed_model_name_short(ms->list[i]->id); /* an id is never freed */
    }
    pthread_mutex_unlock(&ms->mutex);
    if (!first.bytes)
        ed_problem_set(problem, ED_PROBLEM_UNKNOWN_MODEL, EMBEDD_NO_INDEX, "%s none", sentence);
    else if (n_others == 0)
        ed_problem_set(problem, ED_PROBLEM_UNKNOWN_MODEL, EMBEDD_NO_INDEX, "%s %.*s", sentence,
                       (int)first.n_bytes, first.bytes);
    else
        ed_problem_set(problem, ED_PROBLEM_UNKNOWN_MODEL, EMBEDD_NO_INDEX,
                       "%s %.*s and %zu others, which GET /v1/models lists", sentence,
                       (int)first.n_bytes, first.bytes, n_others);
}
