/*
 * What a kind of zygote is executed from: the command line of the spawner says
 * it, and nothing that comes from a request.
 */

#ifndef CODR_ZYGOTE_PLAN_H
#define CODR_ZYGOTE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "codr_init.h"
#include "codr_proto.h"

#define CODR_ZYGOTE_WORDS       64      /* of its command, and variables */
#define CODR_ZYGOTE_TEXT        4096    /* bytes of a list of names */

typedef struct {
    size_t       argc;          /* 0: there is no such zygote */
    size_t       envc;
    const char  *argv[CODR_ZYGOTE_WORDS + 1];
    const char  *env[CODR_ZYGOTE_WORDS + 4];
    char         preload[CODR_ZYGOTE_TEXT];     /* "CODR_PRELOAD=a:b" */
    int          library;       /* memfd, or -1 */
    bool         off;           /* no zygote: it is only to be parked */
    bool         parkable;
    const char  *parked_env[CODR_ZYGOTE_WORDS + 3];
    codr_init_parked_t  parked;
    struct stat         tested; /* the executable that was */
} codr_zygote_plan_t;

/* Descriptors it has beside /dev/null. */
typedef struct {
    int   control;
    int   filter;
    int   log;
    bool  test;                 /* it is to say whether it can be parked */
} codr_zygote_files_t;


/* An option of the spawner; false when there are too many. */
bool codr_zygote_plan_option(codr_zygote_plan_t *plan, int option,
    const char *text);

/* Reads the library while the host's files are there.  0, or negative
   errno. */
int codr_zygote_plan_open(codr_zygote_plan_t *plan,
    codr_interpreter_kind_t kind);

/* Ends the environment with ours; read is "CODR_READ=...". */
void codr_zygote_plan_seal(codr_zygote_plan_t *plan, const char *read);

/* Whether the executable is still the one that was remembered last. */
void codr_zygote_plan_remember(codr_zygote_plan_t *plan);
bool codr_zygote_plan_same(const codr_zygote_plan_t *plan);

/* In the child. */
void codr_zygote_plan_execute(const codr_zygote_plan_t *plan, uid_t uid,
    const codr_zygote_files_t *files) __attribute__((noreturn));

#endif /* CODR_ZYGOTE_PLAN_H */
