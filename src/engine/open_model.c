/* embedd_model_open: a folder or a GGUF file becomes an immutable model. In: files of a stranger,
 * each checked by its own reader. Here: that they fit each other, and that the model computes
 * finite numbers. */
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/file_map.h"
#include "base/memory.h"
#include "engine/choose_dtype.h"
#include "engine/open_head.h"
#include "engine/session.h"
#include "model/gguf_model.h"
#include "tokenizer/gguf_tokenizer.h"

#define TOKENS_DEFAULT_MAX 8192

static embedd_status open_model(const char *folder, const embedd_model_options *options,
                                embedd_model **out, embedd_error *err);
static embedd_status read_model(embedd_model *model, const embedd_model_options *options,
                                embedd_error *err);
static embedd_status read_folder(embedd_model *model, ed_config *config, embedd_error *err);
static embedd_status read_gguf(embedd_model *model, ed_config *config, embedd_error *err);
static void limit_tokens(ed_modules *modules, const embedd_model_options *options);
static const ed_gemm *choose_gemm(const ed_kernels *kernels, embedd_dtype dtype, const char **name);
static embedd_status check_fit(embedd_model *model, embedd_error *err);
static void fill_info(embedd_model *model, const ed_config *config, const char *dtype);
static embedd_status self_test(const embedd_model *model, embedd_error *err);

embedd_status embedd_model_open(const char *folder, const embedd_model_options *options,
                                embedd_model **out, embedd_error *err)
{
    embedd_model_options defaults = {.dtype = EMBEDD_DTYPE_F32};
    embedd_model *model = NULL;
    embedd_status status;

    *out = NULL;
    if (!folder || !(ed_folder_exists(folder) || ed_file_exists(folder)))
        return ed_fail(err, EMBEDD_NOT_FOUND, "%s: no such folder or file",
                       folder ? folder : "(null)");
    status = open_model(folder, options ? options : &defaults, &model, err);
    if (status == EMBEDD_NONFINITE && model->packed.path) { /* or is it the cached file? */
        embedd_model_options uncached = *options;
        uncached.cache_folder = NULL;
        ed_packed_cache_remove(&model->packed);
        embedd_model_close(model);
        status = open_model(folder, &uncached, &model, err);
    }
    if (status == EMBEDD_OK)
        *out = model;
    else
        embedd_model_close(model);
    if (status == EMBEDD_NOT_FOUND) { /* the folder is there: what lacks is a part of the model */
        status = EMBEDD_FORMAT;
        if (err)
            err->status = status;
    }
    return status;
}

/* *out is the caller's to close, also after a failure. */
static embedd_status open_model(const char *folder, const embedd_model_options *options,
                                embedd_model **out, embedd_error *err)
{
    embedd_model *model = ed_calloc(1, sizeof *model);
    embedd_status status;

    *out = model;
    if (!model || !(model->folder = ed_strdup(folder)))
        return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    status = read_model(model, options, err);
    if (status == EMBEDD_OK)
        status = self_test(model, err);
    if (model->tensors && (status == EMBEDD_OK || status == EMBEDD_NONFINITE)) {
        embedd_status whole = embedd_model_check_files(model, err);
        status = whole == EMBEDD_OK ? status : whole;
    }
    return status;
}

embedd_status embedd_model_check_files(const embedd_model *model, embedd_error *err)
{
    embedd_status status = ed_tensors_check(model->tensors, err);

    return status == EMBEDD_OK ? ed_file_map_check(&model->packed.map, err) : status;
}

const char *const *embedd_cpu_levels(void)
{
    return ed_kernels_levels();
}

void embedd_model_close(embedd_model *model)
{
    if (!model)
        return;
    ed_model_close_parts(model);
    ed_tokenizer_close(model->tokenizer);
    ed_tensors_close(model->tensors);
    ed_gguf_close(&model->gguf);
    ed_modules_clear(&model->modules);
    ed_free(model->folder);
    ed_free(model);
}

static embedd_status read_model(embedd_model *model, const embedd_model_options *options,
                                embedd_error *err)
{
    ed_config config = {.root = NULL};
    embedd_status status = ed_kernels_open(&model->kernels, options->cpu_level, err);

    if (status == EMBEDD_OK && ed_folder_exists(model->folder))
        status = read_folder(model, &config, err);
    else if (status == EMBEDD_OK)
        status = read_gguf(model, &config, err);
    if (status != EMBEDD_OK)
        goto done;
    limit_tokens(&model->modules, options);
    embedd_dtype dtype = options->dtype;
    if (dtype == EMBEDD_DTYPE_AUTO)
        status = ed_dtype_choose(model, &config, options, &dtype, err);
    if (status == EMBEDD_OK)
        status = ed_model_open_parts(model, &config, dtype, options, err);
done:
    ed_config_clear(&config);
    return status;
}

static embedd_status read_folder(embedd_model *model, ed_config *config, embedd_error *err)
{
    embedd_status status = ed_modules_read(&model->modules, model->folder, err);
    const char *folder = model->modules.transformer_folder;

    if (status == EMBEDD_OK)
        status = ed_tokenizer_open(&model->tokenizer, folder,
                                   &(ed_tokenizer_options){.lower_case = model->modules.lower_case},
                                   err);
    if (status == EMBEDD_OK)
        status = ed_tensors_open(&model->tensors, folder, err);
    if (status == EMBEDD_OK)
        status = ed_config_read(config, folder, err);
    return status;
}

static embedd_status read_gguf(embedd_model *model, ed_config *config, embedd_error *err)
{
    embedd_status status = ed_gguf_open(&model->gguf, model->folder, err);

    if (status == EMBEDD_OK)
        status = ed_gguf_modules_read(&model->modules, &model->gguf, err);
    if (status == EMBEDD_OK)
        status = ed_tokenizer_open_gguf(&model->tokenizer, &model->gguf, err);
    if (status == EMBEDD_OK)
        status = ed_gguf_tensors_open(&model->tensors, &model->gguf, err);
    if (status == EMBEDD_OK)
        status = ed_gguf_config_read(config, &model->gguf, err);
    return status;
}

/* A limit of the caller's, or one that keeps the scratch of long-context models reasonable. */
static void limit_tokens(ed_modules *modules, const embedd_model_options *options)
{
    size_t cap = options->tokens_max ? options->tokens_max : TOKENS_DEFAULT_MAX;

    if (modules->tokens_max > cap)
        modules->tokens_max = cap;
}

/* The product of a number type, and its name. */
static const ed_gemm *choose_gemm(const ed_kernels *kernels, embedd_dtype dtype, const char **name)
{
    switch (dtype) {
    case EMBEDD_DTYPE_BF16:
        *name = "bf16";
        return &kernels->gemm_bf16;
    case EMBEDD_DTYPE_INT8:
        *name = "int8";
        return &kernels->gemm_int8;
    case EMBEDD_DTYPE_AUTO:
    case EMBEDD_DTYPE_F32:
        break;
    }
    *name = "f32";
    return &kernels->gemm_f32;
}

ed_packed_source ed_model_source(const embedd_model *model, const ed_config *config)
{
    return (ed_packed_source){
        .config = config,
        .text_tokens_max = model->modules.tokens_max,
        .tensors = model->tensors,
        .kernels = &model->kernels,
        .where = model->folder,
    };
}

embedd_status ed_model_open_parts(embedd_model *model, const ed_config *config, embedd_dtype dtype,
                                  const embedd_model_options *options, embedd_error *err)
{
    ed_packed_source source = ed_model_source(model, config);

    source.gemm = choose_gemm(&model->kernels, dtype, &source.dtype);
    embedd_status status =
        ed_packed_cache_open(&model->packed, &model->transformer, &source, options, err);
    if (status == EMBEDD_OK)
        status = ed_post_modules_open(&model->post, &model->modules, model->tensors,
                                      &model->kernels, model->folder, err);
    if (status == EMBEDD_OK)
        status = ed_model_open_head(model, config, err);
    ed_tensors_drop_pages(model->tensors);
    if (status != EMBEDD_OK)
        return status;
    fill_info(model, config, source.dtype);
    return check_fit(model, err);
}

void ed_model_close_parts(embedd_model *model)
{
    ed_model_close_head(model);
    ed_post_modules_close(&model->post);
    ed_transformer_close(&model->transformer);
    ed_packed_cache_close(&model->packed);
}

/* No id may index outside the token table, no position outside its own, no vector a Dense module.
 */
static embedd_status check_fit(embedd_model *model, embedd_error *err)
{
    ed_modules *modules = &model->modules;

    if (ed_tokenizer_ids_max(model->tokenizer) > model->transformer.vocabulary)
        return ed_fail(err, EMBEDD_FORMAT,
                       "%s: the tokenizer has ids up to %zu, the token embedding only %zu rows",
                       model->folder, ed_tokenizer_ids_max(model->tokenizer) - 1,
                       model->transformer.vocabulary);
    /* As sentence-transformers: a limit beyond the position table is the table's. */
    if (modules->tokens_max > model->transformer.positions_max)
        modules->tokens_max = model->transformer.positions_max;
    if (modules->tokens_max < ed_tokenizer_n_special(model->tokenizer) || modules->tokens_max == 0)
        return ed_fail(err, EMBEDD_FORMAT, "%s: max_seq_length leaves no room for a token",
                       model->folder);
    if (embedd_model_dimensions(model, EMBEDD_POOLING_MODEL) == 0)
        return ed_fail(err, EMBEDD_FORMAT,
                       "%s: modules.json: the sizes of Pooling and Dense do not fit",
                       model->folder);
    model->info.dimensions = embedd_model_dimensions(model, EMBEDD_POOLING_MODEL);
    model->info.tokens_max = modules->tokens_max;
    model->info.packed_file = model->packed.path;
    model->info.weight_bytes =
        model->transformer.weight_bytes + model->post.weight_bytes + model->head.weight_bytes;
    return EMBEDD_OK;
}

static void fill_info(embedd_model *model, const ed_config *config, const char *dtype)
{
    memcpy(model->architecture, config->architecture, sizeof model->architecture);
    model->standardizes = strcmp(config->architecture, "nomic_bert") == 0;
    if (model->head.task == EMBEDD_TASK_SPARSE)
        snprintf(model->pooling, sizeof model->pooling, "splade");
    else
        ed_pooling_format(model->head.task == EMBEDD_TASK_SCORE && !model->head.mean
                              ? EMBEDD_POOLING_CLS
                              : model->modules.pooling,
                          model->pooling, sizeof model->pooling);
    model->info = (embedd_model_info){
        .folder = model->folder,
        .architecture = model->architecture,
        .pooling = model->pooling,
        .dtype = dtype,
        .dtype_reason = model->dtype_reason[0] ? model->dtype_reason : NULL,
        .cpu_level = model->kernels.level,
        .task = model->head.task,
        .labels = (const char *const *)model->labels,
        .vocabulary = config->vocabulary,
        .n_layers = config->n_layers,
        .hidden_size = config->hidden_size,
        .n_parameters = model->transformer.n_parameters,
        .normalized = model->modules.normalize,
        .n_prompts = model->modules.n_prompts,
        .prompts = model->modules.prompts,
        .default_prompt = model->modules.default_prompt,
    };
}

/* One short text through the whole pass: a model whose sums overflow is refused before it serves.
 */
static embedd_status self_test(const embedd_model *model, embedd_error *err)
{
    const embedd_session_options options = {.n_threads = 1, .batch_tokens_max = 1};
    const embedd_text text = {"a", 1};
    size_t d = model->info.dimensions;
    embedd_session *session = NULL;
    embedd_usage usage;
    float *vector = ed_calloc(d, sizeof *vector);
    embedd_status status = EMBEDD_MEMORY;

    if (!vector) {
        ed_fail(err, status, "out of memory");
        goto done;
    }
    status = embedd_session_open(model, &options, &session, err);
    if (status == EMBEDD_OK)
        status = embedd_encode(session->encoder, text, NULL, session->encoded,
                               session->batch_tokens_max, &usage, err);
    if (status == EMBEDD_OK) {
        const embedd_row row = {
            .ids = session->encoded, .n_tokens = usage.n_tokens, .normalize = true, .out = vector};
        status = embedd_embed_rows(session, &row, 1, err);
    }
    if (status == EMBEDD_NONFINITE)
        ed_fail(err, status, "%s: the model computes numbers that are not finite", model->folder);
done:
    embedd_session_close(session);
    ed_free(vector);
    return status;
}

const embedd_model_info *embedd_model_get_info(const embedd_model *model)
{
    return &model->info;
}

size_t embedd_model_dimensions(const embedd_model *model, embedd_pooling pooling)
{
    if (model->head.task != EMBEDD_TASK_VECTOR)
        return pooling == EMBEDD_POOLING_MODEL ? model->head.out.n_out : 0;
    if (pooling == EMBEDD_POOLING_MODEL)
        pooling = model->modules.pooling;
    return ed_post_modules_out(&model->post,
                               ed_pooling_count(pooling) * model->transformer.hidden_size);
}

size_t embedd_row_size(const embedd_model *model, const embedd_row *row)
{
    size_t size, n = embedd_model_dimensions(model, row->pooling);

    if (row->output == EMBEDD_OUTPUT_TOKENS)
        return ed_mul_size(row->n_tokens, model->transformer.hidden_size, &size) ? size : 0;
    if (row->output != EMBEDD_OUTPUT_MODEL)
        return 0;
    return model->head.task == EMBEDD_TASK_VECTOR && row->dimensions && row->dimensions < n
               ? row->dimensions
               : n;
}
