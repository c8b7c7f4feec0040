/* The user's own terminal: raw while a program has it, restored after. */

#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "cli_tty.h"

#define SIDE_MAX  1000          /* the protocol's */

static struct termios before;
static bool           is_raw;


void
cli_tty_raw(void)
{
    struct termios raw;

    if (is_raw || tcgetattr(STDIN_FILENO, &before) != 0) {
        return;
    }

    raw = before;
    cfmakeraw(&raw);
    if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0) {
        is_raw = true;
        (void) atexit(cli_tty_restore);     /* cli_die() restores by itself */
    }
}


void
cli_tty_restore(void)
{
    if (is_raw) {
        is_raw = false;
        /* on the way out: nobody is left to be told */
        (void) tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
    }
}


static int
bounded(unsigned short side)
{
    return side > SIDE_MAX ? SIDE_MAX : side;
}


bool
cli_tty_size(int *ret_cols, int *ret_rows)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0
        || size.ws_col == 0 || size.ws_row == 0) {
        return false;
    }

    *ret_cols = bounded(size.ws_col);
    *ret_rows = bounded(size.ws_row);
    return true;
}
