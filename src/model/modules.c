/* A sentence-transformers folder's JSON -> ed_modules. In: files of a stranger. Out: a checked
 * struct; a module that is not known is refused by name, never skipped. */
#include "model/modules.h"

#include <json-c/json.h>
#include <string.h>

#include "base/error.h"
#include "base/file_map.h"
#include "base/memory.h"
#include "formats/json.h"
#include "model/prompts.h"

#define JSON_BYTES_MAX (16U << 20)

static embedd_status read_module_list(ed_modules *modules, const char *folder, embedd_error *err);
static embedd_status read_module(ed_modules *modules, const char *folder, struct json_object *entry,
                                 size_t module_index, const char *where, embedd_error *err);
static embedd_status append_step(ed_modules *modules, const char *name, char *module_folder,
                                 size_t module_index, const char *where, embedd_error *err);
static embedd_status read_pooling(ed_modules *modules, const char *folder, embedd_error *err);
static embedd_status read_splade(ed_modules *modules, const char *folder, embedd_error *err);
static embedd_status read_limits(ed_modules *modules, embedd_error *err);
static embedd_status open_json(const char *folder, const char *name, char **path,
                               struct json_object **root, embedd_error *err);

embedd_status ed_modules_read(ed_modules *modules, const char *folder, embedd_error *err)
{
    *modules = (ed_modules){.include_prompt = true, .tokens_max = SIZE_MAX};
    embedd_status status = read_module_list(modules, folder, err);

    if (status == EMBEDD_OK && !modules->transformer_folder) {
        modules->transformer_folder = ed_strdup(folder);
        if (!modules->transformer_folder)
            status = ed_fail(err, EMBEDD_MEMORY, "out of memory");
    }
    if (status == EMBEDD_OK)
        status = read_limits(modules, err);
    if (status == EMBEDD_OK)
        status = ed_prompts_read(modules, folder, err);
    if (status != EMBEDD_OK)
        ed_modules_clear(modules);
    return status;
}

void ed_modules_clear(ed_modules *modules)
{
    for (size_t i = 0; i < modules->n_steps; i++)
        ed_free(modules->steps[i].folder);
    ed_free(modules->transformer_folder);
    ed_prompts_clear(modules);
    *modules = (ed_modules){0};
}

/* *root stays NULL where the file does not exist: each of these files is optional. */
static embedd_status open_json(const char *folder, const char *name, char **path,
                               struct json_object **root, embedd_error *err)
{
    *root = NULL;
    *path = ed_path_join(folder, name);
    if (!*path)
        return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    if (!ed_file_exists(*path))
        return EMBEDD_OK;
    return ed_json_read_file(*path, JSON_BYTES_MAX, root, err);
}

static embedd_status read_module_list(ed_modules *modules, const char *folder, embedd_error *err)
{
    struct json_object *root = NULL;
    char *path = NULL;
    embedd_status status = open_json(folder, "modules.json", &path, &root, err);

    if (status == EMBEDD_OK && !root)
        goto done;
    modules->listed = true;
    if (status == EMBEDD_OK && !json_object_is_type(root, json_type_array))
        status = ed_fail(err, EMBEDD_FORMAT, "%s: not a list of modules", path);
    for (size_t i = 0; status == EMBEDD_OK && i < json_object_array_length(root); i++)
        status = read_module(modules, folder, json_object_array_get_idx(root, i), i, path, err);
done:
    json_object_put(root);
    ed_free(path);
    return status;
}

/* A module's folder is below the model's: one plain name, or "" for the model's own. */
static bool module_path_ok(const char *path)
{
    return path[0] != '.' && !strchr(path, '/') && !strchr(path, '\\');
}

static embedd_status read_module(ed_modules *modules, const char *folder, struct json_object *entry,
                                 size_t module_index, const char *where, embedd_error *err)
{
    const char *type = NULL, *path = "";
    char *module_folder = NULL;
    embedd_status status = ed_json_get_string(entry, "type", &type, where, err);

    if (status == EMBEDD_OK)
        status = ed_json_get_string(entry, "path", &path, where, err);
    if (status != EMBEDD_OK)
        return status;
    if (!type || !module_path_ok(path))
        return ed_fail(err, EMBEDD_FORMAT, "%s: module %zu has no type, or a path that is no name",
                       where, module_index);
    /* "sentence_transformers.models.Pooling", and longer forms of the same since version 5. */
    const char *name = strrchr(type, '.') ? strrchr(type, '.') + 1 : type;

    module_folder = ed_path_join(folder, path);
    if (!module_folder)
        return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    if (module_index == 0 &&
        (strcmp(name, "Transformer") == 0 || strcmp(name, "MLMTransformer") == 0)) {
        modules->transformer_folder = module_folder;
        return EMBEDD_OK;
    }
    if (strcmp(name, "Pooling") == 0 && module_index == 1) {
        status = read_pooling(modules, module_folder, err);
        ed_free(module_folder);
        return status;
    }
    if (strcmp(name, "SpladePooling") == 0 && module_index == 1) {
        status = read_splade(modules, module_folder, err);
        ed_free(module_folder);
        return status;
    }
    return append_step(modules, name, module_folder, module_index, where, err);
}

/* Takes module_folder. */
static embedd_status append_step(ed_modules *modules, const char *name, char *module_folder,
                                 size_t module_index, const char *where, embedd_error *err)
{
    static const char *const names[] = {
        [ED_MODULE_DENSE] = "Dense",
        [ED_MODULE_LAYER_NORM] = "LayerNorm",
        [ED_MODULE_NORMALIZE] = "Normalize",
    };

    for (size_t kind = 0; kind < sizeof names / sizeof *names; kind++) {
        if (strcmp(name, names[kind]) == 0 && module_index > 1 &&
            modules->n_steps < ED_MODULES_MAX) {
            modules->steps[modules->n_steps++] =
                (ed_module_step){(ed_module_kind)kind, module_folder, NULL};
            modules->normalize = kind == ED_MODULE_NORMALIZE;
            return EMBEDD_OK;
        }
    }
    ed_free(module_folder);
    return ed_fail(err, EMBEDD_UNSUPPORTED,
                   "%s: module %zu is a %.60s, which is not supported there", where, module_index,
                   name);
}

/* Version 6 writes "pooling_mode": a name or a list; older ones a flag for each mode. */
static const struct {
    const char *flag;
    embedd_pooling mode;
} old_flags[] = {
    {"pooling_mode_cls_token", EMBEDD_POOLING_CLS},
    {"pooling_mode_max_tokens", EMBEDD_POOLING_MAX},
    {"pooling_mode_mean_tokens", EMBEDD_POOLING_MEAN},
    {"pooling_mode_mean_sqrt_len_tokens", EMBEDD_POOLING_MEAN_SQRT_LEN},
    {"pooling_mode_weightedmean_tokens", EMBEDD_POOLING_WEIGHTEDMEAN},
    {"pooling_mode_lasttoken", EMBEDD_POOLING_LASTTOKEN},
};

static embedd_status append_mode(ed_modules *modules, struct json_object *name, const char *where,
                                 embedd_error *err)
{
    embedd_pooling mode = 0;
    size_t n_modes = ed_pooling_count(modules->pooling);

    if (!json_object_is_type(name, json_type_string) ||
        !embedd_pooling_parse(json_object_get_string(name), &mode))
        return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: pooling_mode is none of %s", where,
                       embedd_pooling_names());
    if (n_modes == 8)
        return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: more than 8 pooling modes", where);
    modules->pooling |= mode << (4 * n_modes);
    return EMBEDD_OK;
}

static embedd_status read_pooling(ed_modules *modules, const char *folder, embedd_error *err)
{
    struct json_object *root = NULL, *modes = NULL;
    char *path = NULL;
    embedd_status status = open_json(folder, "config.json", &path, &root, err);

    if (status == EMBEDD_OK && !root)
        status = ed_fail(err, EMBEDD_FORMAT, "%s: missing", path);
    if (status == EMBEDD_OK)
        status = ed_json_get_bool(root, "include_prompt", &modules->include_prompt, path, err);
    if (status == EMBEDD_OK && json_object_object_get_ex(root, "pooling_mode", &modes)) {
        bool list = json_object_is_type(modes, json_type_array);
        size_t n_modes = list ? json_object_array_length(modes) : 1;
        for (size_t i = 0; status == EMBEDD_OK && i < n_modes; i++)
            status =
                append_mode(modules, list ? json_object_array_get_idx(modes, i) : modes, path, err);
    }
    for (size_t i = 0; status == EMBEDD_OK && !modes && i < sizeof old_flags / sizeof *old_flags;
         i++) {
        bool on = false;
        status = ed_json_get_bool(root, old_flags[i].flag, &on, path, err);
        if (on)
            modules->pooling |= old_flags[i].mode << (4 * ed_pooling_count(modules->pooling));
    }
    if (status == EMBEDD_OK && modules->pooling == 0)
        status = ed_fail(err, EMBEDD_UNSUPPORTED, "%s: no pooling mode is on", path);
    json_object_put(root);
    ed_free(path);
    return status;
}

static embedd_status read_splade(ed_modules *modules, const char *folder, embedd_error *err)
{
    const char *strategy = "max", *activation = "relu";
    struct json_object *root = NULL;
    char *path = NULL;
    embedd_status status = open_json(folder, "config.json", &path, &root, err);

    if (status == EMBEDD_OK && root)
        status = ed_json_get_string(root, "pooling_strategy", &strategy, path, err);
    if (status == EMBEDD_OK && root)
        status = ed_json_get_string(root, "activation_function", &activation, path, err);
    if (status == EMBEDD_OK && (strcmp(strategy, "max") != 0 || strcmp(activation, "relu") != 0))
        status = ed_fail(err, EMBEDD_UNSUPPORTED, "%s: SpladePooling by %.40s of %.40s", path,
                         strategy, activation);
    modules->splade = true;
    json_object_put(root);
    ed_free(path);
    return status;
}

/* sentence_bert_config.json wins; folders saved since version 6 keep the limit in
 * tokenizer_config.json. The truncation inside tokenizer.json never counts. */
static embedd_status read_limits(ed_modules *modules, embedd_error *err)
{
    static const struct {
        const char *file, *field;
    } sources[] = {
        {"sentence_bert_config.json", "max_seq_length"},
        {"tokenizer_config.json", "model_max_length"},
    };
    embedd_status status = EMBEDD_OK;

    for (size_t i = 0; status == EMBEDD_OK && i < sizeof sources / sizeof *sources; i++) {
        struct json_object *root = NULL;
        char *path = NULL;
        size_t limit = SIZE_MAX;

        status = open_json(modules->transformer_folder, sources[i].file, &path, &root, err);
        if (status == EMBEDD_OK && root)
            status = ed_json_get_size(root, sources[i].field, &limit, path, err);
        if (status == EMBEDD_OK && root && i == 0)
            status = ed_json_get_bool(root, "do_lower_case", &modules->lower_case, path, err);
        if (status == EMBEDD_OK && limit == 0)
            status = ed_fail(err, EMBEDD_FORMAT, "%s: %s is 0", path, sources[i].field);
        if (modules->tokens_max == SIZE_MAX)
            modules->tokens_max = limit;
        json_object_put(root);
        ed_free(path);
    }
    return status;
}
