/* Completion scripts. Models are completed by `embedd list --names`, files by the shell. */
#include "cli/help.h"

#include <string.h>

static bool takes_file(ed_option option)
{
    return option == ED_OPTION_FILE || option == ED_OPTION_JSONL || option == ED_OPTION_OUT ||
           option == ED_OPTION_MODELS_DIR;
}

/* Options that are typed: not those of the environment only. */
static bool is_typed(ed_option option, ed_command command)
{
    return ed_option_applies(option, command) && ed_options[option].kind != ED_OPTION_SECRET;
}

static bool takes_file_operand(ed_command command)
{
    return strstr(ed_commands[command].operands, "FILE") != NULL;
}

static void print_choices(FILE *out, const char *choices)
{
    for (const char *c = choices; *c; c++)
        fputc(*c == '|' ? ' ' : *c, out);
}

/* Text inside single quotes, which the three shells read alike but for the quote itself. */
static void print_escaped(FILE *out, const char *text, const char *escaped)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", out);
        else if (strchr(escaped, *text))
            fprintf(out, "\\%c", *text);
        else
            fputc(*text, out);
    }
}

static void print_commands(FILE *out)
{
    for (int i = 0; i < ED_COMMAND_COUNT; i++)
        fprintf(out, "%s%s", i ? " " : "", ed_commands[i].name);
}

/* ---- bash ------------------------------------------------------------------------------------ */

static void print_bash(FILE *out)
{
    char flag[40];

    fputs("# bash completion of embedd; source it\n"
          "_embedd()\n{\n"
          "    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    local command=${COMP_WORDS[1]} words= files=\n"
          "    COMPREPLY=()\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        words=\"",
          out);
    for (int i = 0; i < ED_COMMAND_COUNT; i++)
        fprintf(out, "%s%s", i ? " " : "", ed_commands[i].name);
    fputs(
        "\"\n        COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n        return\n    fi\n"
        "    case $before in\n",
        out);
    fputs("    -m|--model) words=$(embedd list --names 2>/dev/null)\n"
          "        COMPREPLY=($(compgen -W \"$words\" -- \"$current\") "
          "$(compgen -d -- \"$current\")); return;;\n",
          out);
    for (int i = 0; i < ED_OPTION_COUNT; i++) {
        const ed_option_spec *spec = &ed_options[i];
        if (i == ED_OPTION_MODEL || spec->argument == NULL)
            continue;
        fprintf(out, "    %s%s%s--%s) ", spec->letter ? "-" : "", spec->letter ? spec->letter : "",
                spec->letter ? "|" : "", spec->flag);
        if (takes_file((ed_option)i)) {
            fputs("COMPREPLY=($(compgen -f -- \"$current\")); return;;\n", out);
        } else if (spec->choices) {
            fputs("COMPREPLY=($(compgen -W \"", out);
            print_choices(out, spec->choices);
            fputs("\" -- \"$current\")); return;;\n", out);
        } else {
            fputs("return;;\n", out);
        }
    }
    fputs("    esac\n    case $command in\n", out);
    for (int i = 0; i < ED_COMMAND_COUNT; i++) {
        fprintf(out, "    %s) words=\"", ed_commands[i].name);
        for (int j = 0; j < ED_OPTION_COUNT; j++) {
            if (!is_typed((ed_option)j, (ed_command)i))
                continue;
            ed_option_shown_flag((ed_option)j, flag, sizeof flag);
            fprintf(out, "--%s ", flag);
        }
        if (i == ED_COMMAND_COMPLETION)
            print_choices(out, ed_commands[i].operands);
        if (i == ED_COMMAND_HELP)
            print_commands(out);
        fprintf(out, "\"%s;;\n", takes_file_operand((ed_command)i) ? "; files=-f" : "");
    }
    fputs("    esac\n"
          "    COMPREPLY=($(compgen $files -W \"$words\" -- \"$current\"))\n"
          "}\n"
          "complete -F _embedd embedd\n",
          out);
}

/* ---- zsh ------------------------------------------------------------------------------------- */

/* '--flag[help]:ARGUMENT:action': the help may not hold a bare ':' or ']'. */
static void print_zsh_option(FILE *out, ed_option option)
{
    const ed_option_spec *spec = &ed_options[option];
    bool repeats = spec->kind == ED_OPTION_LIST || spec->kind == ED_OPTION_TEXTS;
    char flag[40];

    ed_option_shown_flag(option, flag, sizeof flag);
    fprintf(out, "            '%s--%s[", repeats ? "*" : "", flag);
    print_escaped(out, spec->help, ":[]\\");
    fputc(']', out);
    if (spec->argument)
        fprintf(out, ":%s:", spec->argument);
    if (option == ED_OPTION_MODEL)
        fputs("_embedd_models", out);
    else if (takes_file(option))
        fputs("_files", out);
    else if (spec->choices) {
        fputc('(', out);
        print_choices(out, spec->choices);
        fputc(')', out);
    }
    fputs("' \\\n", out);
}

static void print_zsh(FILE *out)
{
    fputs("#compdef embedd\n"
          "_embedd_models() {\n"
          "    local -a names\n"
          "    names=(${(f)\"$(embedd list --names 2>/dev/null)\"})\n"
          "    compadd -a names\n"
          "    _files -/\n"
          "}\n"
          "_embedd() {\n"
          "    local -a commands\n"
          "    commands=(\n",
          out);
    for (int i = 0; i < ED_COMMAND_COUNT; i++) {
        fprintf(out, "        '%s:", ed_commands[i].name);
        fprintf(out, "%s'\n", ed_commands[i].summary);
    }
    fputs("    )\n"
          "    if (( CURRENT == 2 )); then\n"
          "        _describe command commands\n"
          "        return\n"
          "    fi\n"
          "    local command=$words[2]\n"
          "    shift words\n"
          "    (( CURRENT-- ))\n"
          "    case $command in\n",
          out);
    for (int i = 0; i < ED_COMMAND_COUNT; i++) {
        fprintf(out, "    %s)\n        _arguments \\\n", ed_commands[i].name);
        for (int j = 0; j < ED_OPTION_COUNT; j++)
            if (is_typed((ed_option)j, (ed_command)i))
                print_zsh_option(out, (ed_option)j);
        if (i == ED_COMMAND_COMPLETION) {
            fputs("            '1:shell:(", out);
            print_choices(out, ed_commands[i].operands);
            fputs(")'", out);
        } else if (i == ED_COMMAND_HELP) {
            fputs("            '1:command:(", out);
            print_commands(out);
            fputs(")'", out);
        } else {
            fputs(takes_file_operand((ed_command)i) ? "            '1:file:_files'"
                                                    : "            '*:text:'",
                  out);
        }
        fputs(";;\n", out);
    }
    fputs("    esac\n}\n_embedd \"$@\"\n", out);
}

/* ---- fish ------------------------------------------------------------------------------------ */

static void print_fish(FILE *out)
{
    char flag[40];

    fputs("# fish completion of embedd\ncomplete -c embedd -f\n", out);
    for (int i = 0; i < ED_COMMAND_COUNT; i++) {
        fprintf(out, "complete -c embedd -n __fish_use_subcommand -a %s -d '", ed_commands[i].name);
        print_escaped(out, ed_commands[i].summary, "\\");
        fputs("'\n", out);
    }
    for (int i = 0; i < ED_COMMAND_COUNT; i++) {
        if (takes_file_operand((ed_command)i))
            fprintf(out, "complete -c embedd -n '__fish_seen_subcommand_from %s' -F\n",
                    ed_commands[i].name);
        for (int j = 0; j < ED_OPTION_COUNT; j++) {
            const ed_option_spec *spec = &ed_options[j];
            if (!is_typed((ed_option)j, (ed_command)i))
                continue;
            ed_option_shown_flag((ed_option)j, flag, sizeof flag);
            fprintf(out, "complete -c embedd -n '__fish_seen_subcommand_from %s' -l %s",
                    ed_commands[i].name, flag);
            if (spec->letter)
                fprintf(out, " -s %s", spec->letter);
            if (j == ED_OPTION_MODEL) {
                fputs(" -x -a '(embedd list --names 2>/dev/null; __fish_complete_directories "
                      "(commandline -ct))'",
                      out);
            } else if (takes_file((ed_option)j)) {
                fputs(" -r -F", out);
            } else if (spec->choices) {
                fputs(" -x -a '", out);
                print_choices(out, spec->choices);
                fputc('\'', out);
            } else if (spec->argument) {
                fputs(" -x", out);
            }
            fputs(" -d '", out);
            print_escaped(out, spec->help, "\\");
            fputs("'\n", out);
        }
    }
    fputs("complete -c embedd -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'\n"
          "complete -c embedd -n '__fish_seen_subcommand_from help' -a '",
          out);
    print_commands(out);
    fputs("'\n", out);
}

bool ed_help_completion(FILE *out, const char *shell)
{
    if (strcmp(shell, "bash") == 0)
        print_bash(out);
    else if (strcmp(shell, "zsh") == 0)
        print_zsh(out);
    else if (strcmp(shell, "fish") == 0)
        print_fish(out);
    else
        return false;
    return true;
}
