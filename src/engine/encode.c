/* embedd_encode: prompt + text -> token ids, cut at the model's length. embedd_decode: and back. */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "engine/model_handle.h"
#include "model/prompts.h"

/* Texts are bounded by whoever reads them; this keeps one from growing the buffer without end. */
#define TEXT_BYTES_MAX ((size_t)1 << 30)

struct embedd_encoder {
    const embedd_model *model;
    ed_tokenizer_scratch *scratch;
    ed_buf joined;  /* prompt + text */
    ed_buf decoded; /* the last text of embedd_decode */
};

static embedd_status choose_prompt(const embedd_model *model, const embedd_encode_options *options,
                                   embedd_text *prompt, embedd_error *err);
static embedd_status count_prompt_tokens(embedd_encoder *encoder, embedd_text prompt, int32_t *ids,
                                         size_t tokens_max, size_t *n_out, embedd_error *err);

embedd_status embedd_encoder_open(const embedd_model *model, embedd_encoder **out,
                                  embedd_error *err)
{
    embedd_encoder *encoder = ed_calloc(1, sizeof *encoder);
    embedd_status status = EMBEDD_MEMORY;

    *out = NULL;
    if (!encoder)
        return ed_fail(err, status, "out of memory");
    encoder->model = model;
    ed_buf_init(&encoder->joined, TEXT_BYTES_MAX);
    ed_buf_init(&encoder->decoded, TEXT_BYTES_MAX);
    status = ed_tokenizer_scratch_open(&encoder->scratch, model->tokenizer, err);
    if (status != EMBEDD_OK) {
        embedd_encoder_close(encoder);
        return status;
    }
    *out = encoder;
    return EMBEDD_OK;
}

void embedd_encoder_close(embedd_encoder *encoder)
{
    if (!encoder)
        return;
    ed_tokenizer_scratch_close(encoder->scratch);
    ed_buf_clear(&encoder->joined);
    ed_buf_clear(&encoder->decoded);
    ed_free(encoder);
}

embedd_status embedd_encode(embedd_encoder *encoder, embedd_text text,
                            const embedd_encode_options *options, int32_t *ids, size_t ids_cap,
                            embedd_usage *usage, embedd_error *err)
{
    const embedd_encode_options defaults = {.no_truncate = false};
    const embedd_model *model = encoder->model;
    embedd_text prompt = {NULL, 0};
    embedd_status status;

    options = options ? options : &defaults;
    *usage = (embedd_usage){0};
    size_t tokens_max = model->modules.tokens_max;
    if (options->tokens_max && options->tokens_max < tokens_max)
        tokens_max = options->tokens_max;
    if (options->whole)
        tokens_max = ids_cap;
    if (tokens_max < ed_tokenizer_n_special(model->tokenizer))
        return ed_fail(err, EMBEDD_ARGUMENT, "tokens_max %zu leaves no room for special tokens",
                       tokens_max);
    if (ids_cap < tokens_max)
        return ed_fail(err, EMBEDD_ARGUMENT, "ids_cap %zu is below tokens_max %zu", ids_cap,
                       tokens_max);
    status = choose_prompt(model, options, &prompt, err);
    if (status != EMBEDD_OK)
        return status;
    if (prompt.n_bytes > 0) {
        if (!model->modules.include_prompt)
            status =
                count_prompt_tokens(encoder, prompt, ids, tokens_max, &usage->n_tokens_prompt, err);
        ed_buf_reset(&encoder->joined);
        ed_buf_append(&encoder->joined, prompt.bytes, prompt.n_bytes);
        ed_buf_append(&encoder->joined, text.bytes, text.n_bytes);
        if (status == EMBEDD_OK && encoder->joined.failed)
            status = ed_fail(err, EMBEDD_MEMORY, "no memory for prompt and text");
        text = (embedd_text){encoder->joined.data, encoder->joined.n_bytes};
    }
    if (status == EMBEDD_OK)
        status = ed_tokenizer_encode(model->tokenizer, encoder->scratch, text, tokens_max, ids,
                                     &usage->n_tokens, &usage->n_tokens_total, err);
    if (status == EMBEDD_OK && options->no_truncate && usage->n_tokens_total > tokens_max)
        status = ed_fail(err, EMBEDD_TOO_LONG, "the text has %zu tokens, the limit is %zu",
                         usage->n_tokens_total, tokens_max);
    return status;
}

embedd_status embedd_encode_pair(embedd_encoder *encoder, embedd_text first, embedd_text second,
                                 const embedd_encode_options *options, int32_t *ids, size_t ids_cap,
                                 embedd_usage *usage, embedd_error *err)
{
    const embedd_text texts[2] = {first, second};
    size_t tokens_max = encoder->model->modules.tokens_max;

    *usage = (embedd_usage){0};
    if (options && options->tokens_max && options->tokens_max < tokens_max)
        tokens_max = options->tokens_max;
    if (ids_cap < tokens_max)
        return ed_fail(err, EMBEDD_ARGUMENT, "ids_cap %zu is below tokens_max %zu", ids_cap,
                       tokens_max);
    embedd_status status = ed_tokenizer_encode_pair(
        encoder->model->tokenizer, encoder->scratch, texts, tokens_max, ids, &usage->n_tokens,
        &usage->n_tokens_total, &usage->n_tokens_first, err);
    if (status == EMBEDD_OK && options && options->no_truncate &&
        usage->n_tokens_total > tokens_max)
        status = ed_fail(err, EMBEDD_TOO_LONG, "the texts have %zu tokens, the limit is %zu",
                         usage->n_tokens_total, tokens_max);
    return status;
}

static embedd_status choose_prompt(const embedd_model *model, const embedd_encode_options *options,
                                   embedd_text *prompt, embedd_error *err)
{
    const char *name = options->prompt_name ? options->prompt_name : model->modules.default_prompt;

    if (options->prompt.bytes) {
        *prompt = options->prompt;
        return EMBEDD_OK;
    }
    if (!name)
        return EMBEDD_OK;
    const embedd_prompt *found = ed_prompts_find(&model->modules, name);
    if (!found)
        return ed_fail(err, EMBEDD_ARGUMENT, "the model has no prompt of that name");
    *prompt = (embedd_text){found->text, strlen(found->text)};
    return EMBEDD_OK;
}

/* The tokens that pooling leaves out are those of the prompt encoded alone, without the special
 * token that would end it (sentence-transformers' _get_prompt_length). */
static embedd_status count_prompt_tokens(embedd_encoder *encoder, embedd_text prompt, int32_t *ids,
                                         size_t tokens_max, size_t *n_out, embedd_error *err)
{
    const ed_tokenizer *tokenizer = encoder->model->tokenizer;
    size_t n_ids = 0, n_total = 0;
    embedd_status status = ed_tokenizer_encode(tokenizer, encoder->scratch, (embedd_text){"", 0},
                                               tokens_max, ids, &n_ids, &n_total, err);

    if (status != EMBEDD_OK)
        return status;
    int32_t last_special = n_ids > 0 ? ids[n_ids - 1] : -1;
    status = ed_tokenizer_encode(tokenizer, encoder->scratch, prompt, tokens_max, ids, &n_ids,
                                 &n_total, err);
    if (status == EMBEDD_OK)
        *n_out = n_ids > 0 && ids[n_ids - 1] == last_special ? n_ids - 1 : n_ids;
    return status;
}

void embedd_model_special_tokens(const embedd_model *model, size_t *n_before, size_t *n_after)
{
    ed_tokenizer_special_counts(model->tokenizer, n_before, n_after);
}

const char *embedd_token_text(const embedd_model *model, int32_t id, bool *special)
{
    const char *text = ed_tokenizer_token(model->tokenizer, id);

    if (special)
        *special = text && ed_tokenizer_is_special(model->tokenizer, text);
    return text;
}

embedd_status embedd_decode(embedd_encoder *encoder, const int32_t *ids, size_t n_ids,
                            bool skip_special, embedd_text *text, embedd_error *err)
{
    ed_buf *decoded = &encoder->decoded;

    ed_buf_reset(decoded);
    embedd_status status =
        ed_tokenizer_decode(encoder->model->tokenizer, ids, n_ids, skip_special, decoded, err);
    *text = (embedd_text){decoded->data ? decoded->data : "", decoded->n_bytes};
    return status;
}
