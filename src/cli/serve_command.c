/* embedd serve: the options of the command line become those of the server. */
#include "cli/commands.h"

#include "base/duration.h"
#include "base/error.h"
#include "base/file_map.h"
#include "base/memory.h"
#include "cli/model_session.h"
#include "formats/model_store.h"
#include "server/server.h"

#include <stdio.h>
#include <string.h>

static embedd_status find_models(ed_server_model models[ED_LIST_MAX], size_t *n_models,
                                 char *paths[ED_LIST_MAX], const ed_arguments *arguments,
                                 embedd_error *err);
static embedd_status check_values(ed_server_options *options, const ed_value *values,
                                  embedd_error *err);
static int print_openapi(void);

int ed_command_serve(const ed_arguments *arguments)
{
    const ed_value *values = arguments->values;
    const char *origins[ED_LIST_MAX], *file_roots[ED_LIST_MAX];
    ed_server_options options;
    ed_server_model models[ED_LIST_MAX];
    char *paths[ED_LIST_MAX] = {NULL};
    embedd_error err;
    char *cache = NULL;
    int code;

    if (values[ED_OPTION_OPENAPI].on)
        return print_openapi();
    ed_server_options_init(&options);
    if (find_models(models, &options.n_models, paths, arguments, &err) != EMBEDD_OK ||
        check_values(&options, values, &err) != EMBEDD_OK) {
        code = ed_complain(&err);
        goto done;
    }
    options.models = models;
    options.models_folder = values[ED_OPTION_MODELS_DIR].text;
    options.memory_bytes_max = (size_t)values[ED_OPTION_MEMORY_MAX].number << 20;
    options.model = ed_model_options(arguments, &cache);
    options.host = values[ED_OPTION_HOST].text;
    options.port = (unsigned)values[ED_OPTION_PORT].number;
    options.unix_path = values[ED_OPTION_UNIX].text;
    options.allow_remote = values[ED_OPTION_ALLOW_REMOTE].on;
    options.api_key = values[ED_OPTION_API_KEY].text;
    options.origins = origins;
    options.n_origins = ed_arguments_list(arguments, ED_OPTION_ORIGIN, origins);
    options.file_roots = file_roots;
    options.n_file_roots = ed_arguments_list(arguments, ED_OPTION_FILE_ROOT, file_roots);
    options.allow_pull = values[ED_OPTION_ALLOW_PULL].on;
    options.token_ids = values[ED_OPTION_TOKEN_INPUT].text[0] == 'a';
    options.exit_with_parent = values[ED_OPTION_EXIT_WITH_PARENT].on;
    options.n_threads = (size_t)values[ED_OPTION_THREADS].number;
    options.batch_tokens_max = (size_t)values[ED_OPTION_BATCH_TOKENS].number;
    options.body_bytes_max = (size_t)values[ED_OPTION_MAX_BODY].number;
    options.texts_max = (size_t)values[ED_OPTION_MAX_TEXTS].number;
    if (values[ED_OPTION_QUEUE_TOKENS].given)
        options.queue_tokens_max = (size_t)values[ED_OPTION_QUEUE_TOKENS].number;
    options.deadline_ms = (unsigned)values[ED_OPTION_DEADLINE].number * 1000;
    options.log_json = values[ED_OPTION_LOG_FORMAT].text[0] == 'j';
    code = (int)ed_server_run(&options);
done:
    for (size_t i = 0; i < ED_LIST_MAX; i++)
        ed_free(paths[i]);
    ed_free(cache);
    return code;
}

/* All of them, now: a name that is wrong should not be found out by the first request for it. */
static embedd_status find_models(ed_server_model models[ED_LIST_MAX], size_t *n_models,
                                 char *paths[ED_LIST_MAX], const ed_arguments *arguments,
                                 embedd_error *err)
{
    const char *names[ED_LIST_MAX];
    embedd_status status = EMBEDD_OK;

    *n_models = ed_arguments_list(arguments, ED_OPTION_MODEL, names);
    if (*n_models == 0 && arguments->values[ED_OPTION_MODELS_DIR].text == NULL)
        return ed_model_find(arguments, &paths[0], err); /* says how to give one */
    for (size_t i = 0; i < *n_models && status == EMBEDD_OK; i++) {
        status = names[i][0] ? ed_model_store_find(names[i], &paths[i], err)
                             : ed_fail(err, EMBEDD_ARGUMENT,
                                       "embedd serve needs a model, and -m has no name");
        models[i] = (ed_server_model){names[i], paths[i]};
    }
    return status;
}

static embedd_status check_values(ed_server_options *options, const ed_value *values,
                                  embedd_error *err)
{
    const char *keep = values[ED_OPTION_KEEP_ALIVE].text;
    const char *folder = values[ED_OPTION_MODELS_DIR].text;

    if (!ed_duration_parse(keep, strlen(keep), &options->keep_alive_ns))
        return ed_fail(err, EMBEDD_ARGUMENT,
                       "--keep-alive: a duration such as 5m, 1h30m or 300 (seconds), not '%s'",
                       keep);
    if (folder && !ed_folder_exists(folder))
        return ed_fail(err, EMBEDD_NOT_FOUND, "--models-dir: there is no folder %s", folder);
    return EMBEDD_OK;
}

/* Whether it was written, the caller finds out. */
static int print_openapi(void)
{
    size_t n_bytes;
    const char *json = ed_server_openapi(&n_bytes);

    fwrite(json, 1, n_bytes, stdout);
    return ED_EXIT_OK;
}
