/*
 * A faster way to what gcc makes.  Runs inside the compile sandbox, as the
 * program of that stage, with the job's rights and nothing else's:
 *
 *     codr-shortcut plain|headers|known|precompile|learn COMMAND ...
 *
 * It asks the command for its steps (-###) and takes them itself: compiler and
 * assembler joined by a pipe, the linker without what loads it.  Descriptor 3
 * is, with "headers", a precompiled form of headers that the only source
 * begins with, and with "known" what the command has answered before.  Steps
 * that succeed in silence have made just what the command would have made.  In
 * any other case whatever came of them is forgotten and the command is
 * executed as it stands: its words and its exit code are the ones that count.
 *
 * "precompile" makes such headers of the source, into the file ".program",
 * after it has seen that they change nothing; "learn" writes such an answer
 * there.
 */

#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MAX      (256 * 1024)
#define STEPS_MAX       256
#define WORDS_MAX       1024            /* of one step */
#define MORE            3               /* room for ours */

#define HEADERS         "./.headers"    /* a name no client can choose */
#define HEADERS_FILE    HEADERS ".gch"
#define HEADERS_FD      "/proc/self/fd/3"

#define MADE            "headers.gch"   /* precompile: beside the source */
#define PROGRAM         ".program"

typedef enum {
    STEP_COMPILE = 0,
    STEP_ASSEMBLE,
    STEP_LINK
} kind_t;

typedef struct {
    kind_t   kind;
    char   **argv;
    size_t   argc;
} step_t;

extern char **environ;

static step_t step[STEPS_MAX];
static size_t steps;
static int    words = -1;               /* what the steps say */


/* Starts a program with these streams; 0 on failure. */
static pid_t
start(char **argv, int in, int out, int err)
{
    int                        error;
    pid_t                      pid = 0;
    posix_spawn_file_actions_t actions;

    if (posix_spawn_file_actions_init(&actions) != 0) {
        return 0;
    }

    error = posix_spawn_file_actions_adddup2(&actions, in, 0);
    if (error == 0) {
        error = posix_spawn_file_actions_adddup2(&actions, out, 1);
    }
    if (error == 0) {
        error = posix_spawn_file_actions_adddup2(&actions, err, 2);
    }
    if (error == 0) {
        error = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    }
    (void) posix_spawn_file_actions_destroy(&actions);

    return error == 0 ? pid : 0;
}


static bool
succeeded(pid_t pid)
{
    int status;

    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}


static bool
run(char **argv)
{
    return succeeded(start(argv, 0, words, words));
}


/* What the command would do, as it says it on stderr. */
static bool
ask(char **command, size_t count, char *answer)
{
    int     ends[2];
    char  **argv = calloc(count + 2, sizeof(char *));
    pid_t   pid;
    size_t  len = 0;
    ssize_t n;

    if (argv == NULL || pipe2(ends, O_CLOEXEC) == -1) {
        return false;
    }

    argv[0] = command[0];
    argv[1] = (char *) "-###";
    memcpy(&argv[2], &command[1], (count - 1) * sizeof(char *));

    pid = start(argv, 0, words, ends[1]);
    (void) close(ends[1]);

    while (len < ANSWER_MAX - 1
           && (n = read(ends[0], answer + len, ANSWER_MAX - 1 - len)) > 0)
    {
        len += (size_t) n;
    }
    (void) close(ends[0]);
    answer[len] = '\0';

    return succeeded(pid) && len < ANSWER_MAX - 1;
}


/* What it has answered to the same question. */
static bool
recall(char *answer)
{
    ssize_t n, len = 0;

    while (len < ANSWER_MAX - 1
           && (n = pread(3, answer + len, (size_t) (ANSWER_MAX - 1 - len),
                         len)) > 0)
    {
        len += n;
    }
    answer[len] = '\0';

    return len > 0 && len < ANSWER_MAX - 1;
}


static bool
learn(const char *answer)
{
    FILE *file = fopen(PROGRAM, "we");

    return file && fputs(answer, file) != EOF && fclose(file) == 0;
}


/* The next word of a line, unquoted in place; NULL at its end. */
static char *
next_word(char **pos)
{
    bool  quoted = false;
    char *from = *pos, *to, *word;

    while (*from == ' ') {
        from++;
    }
    if (*from == '\0') {
        return NULL;
    }

    word = to = from;
    for ( ; *from != '\0' && (quoted || *from != ' '); from++) {
        if (*from == '"') {
            quoted = !quoted;
            continue;
        }
        if (*from == '\\' && from[1] != '\0') {
            from++;
        }
        *to++ = *from;
    }

    *pos = *from == '\0' ? from : from + 1;
    *to = '\0';
    return quoted ? NULL : word;
}


static bool
kind_of(const char *path, kind_t *ret)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;

    if (strcmp(name, "cc1") == 0 || strcmp(name, "cc1plus") == 0) {
        *ret = STEP_COMPILE;
    } else if (strcmp(name, "as") == 0) {
        *ret = STEP_ASSEMBLE;
    } else if (strcmp(name, "collect2") == 0) {
        *ret = STEP_LINK;
    } else {
        return false;
    }

    return true;
}


static bool
add_step(char *line)
{
    char   *word;
    step_t *one = &step[steps];

    if (steps == STEPS_MAX) {
        return false;
    }

    one->argc = 0;
    one->argv = calloc(WORDS_MAX + MORE + 1, sizeof(char *));
    if (one->argv == NULL) {
        return false;
    }

    while ((word = next_word(&line)) != NULL) {
        if (one->argc == WORDS_MAX) {
            return false;
        }
        one->argv[one->argc++] = word;
    }

    steps++;
    return one->argc > 1 && kind_of(one->argv[0], &one->kind);
}


/* Steps are the lines that begin with a blank.  Only one order of them is
   known: compile and assemble each source, link. */
static bool
read_steps(char *answer)
{
    char  *line, *rest;
    size_t i;

    for (line = strtok_r(answer, "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest))
    {
        if (line[0] == ' ' && !add_step(line)) {
            return false;
        }
    }

    for (i = 0; i < steps; i++) {
        if (step[i].kind != (i + 1 == steps ? STEP_LINK
                             : i % 2 ? STEP_ASSEMBLE : STEP_COMPILE))
        {
            return false;
        }
    }

    return steps >= 3;
}


static void
add_word(step_t *one, const char *word)
{
    one->argv[one->argc++] = (char *) (size_t) word;
}


/* The word after an option; NULL: there is none. */
static char **
value_of(const step_t *one, const char *option)
{
    size_t i;

    for (i = 1; i + 1 < one->argc; i++) {
        if (strcmp(one->argv[i], option) == 0) {
            return &one->argv[i + 1];
        }
    }

    return NULL;
}


/* One source: what the compiler writes is what the assembler reads. */
static bool
compile(step_t *compiler, step_t *assembler)
{
    int    ends[2];
    bool   good;
    char **output = value_of(compiler, "-o");
    pid_t  first, second;

    if (output == NULL
        || strcmp(*output, assembler->argv[assembler->argc - 1]) != 0
        || pipe2(ends, O_CLOEXEC) == -1)
    {
        return false;
    }
    *output = (char *) (size_t) "-";
    assembler->argv[--assembler->argc] = NULL;

    first = start(compiler->argv, 0, ends[1], words);
    second = start(assembler->argv, ends[0], words, words);
    (void) close(ends[0]);
    (void) close(ends[1]);

    good = succeeded(first);
    return succeeded(second) && good;
}


static bool
begins(const char *word, const char *with)
{
    return strncmp(word, with, strlen(with)) == 0;
}


/* collect2 finds the linker and reads its words for what C++ of old needed;
   the plugin is for objects that none of the steps makes. */
static bool
link_program(step_t *one)
{
    char    linker[64] = "ld";
    char   *word;
    size_t  i, n = 1;

    for (i = 1; i < one->argc; i++) {
        word = one->argv[i];
        if (begins(word, "-fuse-ld=")) {
            (void) snprintf(linker, sizeof(linker), "ld.%s", word + 9);
        } else if (strcmp(word, "-plugin") == 0) {
            i++;
        } else if (!begins(word, "-plugin-opt=")) {
            one->argv[n++] = word;
        }
    }

    one->argv[0] = linker;
    one->argv[n] = NULL;
    return run(one->argv);
}


static bool
were_silent(void)
{
    struct stat st;

    return fstat(words, &st) == 0 && st.st_size == 0;
}


static bool
use_headers(void)
{
    if (steps != 3 || symlink(HEADERS_FD, HEADERS_FILE) == -1) {
        return false;
    }

    add_word(&step[0], "-include");
    add_word(&step[0], HEADERS);
    return true;
}


static bool
make_program(bool headers)
{
    size_t i;

    if (headers && !use_headers()) {
        return false;
    }

    for (i = 0; i + 1 < steps; i += 2) {
        if (!compile(&step[i], &step[i + 1])) {
            return false;
        }
    }

    return link_program(&step[steps - 1]) && were_silent();
}


static void
remove_objects(void)
{
    size_t i;
    char **output;

    for (i = 1; i < steps; i += 2) {
        output = value_of(&step[i], "-o");
        if (output) {
            (void) unlink(*output);
        }
    }
}


static bool
same_files(const char *a, const char *b)
{
    int   x, y;
    bool  same;
    FILE *one = fopen(a, "re"), *two = fopen(b, "re");

    same = one && two;
    while (same) {
        x = getc(one);
        y = getc(two);
        same = x == y;
        if (x == EOF || y == EOF) {
            break;
        }
    }

    if (one) {
        (void) fclose(one);
    }
    if (two) {
        (void) fclose(two);
    }
    return same;
}


/* A program that begins with the headers: the assembler must be told the same
   with and without their precompiled form. */
static bool
change_nothing(step_t *one, char **output, const char *source)
{
    FILE *file = fopen(source, "ae");

    if (file == NULL
        || fputs("int main() { return 0; }\n", file) == EOF
        || fclose(file) == EOF)
    {
        return false;
    }

    *output = (char *) (size_t) "plain.s";
    if (!run(one->argv)) {
        return false;
    }

    *output = (char *) (size_t) "fast.s";
    add_word(one, "-include");
    add_word(one, "./headers");
    return run(one->argv) && same_files("plain.s", "fast.s");
}


static bool
precompile(void)
{
    step_t *one = &step[0];
    char  **output = value_of(one, "-o"), **source;

    source = value_of(one, "-dumpbase");
    if (steps != 3 || output == NULL || source == NULL) {
        return false;
    }

    *output = (char *) (size_t) "/dev/null";
    add_word(one, "--output-pch=" MADE);
    if (!run(one->argv)) {
        return false;
    }
    one->argv[--one->argc] = NULL;

    return change_nothing(one, output, *source) && were_silent()
           && rename(MADE, PROGRAM) == 0;
}


int
main(int argc, char **argv)
{
    bool         made = false;
    char       **command = &argv[2];
    const char  *mode = argv[1];
    static char  answer[ANSWER_MAX];

    if (argc < 4) {
        return 2;
    }

    words = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    made = words != -1
           && (strcmp(mode, "known") == 0 ? recall(answer)
               : ask(command, (size_t) argc - 2, answer) && were_silent());

    if (strcmp(mode, "learn") == 0) {
        return made && learn(answer) ? 0 : 1;
    }

    made = made && read_steps(answer);
    if (strcmp(mode, "precompile") == 0) {
        return made && precompile() ? 0 : 1;
    }
    if (made) {
        made = make_program(strcmp(mode, "headers") == 0);
        remove_objects();
    }
    if (made) {
        return 0;
    }

    (void) execv(command[0], command);
    perror(command[0]);
    return 127;
}
