/* embedd(1) in the man macros, from the table. man/embedd.1 is this output, checked in. */
#include "cli/help.h"

#include "embedd.h"
#include "server/server.h"

#include <string.h>

typedef struct exit_code {
    ed_exit code;
    const char *sentence;
} exit_code;

static const exit_code exit_codes[] = {
    {ED_EXIT_OK, "all went well"},
    {ED_EXIT_FAILURE, "something failed; the message says what"},
    {ED_EXIT_USAGE, "the command line is wrong"},
    {ED_EXIT_NOT_FOUND, "there is no such model"},
    {ED_EXIT_MODEL, "the model is corrupt or of a kind that is not supported"},
    {ED_EXIT_ADDRESS, "the address or port is taken"},
    {ED_EXIT_CPU, "the CPU lacks the level that was asked for"},
    {ED_EXIT_MEMORY, "out of memory"},
};

/* In roff a line may not begin with a dot or quote by accident, and '-' would be a hyphen. */
static void print_escaped(FILE *out, const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", out);
    for (; *text; text++) {
        if (*text == '-')
            fputs("\\-", out);
        else if (*text == '\\')
            fputs("\\e", out);
        else
            fputc(*text, out);
    }
}

static void print_line(FILE *out, const char *before, const char *text, const char *after)
{
    fputs(before, out);
    print_escaped(out, text);
    fputs(after, out);
}

static void print_option(FILE *out, ed_option option)
{
    const ed_option_spec *spec = &ed_options[option];
    char flag[40], variable[64], choices[120];

    ed_option_shown_flag(option, flag, sizeof flag);
    ed_option_variable(option, variable, sizeof variable);
    ed_option_choices(option, choices, sizeof choices);
    fputs(".TP\n", out);
    if (spec->kind == ED_OPTION_SECRET) {
        print_line(out, ".B ", variable, "\n");
    } else {
        fputs(".BR ", out);
        if (spec->letter)
            fprintf(out, "\\-%s \", \" ", spec->letter);
        print_line(out, "\\-\\-", flag, "");
        if (spec->argument)
            fprintf(out, " \" \\fI%s\\fR\"", spec->argument);
        fputs("\n", out);
    }
    print_line(out, "", spec->help, "");
    if (choices[0])
        print_line(out, "; one of ", choices, "");
    fputs(".\n", out);
    if (spec->by_default && spec->kind != ED_OPTION_SWITCH)
        print_line(out, "Default: ", spec->by_default, ".\n");
    if (variable[0] && spec->kind != ED_OPTION_SECRET)
        print_line(out, "Environment: ", variable, ".\n");
}

static void print_command(FILE *out, ed_command command)
{
    const ed_command_spec *spec = &ed_commands[command];

    fputs(".SS ", out);
    fprintf(out, "embedd %s%s%s\n", spec->name, spec->operands[0] ? " " : "", spec->operands);
    print_line(out, "", spec->description, "\n");
    for (int i = 0; i < ED_OPTION_COUNT; i++)
        if (i != ED_OPTION_HELP && ed_option_applies((ed_option)i, command))
            print_option(out, (ed_option)i);
    for (size_t i = 0; i < ED_EXAMPLES_MAX && spec->examples[i].line; i++) {
        print_line(out, ".PP\nExample, ", spec->examples[i].sentence, ":\n.PP\n.RS\n.nf\n");
        print_escaped(out, spec->examples[i].line);
        fputs("\n.fi\n.RE\n", out);
    }
}

void ed_help_man_page(FILE *out)
{
    fprintf(out, ".\\\" Written by `embedd help --man`; change src/cli/option_table.c instead.\n");
    fprintf(out, ".TH EMBEDD 1 \"\" \"embedd %s\" \"User Commands\"\n", EMBEDD_VERSION);
    fputs(".SH NAME\nembedd \\- text to embedding vectors, on this machine\n", out);
    fputs(".SH SYNOPSIS\n.B embedd\n.I COMMAND\n[\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]\n", out);
    fputs(
        ".SH DESCRIPTION\nembedd runs sentence\\-transformers models on the CPU: as an HTTP "
        "server, or for the texts of a command line or a file.\nIt uses the network only for "
        "\\fBembedd pull\\fR and for the requests that it serves.\n.PP\n"
        "Each option is also an environment variable: EMBEDD_ and its name in capitals, with _ "
        "for \\-.\nThe command line wins.\nA switch is turned off by \\fB\\-\\-no\\-\\fINAME\\fR, "
        "or by 0 in its variable.\nOptions may stand before and after other arguments; "
        "\\fB\\-\\-\\fR ends them.\n"
        "\\fB\\-\\-help\\fR explains a command.\n",
        out);
    fputs(".SH COMMANDS\n", out);
    for (int i = 0; i < ED_COMMAND_COUNT; i++)
        print_command(out, (ed_command)i);
    fputs(".SH ENVIRONMENT\n", out);
    for (const ed_variable *v = ed_variables; v->name; v++) {
        print_line(out, ".TP\n.B ", v->name, "\n");
        print_line(out, "", v->sentence, ".\n");
    }
    fputs(".SH EXIT STATUS\n", out);
    for (size_t i = 0; i < sizeof exit_codes / sizeof exit_codes[0]; i++)
        fprintf(out, ".TP\n.B %d\n%s.\n", (int)exit_codes[i].code, exit_codes[i].sentence);
}
