/*
 * Layers and steps have names that do not change; places of binds are judged.
 */

#include "tap.h"

#include "../../sandbox/codr_ipc.h"
#include "../../sandbox/codr_layer.h"
#include "../../sandbox/codr_mnt.h"


static void
names(void)
{
    int                i;
    bool               good = true;
    codr_layer_id_t    id;
    codr_layers_t      layers;

    for (i = 0; i < CODR_LAYER_COUNT; i++) {
        id = (codr_layer_id_t) i;
        good = good && codr_layer_by_name(codr_layer_name(id)) == i
               && codr_layer_info(id)->meaning && codr_layer_info(id)->advice;
    }
    tap_ok(good, "every layer has a name, a meaning and an advice");
    tap_number(codr_layer_by_name("magic"), -1, "an unknown name has none");

    good = true;
    for (i = 0; i < CODR_STEP_COUNT; i++) {
        good = good && codr_step_name((uint32_t) i) != NULL;
    }
    tap_ok(good, "every step has a name");
    tap_text(codr_step_name(9999), "unknown step", "an unknown one is said so");

    codr_layer_set(&layers, CODR_LAYER_CGROUP, false);
    tap_ok(codr_layer_waive(&layers, CODR_LAYER_CGROUP)
           && layers.state[CODR_LAYER_CGROUP] == CODR_LAYER_WAIVED,
           "a missing layer can be waived");
    codr_layer_set(&layers, CODR_LAYER_CGROUP, true);
    tap_ok(codr_layer_waive(&layers, CODR_LAYER_CGROUP)
           && layers.state[CODR_LAYER_CGROUP] == CODR_LAYER_OK,
           "one that is there stays");
    codr_layer_set(&layers, CODR_LAYER_NS_PID, false);
    tap_ok(!codr_layer_waive(&layers, CODR_LAYER_NS_PID)
           && layers.state[CODR_LAYER_NS_PID] == CODR_LAYER_MISSING,
           "pids of one's own cannot be waived");
}


static void
places(void)
{
    tap_ok(codr_mnt_valid_place("/opt/venv"), "a bind below a new directory");
    tap_ok(codr_mnt_valid_place("/boxes"), "a name that only begins so");
    tap_ok(!codr_mnt_valid_place("opt"), "not relative");
    tap_ok(!codr_mnt_valid_place("/"), "not everything");
    tap_ok(!codr_mnt_valid_place("/.."), "not upwards");
    tap_ok(!codr_mnt_valid_place("/a/../b"), "nor in between");
    tap_ok(!codr_mnt_valid_place("/box"), "not the box");
    tap_ok(!codr_mnt_valid_place("/box/data"), "nor inside of it");
    tap_ok(!codr_mnt_valid_place("/proc/1"), "not in proc");
    tap_ok(!codr_mnt_valid_place("/dev/sda"), "no devices");
    tap_ok(!codr_mnt_valid_place("/etc/passwd"), "not what we make");
}


int
main(void)
{
    names();
    places();

    return tap_done();
}
