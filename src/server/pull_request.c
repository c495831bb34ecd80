/* In: a name from outside. Out: whether the model is here, or a download to wait for. Never a path:
 * the name is the hub's to understand, and where the hub is, is not the client's to say. */
#include "server/pull_request.h"

#include "base/memory.h"
#include "hub/hub.h"

#include <string.h>
#include <strings.h>

static bool is_served(ed_models *models, embedd_text name, const char *terminated,
                      const char *full_name);
static void begin(ed_job *job);

bool ed_pull_request_start(ed_job *job, ed_models *models, ed_pulls *pulls)
{
    embedd_text text = job->request.model;
    char *name = ed_strndup(text.bytes, text.n_bytes);
    char *full_name = NULL;
    bool waits = false;
    ed_models_rescan(models);
    if (!name) {
        ed_problem_set(&job->problem, ED_PROBLEM_OUT_OF_MEMORY, EMBEDD_NO_INDEX, NULL);
    } else if (!pulls) {
        if (!ed_models_find(models, text))
            ed_problem_set(&job->problem, ED_PROBLEM_UNKNOWN_MODEL, EMBEDD_NO_INDEX,
                           "model not found, and this server downloads none for its clients: run "
                           "embedd pull, or start it with --allow-pull");
    } else {
        bool of_hub = !memchr(text.bytes, '\0', text.n_bytes) &&
                      ed_hub_full_name(name, &full_name, NULL) == EMBEDD_OK;
        if (is_served(models, text, name, full_name))
            goto done;
        if (!of_hub) {
            ed_problem_set(&job->problem, ED_PROBLEM_INVALID_VALUE, EMBEDD_NO_INDEX,
                           "that is no name of a model at the hub, which is ORG/NAME");
            goto done;
        }
        begin(job);
        waits = ed_pulls_wait(pulls, &job->pull, name);
        if (!waits)
            ed_problem_set(&job->problem, ED_PROBLEM_OUT_OF_MEMORY, EMBEDD_NO_INDEX, NULL);
    }
done:
    ed_free(full_name);
    ed_free(name);
    return waits;
}

/* A bare name means what it means everywhere else; one with an owner that very model. A revision
 * has the hub asked whether there is a newer one. */
static bool is_served(ed_models *models, embedd_text name, const char *terminated,
                      const char *full_name)
{
    if (!full_name)
        return ed_models_find(models, name) != NULL;
    if (strchr(terminated, '@'))
        return false;
    bool owned = strstr(terminated, full_name) != NULL;
    const embedd_text full = {full_name, strlen(full_name)};
    const ed_served_model *model = ed_models_find(models, owned ? full : name);
    return model && (!owned || strcasecmp(ed_served_model_id(model), full_name) == 0);
}

/* The first line, before the job is out of our hands. */
static void begin(ed_job *job)
{
    if (!job->request.stream)
        return;
    atomic_store(&job->n_computed, 1);
    job->progress(job);
}

void ed_pull_request_end(ed_job *job)
{
    const embedd_error *err = &job->pull.error;
    ed_problem_code code = ED_PROBLEM_PULL_FAILED;
    if (err->status == EMBEDD_OK)
        return;
    if (err->status == EMBEDD_NOT_FOUND)
        code = ED_PROBLEM_UNKNOWN_MODEL;
    else if (err->status == EMBEDD_MEMORY)
        code = ED_PROBLEM_OUT_OF_MEMORY;
    ed_problem_set(&job->problem, code, EMBEDD_NO_INDEX, "%s", err->message);
}
