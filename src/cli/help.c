/* --help: the overview and one page for each command, wrapped to 80 columns. */
#include "cli/help.h"

#include "embedd.h"

#include <string.h>

#define PAGE_COLUMNS 80
#define HELP_COLUMN  28

/* `text` word by word from column `column` on; new lines begin at `indent`. */
static void print_wrapped(FILE *out, size_t column, size_t indent, const char *text)
{
    bool at_start = column == indent;

    while (*text) {
        size_t n = strcspn(text, " ");
        if (!at_start && column + 1 + n > PAGE_COLUMNS) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!at_start) {
            fputc(' ', out);
            column++;
        }
        fprintf(out, "%.*s", (int)n, text);
        column += n;
        at_start = false;
        text += n;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

static void print_row(FILE *out, const char *left, const char *right)
{
    size_t n = strlen(left);

    fprintf(out, "  %s", left);
    if (n + 4 > HELP_COLUMN)
        fprintf(out, "\n%*s", HELP_COLUMN, "");
    else
        fprintf(out, "%*s", (int)(HELP_COLUMN - n - 2), "");
    print_wrapped(out, HELP_COLUMN, HELP_COLUMN, right);
}

static void print_option(FILE *out, ed_option option)
{
    const ed_option_spec *spec = &ed_options[option];
    char flag[40], variable[64], choices[120], left[120], right[700];

    ed_option_shown_flag(option, flag, sizeof flag);
    ed_option_variable(option, variable, sizeof variable);
    ed_option_choices(option, choices, sizeof choices);
    if (spec->kind == ED_OPTION_SECRET) {
        print_row(out, variable, spec->help);
        return;
    }
    snprintf(left, sizeof left, "%s%s%s--%s%s%s", spec->letter ? "-" : "    ",
             spec->letter ? spec->letter : "", spec->letter ? ", " : "", flag,
             spec->argument ? " " : "", spec->argument ? spec->argument : "");
    bool tell_default = spec->by_default != NULL && spec->kind != ED_OPTION_SWITCH;
    snprintf(right, sizeof right, "%s%s%s%s%s%s%s%s%s", spec->help, choices[0] ? "; one of " : "",
             choices, tell_default ? " (default " : "", tell_default ? spec->by_default : "",
             tell_default ? ")" : "", variable[0] ? " [" : "", variable, variable[0] ? "]" : "");
    print_row(out, left, right);
}

void ed_help_overview(FILE *out)
{
    fprintf(out, "embedd %s: text to embedding vectors, on this machine\n\n", EMBEDD_VERSION);
    fputs("Usage: embedd COMMAND [OPTIONS] [ARGUMENTS]\n\nCommands:\n", out);
    for (int i = 0; i < ED_COMMAND_COUNT; i++)
        print_row(out, ed_commands[i].name, ed_commands[i].summary);
    fputs("\nExamples:\n"
          "  embedd pull sentence-transformers/all-MiniLM-L6-v2\n"
          "  embedd similarity -m all-MiniLM-L6-v2 \"a cat\" \"a kitten\" \"a bus\"\n"
          "  embedd serve -m all-MiniLM-L6-v2\n\n",
          out);
    print_wrapped(out, 0, 0,
                  "Each option is also an environment variable, EMBEDD_ and its name: EMBEDD_PORT "
                  "is --port. The command line wins. A switch is turned off by --no-NAME, or by 0 "
                  "in its variable. embedd help COMMAND tells the rest, embedd help --man all of "
                  "it.");
}

void ed_help_command(FILE *out, ed_command command)
{
    const ed_command_spec *spec = &ed_commands[command];

    fprintf(out, "embedd %s: %s\n\n", spec->name, spec->summary);
    fprintf(out, "Usage: embedd %s [OPTIONS]%s%s\n\n", spec->name, spec->operands[0] ? " " : "",
            spec->operands);
    print_wrapped(out, 0, 0, spec->description);
    fputs("\nExamples:\n", out);
    for (size_t i = 0; i < ED_EXAMPLES_MAX && spec->examples[i].line; i++)
        fprintf(out, "  %s\n      %s\n", spec->examples[i].line, spec->examples[i].sentence);
    fputs("\nOptions:\n", out);
    for (int i = 0; i < ED_OPTION_COUNT; i++)
        if (ed_option_applies((ed_option)i, command))
            print_option(out, (ed_option)i);
    if (command == ED_COMMAND_PULL || command == ED_COMMAND_LIST) {
        fputs("\nEnvironment:\n", out);
        for (const ed_variable *v = ed_variables; v->name; v++)
            print_row(out, v->name, v->sentence);
    }
}
