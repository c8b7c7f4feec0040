/*
 * The file of --config: nginx's syntax, codr's directives with and without
 * prefix, and errors that name file and line.
 */

#define _GNU_SOURCE

#include "tap.h"

#include <stdlib.h>
#include <unistd.h>

#include "../../sandbox/codr_conf_file.h"
#include "../../sandbox/codr_conf_lex.h"
#include "../../sandbox/codr_config.h"

static char  path[] = "/tmp/codr-test-XXXXXX";
static char  error[CODR_CONF_ERROR_MAX];


static int
read_text(codr_conf_file_t *file, const char *text)
{
    FILE  *stream = fopen(path, "w");

    if (stream == NULL || fputs(text, stream) < 0 || fclose(stream) != 0) {
        return -1;
    }

    return codr_conf_file_read(file, path, error);
}


static void
reads(void)
{
    codr_config_t     *config = NULL;
    codr_language_t   *language;
    codr_conf_file_t   file;

    tap_number(read_text(&file,
        "# comment\n"
        "codr_uids 100000 50;  peer root;\n"
        "codr_total memory=25% cpu=1.5;\n"
        "max_jobs auto batch=3;\n"
        "codr_queue 7 timeout=1m30s;\n"
        "codr_compile_cache 3k shared;\n"
        "codr_bind /srv;\n"
        "codr_results 3m; codr_job_ttl 2h; codr_detach 7s;\n"
        "codr_language Py { alias p; source main.py; memory 1m;\n"
        "  run \"/opt/my python\" $source; env \"A=b c\"; bind /a /b;\n"
        "  output 1k drop;\n"
        "  shortcut gcc; precompile a b/c; precompile d; }\n"
        "codr_language c { source m.c; memory 2m; env A=1; env B=1;\n"
        "  compile cc -o $program $sources; run $program; bind /a /b; }\n"
        "codr_policies /tmp; codr_memory 3m;\n"
        "codr_timeout 10s input=1m; codr_output 2k drop;\n"), 0, error);

    tap_number(file.settings.uid_base, 100000, "uids");
    tap_number(file.settings.uid_count, 50, "how many");
    tap_number(codr_config_decode(&config, file.image, file.length, 0), 0,
               "the image is one");
    tap_number(config->total_percent, 25, "percent");
    tap_number(config->total_cpu, 1500, "processors");
    tap_number(config->max_batch, 3, "batch");
    tap_number(config->queue_ms, 90000, "a time of two units");
    tap_number(config->cache_size, 3072, "compile cache");
    tap_number(config->cache_shared, 1, "of all");
    tap_number((int) config->results, 3 * 1024 * 1024, "kept output");
    tap_number((int) config->job_ttl_ms, 7200000, "and for how long");
    tap_number((int) config->location[0].detach_ms, 7000, "detached jobs");
    tap_text(config->binds.item[0], "/srv:/srv", "a bind at its own place");
    tap_text(config->binds.item[1], "/a:/b", "a language's bind");
    tap_number(config->location[0].limits.value[CODR_LIMIT_INPUT_MS], 60000,
               "a limit after the languages");
    tap_ok(config->location[0].output_drop, "drop");

    language = codr_config_language(config, "py", 2);
    tap_ok(language != NULL, "a language in lower case");
    tap_ok(language->output_drop, "which goes on when there is too much");
    tap_text(language->run.item[0], "/opt/my python", "quoted");
    tap_text(language->run.item[1], "$source", "a dollar is a dollar");
    tap_text(language->env.item[0], "A=b c", "environment");
    tap_number(language->shortcut, 1, "shortcut");
    tap_text(language->precompile.item[0], "a b/c", "a set of headers");
    tap_text(language->precompile.item[1], "d", "and another");
    tap_number(language->limits.value[CODR_LIMIT_MEMORY], 1048576,
               "a limit of its own");

    codr_config_unref(config);
    codr_conf_file_free(&file);
    codr_conf_file_free(&file);
}


static void
refuse(const char *text, const char *expected)
{
    bool               good;
    codr_conf_file_t   file;

    error[0] = '\0';
    good = read_text(&file, text) < 0
           && strncmp(error, path, strlen(path)) == 0
           && strstr(error, expected) != NULL;
    tap_ok(good, expected);
    if (!good) {
        fprintf(stderr, "# %s\n", error);
    }
    codr_conf_file_free(&file);
}


static void
refuses(void)
{
    refuse("\n\nnonsense;", ":3: unknown directive \"nonsense\"");
    refuse("memory 1x;", ":1: invalid value \"1x\"");
    refuse("memory 0;", ":1: invalid value \"0\"");
    refuse("memory 1m", ":1: unexpected end of file");
    refuse("memory 1m 2m;", "invalid number of arguments");
    refuse("memory { }", "has no block");
    refuse("codr_language x;", "has no opening");
    refuse("}", "unexpected \"}\"");
    refuse("codr_language x {\nrun a;\n", ":3: the block of line 1");
    refuse("codr_language x { queue 1; }", "unknown directive \"queue\"");
    refuse("codr_language x { codr_memory 1m; }", "unknown directive");
    refuse("codr_language x { source ../a; }", "invalid value \"../a\"");
    refuse("codr_bind relative;", "invalid value");
    refuse("codr_bind /a/../b;", "invalid value");
    refuse("codr_bind /a /box/x/;", "belongs to the sandbox");
    refuse("codr_bind /a /etc/;", "belongs to the sandbox");
    refuse("codr_bind /a /;", "belongs to the sandbox");
    refuse("cgroup /a/..;", "invalid value");
    refuse("uids 0 5;", "invalid value");
    refuse("uids 999 5;", "invalid value");
    refuse("uids 65000;", "invalid value");
    refuse("uids 200000 1;", "invalid value");
    refuse("user nobody; peer root nobody;", "\"codr_user\" is one of");
    refuse("include /nonexistent;", "open \"/nonexistent\"");
    refuse("user \"nobody", "a quote is open");
    refuse("timeout 1m2h;", "invalid value");
    refuse("timeout 1s nonsense=2s;", "invalid value \"nonsense=2s\"");
    refuse("policy off strict;", "invalid value \"strict\"");
    refuse("policies relative;", "invalid value");
    refuse("\npolicies /nonexistent;", ":2: no directory of policies");
    refuse("policies /etc/passwd;", ":1: no directory of policies");
    refuse("allow_missing everything;", "invalid value \"everything\"");
    refuse("total memory=1k;", "invalid value");
    refuse("total memory=1g memory=2g;", "invalid value \"memory=2g\"");
    refuse("max_jobs 0;", "invalid value");
    refuse("max_jobs 1 batch=1 batch=2;", "invalid value \"batch=2\"");
    refuse("queue 100001;", "invalid value");
}


/* What may be said once, with and without prefix, is said once. */
static void
duplicates(void)
{
    refuse("codr_memory 1m;\nmemory 2m;",
           ":2: \"memory\" directive is duplicate");
    refuse("output 1k; output 2k;", "is duplicate");
    refuse("queue 1; codr_queue 1;", "\"codr_queue\" directive is duplicate");
    refuse("uids 200000; uids 200000;", "is duplicate");
    refuse("policy warn; policy warn;", "is duplicate");
    refuse("detach 1s; detach 1s;", "is duplicate");
    refuse("codr_timeout 1s max=5s max=6s;", "is duplicate");
    refuse("bind /a /x; bind /b /x;", "is duplicate");
    refuse("bind /a /x;\ncodr_language x { source m; run r; bind /b /x; }",
           ":2: \"/b\" and \"/a\" are both bound to \"/x\"");
    refuse("memory 1m; codr_language x { source m; run r; memory 1m;"
           " memory 2m; }", "is duplicate");
    refuse("codr_language x { source m; run r; run r; }", "is duplicate");
    refuse("codr_language x { source m; run r; env A=1; env A=2; }",
           "is duplicate");
    refuse("codr_language x { source m; run r; }\n"
           "codr_language X { source m; run r; }",
           ":2: duplicate language \"x\"");
    refuse("codr_language x { alias y Y; source m; run r; }",
           "duplicate language \"y\"");
    refuse("codr_language x { source m; run r; zygote node; }"
           "codr_language y { source m; run r; zygote node; }",
           "is one language's already");
}


static void
times(void)
{
    refuse("timeout 30s max=10s;", ":1: \"max\" must not be less than the"
           " time before it in \"timeout\"");
    refuse("timeout 1s max=5s input=10s;",
           "\"max\" must not be less than \"input\"");
    refuse("codr_language x {\n source m; run r;\n timeout 3s max=2s; }",
           ":3: \"max\" must not");
}


/* The line is that of the end, as in nginx. */
static void
languages(void)
{
    refuse("codr_language x {\n run a; }",
           ":2: language \"x\" has no \"source\"");
    refuse("codr_language x {\n source m;\n}\n",
           ":3: language \"x\" has no \"run\"");
    refuse("codr_language x { source m; run a; }\n"
           "codr_language y { source m; }", ":2: language \"y\" has no");
    refuse("codr_language x { source m; run $program; }",
           "has \"$program\" in \"run\" but no \"compile\"");
    refuse("codr_language x { source m; compile c; run $program; }",
           "has no \"$program\" in \"compile\"");
    refuse("codr_language x { source m; compile c $program; run r; }",
           "has \"compile\" but no \"$program\" in \"run\"");
    refuse("codr_language x { source m; run -o$source; }",
           "an argument of its own");
    refuse("codr_language x { source a/b; run r; }", "invalid value \"a/b\"");
    refuse("codr_language x { sources '*.x;rm'; }", "invalid value");
    refuse("codr_language x { env 1A=b; }", "invalid value \"1A=b\"");
    refuse("codr_language x { env A; }", "invalid value \"A\"");
    refuse("codr_language x { policy a:b; }", "invalid value \"a:b\"");
    refuse("codr_language 'a b' { }", "invalid value \"a b\"");
    refuse("codr_language x { alias -x; }", "invalid value \"-x\"");
}


static void
values(void)
{
    uint64_t  value = 0;

    tap_ok(codr_conf_size("3g", &value) && value == 3ULL << 30, "3g");
    tap_ok(!codr_conf_size("9999999999g", &value), "a size beyond all");
    tap_ok(!codr_conf_size("", &value) && !codr_conf_size("k", &value),
           "no size");
    tap_ok(codr_conf_time("1h30m", &value) && value == 5400000, "1h30m");
    tap_ok(codr_conf_time("500ms", &value) && value == 500, "500ms");
    tap_ok(codr_conf_time("30", &value) && value == 30000, "seconds");
    tap_ok(!codr_conf_time("1s1s", &value), "the same unit twice");
    tap_ok(!codr_conf_number("-1", &value), "no sign");
}


int
main(void)
{
    int  fd = mkstemp(path);

    if (fd == -1) {
        return 1;
    }

    (void) close(fd);
    reads();
    refuses();
    duplicates();
    times();
    languages();
    values();
    (void) unlink(path);

    return tap_done();
}
