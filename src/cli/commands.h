/* One function for each command; it returns the program's exit code. */
#ifndef ED_COMMANDS_H
#define ED_COMMANDS_H

#include "cli/arguments.h"

int ed_command_serve(const ed_arguments *arguments);
int ed_command_embed(const ed_arguments *arguments);
int ed_command_chunk(const ed_arguments *arguments);
int ed_command_similarity(const ed_arguments *arguments);
int ed_command_info(const ed_arguments *arguments);
int ed_command_list(const ed_arguments *arguments);
int ed_command_pull(const ed_arguments *arguments);
int ed_command_verify(const ed_arguments *arguments);
int ed_command_doctor(const ed_arguments *arguments);
int ed_command_migrate(const ed_arguments *arguments);
int ed_command_bench(const ed_arguments *arguments);

/* Prints "embedd: " and the sentence on standard error; returns the exit code of the status. */
int ed_complain(const embedd_error *err);

#endif
