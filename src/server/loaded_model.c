/* In: a folder or a GGUF file. Out: model, sessions and encoders, or the reason why there are none.
 */
#include "server/loaded_model.h"

#include "base/error.h"
#include "base/memory.h"

#define EXPRESS_TOKENS 256 /* a request that need not wait for a batch has no more */

/* embedd_embed_rows for a context that is not a session's type. */
static embedd_status embed_rows(void *session, const embedd_row *rows, size_t n_rows,
                                embedd_error *err)
{
    return embedd_embed_rows(session, rows, n_rows, err);
}

embedd_status ed_loaded_model_open(ed_loaded_model **out, const char *path,
                                   const ed_loading_options *options, embedd_error *err)
{
    const embedd_session_options express = {
        .n_threads = 1, .batch_tokens_max = EXPRESS_TOKENS, .text_tokens_max = EXPRESS_TOKENS};
    ed_loaded_model *l = ed_calloc(1, sizeof *l);
    embedd_status status = EMBEDD_OK;
    if (!l)
        return ed_fail(err, EMBEDD_MEMORY, "no memory for a model");
    l->n_encoders = options->n_encoders;
    l->encoders = ed_calloc(options->n_encoders, sizeof *l->encoders);
    if (!l->encoders)
        status = ed_fail(err, EMBEDD_MEMORY, "no memory for a model");
    if (status == EMBEDD_OK)
        status = embedd_model_open(path, &options->model, &l->model, err);
    if (status == EMBEDD_OK)
        status = embedd_session_open(l->model, &options->session, &l->session, err);
    if (status == EMBEDD_OK)
        status = embedd_session_open(l->model, &express, &l->express, err);
    for (size_t i = 0; status == EMBEDD_OK && i < l->n_encoders; i++)
        status = embedd_encoder_open(l->model, &l->encoders[i], err);
    if (status != EMBEDD_OK) {
        ed_loaded_model_close(l);
        return status;
    }
    l->info = embedd_model_get_info(l->model);
    l->n_bytes = l->info->weight_bytes + embedd_session_scratch_bytes(l->session) +
                 embedd_session_scratch_bytes(l->express);
    l->target = (ed_target){.embed = embed_rows,
                            .context = l->session,
                            .batch_tokens_max = embedd_session_batch_tokens_max(l->session),
                            .express_context = l->express,
                            .express_tokens_max = embedd_session_batch_tokens_max(l->express)};
    *out = l;
    return EMBEDD_OK;
}

void ed_loaded_model_close(ed_loaded_model *l)
{
    if (!l)
        return;
    for (size_t i = 0; l->encoders && i < l->n_encoders; i++)
        embedd_encoder_close(l->encoders[i]);
    ed_free(l->encoders);
    embedd_session_close(l->session);
    embedd_session_close(l->express);
    embedd_model_close(l->model);
    ed_free(l);
}
