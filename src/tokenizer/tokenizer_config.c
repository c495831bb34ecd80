/* In: tokenizer_config.json. Out: its fields. */
#include "tokenizer/tokenizer_config.h"

#include "base/error.h"
#include "base/file_map.h"
#include "formats/json.h"
#include "tokenizer/json_writer.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#define CONFIG_BYTES_MAX ((size_t)16 << 20)

static embedd_status read_model_type(ed_tokenizer_config *config, const char *folder,
                                     embedd_error *err);
static void set_class(ed_tokenizer_config *config, const char *name);
static bool is_listed(struct json_object *decoder, const char *content);

embedd_status ed_tokenizer_config_read(ed_tokenizer_config *config, const char *folder,
                                       embedd_error *err)
{
    *config = (ed_tokenizer_config){.where = ed_path_join(folder, "tokenizer_config.json")};
    const char *class = NULL;
    embedd_status status = EMBEDD_OK;
    if (!config->where)
        return ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", folder);
    if (ed_file_exists(config->where))
        status = ed_json_read_file(config->where, CONFIG_BYTES_MAX, &config->json, err);
    if (status == EMBEDD_OK && config->json && !json_object_is_type(config->json, json_type_object))
        status = ed_fail(err, EMBEDD_FORMAT, "%s: not a JSON object", config->where);
    if (status == EMBEDD_OK && config->json)
        status = ed_json_get_string(config->json, "tokenizer_class", &class, config->where, err);
    if (status == EMBEDD_OK && class)
        set_class(config, class);
    return status == EMBEDD_OK && !class ? read_model_type(config, folder, err) : status;
}

void ed_tokenizer_config_clear(ed_tokenizer_config *config)
{
    json_object_put(config->json);
    ed_free(config->where);
    *config = (ed_tokenizer_config){0};
}

static void set_class(ed_tokenizer_config *config, const char *name)
{
    size_t n_bytes = strlen(name);
    if (n_bytes > 4 && strcmp(name + n_bytes - 4, "Fast") == 0)
        n_bytes -= 4;
    snprintf(config->class, sizeof config->class, "%.*s", (int)(n_bytes < 60 ? n_bytes : 60), name);
}

static embedd_status read_model_type(ed_tokenizer_config *config, const char *folder,
                                     embedd_error *err)
{
    static const char *const classes[][2] = {
        {"bert", "BertTokenizer"},           {"distilbert", "DistilBertTokenizer"},
        {"mpnet", "MPNetTokenizer"},         {"xlm-roberta", "XLMRobertaTokenizer"},
        {"camembert", "CamembertTokenizer"}, {"t5", "T5Tokenizer"},
    };
    struct json_object *json = NULL;
    const char *type = NULL;
    char *path = ed_path_join(folder, "config.json");
    embedd_status status =
        path ? EMBEDD_OK : ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", folder);
    if (path && ed_file_exists(path))
        status = ed_json_read_file(path, CONFIG_BYTES_MAX, &json, err);
    if (status == EMBEDD_OK && json_object_is_type(json, json_type_object))
        status = ed_json_get_string(json, "model_type", &type, path, err);
    for (size_t i = 0; type && i < sizeof classes / sizeof *classes; i++)
        if (strcmp(type, classes[i][0]) == 0)
            set_class(config, classes[i][1]);
    json_object_put(json);
    ed_free(path);
    return status;
}

embedd_status ed_tokenizer_config_token(const ed_tokenizer_config *config, const char *field,
                                        const char **out, embedd_error *err)
{
    struct json_object *token = NULL;
    if (!json_object_object_get_ex(config->json, field, &token) || !token)
        return EMBEDD_OK;
    if (json_object_is_type(token, json_type_object))
        return ed_json_get_string(token, "content", out, config->where, err);
    return ed_json_get_string(config->json, field, out, config->where, err);
}

embedd_status ed_tokenizer_config_write_added(const ed_tokenizer_config *config,
                                              const char *const *names, const char *const *defaults,
                                              size_t n_names, bool lstrip_mask, ed_buf *out,
                                              embedd_error *err)
{
    struct json_object *decoder = NULL;
    const char *comma = "";
    embedd_status status = EMBEDD_OK;
    if (config->json)
        status =
            ed_json_get_object(config->json, "added_tokens_decoder", &decoder, config->where, err);
    if (status == EMBEDD_OK && decoder) {
        json_object_object_foreach(decoder, id, token)
        {
            (void)id;
            ed_buf_append_text(out, comma);
            ed_buf_append_text(out, json_object_to_json_string(token));
            comma = ",";
        }
    }
    for (size_t i = 0; status == EMBEDD_OK && i < n_names; i++) {
        const char *content = defaults[i];
        struct json_object *token = NULL;
        bool lstrip = lstrip_mask && strcmp(names[i], "mask_token") == 0;
        status = ed_tokenizer_config_token(config, names[i], &content, err);
        json_object_object_get_ex(config->json, names[i], &token);
        if (status == EMBEDD_OK && json_object_is_type(token, json_type_object))
            status = ed_json_get_bool(token, "lstrip", &lstrip, config->where, err);
        if (status != EMBEDD_OK || !content || is_listed(decoder, content))
            continue;
        ed_buf_append_text(out, comma);
        ed_json_write_added_token(out, 0, (embedd_text){content, strlen(content)}, true, lstrip);
        comma = ",";
    }
    return status;
}

static bool is_listed(struct json_object *decoder, const char *content)
{
    if (!decoder)
        return false;
    json_object_object_foreach(decoder, id, token)
    {
        const char *listed = json_object_get_string(json_object_object_get(token, "content"));
        (void)id;
        if (listed && strcmp(listed, content) == 0)
            return true;
    }
    return false;
}
