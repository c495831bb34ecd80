/* In: the arguments of embed, similarity and info. Out: a model and a session, and the options of
 * the calls to come. */
#include "cli/model_session.h"

#include "base/error.h"
#include "base/memory.h"
#include "formats/model_store.h"

#include <stdio.h>
#include <string.h>

embedd_status ed_model_find(const ed_arguments *arguments, char **folder, embedd_error *err)
{
    const char *name = arguments->values[ED_OPTION_MODEL].text;

    if (name == NULL || name[0] == '\0')
        return ed_fail(err, EMBEDD_ARGUMENT,
                       "embedd %s needs a model: -m FOLDER_OR_NAME or EMBEDD_MODEL; embedd list "
                       "shows the names",
                       ed_commands[arguments->command].name);
    return ed_model_store_find(name, folder, err);
}

embedd_dtype ed_dtype_parse(const char *text)
{
    static const char *const names[] = {
        [EMBEDD_DTYPE_AUTO] = "auto",
        [EMBEDD_DTYPE_F32] = "f32",
        [EMBEDD_DTYPE_BF16] = "bf16",
        [EMBEDD_DTYPE_INT8] = "int8",
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], text) == 0)
            return (embedd_dtype)i;
    return EMBEDD_DTYPE_F32;
}

embedd_model_options ed_model_options(const ed_arguments *arguments, char **cache)
{
    const char *folder = arguments->values[ED_OPTION_CACHE].text;

    if (folder && strcmp(folder, "off") == 0)
        *cache = NULL;
    else
        *cache = folder && folder[0] ? ed_strdup(folder) : ed_model_cache_root();
    return (embedd_model_options){.dtype = ed_dtype_parse(arguments->values[ED_OPTION_DTYPE].text),
                                  .cpu_level = arguments->values[ED_OPTION_CPU].text,
                                  .cache_folder = *cache,
                                  .cache_check = arguments->command == ED_COMMAND_INFO ||
                                                 arguments->command == ED_COMMAND_VERIFY};
}

static embedd_status check_prompt_name(const embedd_model_info *info, const char *name,
                                       embedd_error *err)
{
    char names[256] = "";
    size_t n = 0;

    for (size_t i = 0; i < info->n_prompts; i++) {
        if (strcmp(info->prompts[i].name, name) == 0)
            return EMBEDD_OK;
        if (n < sizeof names)
            n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", i > 0 ? ", " : "",
                                  info->prompts[i].name);
    }
    return ed_fail(err, EMBEDD_ARGUMENT, "--prompt-name: the model has no prompt '%s'%s%s", name,
                   info->n_prompts > 0 ? "; it has " : ", nor any other", names);
}

static embedd_status read_options(ed_model_session *opened, const ed_arguments *arguments,
                                  embedd_error *err)
{
    const ed_value *values = arguments->values;
    embedd_embed_options *options = &opened->options;
    const char *prompt = values[ED_OPTION_PROMPT].text;
    const char *pooling = values[ED_OPTION_POOLING].text;

    if (prompt && values[ED_OPTION_PROMPT_NAME].text)
        return ed_fail(err, EMBEDD_ARGUMENT, "--prompt and --prompt-name exclude each other");
    if (prompt)
        options->encode.prompt = (embedd_text){prompt, strlen(prompt)};
    options->encode.prompt_name = values[ED_OPTION_PROMPT_NAME].text;
    if (options->encode.prompt_name) {
        embedd_status status = check_prompt_name(opened->info, options->encode.prompt_name, err);
        if (status != EMBEDD_OK)
            return status;
    }
    options->encode.no_truncate = !values[ED_OPTION_TRUNCATE].on;
    if (pooling && !embedd_pooling_parse(pooling, &options->pooling))
        return ed_fail(err, EMBEDD_ARGUMENT, "--pooling: one of %s, not '%s'",
                       embedd_pooling_names(), pooling);
    options->dimensions = (size_t)values[ED_OPTION_DIMENSIONS].number;
    opened->dimensions = embedd_model_dimensions(opened->model, options->pooling);
    if (opened->dimensions == 0)
        return ed_fail(err, EMBEDD_ARGUMENT,
                       "--pooling %s: the model's later modules do not take its vectors", pooling);
    if (options->dimensions > opened->dimensions)
        return ed_fail(err, EMBEDD_ARGUMENT, "--dimensions: the model's vectors have %zu numbers",
                       opened->dimensions);
    if (options->dimensions > 0)
        opened->dimensions = options->dimensions;
    return EMBEDD_OK;
}

embedd_status ed_model_session_open(ed_model_session *opened, const ed_arguments *arguments,
                                    embedd_error *err)
{
    char *cache = NULL;
    embedd_model_options model_options = ed_model_options(arguments, &cache);
    embedd_session_options session_options = {
        .n_threads = (size_t)arguments->values[ED_OPTION_THREADS].number,
        .batch_tokens_max = (size_t)arguments->values[ED_OPTION_BATCH_TOKENS].number};
    char *folder = NULL;

    *opened = (ed_model_session){.options = {.normalize = true}};
    embedd_status status = ed_model_find(arguments, &folder, err);
    if (status == EMBEDD_OK)
        status = embedd_model_open(folder, &model_options, &opened->model, err);
    if (status == EMBEDD_OK) {
        opened->info = embedd_model_get_info(opened->model);
        status = read_options(opened, arguments, err);
    }
    if (status == EMBEDD_OK)
        status = embedd_session_open(opened->model, &session_options, &opened->session, err);
    if (status != EMBEDD_OK)
        ed_model_session_close(opened);
    ed_free(folder);
    ed_free(cache);
    return status;
}

void ed_model_session_close(ed_model_session *opened)
{
    embedd_session_close(opened->session);
    embedd_model_close(opened->model);
    *opened = (ed_model_session){0};
}
