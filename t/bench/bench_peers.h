/*
 * Other sandboxes around the same bare program: bubblewrap and firejail where
 * they are installed, isolate, nsjail and go-judge where CODR_BENCH_ISOLATE,
 * CODR_BENCH_NSJAIL and CODR_BENCH_GO_JUDGE name their binaries.
 */

#ifndef BENCH_PEERS_H
#define BENCH_PEERS_H

#include <stddef.h>

#define BENCH_PEERS_MAX     4       /* that are commands */

typedef struct {
    const char         *name;
    const char *const  *argv;       /* to the interpreter, on a file of the
                                       working directory */
} bench_peer_t;


/* Those that are there: their number.  Prepares them. */
size_t bench_peers(bench_peer_t ret[BENCH_PEERS_MAX], const char *interpreter,
    const char *file);

/* Lets them tidy up. */
void bench_peers_end(void);

/* Starts go-judge: 0, or -1 when it is not there. */
int bench_judge_begin(void);

/* Runs the interpreter on a file with this text; dies unless it is accepted. */
void bench_judge_run(const char *interpreter, const char *file,
    const char *text);
void bench_judge_end(void);

#endif /* BENCH_PEERS_H */
