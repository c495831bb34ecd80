/* What the table of options.h says, for a person, for man(1) and for shells. */
#ifndef ED_HELP_H
#define ED_HELP_H

#include "cli/options.h"

#include <stdio.h>

void ed_help_overview(FILE *out);
void ed_help_command(FILE *out, ed_command command);
void ed_help_man_page(FILE *out);
/* False if the shell is not bash, zsh or fish. */
bool ed_help_completion(FILE *out, const char *shell);

#endif
