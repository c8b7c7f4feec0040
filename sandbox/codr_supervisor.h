/*
 * The supervisor: starts the other roles, restarts them, and passes on what
 * nginx says.
 */

#ifndef CODR_SUPERVISOR_H
#define CODR_SUPERVISOR_H

#include "codr_settings.h"

/*
 * Runs the role until the last nginx process is gone (descriptors as the
 * table of codr_ipc.h says), or, with settings->config, until a signal.
 * Returns an exit status.
 */
int codr_supervisor_run(const codr_settings_t *settings);

#endif /* CODR_SUPERVISOR_H */
