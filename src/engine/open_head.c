/* In: what config.json and modules.json say. Out: the task and its weights. */
#include "engine/open_head.h"

#include "base/error.h"
#include "base/memory.h"
#include "formats/json.h"

#include <json-c/json.h>
#include <stdio.h>

static embedd_status read_labels(embedd_model *model, const ed_config *config, embedd_error *err);

embedd_status ed_model_open_head(embedd_model *model, const ed_config *config, embedd_error *err)
{
    ed_modules *modules = &model->modules;
    embedd_task task = ed_model_find_task(model, config);

    if (task == EMBEDD_TASK_VECTOR && modules->pooling == 0 && modules->listed)
        return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: modules.json: no Pooling module",
                       model->folder);
    if (modules->pooling == 0)
        modules->pooling = EMBEDD_POOLING_MEAN;
    if (task == EMBEDD_TASK_VECTOR)
        return EMBEDD_OK;
    if (modules->n_steps > 0)
        return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: modules.json: modules after a head",
                       model->folder);
    embedd_status status = ed_head_open(&model->head, task, config, &model->transformer,
                                        model->tensors, model->folder, err);
    return status == EMBEDD_OK && task == EMBEDD_TASK_SCORE ? read_labels(model, config, err)
                                                            : status;
}

embedd_task ed_model_find_task(const embedd_model *model, const ed_config *config)
{
    if (model->modules.splade)
        return EMBEDD_TASK_SPARSE;
    if (model->modules.pooling == 0 && ed_config_is_classifier(config))
        return EMBEDD_TASK_SCORE;
    return EMBEDD_TASK_VECTOR;
}

void ed_model_close_head(embedd_model *model)
{
    for (size_t i = 0; model->labels && i < model->head.out.n_out; i++)
        ed_free(model->labels[i]);
    ed_free(model->labels);
    model->labels = NULL;
    ed_head_close(&model->head);
}

/* id2label: {"0": "name"}; a label without one is LABEL_0. */
static embedd_status read_labels(embedd_model *model, const ed_config *config, embedd_error *err)
{
    struct json_object *names = NULL;
    size_t n_labels = model->head.out.n_out;
    embedd_status status = ed_json_get_object(config->root, "id2label", &names, config->path, err);

    if (status != EMBEDD_OK)
        return status;
    model->labels = ed_calloc(n_labels, sizeof *model->labels);
    for (size_t i = 0; model->labels && i < n_labels; i++) {
        char key[24], fallback[32];
        const char *name = fallback;
        snprintf(key, sizeof key, "%zu", i);
        snprintf(fallback, sizeof fallback, "LABEL_%zu", i);
        status = names ? ed_json_get_string(names, key, &name, config->path, err) : EMBEDD_OK;
        if (status != EMBEDD_OK)
            return status;
        model->labels[i] = ed_strdup(name);
        if (!model->labels[i])
            return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    }
    return model->labels ? EMBEDD_OK : ed_fail(err, EMBEDD_MEMORY, "out of memory");
}
