/* In: argv and the environment. Out: checked values, or one sentence that says what is wrong. A
 * secret on the command line is never repeated in a message. */
#include "cli/arguments.h"

#include "base/error.h"
#include "base/memory.h"
#include "cli/nearest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct cursor {
    int argc;
    char **argv;
    int next; /* index of the next argument */
} cursor;

static embedd_status read_flag(ed_arguments *arguments, cursor *at, const char *argument,
                               embedd_error *err);
static embedd_status read_letter(ed_arguments *arguments, cursor *at, const char *argument,
                                 embedd_error *err);
static embedd_status read_environment(ed_arguments *arguments, embedd_error *err);
static embedd_status read_defaults(ed_arguments *arguments, embedd_error *err);
static embedd_status find_command(ed_arguments *arguments, cursor *at, embedd_error *err);

embedd_status ed_arguments_parse(ed_arguments *arguments, int argc, char **argv, embedd_error *err)
{
    cursor at = {argc, argv, 1};
    bool options_ended = false;

    *arguments = (ed_arguments){.command = ED_COMMAND_COUNT};
    embedd_status status = find_command(arguments, &at, err);
    if (status != EMBEDD_OK)
        return status;
    arguments->operands = ed_calloc((size_t)argc, sizeof *arguments->operands);
    if (arguments->operands == NULL)
        return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    while (status == EMBEDD_OK && at.next < argc) {
        const char *argument = argv[at.next++];
        if (options_ended || argument[0] != '-' || argument[1] == 0)
            arguments->operands[arguments->n_operands++] = argument;
        else if (strcmp(argument, "--") == 0)
            options_ended = true;
        else if (argument[1] == '-')
            status = read_flag(arguments, &at, argument + 2, err);
        else
            status = read_letter(arguments, &at, argument, err);
    }
    if (status != EMBEDD_OK || arguments->values[ED_OPTION_HELP].given)
        return status;
    const ed_command_spec *command = &ed_commands[arguments->command];
    if (arguments->n_operands > command->operands_max)
        return ed_fail(err, EMBEDD_ARGUMENT, "embedd %s: one argument too many: %s", command->name,
                       arguments->operands[command->operands_max]);
    status = read_environment(arguments, err);
    return status == EMBEDD_OK ? read_defaults(arguments, err) : status;
}

size_t ed_arguments_list(const ed_arguments *arguments, ed_option option,
                         const char *out[ED_LIST_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < arguments->n_list; i++)
        if (arguments->list_options[i] == option)
            out[n++] = arguments->list[i];
    return n;
}

void ed_arguments_clear(ed_arguments *arguments)
{
    ed_free(arguments->operands);
    for (int i = 0; i < ED_OPTION_COUNT; i++)
        ed_free(arguments->list_texts[i]);
    *arguments = (ed_arguments){.command = ED_COMMAND_COUNT};
}

ed_command ed_command_find(const char *name)
{
    for (int i = 0; i < ED_COMMAND_COUNT; i++)
        if (strcmp(ed_commands[i].name, name) == 0)
            return (ed_command)i;
    return ED_COMMAND_COUNT;
}

/* ---- the command ----------------------------------------------------------------------------- */

static embedd_status find_command(ed_arguments *arguments, cursor *at, embedd_error *err)
{
    const char *names[ED_COMMAND_COUNT];

    if (at->next >= at->argc)
        return ed_fail(err, EMBEDD_ARGUMENT, "say what to do; embedd --help lists the commands");
    const char *typed = at->argv[at->next++];
    if (strcmp(typed, "--help") == 0 || strcmp(typed, "-h") == 0)
        typed = "help";
    else if (strcmp(typed, "--version") == 0 || strcmp(typed, "-V") == 0)
        typed = "version";
    arguments->command = ed_command_find(typed);
    if (arguments->command != ED_COMMAND_COUNT)
        return EMBEDD_OK;
    for (int i = 0; i < ED_COMMAND_COUNT; i++)
        names[i] = ed_commands[i].name;
    if (typed[0] == '-')
        return ed_fail(err, EMBEDD_ARGUMENT, "the command comes first, then its options: %s",
                       typed);
    const char *meant = ed_nearest(typed, names, ED_COMMAND_COUNT);
    return ed_fail(err, EMBEDD_ARGUMENT, "there is no command %s; %s%s%s", typed,
                   meant ? "did you mean embedd " : "embedd --help lists them", meant ? meant : "",
                   meant ? "?" : "");
}

/* ---- values ---------------------------------------------------------------------------------- */

static bool read_number(const char *text, uint64_t *out)
{
    char *end;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    *out = number;
    return errno == 0 && *end == 0;
}

static bool is_choice(const char *choices, const char *text)
{
    size_t n = strcspn(text, "|");

    for (const char *c = choices; n > 0 && text[n] == '\0' && *c;
         c += strcspn(c, "|"), c += *c == '|')
        if (strncmp(c, text, n) == 0 && (c[n] == '|' || c[n] == 0))
            return true;
    return false;
}

/* `where` is how the user gave it: "--port" or "EMBEDD_PORT". */
static embedd_status set_value(ed_arguments *arguments, ed_option option, const char *where,
                               const char *text, embedd_error *err)
{
    const ed_option_spec *spec = &ed_options[option];
    ed_value *value = &arguments->values[option];

    if (spec->kind == ED_OPTION_LIST || spec->kind == ED_OPTION_TEXTS) {
        if (arguments->n_list == ED_LIST_MAX)
            return ed_fail(err, EMBEDD_ARGUMENT, "%s: at most %d of them", where, ED_LIST_MAX);
        arguments->list_options[arguments->n_list] = option;
        arguments->list[arguments->n_list++] = text;
    } else if (spec->kind == ED_OPTION_NUMBER) {
        if (!read_number(text, &value->number) || value->number < spec->min ||
            value->number > spec->max)
            return ed_fail(err, EMBEDD_ARGUMENT, "%s: a whole number from %llu to %llu, not '%s'",
                           where, (unsigned long long)spec->min, (unsigned long long)spec->max,
                           text);
    } else if (spec->kind == ED_OPTION_CHOICE && !is_choice(spec->choices, text)) {
        return ed_fail(err, EMBEDD_ARGUMENT, "%s: one of %s, not '%s'", where, spec->choices, text);
    }
    value->text = text;
    value->given = true;
    return EMBEDD_OK;
}

/* ---- the command line ------------------------------------------------------------------------ */

static embedd_status unknown_flag(const ed_arguments *arguments, const char *flag, size_t n,
                                  embedd_error *err);

/* Of two options with one flag the command's own. */
static ed_option find_flag(ed_command command, const char *flag, size_t n)
{
    ed_option found = ED_OPTION_COUNT;

    for (int i = 0; i < ED_OPTION_COUNT; i++)
        if (strlen(ed_options[i].flag) == n && strncmp(ed_options[i].flag, flag, n) == 0 &&
            (found == ED_OPTION_COUNT || ed_option_applies((ed_option)i, command)))
            found = (ed_option)i;
    return found;
}

/* --flag, --flag=value, --flag value, --no-flag; `argument` is what follows the two dashes. */
static embedd_status read_flag(ed_arguments *arguments, cursor *at, const char *argument,
                               embedd_error *err)
{
    size_t n = strcspn(argument, "=");
    const char *value = argument[n] == '=' ? argument + n + 1 : NULL;
    bool on = true;
    char where[64];

    ed_option option = find_flag(arguments->command, argument, n);
    if (option == ED_OPTION_COUNT && n > 3 && strncmp(argument, "no-", 3) == 0) {
        option = find_flag(arguments->command, argument + 3, n - 3);
        if (option != ED_OPTION_COUNT && ed_options[option].kind != ED_OPTION_SWITCH)
            option = ED_OPTION_COUNT; /* only a switch can be turned off */
        on = false;
    }
    if (option == ED_OPTION_COUNT || !ed_option_applies(option, arguments->command))
        return unknown_flag(arguments, argument, n, err);
    const ed_option_spec *spec = &ed_options[option];
    snprintf(where, sizeof where, "--%.*s", (int)n, argument);
    if (spec->kind == ED_OPTION_SECRET)
        return ed_fail(err, EMBEDD_ARGUMENT,
                       "a key on the command line can be read by every user of this machine; set "
                       "EMBEDD_API_KEY instead");
    if (spec->kind == ED_OPTION_SWITCH || spec->kind == ED_OPTION_BARE) {
        if (value != NULL)
            return ed_fail(err, EMBEDD_ARGUMENT, "%s takes no value", where);
        arguments->values[option].given = true;
        arguments->values[option].on = on;
        return EMBEDD_OK;
    }
    if (value == NULL && at->next == at->argc)
        return ed_fail(err, EMBEDD_ARGUMENT, "%s needs a value: %s %s", where, where,
                       spec->argument);
    return set_value(arguments, option, where, value ? value : at->argv[at->next++], err);
}

/* -m value, -mvalue. */
static embedd_status read_letter(ed_arguments *arguments, cursor *at, const char *argument,
                                 embedd_error *err)
{
    for (int i = 0; i < ED_OPTION_COUNT; i++) {
        const ed_option_spec *spec = &ed_options[i];
        if (spec->letter == NULL || spec->letter[0] != argument[1] ||
            !ed_option_applies((ed_option)i, arguments->command))
            continue;
        if (spec->kind == ED_OPTION_BARE && argument[2] == 0) {
            arguments->values[i].given = arguments->values[i].on = true;
            return EMBEDD_OK;
        }
        if (spec->kind == ED_OPTION_BARE)
            break;
        const char *value = argument[2] ? argument + 2 : NULL;
        char where[3] = {'-', argument[1], 0};
        if (value == NULL && at->next == at->argc)
            return ed_fail(err, EMBEDD_ARGUMENT, "%s needs a value: %s %s", where, where,
                           spec->argument);
        return set_value(arguments, (ed_option)i, where, value ? value : at->argv[at->next++], err);
    }
    return ed_fail(err, EMBEDD_ARGUMENT, "embedd %s has no option %s; embedd %s --help lists them",
                   ed_commands[arguments->command].name, argument,
                   ed_commands[arguments->command].name);
}

static embedd_status unknown_flag(const ed_arguments *arguments, const char *flag, size_t n,
                                  embedd_error *err)
{
    const char *name = ed_commands[arguments->command].name;
    char shown[ED_OPTION_COUNT][40];
    const char *words[2 * ED_OPTION_COUNT] = {NULL};
    char typed[40];
    ed_option elsewhere = find_flag(arguments->command, flag, n);

    if (elsewhere != ED_OPTION_COUNT) {
        int owner = 0;
        while (!ed_option_applies(elsewhere, (ed_command)owner))
            owner++;
        return ed_fail(err, EMBEDD_ARGUMENT, "--%.*s is an option of embedd %s, not of embedd %s",
                       (int)n, flag, ed_commands[owner].name, name);
    }
    for (int i = 0; i < ED_OPTION_COUNT; i++) {
        if (!ed_option_applies((ed_option)i, arguments->command))
            continue;
        ed_option_shown_flag((ed_option)i, shown[i], sizeof shown[i]);
        words[2 * i] = shown[i];
        words[2 * i + 1] = ed_options[i].flag;
    }
    snprintf(typed, sizeof typed, "%.*s", (int)n, flag);
    const char *meant = ed_nearest(typed, words, 2 * ED_OPTION_COUNT);
    if (meant != NULL)
        return ed_fail(err, EMBEDD_ARGUMENT, "there is no option --%.*s; did you mean --%s?",
                       (int)n, flag, meant);
    return ed_fail(err, EMBEDD_ARGUMENT, "there is no option --%.*s; embedd %s --help lists them",
                   (int)n, flag, name);
}

/* ---- the environment and the defaults -------------------------------------------------------- */

static embedd_status split_list(ed_arguments *arguments, ed_option option, const char *variable,
                                const char *text, embedd_error *err)
{
    embedd_status status = EMBEDD_OK;

    char *item = arguments->list_texts[option] = ed_strdup(text);
    if (item == NULL)
        return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    while (status == EMBEDD_OK && *item) {
        char *end = item + strcspn(item, ",");
        bool last = *end == 0;
        *end = 0;
        if (end > item)
            status = set_value(arguments, option, variable, item, err);
        item = last ? end : end + 1;
    }
    return status;
}

static embedd_status set_switch(ed_value *value, const char *variable, const char *text,
                                embedd_error *err)
{
    static const char *const yes[] = {"1", "true", "yes", "on"};
    static const char *const no[] = {"0", "false", "no", "off"};

    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
            value->given = true;
            value->on = strcasecmp(text, yes[i]) == 0;
            return EMBEDD_OK;
        }
    }
    return ed_fail(err, EMBEDD_ARGUMENT, "%s: 1 or 0, not '%s'", variable, text);
}

static embedd_status read_environment(ed_arguments *arguments, embedd_error *err)
{
    for (int i = 0; i < ED_OPTION_COUNT; i++) {
        char variable[64];
        embedd_status status;
        ed_value *value = &arguments->values[i];

        ed_option_variable((ed_option)i, variable, sizeof variable);
        if (value->given || variable[0] == 0 ||
            !ed_option_applies((ed_option)i, arguments->command))
            continue;
        const char *text = getenv(variable);
        if (text == NULL || text[0] == 0)
            continue;
        if (ed_options[i].kind == ED_OPTION_SWITCH)
            status = set_switch(value, variable, text, err);
        else if (ed_options[i].kind == ED_OPTION_LIST)
            status = split_list(arguments, (ed_option)i, variable, text, err);
        else
            status = set_value(arguments, (ed_option)i, variable, text, err);
        if (status != EMBEDD_OK)
            return status;
    }
    return EMBEDD_OK;
}

static embedd_status read_defaults(ed_arguments *arguments, embedd_error *err)
{
    for (int i = 0; i < ED_OPTION_COUNT; i++) {
        const ed_option_spec *spec = &ed_options[i];
        ed_value *value = &arguments->values[i];

        if (value->given || spec->by_default == NULL)
            continue;
        if (spec->kind == ED_OPTION_SWITCH) {
            value->on = true;
            continue;
        }
        embedd_status status =
            set_value(arguments, (ed_option)i, spec->flag, spec->by_default, err);
        if (status != EMBEDD_OK)
            return status;
        value->given = false;
    }
    return EMBEDD_OK;
}
