/* In: argv. Out: the exit code of the command that ran. */
#include "cli/cli.h"

#include "base/error.h"
#include "base/file_cuts.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/nearest.h"
#include "server/server.h"

#include <signal.h>
#include <stdio.h>

static int run(const ed_arguments *arguments);

int ed_cli_main(int argc, char **argv)
{
    ed_arguments arguments;
    embedd_error err;
    int code;

    ed_file_cuts_survive();
    signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files is an error, and not the end */
    if (ed_arguments_parse(&arguments, argc, argv, &err) == EMBEDD_OK)
        code = run(&arguments);
    else
        code = ed_complain(&err);
    ed_arguments_clear(&arguments);
    /* A full disk shows itself when the buffer is written. */
    if (fflush(stdout) != 0 && code == ED_EXIT_OK) {
        perror("embedd: standard output");
        code = ED_EXIT_FAILURE;
    }
    return code;
}

int ed_complain(const embedd_error *err)
{
    fprintf(stderr, "embedd: %s\n", err->message);
    return err->status == EMBEDD_ARGUMENT ? ED_EXIT_USAGE : (int)ed_exit_of(err->status);
}

static int help(const ed_arguments *arguments)
{
    embedd_error err;

    if (arguments->values[ED_OPTION_MAN].given) {
        ed_help_man_page(stdout);
    } else if (arguments->n_operands == 0) {
        ed_help_overview(stdout);
    } else {
        ed_command command = ed_command_find(arguments->operands[0]);
        if (command == ED_COMMAND_COUNT) {
            ed_fail(&err, EMBEDD_ARGUMENT, "there is no command %s; embedd --help lists them",
                    arguments->operands[0]);
            return ed_complain(&err);
        }
        ed_help_command(stdout, command);
    }
    return ED_EXIT_OK;
}

static int completion(const ed_arguments *arguments)
{
    embedd_error err;

    if (arguments->n_operands == 1 && ed_help_completion(stdout, arguments->operands[0]))
        return ED_EXIT_OK;
    ed_fail(&err, EMBEDD_ARGUMENT, "say for which shell: embedd completion bash, zsh or fish");
    return ed_complain(&err);
}

static int run(const ed_arguments *arguments)
{
    if (arguments->values[ED_OPTION_HELP].given) {
        ed_help_command(stdout, arguments->command);
        return ED_EXIT_OK;
    }
    switch (arguments->command) {
    case ED_COMMAND_SERVE:
        return ed_command_serve(arguments);
    case ED_COMMAND_EMBED:
        return ed_command_embed(arguments);
    case ED_COMMAND_CHUNK:
        return ed_command_chunk(arguments);
    case ED_COMMAND_SIMILARITY:
        return ed_command_similarity(arguments);
    case ED_COMMAND_INFO:
        return ed_command_info(arguments);
    case ED_COMMAND_LIST:
        return ed_command_list(arguments);
    case ED_COMMAND_PULL:
        return ed_command_pull(arguments);
    case ED_COMMAND_VERIFY:
        return ed_command_verify(arguments);
    case ED_COMMAND_DOCTOR:
        return ed_command_doctor(arguments);
    case ED_COMMAND_MIGRATE:
        return ed_command_migrate(arguments);
    case ED_COMMAND_BENCH:
        return ed_command_bench(arguments);
    case ED_COMMAND_COMPLETION:
        return completion(arguments);
    case ED_COMMAND_HELP:
        return help(arguments);
    case ED_COMMAND_VERSION:
        printf("embedd %s\n", embedd_version());
        return ED_EXIT_OK;
    case ED_COMMAND_COUNT:
        break;
    }
    return ED_EXIT_FAILURE;
}
