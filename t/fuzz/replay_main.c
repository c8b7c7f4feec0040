/*
 * The program around a target that needs nothing of nginx.
 */

#include "replay.h"


int
main(int argc, char **argv)
{
    return argc == 2 && replay(argv[1]) > 0 ? 0 : 1;
}
