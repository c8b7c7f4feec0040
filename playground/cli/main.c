/*
 * codr: runs a program in the sandbox of a codr server, from the command line.
 * Its user's own process, without any privilege.
 */

#include "cli.h"
#include "cli_run.h"


int
main(int argc, char **argv)
{
    cli_options_t options;

    cli_options_parse(&options, argc, argv);
    return cli_run(&options);
}
