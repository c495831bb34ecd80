/* embedd: the program. Everything is in cli/. */
#include "cli/cli.h"

int main(int argc, char **argv)
{
    return ed_cli_main(argc, argv);
}
