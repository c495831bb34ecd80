/* embedd serve: the options of the command line become those of the server. */
#include "cli/commands.h"

#include "base/memory.h"
#include "cli/model_session.h"
#include "formats/model_store.h"
#include "server/server.h"

int ed_command_serve(const ed_arguments *arguments)
{
    const ed_value *values = arguments->values;
    const char *origins[ED_LIST_MAX], *file_roots[ED_LIST_MAX];
    ed_server_options options;
    embedd_error err;
    char *folder = NULL, *cache = NULL;

    if (ed_model_find(arguments, &folder, &err) != EMBEDD_OK)
        return ed_complain(&err);
    ed_server_options_init(&options);
    options.model_folder = folder;
    options.model_id = values[ED_OPTION_MODEL].text;
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
    options.exit_with_parent = values[ED_OPTION_EXIT_WITH_PARENT].on;
    options.n_threads = (size_t)values[ED_OPTION_THREADS].number;
    options.batch_tokens_max = (size_t)values[ED_OPTION_BATCH_TOKENS].number;
    options.body_bytes_max = (size_t)values[ED_OPTION_MAX_BODY].number;
    options.texts_max = (size_t)values[ED_OPTION_MAX_TEXTS].number;
    if (values[ED_OPTION_QUEUE_TOKENS].given)
        options.queue_tokens_max = (size_t)values[ED_OPTION_QUEUE_TOKENS].number;
    options.deadline_ms = (unsigned)values[ED_OPTION_DEADLINE].number * 1000;
    options.log_json = values[ED_OPTION_LOG_FORMAT].text[0] == 'j';
    int code = (int)ed_server_run(&options);
    ed_free(folder);
    ed_free(cache);
    return code;
}
