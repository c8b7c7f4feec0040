/*
 * codr-sandboxd --check: the truth about this host, layer by layer, found out
 * with the very code that makes sandboxes.  Runs as the user who asks, before
 * any role; leaves nothing behind.
 */

#define _GNU_SOURCE

#include "codr_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codr_cgroup.h"
#include "codr_host.h"
#include "codr_ipc.h"
#include "codr_layer.h"
#include "codr_uid.h"
#include "codr_util.h"

#define PROBE_MEMORY    (64 * 1024 * 1024)
#define PROBE_TASKS     16

typedef struct {
    codr_layers_t     layers;
    bool              unprivileged;
    bool              scope;            /* systemd gives it at start */
    const char       *cgroup_tried;     /* what failed; NULL: nothing */
    size_t            items;
    codr_host_item_t  item[CODR_HOST_MAX];
} report_t;


/* A sandbox's cgroup as a job would get it, and a process of ours in it. */
static bool
try_cgroup(const codr_cgroup_t *cgroup)
{
    int                 status = -1;
    bool                done;
    pid_t               pid;
    uint32_t            step;
    codr_cgroup_slot_t  slot = { .number = 1, .dir = -1, .oom = -1 };
    codr_cgroup_usage_t usage;

    if (codr_cgroup_prepare(cgroup, &slot, 1, PROBE_MEMORY, PROBE_TASKS,
                            &step) != 0)
    {
        return false;
    }

    pid = fork();
    if (pid == 0) {
        _exit(codr_cgroup_enter(cgroup, &slot) == 0 ? 0 : 1);
    }

    done = pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
    done = codr_cgroup_finish(cgroup, &slot, &usage) == 0 && done;
    codr_cgroup_forget(cgroup, &slot);

    return done;
}


static void
check_cgroup(report_t *report)
{
    int                    rc;
    codr_cgroup_t          cgroup;
    codr_cleanup_close int run_dir = -1;
    codr_cgroup_options_t  options = { 0 };

    if (report->unprivileged) {
        return;
    }

    if (codr_cgroup_wants_scope(&options)) {
        report->scope = true;   /* what follows would disturb systemd's tree */
        codr_layer_set(&report->layers, CODR_LAYER_CGROUP, true);
        codr_layer_set(&report->layers, CODR_LAYER_CGROUP_CPU, true);
        return;
    }

    run_dir = codr_uid_run_dir();
    report->cgroup_tried = "open the run directory";
    if (run_dir < 0) {
        return;
    }

    rc = codr_cgroup_open(&cgroup, run_dir, &options, &report->cgroup_tried);
    if (rc != 0) {
        return;
    }

    report->cgroup_tried = "put a process into a cgroup with limits";
    if (try_cgroup(&cgroup)) {
        report->cgroup_tried = NULL;
        codr_layer_set(&report->layers, CODR_LAYER_CGROUP, true);
        codr_layer_set(&report->layers, CODR_LAYER_CGROUP_CPU,
                       cgroup.has_cpu);
    }

    codr_cgroup_close(&cgroup);
}


static const char *
state_name(uint8_t state)
{
    switch ((codr_layer_state_t) state) {
    case CODR_LAYER_OK:
        return "ok";
    case CODR_LAYER_MISSING:
        return "missing";
    case CODR_LAYER_WAIVED:
        return "waived";
    case CODR_LAYER_ABSENT:
        break;
    }

    return "absent";
}


static const char *
advice(const report_t *report, codr_layer_id_t layer)
{
    if (codr_layer_ok(&report->layers, layer)) {
        return NULL;
    }
    if (report->unprivileged && layer == CODR_LAYER_UIDS) {
        return "run the helper as root; without it all jobs share one uid, in "
               "user namespaces of their own";
    }
    if (report->unprivileged && layer == CODR_LAYER_CGROUP) {
        return "run the helper as root; without it memory is bounded for each "
               "process, not for a job";
    }

    return codr_layer_info(layer)->advice;
}


static void
print_host(const report_t *report)
{
    size_t                  i;
    const codr_host_item_t *item;

    (void) printf("\n");
    for (i = 0; i < report->items; i++) {
        item = &report->item[i];
        (void) printf("%-8s %-17s %s\n", item->good ? "ok" : "warning",
                      item->name, item->meaning);
        (void) printf("%26s %s%s\n", "", item->good ? "" : "found: ",
                      item->found);
        if (!item->good) {
            (void) printf("%26s -> %s\n", "", item->advice);
        }
    }
}


static void
print_text(const report_t *report, bool passed)
{
    int         i;
    const char *how;

    for (i = 0; i < CODR_LAYER_COUNT; i++) {
        codr_layer_id_t layer = (codr_layer_id_t) i;

        (void) printf("%-8s %-17s %s%s\n",
                      state_name(report->layers.state[i]),
                      codr_layer_name(layer), codr_layer_info(layer)->meaning,
                      codr_layer_info(layer)->required ? "" : " (optional)");
        how = advice(report, layer);
        if (how) {
            (void) printf("%26s -> %s\n", "", how);
        }
        if (layer == CODR_LAYER_CGROUP && report->cgroup_tried) {
            (void) printf("%26s    failed: %s\n", "", report->cgroup_tried);
        }
        if (layer == CODR_LAYER_CGROUP && report->scope) {
            (void) printf("%26s    through a scope of systemd's, made when "
                          "the helper starts\n", "");
        }
    }

    if (report->unprivileged) {
        (void) printf("\nWithout root: layers shown as waived are not "
                      "enforced.\n");
    }
    print_host(report);
    (void) printf("\n%s\n", passed ? "Jobs can run here."
                  : "Jobs are refused here, unless codr_allow_missing names "
                    "what is missing.");
}


/* Our own texts, and found ones that are clean: nothing needs escaping. */
static void
print_json_host(const report_t *report)
{
    bool                    validator = false;
    size_t                  i;
    const codr_host_item_t *item;

    (void) printf("\"host\":[");
    for (i = 0; i < report->items; i++) {
        item = &report->item[i];
        (void) printf("%s{\"name\":\"%s\",\"state\":\"%s\",\"found\":\"%s\","
                      "\"meaning\":\"%s\"", i == 0 ? "" : ",", item->name,
                      item->good ? "ok" : "warning", item->found,
                      item->meaning);
        if (!item->good) {
            (void) printf(",\"advice\":\"%s\"", item->advice);
        }
        (void) printf("}");
        validator = validator || (item->good
                                  && strcmp(item->name, "validator") == 0);
    }
    (void) printf("],\"validator\":%s", validator ? "true" : "false");
}


static void
print_json(const report_t *report, bool passed)
{
    int         i;
    const char *how;

    (void) printf("{\"passed\":%s,\"unprivileged\":%s,\"layers\":[",
                  passed ? "true" : "false",
                  report->unprivileged ? "true" : "false");

    for (i = 0; i < CODR_LAYER_COUNT; i++) {
        codr_layer_id_t layer = (codr_layer_id_t) i;

        (void) printf("%s{\"name\":\"%s\",\"state\":\"%s\",\"required\":%s,"
                      "\"meaning\":\"%s\"", i == 0 ? "" : ",",
                      codr_layer_name(layer),
                      state_name(report->layers.state[i]),
                      codr_layer_info(layer)->required ? "true" : "false",
                      codr_layer_info(layer)->meaning);
        how = advice(report, layer);
        if (how) {
            (void) printf(",\"advice\":\"%s\"", how);
        }
        (void) printf("}");
    }

    (void) printf("],");
    print_json_host(report);
    (void) printf("}\n");
}


int
codr_check(bool json)
{
    int      i;
    bool     passed = true;
    report_t report = { .unprivileged = codr_layer_unprivileged() };

    (void) fflush(stdout);      /* children of the probes must not repeat it */
    codr_layer_probe(&report.layers);
    check_cgroup(&report);
    report.items = codr_host_look(report.item);

    if (report.unprivileged) {
        (void) codr_layer_waive(&report.layers, CODR_LAYER_UIDS);
        (void) codr_layer_waive(&report.layers, CODR_LAYER_CGROUP);
    }

    for (i = 0; i < CODR_LAYER_COUNT; i++) {
        passed = passed && report.layers.state[i] != CODR_LAYER_MISSING;
    }

    if (json) {
        print_json(&report, passed);
    } else {
        print_text(&report, passed);
    }

    return passed ? EXIT_SUCCESS : EXIT_FAILURE;
}
