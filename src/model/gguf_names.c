/* Tensor names of GGUF -> those of the published weights, architecture by architecture.
 * Source: github.com/ggml-org/llama.cpp, gguf-py/gguf/tensor_mapping.py. */
#include "model/gguf_model.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

#define NAME_MAX_BYTES 160

static const ed_gguf_names bert_names[] = {
    {"token_embd", "embeddings.word_embeddings"},
    {"position_embd", "embeddings.position_embeddings"},
    {"token_types", "embeddings.token_type_embeddings"},
    {"token_embd_norm", "embeddings.LayerNorm"},
    {NULL, NULL},
};

static const ed_gguf_names bert_layers[] = {
    {"attn_q", "attention.self.query"},
    {"attn_k", "attention.self.key"},
    {"attn_v", "attention.self.value"},
    {"attn_output", "attention.output.dense"},
    {"attn_output_norm", "attention.output.LayerNorm"},
    {"ffn_up", "intermediate.dense"},
    {"ffn_down", "output.dense"},
    {"layer_output_norm", "output.LayerNorm"},
    {NULL, NULL},
};

static const ed_gguf_names jina_layers[] = {
    {"attn_q", "attention.self.query"},
    {"attn_k", "attention.self.key"},
    {"attn_v", "attention.self.value"},
    {"attn_q_norm", "attention.self.layer_norm_q"},
    {"attn_k_norm", "attention.self.layer_norm_k"},
    {"attn_output", "attention.output.dense"},
    {"attn_output_norm", "attention.output.LayerNorm"},
    {"attn_norm_2", "layer_norm_1"},
    {"ffn_up", "mlp.gated_layers"}, /* both halves; where there is an ffn_gate, the other one */
    {"ffn_gate", "mlp.gate_layer"},
    {"ffn_down", "mlp.wo"},
    {"layer_output_norm", "mlp.layernorm"},
    {NULL, NULL},
};

static const ed_gguf_names modern_names[] = {
    {"token_embd", "embeddings.tok_embeddings"},
    {"token_embd_norm", "embeddings.norm"},
    {"output_norm", "final_norm"},
    {NULL, NULL},
};

static const ed_gguf_names modern_layers[] = {
    {"attn_norm", "attn_norm"},
    {"attn_qkv", "attn.Wqkv"},
    {"attn_output", "attn.Wo"},
    {"ffn_norm", "mlp_norm"},
    {"ffn_up", "mlp.Wi"},
    {"ffn_down", "mlp.Wo"},
    {NULL, NULL},
};

static const ed_gguf_names nomic_names[] = {
    {"token_embd", "embeddings.word_embeddings"},
    {"token_types", "embeddings.token_type_embeddings"},
    {"token_embd_norm", "emb_ln"},
    {NULL, NULL},
};

static const ed_gguf_names nomic_layers[] = {
    {"attn_qkv", "attn.Wqkv"},      {"attn_output", "attn.out_proj"},
    {"attn_output_norm", "norm1"},  {"ffn_up", "mlp.fc11"},
    {"ffn_gate", "mlp.fc12"},       {"ffn_down", "mlp.fc2"},
    {"layer_output_norm", "norm2"}, {NULL, NULL},
};

static const ed_gguf_names nomic_moe_layers[] = {
    {"attn_qkv", "attn.Wqkv"},
    {"attn_output", "attn.out_proj"},
    {"attn_output_norm", "norm1"},
    {"ffn_up", "mlp.fc1"},
    {"ffn_down", "mlp.fc2"},
    {"ffn_gate_inp", "mlp.router.layer"},
    {"ffn_up_exps", "mlp.experts.mlp.w1"},
    {"ffn_down_exps", "mlp.experts.mlp.down"}, /* w2 the other way round */
    {"layer_output_norm", "norm2"},
    {NULL, NULL},
};

static const ed_gguf_names decoder_names[] = {
    {"token_embd", "embed_tokens"},
    {"output_norm", "norm"},
    {NULL, NULL},
};

/* As Ollama's own converter named EmbeddingGemma's. */
static const ed_gguf_names gemma3_names[] = {
    {"token_embd", "embed_tokens"}, {"output_norm", "norm"}, {"norm", "norm"},
    {"dense.0", "dense_2"},         {"dense.1", "dense_3"},  {NULL, NULL},
};

static const ed_gguf_names qwen3_layers[] = {
    {"attn_norm", "input_layernorm"},    {"attn_q", "self_attn.q_proj"},
    {"attn_k", "self_attn.k_proj"},      {"attn_v", "self_attn.v_proj"},
    {"attn_q_norm", "self_attn.q_norm"}, {"attn_k_norm", "self_attn.k_norm"},
    {"attn_output", "self_attn.o_proj"}, {"ffn_norm", "post_attention_layernorm"},
    {"ffn_gate", "mlp.gate_proj"},       {"ffn_up", "mlp.up_proj"},
    {"ffn_down", "mlp.down_proj"},       {NULL, NULL},
};

static const ed_gguf_names gemma_layers[] = {
    {"attn_norm", "input_layernorm"},
    {"attn_q", "self_attn.q_proj"},
    {"attn_k", "self_attn.k_proj"},
    {"attn_v", "self_attn.v_proj"},
    {"attn_q_norm", "self_attn.q_norm"},
    {"attn_k_norm", "self_attn.k_norm"},
    {"attn_output", "self_attn.o_proj"},
    {"post_attention_norm", "post_attention_layernorm"},
    {"ffn_norm", "pre_feedforward_layernorm"},
    {"ffn_gate", "mlp.gate_proj"},
    {"ffn_up", "mlp.up_proj"},
    {"ffn_down", "mlp.down_proj"},
    {"post_ffw_norm", "post_feedforward_layernorm"},
    {NULL, NULL},
};

static const ed_gguf_architecture architectures[] = {
    {.name = "bert",
     .model_type = "bert",
     .activation = "gelu",
     .has_biases = true,
     .layer_list = "encoder.layer",
     .names = bert_names,
     .layers = bert_layers},
    {.name = "gemma-embedding",
     .model_type = "gemma3_text",
     .activation = "gelu_pytorch_tanh",
     .rms_norm = true,
     .has_windows = true,
     .layer_list = "layers",
     .names = decoder_names,
     .layers = gemma_layers},
    {.name = "gemma3",
     .model_type = "gemma3_text",
     .activation = "gelu_pytorch_tanh",
     .rms_norm = true,
     .has_windows = true,
     .layer_list = "layers",
     .names = gemma3_names,
     .layers = gemma_layers},
    {.name = "jina-bert-v2",
     .model_type = "bert",
     .activation = "gelu",
     .has_biases = true,
     .layer_list = "encoder.layer",
     .names = bert_names,
     .layers = jina_layers},
    {.name = "modern-bert",
     .model_type = "modernbert",
     .activation = "gelu",
     .has_windows = true,
     .layer_list = "layers",
     .names = modern_names,
     .layers = modern_layers},
    {.name = "nomic-bert",
     .model_type = "nomic_bert",
     .activation = "swiglu",
     .has_biases = true,
     .layer_list = "encoder.layers",
     .names = nomic_names,
     .layers = nomic_layers},
    {.name = "nomic-bert-moe",
     .model_type = "nomic_bert",
     .activation = "gelu",
     .has_biases = true,
     .layer_list = "encoder.layers",
     .names = nomic_names,
     .layers = nomic_moe_layers},
    {.name = "qwen3",
     .model_type = "qwen3",
     .activation = "silu",
     .causal = true,
     .rms_norm = true,
     .layer_list = "layers",
     .names = decoder_names,
     .layers = qwen3_layers},
};

embedd_status ed_gguf_architecture_of(const ed_gguf *gguf, const ed_gguf_architecture **out,
                                      embedd_error *err)
{
    embedd_text name = {"", 0};
    embedd_status status = ed_gguf_get_string(gguf, "general.architecture", &name, err);

    if (status != EMBEDD_OK)
        return status;
    for (size_t i = 0; i < sizeof architectures / sizeof *architectures; i++) {
        const char *known = architectures[i].name;
        if (strlen(known) == name.n_bytes && memcmp(known, name.bytes, name.n_bytes) == 0) {
            *out = &architectures[i];
            return EMBEDD_OK;
        }
    }
    return ed_fail(err, EMBEDD_UNSUPPORTED,
                   "%s: general.architecture \"%.*s\" is not an embedding model that is supported",
                   gguf->where, name.n_bytes < 60 ? (int)name.n_bytes : 60, name.bytes);
}

/* ---- renaming -------------------------------------------------------------------------------- */

typedef struct other_name {
    char text[NAME_MAX_BYTES];
} other_name;

/* The part of a name before the last '.', looked up; NULL = there is no other name for it. */
static const char *find_name(const ed_gguf_names *names, const char *from, size_t n_bytes)
{
    for (; names->from; names++)
        if (strlen(names->from) == n_bytes && memcmp(names->from, from, n_bytes) == 0)
            return names->to;
    return NULL;
}

/* "blk.7.attn_q.bias" -> "encoder.layer.7.attention.self.query.bias"; false: it stays as it is. */
static bool rename_tensor(const ed_gguf_architecture *architecture, const char *from,
                          other_name *to)
{
    const ed_gguf_names *names = architecture->names;
    const char *rest = from, *end = strrchr(from, '.');
    size_t n_index = 0;

    if (!end)
        return false;
    if (strncmp(from, "blk.", 4) == 0) {
        n_index = strspn(from + 4, "0123456789");
        rest = from + 4 + n_index;
        if (n_index == 0 || *rest != '.' || rest++ == end)
            return false;
        names = architecture->layers;
    }
    const char *found = find_name(names, rest, (size_t)(end - rest));
    if (!found || (!architecture->has_biases && strcmp(end, ".bias") == 0))
        return false;
    int n = n_index > 0 ? snprintf(to->text, sizeof to->text, "%s.%.*s.%s%s",
                                   architecture->layer_list, (int)n_index, from + 4, found, end)
                        : snprintf(to->text, sizeof to->text, "%s%s", found, end);
    return n > 0 && (size_t)n < sizeof to->text;
}

/* What may be there without a part in a vector: heads of other tasks, and Dense modules, which are
 * looked for by these names. Anything else would change it: to leave it out is to answer wrongly.
 */
static bool is_of_no_matter(const char *name)
{
    static const char *const names[] = {"cls.", "dense_2.", "dense_3.", "output."};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(name, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/* A table of one row may have lost its second dimension, one matrix for each expert has a third. */
static void make_matrix(ed_tensor *view)
{
    if (view->n_dims == 1 && strcmp(view->name, "token_types.weight") == 0) {
        view->shape[1] = view->shape[0];
        view->shape[0] = 1;
        view->n_dims = 2;
    } else if (view->n_dims == 3) {
        view->shape[0] *= view->shape[1]; /* no more than n_elements */
        view->shape[1] = view->shape[2];
        view->n_dims = 2;
    }
}

/* The rows of query, key and value in a matrix that has them one below the other. */
static embedd_status qkv_rows(const ed_gguf *gguf, const ed_gguf_architecture *architecture,
                              const ed_tensor *fused, size_t rows[3], embedd_error *err)
{
    char key[NAME_MAX_BYTES];
    size_t n_heads = 0, n_kv_heads = 0, n_units = 0;
    embedd_status status;

    snprintf(key, sizeof key, "%s.attention.head_count", architecture->name);
    status = ed_gguf_get_size(gguf, key, &n_heads, err);
    n_kv_heads = n_heads;
    snprintf(key, sizeof key, "%s.attention.head_count_kv", architecture->name);
    if (status == EMBEDD_OK)
        status = ed_gguf_get_size(gguf, key, &n_kv_heads, err);
    if (status != EMBEDD_OK)
        return status;
    if (n_heads > 0 && n_heads <= fused->shape[0] && n_kv_heads <= fused->shape[0])
        n_units = n_heads + 2 * n_kv_heads;
    if (n_units == 0 || fused->shape[0] % n_units != 0 || fused->n_bytes % fused->shape[0] != 0)
        return ed_fail(err, EMBEDD_FORMAT, "%s: tensor %.100s does not fit %s.attention.head_count",
                       gguf->where, fused->name, architecture->name);
    rows[0] = fused->shape[0] / n_units * n_heads;
    rows[1] = rows[2] = fused->shape[0] / n_units * n_kv_heads;
    return EMBEDD_OK;
}

/* What the tensors are called elsewhere, and the views that have these names. */
typedef struct view_list {
    ed_tensor *views; /* [3 * n_tensors] */
    other_name *names;
    size_t n_views;
} view_list;

static bool add_view(view_list *list, const ed_gguf_architecture *architecture,
                     const ed_tensor *view)
{
    other_name *name = &list->names[list->n_views];

    if (!rename_tensor(architecture, view->name, name))
        return false;
    list->views[list->n_views] = *view;
    list->views[list->n_views++].name = name->text;
    return true;
}

/* "blk.7.attn_qkv.bias", where the published weights have three. */
static embedd_status add_qkv(view_list *list, const ed_gguf *gguf,
                             const ed_gguf_architecture *architecture, const ed_tensor *fused,
                             embedd_error *err)
{
    const char *end = strrchr(fused->name, '.');
    int n_before = (int)(end - fused->name) - (int)strlen("qkv");
    ed_tensor part = *fused;
    char name[NAME_MAX_BYTES];
    size_t rows[3];
    embedd_status status = qkv_rows(gguf, architecture, fused, rows, err);

    for (size_t i = 0; status == EMBEDD_OK && i < 3; i++) {
        snprintf(name, sizeof name, "%.*s%c%s", n_before, fused->name, "qkv"[i], end);
        part.name = name;
        part.shape[0] = rows[i];
        part.n_elements = fused->n_elements / fused->shape[0] * rows[i];
        part.n_bytes = fused->n_bytes / fused->shape[0] * rows[i];
        if (!add_view(list, architecture, &part))
            status = ed_fail(err, EMBEDD_UNSUPPORTED, "%s: tensor %.100s has no place in %s",
                             gguf->where, fused->name, architecture->name);
        part.data += part.n_bytes;
    }
    return status;
}

static embedd_status add_tensor(view_list *list, const ed_gguf *gguf,
                                const ed_gguf_architecture *architecture, const ed_tensor *tensor,
                                embedd_error *err)
{
    bool apart = !find_name(architecture->layers, "attn_qkv", strlen("attn_qkv"));
    ed_tensor view = *tensor;

    if (apart && strncmp(tensor->name, "blk.", 4) == 0 && strstr(tensor->name, ".attn_qkv."))
        return add_qkv(list, gguf, architecture, tensor, err);
    make_matrix(&view);
    if (add_view(list, architecture, &view))
        return EMBEDD_OK;
    if (!is_of_no_matter(tensor->name))
        return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: tensor %.100s has no place in %s", gguf->where,
                       tensor->name, architecture->name);
    list->views[list->n_views++] = view;
    return EMBEDD_OK;
}

embedd_status ed_gguf_tensors_open(ed_tensors **out, const ed_gguf *gguf, embedd_error *err)
{
    const ed_gguf_architecture *architecture = NULL;
    view_list list = {.n_views = 0};
    embedd_status status = EMBEDD_MEMORY;

    *out = NULL;
    list.views = ed_calloc(gguf->n_tensors, 3 * sizeof *list.views);
    list.names = ed_calloc(gguf->n_tensors, 3 * sizeof *list.names);
    if (!list.views || !list.names) {
        ed_fail(err, status, "%s: no memory for %zu tensors", gguf->where, gguf->n_tensors);
        goto done;
    }
    status = ed_gguf_architecture_of(gguf, &architecture, err);
    for (size_t i = 0; status == EMBEDD_OK && i < gguf->n_tensors; i++)
        status = add_tensor(&list, gguf, architecture, &gguf->tensors[i], err);
    if (status == EMBEDD_OK)
        status = ed_tensors_open_views(out, list.views, list.n_views, &gguf->map, gguf->where, err);
done:
    ed_free(list.views);
    ed_free(list.names);
    return status;
}
