/* Names -> ed_layer. */
#include "model/layer_weights.h"

#include <stdio.h>

#include "base/error.h"
#include "base/memory.h"

typedef struct layer_reader {
    ed_weights *weights;
    ed_layer *layer;
    size_t layer_index;
    const ed_norm *before; /* that the layer's input comes from, if its gamma is there */
    const ed_layer_names *names;
    const ed_norm_style *style;
    const ed_config *config;
} layer_reader;

static embedd_status read_qkv(const layer_reader *reader);
static embedd_status read_up(const layer_reader *reader);
static embedd_status read_moe(const layer_reader *reader);
static embedd_status read_expert_down(const layer_reader *reader, size_t expert_index,
                                      const char *block);
static embedd_status read_norms(const layer_reader *reader);

typedef struct full_name {
    char text[160];
} full_name;

static full_name name_of(const layer_reader *reader, const char *rest)
{
    full_name name;

    snprintf(name.text, sizeof name.text, "%s.%zu.%s", reader->names->list, reader->layer_index,
             rest);
    return name;
}

static embedd_status read_linear(const layer_reader *reader, ed_linear *linear, const char *rest,
                                 size_t n_out, size_t n_in, bool has_bias,
                                 const ed_weights_input *input)
{
    full_name name = name_of(reader, rest);
    ed_weight_part part = {name.text, 0, n_out, n_out};

    return ed_weights_linear(reader->weights, linear, &part, 1, n_in, has_bias, input);
}

embedd_status ed_layer_weights_read(ed_weights *weights, ed_transformer *transformer,
                                    size_t layer_index, const ed_layer_names *names,
                                    const ed_norm_style *style, const ed_config *config)
{
    ed_layer *layer = &transformer->layers[layer_index];
    const ed_norm *before = layer_index ? &layer[-1].output_norm : &transformer->embedding_norm;
    const layer_reader reader = {weights, layer, layer_index, before, names, style, config};
    size_t d = config->hidden_size, context = config->n_heads * config->head_size;
    embedd_status status = read_norms(&reader);

    layer->reach_back = layer->reach_ahead = ED_REACH_ALL;
    if (status == EMBEDD_OK)
        status = read_qkv(&reader);
    if (status == EMBEDD_OK)
        status = read_linear(&reader, &layer->attention_output, names->attention_output, d, context,
                             names->attention_output_bias, NULL);
    if (status == EMBEDD_OK && names->moe)
        status = read_moe(&reader);
    else if (status == EMBEDD_OK)
        status = read_up(&reader);
    if (status == EMBEDD_OK && !names->moe)
        status = read_linear(&reader, &layer->down, names->down, d, config->intermediate_size,
                             names->down_bias, NULL);
    return status;
}

/* The gamma of the last of these norms that the model has, or NULL. */
static const float *gamma_of(const ed_norm *first, const ed_norm *second, const ed_norm *third)
{
    return third->gamma ? third->gamma : second->gamma ? second->gamma : first->gamma;
}

static embedd_status read_qkv(const layer_reader *reader)
{
    const ed_layer_names *names = reader->names;
    const ed_config *config = reader->config;
    size_t q = config->n_heads * config->head_size, kv = config->n_kv_heads * config->head_size;
    const ed_norm *own = &reader->layer->attention_input_norm;
    const ed_weights_input input = {gamma_of(reader->before, own, own), kv};

    if (names->qkv)
        return read_linear(reader, &reader->layer->qkv, names->qkv, q + 2 * kv, config->hidden_size,
                           names->qkv_bias, &input);
    full_name query = name_of(reader, names->query), key = name_of(reader, names->key);
    full_name value = name_of(reader, names->value);
    const ed_weight_part parts[] = {
        {query.text, 0, q, q}, {key.text, 0, kv, kv}, {value.text, 0, kv, kv}};
    return ed_weights_linear(reader->weights, &reader->layer->qkv, parts, 3, config->hidden_size,
                             names->qkv_bias, &input);
}

/* The activated half comes first, whatever the file's order. */
static embedd_status read_up(const layer_reader *reader)
{
    const ed_layer_names *names = reader->names;
    size_t d = reader->config->hidden_size, f = reader->config->intermediate_size;
    ed_linear *up = &reader->layer->up;
    const ed_layer *layer = reader->layer;
    const ed_weights_input input = {gamma_of(&layer->attention_norm, &layer->second_attention_norm,
                                             &layer->feed_forward_input_norm),
                                    0};

    if (names->gate_up) {
        full_name both = name_of(reader, names->gate_up);
        size_t gate_begin = names->gate_first ? 0 : f;
        const ed_weight_part parts[] = {{both.text, gate_begin, f, 2 * f},
                                        {both.text, f - gate_begin, f, 2 * f}};
        return ed_weights_linear(reader->weights, up, parts, 2, d, names->up_bias, &input);
    }
    if (names->gate) {
        full_name gate = name_of(reader, names->gate), rest = name_of(reader, names->up);
        const ed_weight_part parts[] = {{gate.text, 0, f, f}, {rest.text, 0, f, f}};
        return ed_weights_linear(reader->weights, up, parts, 2, d, names->up_bias, &input);
    }
    return read_linear(reader, up, names->up, f, d, names->up_bias, &input);
}

/* w1 [E F][D] are up rows; w2 [E F][D] lies transposed. Where there is `down` instead, it is [E
 * D][F] as it should be. */
static embedd_status read_moe(const layer_reader *reader)
{
    size_t d = reader->config->hidden_size, f = reader->config->intermediate_size;
    ed_moe *moe = &reader->layer->moe;
    ed_weights *weights = reader->weights;
    char name[192];
    full_name block = name_of(reader, reader->names->moe);
    embedd_status status;

    if (reader->config->n_experts > ED_EXPERTS_MAX)
        return ed_fail(weights->err, EMBEDD_UNSUPPORTED,
                       "%s: %zu experts; at most %d are supported", reader->config->path,
                       reader->config->n_experts, ED_EXPERTS_MAX);
    moe->n_experts = reader->config->n_experts;
    moe->n_used = reader->config->n_experts_used;
    moe->activation = reader->config->activation;
    moe->up = ed_calloc(moe->n_experts, sizeof *moe->up);
    moe->down = ed_calloc(moe->n_experts, sizeof *moe->down);
    if (!moe->up || !moe->down)
        return ed_fail(weights->err, EMBEDD_MEMORY, "out of memory");
    snprintf(name, sizeof name, "%s.router.layer.weight", block.text);
    status = ed_weights_read(weights, name, moe->n_experts, d, &moe->router);
    snprintf(name, sizeof name, "%s.experts.bias", block.text);
    if (status == EMBEDD_OK && !ed_weights_has(weights, name))
        status = (moe->bias = ed_calloc(d, sizeof *moe->bias))
                     ? EMBEDD_OK
                     : ed_fail(weights->err, EMBEDD_MEMORY, "out of memory");
    else if (status == EMBEDD_OK)
        status = ed_weights_read(weights, name, 0, d, &moe->bias);
    for (size_t e = 0; status == EMBEDD_OK && e < moe->n_experts; e++) {
        const ed_weight_part part = {name, e * f, f, moe->n_experts * f};
        snprintf(name, sizeof name, "%s.experts.mlp.w1", block.text);
        status = ed_weights_linear(weights, &moe->up[e], &part, 1, d, false, NULL);
        if (status == EMBEDD_OK)
            status = read_expert_down(reader, e, block.text);
    }
    return status;
}

static embedd_status read_expert_down(const layer_reader *reader, size_t expert_index,
                                      const char *block)
{
    size_t d = reader->config->hidden_size, f = reader->config->intermediate_size;
    ed_moe *moe = &reader->layer->moe;
    ed_linear *down = &moe->down[expert_index];
    char name[192], plain[192];
    const ed_weight_part part = {name, expert_index * f, f, moe->n_experts * f};

    snprintf(name, sizeof name, "%s.experts.mlp.w2", block);
    snprintf(plain, sizeof plain, "%s.experts.mlp.down.weight", block);
    if (!ed_weights_has(reader->weights, plain))
        return ed_weights_linear_transposed(reader->weights, down, &part, d);
    return ed_weights_linear(reader->weights, down,
                             &(ed_weight_part){plain, expert_index * d, d, moe->n_experts * d}, 1,
                             f, false, NULL);
}

static embedd_status read_norms(const layer_reader *reader)
{
    const ed_layer_names *names = reader->names;
    ed_layer *layer = reader->layer;
    size_t d = reader->config->hidden_size, k = reader->config->head_size;
    bool of_each_head = reader->style->rms;
    size_t query = of_each_head ? k : reader->config->n_heads * k;
    size_t key = of_each_head ? k : reader->config->n_kv_heads * k;
    const struct {
        ed_norm *norm;
        const char *name;
        size_t d;
    } norms[] = {
        {&layer->attention_input_norm, names->attention_input_norm, d},
        {&layer->query_norm, names->query_norm, query},
        {&layer->key_norm, names->key_norm, key},
        {&layer->attention_output_norm, names->attention_output_norm, d},
        {&layer->attention_norm, names->attention_norm, d},
        {&layer->second_attention_norm, names->second_attention_norm, d},
        {&layer->feed_forward_input_norm, names->feed_forward_input_norm, d},
        {&layer->feed_forward_output_norm, names->feed_forward_output_norm, d},
        {&layer->output_norm, names->output_norm, d},
    };
    embedd_status status = EMBEDD_OK;

    for (size_t i = 0; status == EMBEDD_OK && i < sizeof norms / sizeof *norms; i++) {
        if (!norms[i].name)
            continue;
        full_name name = name_of(reader, norms[i].name);
        status =
            ed_weights_norm(reader->weights, norms[i].norm, name.text, norms[i].d, reader->style);
    }
    return status;
}
