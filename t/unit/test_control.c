/*
 * Whether the supervisor is there: it is until it says anything else, or its
 * socket ends; and a message that was announced and is not there says nothing.
 */

#define _GNU_SOURCE

#include "tap.h"

#include "../../sandbox/codr_control.h"
#include "../../sandbox/codr_io.h"
#include "../../sandbox/codr_ipc.h"
#include "../../sandbox/codr_util.h"


static bool
alive_after(const void *message, size_t len)
{
    int  ours = -1, theirs = -1;
    bool alive;

    if (codr_io_pair(&ours, &theirs) != 0
        || codr_io_send_one(ours, message, len, NULL, 0) != 0)
    {
        return false;
    }

    alive = codr_control_is_alive(theirs);
    codr_close(&ours);
    codr_close(&theirs);
    return alive;
}


int
main(void)
{
    int            ours = -1, theirs = -1;
    codr_control_t control = {
        .version = CODR_IPC_VERSION, .kind = CODR_CONTROL_ALIVE,
    };

    tap_ok(codr_io_pair(&ours, &theirs) == 0, "a socket");
    tap_ok(codr_control_is_alive(theirs), "nothing there says nothing");
    codr_close(&ours);
    tap_ok(!codr_control_is_alive(theirs), "the end of the socket is an end");
    codr_close(&theirs);

    tap_ok(alive_after(&control, sizeof(control)), "it says that it is there");
    tap_ok(!alive_after(&control, sizeof(control) - 1), "too little");

    control.kind = CODR_CONTROL_ALIVE + 1;
    tap_ok(!alive_after(&control, sizeof(control)), "another message");

    control.kind = CODR_CONTROL_ALIVE;
    control.version = CODR_IPC_VERSION + 1;
    tap_ok(!alive_after(&control, sizeof(control)), "another version");

    return tap_done();
}
