/* A command line and its environment, read by the table of options.h. */
#ifndef ED_ARGUMENTS_H
#define ED_ARGUMENTS_H

#include "cli/options.h"
#include "embedd.h"

#define ED_LIST_MAX 64

typedef struct ed_value {
    bool given;       /* on the command line or in the environment */
    bool on;          /* of a switch */
    uint64_t number;  /* of a number */
    const char *text; /* of everything else; NULL = none */
} ed_value;

typedef struct ed_arguments {
    ed_command command;
    ed_value values[ED_OPTION_COUNT];
    const char *list[ED_LIST_MAX]; /* the values of all LIST and TEXTS options, in their order */
    ed_option list_options[ED_LIST_MAX];
    size_t n_list;
    const char **operands;
    size_t n_operands;
    char *list_texts[ED_OPTION_COUNT]; /* the memory of lists from the environment */
} ed_arguments;

/* Reads argv[1..]. The command line wins over the environment, that over the table's default.
 * ARGUMENT: the sentence says what is wrong and, where it can, what was meant. When it fails,
 * arguments->command is ED_COMMAND_COUNT if no command was found. Values point into argv. */
embedd_status ed_arguments_parse(ed_arguments *arguments, int argc, char **argv, embedd_error *err);
void ed_arguments_clear(ed_arguments *arguments);

/* The values of one LIST or TEXTS option; returns how many. */
size_t ed_arguments_list(const ed_arguments *arguments, ed_option option,
                         const char *out[ED_LIST_MAX]);

/* ED_COMMAND_COUNT if there is none of that name. */
ed_command ed_command_find(const char *name);

#endif
