/* GGUF metadata -> the configuration and the modules of a model folder. In: fields of a checked
 * file, with any values. Out: what ed_config_take and the architectures check like a config.json
 * of a stranger; a setting that is not known is refused by name. */
#include "model/gguf_model.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

#define KEY_MAX_BYTES 96

typedef struct full_key {
    char text[KEY_MAX_BYTES];
} full_key;

/* "bert." + "block_count" */
static full_key key_of(const ed_gguf_architecture *architecture, const char *rest)
{
    full_key out;

    snprintf(out.text, sizeof out.text, "%s.%s", architecture->name, rest);
    return out;
}

static embedd_status add_sizes(struct json_object *root, const ed_gguf *gguf,
                               const ed_gguf_architecture *architecture, embedd_error *err);
static embedd_status add_norm_eps(struct json_object *root, const ed_gguf *gguf,
                                  const ed_gguf_architecture *architecture, embedd_error *err);
static embedd_status add_rope(struct json_object *root, const ed_gguf *gguf,
                              const ed_gguf_architecture *architecture, embedd_error *err);
static embedd_status add_positions(struct json_object *root, const ed_gguf *gguf,
                                   const ed_gguf_architecture *architecture, embedd_error *err);
static embedd_status add_windows(struct json_object *root, const ed_gguf *gguf,
                                 const ed_gguf_architecture *architecture, embedd_error *err);
static embedd_status add_activation(struct json_object *root, const ed_gguf *gguf,
                                    const ed_gguf_architecture *architecture, embedd_error *err);
static void add_flags(struct json_object *root, const ed_gguf *gguf,
                      const ed_gguf_architecture *architecture);

static void add_size(struct json_object *root, const char *field, size_t value)
{
    json_object_object_add(root, field, json_object_new_uint64(value));
}

static void add_text(struct json_object *root, const char *field, const char *value)
{
    json_object_object_add(root, field, json_object_new_string(value));
}

embedd_status ed_gguf_config_read(ed_config *config, const ed_gguf *gguf, embedd_error *err)
{
    const ed_gguf_architecture *architecture = NULL;
    struct json_object *root = json_object_new_object();
    embedd_status status = ed_gguf_architecture_of(gguf, &architecture, err);

    *config = (ed_config){.root = NULL};
    if (status == EMBEDD_OK && !root)
        status = ed_fail(err, EMBEDD_MEMORY, "out of memory");
    if (status == EMBEDD_OK)
        status = add_sizes(root, gguf, architecture, err);
    if (status == EMBEDD_OK)
        status = add_norm_eps(root, gguf, architecture, err);
    if (status == EMBEDD_OK)
        status = add_rope(root, gguf, architecture, err);
    if (status == EMBEDD_OK)
        status = add_positions(root, gguf, architecture, err);
    if (status == EMBEDD_OK)
        status = add_windows(root, gguf, architecture, err);
    if (status == EMBEDD_OK)
        status = add_activation(root, gguf, architecture, err);
    if (status != EMBEDD_OK) {
        json_object_put(root);
        return status;
    }
    add_flags(root, gguf, architecture);
    status = ed_config_take(config, root, gguf->where, err);
    config->whole_gamma = true;
    return status;
}

/* What every architecture has, and what some have; 0 stands for absent. */
static embedd_status add_sizes(struct json_object *root, const ed_gguf *gguf,
                               const ed_gguf_architecture *architecture, embedd_error *err)
{
    static const struct {
        const char *from, *to;
        bool needed;
    } sizes[] = {
        {"block_count", "num_hidden_layers", true},
        {"embedding_length", "hidden_size", true},
        {"feed_forward_length", "intermediate_size", true},
        {"attention.head_count", "num_attention_heads", true},
        {"attention.head_count_kv", "num_key_value_heads", false},
        {"attention.key_length", "head_dim", false},
        {"expert_count", "num_experts", false},
        {"expert_used_count", "moe_top_k", false},
        {"moe_every_n_layers", "moe_every_n_layers", false},
    };
    const ed_tensor *tokens = ed_gguf_tensor(gguf, "token_embd.weight");
    const ed_tensor *types = ed_gguf_tensor(gguf, "token_types.weight");

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        full_key name = key_of(architecture, sizes[i].from);
        size_t value = 0;
        embedd_status status = ed_gguf_get_size(gguf, name.text, &value, err);
        if (status != EMBEDD_OK)
            return status;
        if (value == 0 && sizes[i].needed)
            return ed_fail(err, EMBEDD_FORMAT, "%s: %s is missing or 0", gguf->where, name.text);
        if (value > 0)
            add_size(root, sizes[i].to, value);
    }
    if (!tokens)
        return ed_fail(err, EMBEDD_FORMAT, "%s: tensor token_embd.weight is missing", gguf->where);
    add_size(root, "vocab_size", tokens->shape[0]);
    if (types)
        add_size(root, "type_vocab_size", types->n_dims == 1 ? 1 : types->shape[0]);
    return EMBEDD_OK;
}

static embedd_status add_norm_eps(struct json_object *root, const ed_gguf *gguf,
                                  const ed_gguf_architecture *architecture, embedd_error *err)
{
    full_key name = key_of(architecture, architecture->rms_norm ? "attention.layer_norm_rms_epsilon"
                                                                : "attention.layer_norm_epsilon");
    double eps = -1;
    embedd_status status = ed_gguf_get_double(gguf, name.text, &eps, err);

    if (status == EMBEDD_OK && eps < 0)
        status = ed_fail(err, EMBEDD_FORMAT, "%s: %s is missing", gguf->where, name.text);
    if (status == EMBEDD_OK)
        json_object_object_add(root, "norm_eps", json_object_new_double(eps));
    return status;
}

static void add_theta(struct json_object *parameters, const char *layers, double theta)
{
    struct json_object *of_layers = json_object_new_object();

    json_object_object_add(of_layers, "rope_theta", json_object_new_double(theta));
    json_object_object_add(parameters, layers, of_layers);
}

static embedd_status add_rope(struct json_object *root, const ed_gguf *gguf,
                              const ed_gguf_architecture *architecture, embedd_error *err)
{
    struct json_object *parameters;
    embedd_text scaling = {"none", 4};
    double theta = 10000, local_theta = 10000;
    embedd_status status =
        ed_gguf_get_double(gguf, key_of(architecture, "rope.freq_base").text, &theta, err);

    if (status == EMBEDD_OK)
        status = ed_gguf_get_double(gguf, key_of(architecture, "rope.local.freq_base").text,
                                    &local_theta, err); /* Ollama's name for the next */
    if (status == EMBEDD_OK)
        status = ed_gguf_get_double(gguf, key_of(architecture, "rope.freq_base_swa").text,
                                    &local_theta, err);
    if (status == EMBEDD_OK)
        status =
            ed_gguf_get_string(gguf, key_of(architecture, "rope.scaling.type").text, &scaling, err);
    if (status == EMBEDD_OK && (scaling.n_bytes != 4 || memcmp(scaling.bytes, "none", 4) != 0))
        status = ed_fail(err, EMBEDD_UNSUPPORTED, "%s: %s \"%.*s\"", gguf->where,
                         key_of(architecture, "rope.scaling.type").text,
                         scaling.n_bytes < 40 ? (int)scaling.n_bytes : 40, scaling.bytes);
    if (status != EMBEDD_OK)
        return status;
    parameters = json_object_new_object();
    json_object_object_add(parameters, "rope_theta", json_object_new_double(theta));
    add_theta(parameters, "full_attention", theta);
    add_theta(parameters, "sliding_attention", local_theta);
    json_object_object_add(root, "rope_parameters", parameters);
    return EMBEDD_OK;
}

/* The table of positions says how many there are; without one, the metadata. The converter leaves
 * out the rows before RoBERTa's first position, pad_token_id + 1. */
static embedd_status add_positions(struct json_object *root, const ed_gguf *gguf,
                                   const ed_gguf_architecture *architecture, embedd_error *err)
{
    const ed_tensor *table = ed_gguf_tensor(gguf, "position_embd.weight");
    bool roberta = ed_gguf_is_roberta(gguf, architecture);
    size_t n_positions = 0, pad_id = roberta ? 1 : 0;
    embedd_status status =
        ed_gguf_get_size(gguf, key_of(architecture, "context_length").text, &n_positions, err);

    if (status == EMBEDD_OK)
        status = ed_gguf_get_size(gguf, "tokenizer.ggml.padding_token_id", &pad_id, err);
    if (status != EMBEDD_OK)
        return status;
    if (table)
        n_positions = table->n_dims == 1 ? 1 : table->shape[0];
    if (n_positions == 0 || n_positions > (size_t)INT32_MAX || pad_id > (size_t)INT32_MAX)
        return ed_fail(err, EMBEDD_FORMAT,
                       "%s: %s or tokenizer.ggml.padding_token_id is missing or out of range",
                       gguf->where, key_of(architecture, "context_length").text);
    add_text(root, "model_type", roberta ? "xlm-roberta" : architecture->model_type);
    add_size(root, "pad_token_id", pad_id);
    add_size(root, "first_position_row", roberta ? pad_id + 1 : 0);
    add_size(root, "max_position_embeddings", n_positions + (roberta ? pad_id + 1 : 0));
    return EMBEDD_OK;
}

bool ed_gguf_is_roberta(const ed_gguf *gguf, const ed_gguf_architecture *architecture)
{
    embedd_text tokenizer = {"bert", 4};

    (void)ed_gguf_get_string(gguf, "tokenizer.ggml.model", &tokenizer, NULL);
    return strcmp(architecture->name, "bert") == 0 &&
           (tokenizer.n_bytes != 4 || memcmp(tokenizer.bytes, "bert", 4) != 0);
}

/* A window and which layers have it: all but every n-th, or a list of true and false. Each
 * architecture has names of its own for the same. */
static embedd_status add_windows(struct json_object *root, const ed_gguf *gguf,
                                 const ed_gguf_architecture *architecture, embedd_error *err)
{
    full_key window_key = key_of(architecture, "attention.sliding_window");
    full_key pattern_key = key_of(architecture, "attention.sliding_window_pattern");
    const ed_gguf_field *pattern = ed_gguf_find(gguf, pattern_key.text);
    size_t window = 0, every = 0;
    embedd_status status = ed_gguf_get_size(gguf, window_key.text, &window, err);

    if (status != EMBEDD_OK || !architecture->has_windows)
        return status;
    if (window == 0)
        return ed_fail(err, EMBEDD_FORMAT, "%s: %s is missing or 0", gguf->where, window_key.text);
    add_size(root, "sliding_window", window);
    add_size(root, "local_attention", window);
    if (pattern && pattern->is_array) {
        struct json_object *layers = json_object_new_array();
        ed_gguf_array list = {.n = 0};
        json_object_object_add(root, "layer_types", layers);
        status = ed_gguf_get_array(gguf, pattern_key.text, ED_GGUF_BOOL, &list, err);
        for (size_t i = 0; status == EMBEDD_OK && i < list.n; i++)
            json_object_array_add(layers, json_object_new_string(list.data[i] ? "sliding_attention"
                                                                              : "full_attention"));
        return status;
    }
    status = ed_gguf_get_size(gguf, pattern_key.text, &every, err);
    if (status == EMBEDD_OK && every > 0) {
        add_size(root, "_sliding_window_pattern", every);
        add_size(root, "global_attn_every_n_layers", every);
    }
    return status;
}

static embedd_status add_activation(struct json_object *root, const ed_gguf *gguf,
                                    const ed_gguf_architecture *architecture, embedd_error *err)
{
    embedd_text name = {architecture->activation, strlen(architecture->activation)};
    embedd_status status =
        ed_gguf_get_string(gguf, key_of(architecture, "hidden_activation").text, &name, err);

    if (status == EMBEDD_OK)
        json_object_object_add(
            root, "activation_function",
            json_object_new_string_len(name.bytes, name.n_bytes < 60 ? (int)name.n_bytes : 60));
    return status;
}

/* What the architecture's name alone says, and what only its tensors say. */
static void add_flags(struct json_object *root, const ed_gguf *gguf,
                      const ed_gguf_architecture *architecture)
{
    static const struct {
        const char *tensor, *field;
    } biases[] = {
        {"blk.0.attn_qkv.bias", "qkv_proj_bias"},
        {"blk.0.ffn_up.bias", "mlp_fc1_bias"},
        {"blk.0.ffn_down.bias", "mlp_fc2_bias"},
    };
    struct json_object *head_size = NULL;

    for (size_t i = 0; i < sizeof biases / sizeof *biases; i++)
        json_object_object_add(
            root, biases[i].field,
            json_object_new_boolean(ed_gguf_tensor(gguf, biases[i].tensor) != NULL));
    if (strcmp(architecture->name, "jina-bert-v2") == 0)
        add_text(root, "position_embedding_type", "alibi");
    if (strcmp(architecture->model_type, "gemma3_text") != 0)
        return;
    json_object_object_add(root, "use_bidirectional_attention", json_object_new_boolean(true));
    if (json_object_object_get_ex(root, "head_dim", &head_size))
        json_object_object_add(root, "query_pre_attn_scalar", json_object_get(head_size));
}

/* ---- modules --------------------------------------------------------------------------------- */

static embedd_status read_pooling(ed_modules *modules, const ed_gguf *gguf,
                                  const ed_gguf_architecture *architecture, embedd_error *err);
static void add_dense(ed_modules *modules, const ed_gguf *gguf);
static embedd_status read_normalize(ed_modules *modules, const ed_gguf *gguf,
                                    const ed_gguf_architecture *architecture, embedd_error *err);

embedd_status ed_gguf_modules_read(ed_modules *modules, const ed_gguf *gguf, embedd_error *err)
{
    const ed_gguf_architecture *architecture = NULL;
    embedd_status status = ed_gguf_architecture_of(gguf, &architecture, err);
    bool causal;

    *modules = (ed_modules){.include_prompt = true, .tokens_max = SIZE_MAX};
    if (status != EMBEDD_OK)
        return status;
    if (strcmp(architecture->name, "gemma3") == 0 && !ed_gguf_tensor(gguf, "dense.0.weight"))
        return ed_fail(err, EMBEDD_UNSUPPORTED,
                       "%s: general.architecture \"gemma3\" without a tensor dense.0.weight is no "
                       "embedding model",
                       gguf->where);
    causal = architecture->causal;
    if (strcmp(architecture->name, "gemma3") != 0) /* Ollama's says it of the chat model */
        status =
            ed_gguf_get_bool(gguf, key_of(architecture, "attention.causal").text, &causal, err);
    if (status == EMBEDD_OK && causal != architecture->causal)
        status = ed_fail(err, EMBEDD_UNSUPPORTED, "%s: %s.attention.causal %s", gguf->where,
                         architecture->name, causal ? "true" : "false");
    if (status == EMBEDD_OK)
        status = ed_gguf_get_size(gguf, key_of(architecture, "context_length").text,
                                  &modules->tokens_max, err);
    if (status == EMBEDD_OK)
        status = read_pooling(modules, gguf, architecture, err);
    if (status == EMBEDD_OK)
        add_dense(modules, gguf);
    if (status == EMBEDD_OK)
        status = read_normalize(modules, gguf, architecture, err);
    if (status != EMBEDD_OK)
        ed_modules_clear(modules);
    return status;
}

/* llama_pooling_type; 0 and no field leave it to the architecture. */
static embedd_status read_pooling(ed_modules *modules, const ed_gguf *gguf,
                                  const ed_gguf_architecture *architecture, embedd_error *err)
{
    static const embedd_pooling modes[] = {0, EMBEDD_POOLING_MEAN, EMBEDD_POOLING_CLS,
                                           EMBEDD_POOLING_LASTTOKEN};
    full_key name = key_of(architecture, "pooling_type");
    size_t type = 0;
    embedd_status status = ed_gguf_get_size(gguf, name.text, &type, err);

    if (status != EMBEDD_OK)
        return status;
    if (type >= sizeof modes / sizeof *modes)
        return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: %s %zu; mean, cls and last token are 1 to 3",
                       gguf->where, name.text, type);
    modules->pooling = modes[type];
    if (type == 0)
        modules->pooling = architecture->causal ? EMBEDD_POOLING_LASTTOKEN : EMBEDD_POOLING_MEAN;
    return EMBEDD_OK;
}

/* EmbeddingGemma's, by the numbers of their folders. */
static void add_dense(ed_modules *modules, const ed_gguf *gguf)
{
    if (ed_gguf_tensor(gguf, "dense_2.weight") || ed_gguf_tensor(gguf, "dense.0.weight"))
        modules->steps[modules->n_steps++] = (ed_module_step){ED_MODULE_DENSE, NULL, "dense_2"};
    if (ed_gguf_tensor(gguf, "dense_3.weight") || ed_gguf_tensor(gguf, "dense.1.weight"))
        modules->steps[modules->n_steps++] = (ed_module_step){ED_MODULE_DENSE, NULL, "dense_3"};
}

/* Source: github.com/ollama/ollama, llm/llama_server.go, legacyEmbeddingsWereRaw. */
static embedd_status read_normalize(ed_modules *modules, const ed_gguf *gguf,
                                    const ed_gguf_architecture *architecture, embedd_error *err)
{
    full_key name = key_of(architecture, "normalize_embeddings");
    bool roberta = ed_gguf_is_roberta(gguf, architecture);
    bool nomic = strncmp(architecture->name, "nomic", 5) == 0;
    bool normalize = !nomic;
    embedd_status status = ed_gguf_get_bool(gguf, name.text, &normalize, err);

    modules->normalize =
        (normalize && !roberta) || !ed_gguf_find(gguf, key_of(architecture, "pooling_type").text);
    if (modules->normalize)
        modules->steps[modules->n_steps++] = (ed_module_step){ED_MODULE_NORMALIZE, NULL, NULL};
    return status;
}
