/*
 * What a language block means for one job: which files are source code, the
 * command line, the environment.  Pure: everything is written as fields of a
 * job description.
 */

#ifndef CODR_LANGUAGE_H
#define CODR_LANGUAGE_H

#include <stdbool.h>

#include "codr_config.h"
#include "codr_list.h"
#include "codr_proto.h"

/* The artefact's name below /box: no client can choose one with a dot. */
#define CODR_LANGUAGE_PROGRAM   ".program"

typedef struct {
    codr_terminal_t  terminal;
    bool             live;          /* somebody watches */
} codr_surroundings_t;


/* Whether the artefact is what is executed, not a word for what is. */
bool codr_language_executes(const codr_language_t *language);

/* Whether a file is compiled, policed and counted as code. */
bool codr_language_is_source(const codr_language_t *language,
    const char *name);

/* Whether it is policed although it is no source: by its name a source of a
   compiled language could include it. */
bool codr_language_includes(const codr_language_t *language,
    const char *name);

/*
 * A command as ARG fields: $source is the first file, $sources every source
 * file in order, $program the artefact, in the run stage with a slash: to
 * whoever looks for programs it is this one.  extra follows as it is.
 */
void codr_language_put_argv(codr_writer_t *writer,
    const codr_language_t *language, const codr_list_t *command,
    const codr_list_t *files, const codr_list_t *extra);

/* codr-shortcut as the first words of a command that follows. */
#define CODR_SHORTCUT_PLAIN         "plain"
#define CODR_SHORTCUT_HEADERS       "headers"
#define CODR_SHORTCUT_PRECOMPILE    "precompile"
#define CODR_SHORTCUT_KNOWN         "known"
#define CODR_SHORTCUT_LEARN         "learn"

void codr_language_put_shortcut(codr_writer_t *writer, const char *mode);

/* The whole environment as ENV fields. */
void codr_language_put_env(codr_writer_t *writer,
    const codr_language_t *language, codr_surroundings_t surroundings);

/* The programs a language cannot do without, as REASON fields. */
void codr_language_put_programs(codr_writer_t *writer,
    const codr_language_t *language);

#endif /* CODR_LANGUAGE_H */
