/* The command line: `embedd serve | embed | similarity | info | list | pull | verify | doctor |
 * migrate | bench`. */
#ifndef ED_CLI_H
#define ED_CLI_H

/* Returns the exit code, see server/server.h. */
int ed_cli_main(int argc, char **argv);

#endif
