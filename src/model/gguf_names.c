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
    {"attn_output", "attention.output.dense"},
    {"attn_output_norm", "attention.output.LayerNorm"},
    {"ffn_up", "mlp.gated_layers"}, /* both halves; where there is an ffn_gate, the other one */
    {"ffn_gate", "mlp.gate_layer"},
    {"ffn_down", "mlp.wo"},
    {"layer_output_norm", "mlp.layernorm"},
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
    {"bert", "bert", "gelu", false, false, "encoder.layer", bert_names, bert_layers},
    {"gemma-embedding", "gemma3_text", "gelu_pytorch_tanh", false, true, "layers", decoder_names,
     gemma_layers},
    {"jina-bert-v2", "bert", "gelu", false, false, "encoder.layer", bert_names, jina_layers},
    {"nomic-bert", "nomic_bert", "swiglu", false, false, "encoder.layers", nomic_names,
     nomic_layers},
    {"nomic-bert-moe", "nomic_bert", "gelu", false, false, "encoder.layers", nomic_names,
     nomic_moe_layers},
    {"qwen3", "qwen3", "silu", true, true, "layers", decoder_names, qwen3_layers},
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

const ed_tensor *ed_gguf_tensor(const ed_gguf *gguf, const char *name)
{
    for (size_t i = 0; i < gguf->n_tensors; i++)
        if (strcmp(gguf->tensors[i].name, name) == 0)
            return &gguf->tensors[i];
    return NULL;
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
    if (!found || (architecture->rms_norm && strcmp(end, ".bias") == 0)) /* decoders have none */
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

embedd_status ed_gguf_tensors_open(ed_tensors **out, const ed_gguf *gguf, embedd_error *err)
{
    const ed_gguf_architecture *architecture = NULL;
    ed_tensor *views = ed_calloc(gguf->n_tensors, sizeof *views);
    other_name *names = ed_calloc(gguf->n_tensors, sizeof *names);
    embedd_status status = EMBEDD_MEMORY;

    *out = NULL;
    if (!views || !names) {
        ed_fail(err, status, "%s: no memory for %zu tensors", gguf->where, gguf->n_tensors);
        goto done;
    }
    status = ed_gguf_architecture_of(gguf, &architecture, err);
    for (size_t i = 0; status == EMBEDD_OK && i < gguf->n_tensors; i++) {
        views[i] = gguf->tensors[i];
        make_matrix(&views[i]);
        if (rename_tensor(architecture, views[i].name, &names[i]))
            views[i].name = names[i].text;
        else if (!is_of_no_matter(views[i].name))
            status = ed_fail(err, EMBEDD_UNSUPPORTED, "%s: tensor %.100s has no place in %s",
                             gguf->where, views[i].name, architecture->name);
    }
    if (status == EMBEDD_OK)
        status = ed_tensors_open_views(out, views, gguf->n_tensors, &gguf->map, gguf->where, err);
done:
    ed_free(views);
    ed_free(names);
    return status;
}
