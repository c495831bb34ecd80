/* config.json -> ed_config. In: bytes of a stranger. Out: sizes that are consistent and bounded. */
#include "model/config.h"

#include <json-c/json.h>
#include <string.h>

#include "base/error.h"
#include "base/file_map.h"
#include "base/memory.h"
#include "formats/json.h"

#define CONFIG_BYTES_MAX (4U << 20)
/* Far above any published model; keeps every product of two sizes inside 64 bits. */
#define SIZE_FIELD_MAX ((size_t)1 << 24)

static embedd_status read_fields(ed_config *config, struct json_object *root, const char *path,
                                 embedd_error *err);
static embedd_status check_sizes(const ed_config *config, const char *path, embedd_error *err);
static embedd_status read_activation(ed_config *config, struct json_object *root, const char *path,
                                     embedd_error *err);

embedd_status ed_config_read(ed_config *config, const char *folder, embedd_error *err)
{
    struct json_object *root = NULL;
    embedd_status status = EMBEDD_MEMORY;
    char *path = ed_path_join(folder, "config.json");

    if (!path) {
        ed_fail(err, status, "out of memory");
        goto done;
    }
    status = ed_json_read_file(path, CONFIG_BYTES_MAX, &root, err);
    if (status == EMBEDD_OK)
        status = read_fields(config, root, path, err);
    if (status == EMBEDD_OK)
        status = read_activation(config, root, path, err);
    if (status == EMBEDD_OK)
        status = check_sizes(config, path, err);
done:
    json_object_put(root);
    ed_free(path);
    return status;
}

static embedd_status read_fields(ed_config *config, struct json_object *root, const char *path,
                                 embedd_error *err)
{
    *config = (ed_config){.n_token_types = 0, .pad_id = 0, .layer_norm_eps = 0};
    struct {
        const char *field;
        size_t *out;
    } sizes[] = {
        {"hidden_size", &config->hidden_size},
        {"num_hidden_layers", &config->n_layers},
        {"num_attention_heads", &config->n_heads},
        {"intermediate_size", &config->intermediate_size},
        {"vocab_size", &config->vocabulary},
        {"max_position_embeddings", &config->n_positions},
        {"type_vocab_size", &config->n_token_types},
        {"pad_token_id", &config->pad_id},
        {"relative_attention_num_buckets", &config->n_relative_buckets},
    };
    const char *model_type = NULL;
    double eps = 1e-12;
    embedd_status status = ed_json_get_string(root, "model_type", &model_type, path, err);

    if (status == EMBEDD_OK && !model_type)
        status = ed_fail(err, EMBEDD_FORMAT, "%s: model_type is missing", path);
    if (status == EMBEDD_OK && strlen(model_type) >= sizeof config->architecture)
        status = ed_fail(err, EMBEDD_UNSUPPORTED, "%s: unknown model_type", path);
    if (status == EMBEDD_OK)
        memcpy(config->architecture, model_type, strlen(model_type) + 1);
    for (size_t i = 0; status == EMBEDD_OK && i < sizeof sizes / sizeof *sizes; i++)
        status = ed_json_get_size(root, sizes[i].field, sizes[i].out, path, err);
    if (status == EMBEDD_OK)
        status = ed_json_get_double(root, "layer_norm_eps", &eps, path, err);
    config->layer_norm_eps = (float)eps;
    return status;
}

static embedd_status read_activation(ed_config *config, struct json_object *root, const char *path,
                                     embedd_error *err)
{
    const char *name = "gelu";
    const char *positions = "absolute";
    embedd_status status = ed_json_get_string(root, "hidden_act", &name, path, err);

    if (status == EMBEDD_OK)
        status = ed_json_get_string(root, "position_embedding_type", &positions, path, err);
    if (status != EMBEDD_OK)
        return status;
    if (strcmp(positions, "absolute") != 0)
        return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: position_embedding_type \"%.40s\"", path,
                       positions);
    if (strcmp(name, "gelu") != 0)
        return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: hidden_act \"%.40s\"", path, name);
    config->activation = ED_ACTIVATION_GELU;
    return EMBEDD_OK;
}

static embedd_status check_sizes(const ed_config *config, const char *path, embedd_error *err)
{
    const struct {
        const char *field;
        size_t value, min;
    } sizes[] = {
        {"hidden_size", config->hidden_size, 1},
        {"num_hidden_layers", config->n_layers, 1},
        {"num_attention_heads", config->n_heads, 1},
        {"intermediate_size", config->intermediate_size, 1},
        {"vocab_size", config->vocabulary, 1},
        {"max_position_embeddings", config->n_positions, 1},
        {"type_vocab_size", config->n_token_types, 0},
        {"pad_token_id", config->pad_id, 0},
        {"relative_attention_num_buckets", config->n_relative_buckets, 0},
    };

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (sizes[i].value < sizes[i].min)
            return ed_fail(err, EMBEDD_FORMAT, "%s: %s is missing or 0", path, sizes[i].field);
        if (sizes[i].value > SIZE_FIELD_MAX)
            return ed_fail(err, EMBEDD_FORMAT, "%s: %s is too large", path, sizes[i].field);
    }
    if (config->hidden_size % config->n_heads != 0)
        return ed_fail(err, EMBEDD_FORMAT,
                       "%s: hidden_size %zu is not a multiple of num_attention_heads %zu", path,
                       config->hidden_size, config->n_heads);
    if (!(config->layer_norm_eps >= 0 && config->layer_norm_eps < 1))
        return ed_fail(err, EMBEDD_FORMAT, "%s: layer_norm_eps is out of range", path);
    return EMBEDD_OK;
}
