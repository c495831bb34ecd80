/* Heads. In: the last layer's hidden states. Out: numbers of each text, whose bits depend on its
 * own rows only. */
#include "model/head.h"

#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "formats/json.h"
#include "model/pooling.h"
#include "model/weights.h"

#define LABELS_MAX ((size_t)1 << 16)

/* Where an architecture keeps what; names below the encoder's own begin with '+'. */
typedef struct head_names {
    const char *model_type;
    embedd_task task;
    const char *dense, *norm, *out;
    const char *out_bias; /* NULL = out's own */
    ed_activation activation;
    bool config_activation; /* config.json's instead */
    bool fixed_eps;         /* 1e-12, whatever config.json says */
    bool modern;            /* see read_modern */
} head_names;

#define ROBERTA_SCORE(type)                                                                        \
    {                                                                                              \
        .model_type = type, .task = EMBEDD_TASK_SCORE, .dense = "classifier.dense",                \
        .out = "classifier.out_proj", .activation = ED_ACTIVATION_TANH                             \
    }
#define ROBERTA_SPARSE(type)                                                                       \
    {                                                                                              \
        .model_type = type, .task = EMBEDD_TASK_SPARSE, .dense = "lm_head.dense",                  \
        .norm = "lm_head.layer_norm", .out = "lm_head.decoder", .out_bias = "lm_head.bias",        \
        .activation = ED_ACTIVATION_GELU                                                           \
    }

static const head_names all_names[] = {
    {.model_type = "bert",
     .task = EMBEDD_TASK_SCORE,
     .dense = "+pooler.dense",
     .out = "classifier",
     .activation = ED_ACTIVATION_TANH},
    {.model_type = "bert",
     .task = EMBEDD_TASK_SPARSE,
     .dense = "cls.predictions.transform.dense",
     .norm = "cls.predictions.transform.LayerNorm",
     .out = "cls.predictions.decoder",
     .out_bias = "cls.predictions.bias",
     .config_activation = true},
    {.model_type = "distilbert",
     .task = EMBEDD_TASK_SCORE,
     .dense = "pre_classifier",
     .out = "classifier",
     .activation = ED_ACTIVATION_RELU},
    {.model_type = "distilbert",
     .task = EMBEDD_TASK_SPARSE,
     .dense = "vocab_transform",
     .norm = "vocab_layer_norm",
     .out = "vocab_projector",
     .config_activation = true,
     .fixed_eps = true},
    {.model_type = "modernbert",
     .task = EMBEDD_TASK_SCORE,
     .dense = "head.dense",
     .norm = "head.norm",
     .out = "classifier",
     .activation = ED_ACTIVATION_GELU,
     .modern = true},
    {.model_type = "modernbert",
     .task = EMBEDD_TASK_SPARSE,
     .dense = "head.dense",
     .norm = "head.norm",
     .out = "decoder",
     .activation = ED_ACTIVATION_GELU,
     .modern = true},
    ROBERTA_SCORE("camembert"),
    ROBERTA_SCORE("mpnet"),
    ROBERTA_SCORE("roberta"),
    ROBERTA_SCORE("xlm-roberta"),
    ROBERTA_SPARSE("camembert"),
    ROBERTA_SPARSE("roberta"),
    ROBERTA_SPARSE("xlm-roberta"),
};

/* How the dense layer and its norm are written. */
typedef struct head_style {
    bool dense_bias;
    ed_norm_style norm;
} head_style;

static embedd_status read_modern(ed_head *head, head_style *style, const ed_config *config,
                                 embedd_error *err);
static embedd_status read_dense(ed_head *head, const head_names *names, const head_style *style,
                                const ed_transformer *transformer, ed_weights *weights);
static embedd_status read_out(ed_head *head, const head_names *names, const ed_config *config,
                              const ed_transformer *transformer, ed_weights *weights);
static void score_texts(const ed_head *head, ed_workspace *workspace, const ed_batch *batch,
                        float *scratch, float *const *outs);
static void weigh_vocabulary(const ed_head *head, ed_workspace *workspace, const ed_batch *batch,
                             float *scratch, float *const *outs);
static const float *run_rows(const ed_head *head, ed_workspace *workspace, const float *x,
                             size_t n_rows, float *scratch);

bool ed_config_is_classifier(const ed_config *config)
{
    static const char suffix[] = "ForSequenceClassification";
    struct json_object *list = NULL;

    if (!json_object_object_get_ex(config->root, "architectures", &list) ||
        !json_object_is_type(list, json_type_array))
        return false;
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        const char *name = json_object_get_string(json_object_array_get_idx(list, i));
        size_t n = name ? strlen(name) : 0;
        if (n >= sizeof suffix - 1 && strcmp(name + n - (sizeof suffix - 1), suffix) == 0)
            return true;
    }
    return false;
}

embedd_status ed_head_open(ed_head *head, embedd_task task, const ed_config *config,
                           const ed_transformer *transformer, const ed_tensors *tensors,
                           const char *where, embedd_error *err)
{
    const ed_gemm *gemm = &transformer->kernels->gemm_f32;
    ed_weights weights = {.tensors = tensors, .gemm = gemm, .where = where, .err = err};
    head_style style = {.dense_bias = true, .norm = {.has_beta = true, .eps = config->norm_eps}};
    const head_names *names = NULL;
    embedd_status status = EMBEDD_OK;

    *head = (ed_head){.task = task};
    for (size_t i = 0; i < sizeof all_names / sizeof *all_names; i++)
        if (all_names[i].task == task && strcmp(all_names[i].model_type, config->architecture) == 0)
            names = &all_names[i];
    if (!names)
        return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: model_type \"%s\" is not supported with %s",
                       where, config->architecture,
                       task == EMBEDD_TASK_SCORE ? "a classifier on it" : "SPLADE");
    head->activation = names->config_activation ? config->activation : names->activation;
    if (names->fixed_eps)
        style.norm.eps = 1e-12F;
    if (names->modern)
        status = read_modern(head, &style, config, err);
    if (status == EMBEDD_OK)
        status = read_dense(head, names, &style, transformer, &weights);
    if (status == EMBEDD_OK)
        status = read_out(head, names, config, transformer, &weights);
    head->weight_bytes = weights.weight_bytes;
    ed_weights_clear(&weights);
    if (status != EMBEDD_OK)
        ed_head_close(head);
    return status;
}

void ed_head_close(ed_head *head)
{
    ed_linear_clear(&head->dense);
    ed_linear_clear(&head->out);
    ed_norm_clear(&head->norm);
    *head = (ed_head){.task = EMBEDD_TASK_VECTOR};
}

/* ModernBERT says in its config.json what others have fixed. */
static embedd_status read_modern(ed_head *head, head_style *style, const ed_config *config,
                                 embedd_error *err)
{
    const char *activation = "gelu", *pooling = "cls";
    embedd_status status =
        ed_json_get_string(config->root, "classifier_activation", &activation, config->path, err);

    style->dense_bias = style->norm.has_beta = false;
    if (status == EMBEDD_OK)
        status = ed_json_get_bool(config->root, "classifier_bias", &style->dense_bias, config->path,
                                  err);
    if (status == EMBEDD_OK)
        status =
            ed_json_get_bool(config->root, "norm_bias", &style->norm.has_beta, config->path, err);
    if (status == EMBEDD_OK)
        status =
            ed_json_get_string(config->root, "classifier_pooling", &pooling, config->path, err);
    if (status != EMBEDD_OK)
        return status;
    if (strcmp(activation, "gelu") != 0)
        return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: classifier_activation \"%.40s\"", config->path,
                       activation);
    head->mean = strcmp(pooling, "mean") == 0;
    if (!head->mean && strcmp(pooling, "cls") != 0)
        return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: classifier_pooling \"%.40s\"", config->path,
                       pooling);
    return EMBEDD_OK;
}

/* "bert." of "bert.embeddings.word_embeddings.weight". */
static void take_prefix(ed_weights *weights, const ed_transformer *transformer)
{
    const char *table = transformer->token_embedding->name;
    const char *end = strstr(table, "embeddings.");

    snprintf(weights->prefix, sizeof weights->prefix, "%.*s", end ? (int)(end - table) : 0, table);
}

static embedd_status read_dense(ed_head *head, const head_names *names, const head_style *style,
                                const ed_transformer *transformer, ed_weights *weights)
{
    bool below = names->dense[0] == '+';
    size_t d = transformer->hidden_size;
    const ed_weight_part part = {names->dense + below, 0, d, d};

    if (below)
        take_prefix(weights, transformer);
    embedd_status status =
        ed_weights_linear(weights, &head->dense, &part, 1, d, style->dense_bias, NULL);
    weights->prefix[0] = '\0';
    if (status == EMBEDD_OK && names->norm)
        status = ed_weights_norm(weights, &head->norm, names->norm, d, &style->norm);
    return status;
}

/* The weights of the vocabulary are usually those of the token embedding, and then not written
 * again. */
static embedd_status read_out(ed_head *head, const head_names *names, const ed_config *config,
                              const ed_transformer *transformer, ed_weights *weights)
{
    char weight[128], bias[128];
    size_t n_out = config->vocabulary, d = transformer->hidden_size;

    snprintf(weight, sizeof weight, "%s.weight", names->out);
    snprintf(bias, sizeof bias, "%s", names->out_bias ? names->out_bias : names->out);
    if (!names->out_bias)
        snprintf(bias, sizeof bias, "%s.bias", names->out);
    const ed_tensor *own = ed_tensors_find(weights->tensors, weight);
    if (names->task == EMBEDD_TASK_SCORE) {
        if (!own || own->n_dims != 2 || own->shape[0] == 0 || own->shape[0] > LABELS_MAX)
            return ed_fail(weights->err, EMBEDD_FORMAT, "%s: tensor %s is missing or no matrix",
                           weights->where, weight);
        n_out = own->shape[0];
    }
    const ed_weight_part part = {own ? weight : transformer->token_embedding->name, 0, n_out,
                                 n_out};
    embedd_status status = ed_weights_linear(weights, &head->out, &part, 1, d, false, NULL);
    if (status == EMBEDD_OK)
        status = ed_weights_read(weights, bias, 0, n_out, &head->out.bias);
    return status;
}

size_t ed_head_scratch(const ed_head *head)
{
    if (head->task == EMBEDD_TASK_VECTOR)
        return 0;
    return ED_HEAD_ROWS * (head->dense.n_out + head->out.n_out);
}

void ed_head_run(const ed_head *head, ed_workspace *workspace, const ed_batch *batch,
                 float *scratch, float *const *outs)
{
    if (head->task == EMBEDD_TASK_SCORE)
        score_texts(head, workspace, batch, scratch, outs);
    else
        weigh_vocabulary(head, workspace, batch, scratch, outs);
}

static void score_texts(const ed_head *head, ed_workspace *workspace, const ed_batch *batch,
                        float *scratch, float *const *outs)
{
    size_t d = head->dense.n_in;

    for (size_t i = 0; i < batch->n_texts; i++) {
        const ed_pooling_call call = {
            .hidden = workspace->hidden + batch->offsets[i] * d,
            .n_tokens = batch->offsets[i + 1] - batch->offsets[i],
            .hidden_size = d,
            .pooling = head->mean ? EMBEDD_POOLING_MEAN : EMBEDD_POOLING_CLS,
            .out = workspace->vector,
        };
        if (!outs[i])
            continue;
        ed_pooling_run(workspace->kernels, &call);
        memcpy(outs[i], run_rows(head, workspace, workspace->vector, 1, scratch),
               head->out.n_out * sizeof(float));
    }
}

/* A NaN stays, to be seen. */
static void keep_larger(float *largest, float x)
{
    if (x > *largest || x != x)
        *largest = x;
}

/* Over the batch in runs of rows, whatever text they are of: the weights are as large as those of
 * some layers, and are read once for each run. */
static void weigh_vocabulary(const ed_head *head, ed_workspace *workspace, const ed_batch *batch,
                             float *scratch, float *const *outs)
{
    size_t d = head->dense.n_in, n_out = head->out.n_out;
    size_t text = 0;

    for (size_t i = 0; i < batch->n_texts; i++)
        if (outs[i])
            memset(outs[i], 0, n_out * sizeof(float));
    for (size_t row = 0; row < batch->n_tokens; row += ED_HEAD_ROWS) {
        size_t n_rows = batch->n_tokens - row;
        n_rows = n_rows < ED_HEAD_ROWS ? n_rows : ED_HEAD_ROWS;
        const float *logits =
            run_rows(head, workspace, workspace->hidden + row * d, n_rows, scratch);
        for (size_t i = 0; i < n_rows; i++) {
            while (row + i >= batch->offsets[text + 1])
                text++;
            for (size_t j = 0; outs[text] && j < n_out; j++)
                keep_larger(&outs[text][j], logits[i * n_out + j]);
        }
    }
    for (size_t i = 0; i < batch->n_texts; i++)
        for (size_t j = 0; outs[i] && j < n_out; j++)
            outs[i][j] = log1pf(outs[i][j]);
}

/* out(norm(activation(dense(x)))): [n_rows][n_out], in scratch. */
static const float *run_rows(const ed_head *head, ed_workspace *workspace, const float *x,
                             size_t n_rows, float *scratch)
{
    size_t d = head->dense.n_in, n_out = head->out.n_out;
    float *inner = scratch, *out = scratch + ED_HEAD_ROWS * d;

    ed_linear_run(&head->dense, workspace,
                  &(ed_linear_call){.x = x,
                                    .ld_x = d,
                                    .n_rows = n_rows,
                                    .out = inner,
                                    .ld_out = d,
                                    .activation = head->activation});
    if (head->norm.gamma)
        ed_norm_run(&head->norm, workspace, inner, inner, n_rows, d);
    ed_linear_run(
        &head->out, workspace,
        &(ed_linear_call){.x = inner, .ld_x = d, .n_rows = n_rows, .out = out, .ld_out = n_out});
    return out;
}
