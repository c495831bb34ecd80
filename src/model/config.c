/* config.json -> ed_config. In: bytes of a stranger. Out: sizes that are consistent and bounded. */
#include "model/config.h"

#include <json-c/json.h>
#include <string.h>

#include "base/checksum.h"
#include "base/error.h"
#include "base/file_map.h"
#include "base/memory.h"
#include "formats/json.h"

#define CONFIG_BYTES_MAX (4U << 20)
/* Far above any published model; keeps every product of two sizes inside 64 bits. */
#define SIZE_FIELD_MAX ((size_t)1 << 24)
/* Tables of positions have a row or a column for each head or each of its numbers, and are made
 * before the weights are looked at. */
#define HEADS_MAX     1024
#define HEAD_SIZE_MAX 4096

static embedd_status read_sizes(ed_config *config, embedd_error *err);
static embedd_status read_activation(ed_config *config, embedd_error *err);
static embedd_status check_sizes(const ed_config *config, embedd_error *err);

embedd_status ed_config_read(ed_config *config, const char *folder, embedd_error *err)
{
    struct json_object *root = NULL;
    embedd_status status = EMBEDD_MEMORY;
    char *path = ed_path_join(folder, "config.json");

    *config = (ed_config){.root = NULL};
    if (path)
        status = ed_json_read_file(path, CONFIG_BYTES_MAX, &root, err);
    else
        ed_fail(err, status, "out of memory");
    if (status == EMBEDD_OK)
        status = ed_config_take(config, root, path, err);
    ed_free(path);
    return status;
}

embedd_status ed_config_take(ed_config *config, struct json_object *root, const char *path,
                             embedd_error *err)
{
    const char *model_type = NULL;
    embedd_status status = EMBEDD_OK;

    *config = (ed_config){.root = root, .path = ed_strdup(path)};
    if (!config->path)
        status = ed_fail(err, EMBEDD_MEMORY, "out of memory");
    if (status == EMBEDD_OK)
        status = ed_json_get_string(config->root, "model_type", &model_type, config->path, err);
    if (status == EMBEDD_OK && !model_type)
        status = ed_fail(err, EMBEDD_FORMAT, "%s: model_type is missing", config->path);
    if (status == EMBEDD_OK && strlen(model_type) >= sizeof config->architecture)
        status = ed_fail(err, EMBEDD_UNSUPPORTED, "%s: unknown model_type", config->path);
    if (status == EMBEDD_OK) {
        memcpy(config->architecture, model_type, strlen(model_type) + 1);
        status = read_sizes(config, err);
    }
    if (status == EMBEDD_OK)
        status = read_activation(config, err);
    if (status == EMBEDD_OK)
        status = check_sizes(config, err);
    if (status == EMBEDD_OK && config->head_size == 0)
        config->head_size = config->hidden_size / config->n_heads;
    if (status == EMBEDD_OK && (config->n_heads > HEADS_MAX || config->head_size > HEAD_SIZE_MAX))
        status =
            ed_fail(err, EMBEDD_FORMAT, "%s: more than %d heads, or a head of more than %d numbers",
                    config->path, HEADS_MAX, HEAD_SIZE_MAX);
    if (status != EMBEDD_OK)
        ed_config_clear(config);
    return status;
}

void ed_config_clear(ed_config *config)
{
    json_object_put(config->root);
    ed_free(config->path);
    *config = (ed_config){.root = NULL};
}

uint64_t ed_config_fingerprint(const ed_config *config)
{
    const char *text = json_object_to_json_string_ext(config->root, JSON_C_TO_STRING_PLAIN);

    return text ? ed_checksum(text, strlen(text), 0) : 0;
}

/* A size and what it is called: today's name first, then GPT-2's and DistilBERT's, which some
 * architectures kept. */
typedef struct size_field {
    const char *names[3];
    size_t offset;
    size_t min;
} size_field;

static const size_field size_fields[] = {
    {{"hidden_size", "n_embd", "dim"}, offsetof(ed_config, hidden_size), 1},
    {{"num_hidden_layers", "n_layer", "n_layers"}, offsetof(ed_config, n_layers), 1},
    {{"num_attention_heads", "n_head", "n_heads"}, offsetof(ed_config, n_heads), 1},
    {{"num_key_value_heads"}, offsetof(ed_config, n_kv_heads), 0},
    {{"head_dim"}, offsetof(ed_config, head_size), 0},
    {{"intermediate_size", "n_inner", "hidden_dim"}, offsetof(ed_config, intermediate_size), 1},
    {{"vocab_size"}, offsetof(ed_config, vocabulary), 1},
    {{"max_position_embeddings", "n_positions"}, offsetof(ed_config, n_positions), 1},
    {{"type_vocab_size"}, offsetof(ed_config, n_token_types), 0},
    {{"pad_token_id"}, offsetof(ed_config, pad_id), 0},
    {{"num_experts"}, offsetof(ed_config, n_experts), 0},
    {{"moe_top_k"}, offsetof(ed_config, n_experts_used), 0},
    {{"relative_attention_num_buckets"}, offsetof(ed_config, n_relative_buckets), 0},
};
#define N_SIZE_FIELDS (sizeof size_fields / sizeof *size_fields)

static const char *const eps_names[] = {"layer_norm_eps", "layer_norm_epsilon", "rms_norm_eps",
                                        "norm_eps"};

static size_t *size_at(ed_config *config, const size_field *field)
{
    return (size_t *)(void *)((char *)config + field->offset);
}

static embedd_status read_sizes(ed_config *config, embedd_error *err)
{
    embedd_status status = EMBEDD_OK;
    double eps = 1e-12;

    /* The last name is read first, so that today's wins where a file has both. */
    for (size_t i = 0; status == EMBEDD_OK && i < N_SIZE_FIELDS; i++)
        for (size_t j = 3; status == EMBEDD_OK && j-- > 0;)
            if (size_fields[i].names[j])
                status = ed_json_get_size(config->root, size_fields[i].names[j],
                                          size_at(config, &size_fields[i]), config->path, err);
    for (size_t i = sizeof eps_names / sizeof *eps_names; status == EMBEDD_OK && i-- > 0;)
        status = ed_json_get_double(config->root, eps_names[i], &eps, config->path, err);
    config->norm_eps = (float)eps;
    if (config->n_kv_heads == 0)
        config->n_kv_heads = config->n_heads;
    return status;
}

static embedd_status read_activation(ed_config *config, embedd_error *err)
{
    static const struct {
        const char *name;
        ed_activation activation;
    } known[] = {
        {"gelu", ED_ACTIVATION_GELU},
        {"gelu_new", ED_ACTIVATION_GELU_TANH},
        {"gelu_pytorch_tanh", ED_ACTIVATION_GELU_TANH},
        {"silu", ED_ACTIVATION_SILU},
        {"swiglu", ED_ACTIVATION_SILU},
        {"relu", ED_ACTIVATION_RELU},
    };
    static const char *const fields[] = {"hidden_act", "hidden_activation", "activation_function",
                                         "activation"};
    const char *name = "gelu";
    embedd_status status = EMBEDD_OK;

    for (size_t i = sizeof fields / sizeof *fields; status == EMBEDD_OK && i-- > 0;)
        status = ed_json_get_string(config->root, fields[i], &name, config->path, err);
    if (status != EMBEDD_OK)
        return status;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(name, known[i].name) == 0) {
            config->activation = known[i].activation;
            return EMBEDD_OK;
        }
    }
    return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: activation \"%.40s\"", config->path, name);
}

static embedd_status check_sizes(const ed_config *config, embedd_error *err)
{
    for (size_t i = 0; i < N_SIZE_FIELDS; i++) {
        const size_t *value = size_at((ed_config *)config, &size_fields[i]);
        if (*value < size_fields[i].min)
            return ed_fail(err, EMBEDD_FORMAT, "%s: %s is missing or 0", config->path,
                           size_fields[i].names[0]);
        if (*value > SIZE_FIELD_MAX)
            return ed_fail(err, EMBEDD_FORMAT, "%s: %s is too large", config->path,
                           size_fields[i].names[0]);
    }
    if (config->head_size == 0 && config->hidden_size % config->n_heads != 0)
        return ed_fail(err, EMBEDD_FORMAT,
                       "%s: hidden_size %zu is not a multiple of num_attention_heads %zu",
                       config->path, config->hidden_size, config->n_heads);
    if (config->n_heads % config->n_kv_heads != 0)
        return ed_fail(err, EMBEDD_FORMAT,
                       "%s: num_attention_heads %zu is not a multiple of num_key_value_heads %zu",
                       config->path, config->n_heads, config->n_kv_heads);
    if (config->n_experts > 0 &&
        (config->n_experts_used == 0 || config->n_experts_used > config->n_experts))
        return ed_fail(err, EMBEDD_FORMAT, "%s: moe_top_k is not 1 to num_experts", config->path);
    if (!(config->norm_eps >= 0 && config->norm_eps < 1))
        return ed_fail(err, EMBEDD_FORMAT, "%s: the norm's epsilon is out of range", config->path);
    return EMBEDD_OK;
}

/* {"rope_theta": 1e4, "rope_type": "default"} */
static embedd_status read_rope(const ed_config *config, struct json_object *object, double *out,
                               embedd_error *err)
{
    const char *type = "default";
    embedd_status status = ed_json_get_string(object, "rope_type", &type, config->path, err);

    if (status == EMBEDD_OK)
        status = ed_json_get_double(object, "rope_theta", out, config->path, err);
    if (status == EMBEDD_OK && strcmp(type, "default") != 0)
        status = ed_fail(err, EMBEDD_UNSUPPORTED, "%s: rope_type \"%.40s\"", config->path, type);
    return status;
}

embedd_status ed_config_rope_theta(const ed_config *config, const char *layer_type,
                                   const char *old_field, double *out, embedd_error *err)
{
    struct json_object *parameters = NULL, *of_type = NULL;
    embedd_status status = ed_json_get_double(config->root, old_field, out, config->path, err);

    if (status == EMBEDD_OK)
        status =
            ed_json_get_object(config->root, "rope_parameters", &parameters, config->path, err);
    if (status == EMBEDD_OK && parameters && layer_type)
        status = ed_json_get_object(parameters, layer_type, &of_type, config->path, err);
    if (status == EMBEDD_OK && parameters)
        status = read_rope(config, of_type ? of_type : parameters, out, err);
    if (status == EMBEDD_OK && !(*out > 1 && *out < 1e12))
        status = ed_fail(err, EMBEDD_FORMAT, "%s: rope_theta is out of range", config->path);
    return status;
}

embedd_status ed_config_full_layers(const ed_config *config, bool *out, bool *found,
                                    embedd_error *err)
{
    struct json_object *list = NULL;
    embedd_status status = ed_json_get_array(config->root, "layer_types", &list, config->path, err);

    *found = status == EMBEDD_OK && list;
    if (!*found)
        return status;
    if (json_object_array_length(list) != config->n_layers)
        return ed_fail(err, EMBEDD_FORMAT, "%s: layer_types has not num_hidden_layers entries",
                       config->path);
    for (size_t i = 0; i < config->n_layers; i++) {
        const char *type = json_object_get_string(json_object_array_get_idx(list, i));
        out[i] = type && strcmp(type, "full_attention") == 0;
        if (!out[i] && (!type || strcmp(type, "sliding_attention") != 0))
            return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: layer_types[%zu]", config->path, i);
    }
    return EMBEDD_OK;
}
