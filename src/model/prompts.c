/* config_sentence_transformers.json -> prompts. */
#include "model/prompts.h"

#include <json-c/json.h>
#include <string.h>

#include "base/error.h"
#include "base/file_map.h"
#include "base/memory.h"
#include "formats/json.h"

#define JSON_BYTES_MAX (16U << 20)

static embedd_status copy_prompts(ed_modules *modules, struct json_object *prompts,
                                  const char *path, embedd_error *err);

embedd_status ed_prompts_read(ed_modules *modules, const char *folder, embedd_error *err)
{
    struct json_object *root = NULL, *prompts = NULL;
    const char *default_name = NULL;
    embedd_status status = EMBEDD_OK;
    char *path = ed_path_join(folder, "config_sentence_transformers.json");

    if (!path)
        return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    if (!ed_file_exists(path))
        goto done;
    status = ed_json_read_file(path, JSON_BYTES_MAX, &root, err);
    if (status == EMBEDD_OK)
        status = ed_json_get_object(root, "prompts", &prompts, path, err);
    if (status == EMBEDD_OK && prompts)
        status = copy_prompts(modules, prompts, path, err);
    if (status == EMBEDD_OK)
        status = ed_json_get_string(root, "default_prompt_name", &default_name, path, err);
    if (status == EMBEDD_OK && default_name) {
        const embedd_prompt *prompt = ed_prompts_find(modules, default_name);
        if (prompt)
            modules->default_prompt = prompt->name;
        else
            status = ed_fail(err, EMBEDD_FORMAT, "%s: default_prompt_name is not among the prompts",
                             path);
    }
done:
    json_object_put(root);
    ed_free(path);
    return status;
}

static embedd_status copy_prompts(ed_modules *modules, struct json_object *prompts,
                                  const char *path, embedd_error *err)
{
    size_t n_prompts = (size_t)json_object_object_length(prompts);

    modules->prompts = ed_calloc(n_prompts, sizeof *modules->prompts);
    if (!modules->prompts)
        return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    json_object_object_foreach(prompts, name, text)
    {
        if (!json_object_is_type(text, json_type_string))
            return ed_fail(err, EMBEDD_FORMAT, "%s: prompt \"%.60s\" is not a string", path, name);
        embedd_prompt *prompt = &modules->prompts[modules->n_prompts++];
        prompt->name = ed_strdup(name);
        prompt->text = ed_strdup(json_object_get_string(text));
        if (!prompt->name || !prompt->text)
            return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    }
    return EMBEDD_OK;
}

void ed_prompts_clear(ed_modules *modules)
{
    for (size_t i = 0; i < modules->n_prompts; i++) {
        ed_free((char *)modules->prompts[i].name);
        ed_free((char *)modules->prompts[i].text);
    }
    ed_free(modules->prompts);
    modules->prompts = NULL;
    modules->n_prompts = 0;
}

const embedd_prompt *ed_prompts_find(const ed_modules *modules, const char *name)
{
    for (size_t i = 0; i < modules->n_prompts; i++)
        if (strcmp(modules->prompts[i].name, name) == 0)
            return &modules->prompts[i];
    return NULL;
}
