/* Files and arguments of the user as an execute message. */

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli_source.h"

#define FILE_MAX  (64 * 1024 * 1024)


static char *
read_file(const char *path, size_t *ret_len)
{
    FILE  *file = fopen(path, "re");
    char  *text = NULL;
    size_t len = 0, size = 0, n;

    if (!file) {
        cli_die("%s: %s", path, strerror(errno));
    }

    do {
        if (size - len < 65536) {
            size += 65536 + size / 2;
            text = size > FILE_MAX ? NULL : realloc(text, size);
            if (!text) {
                cli_die("%s: too large", path);
            }
        }
        n = fread(text + len, 1, size - len, file);
        len += n;
    } while (n > 0);

    if (ferror(file)) {
        cli_die("%s: %s", path, strerror(errno));
    }
    (void) fclose(file);                            /* it was only read */
    *ret_len = len;
    return text;
}


/* Text as it is; bytes that are none as base64. */
static json_t *
content_of(const char *path, json_t *file)
{
    size_t         len;
    char          *text = read_file(path, &len);
    unsigned char *coded;
    json_t        *value = json_stringn(text, len);

    if (!value) {
        coded = malloc(len / 3 * 4 + 5);
        if (!coded) {
            cli_die("out of memory");
        }
        EVP_EncodeBlock(coded, (unsigned char *) text, (int) len);
        value = json_string((char *) coded);
        free(coded);
        json_object_set_new(file, "encoding", json_string("base64"));
    }
    free(text);
    return value;
}


/* A path below the main file's directory keeps what is below. */
static const char *
name_of(const char *path, const char *main_path)
{
    const char *slash = strrchr(main_path, '/');
    size_t      len = slash ? (size_t) (slash - main_path) + 1 : 0;
    const char *last = strrchr(path, '/');

    if (strncmp(path, main_path, len) == 0 && path[len] != '/'
        && strncmp(path + len, "../", 3) != 0
        && !strstr(path + len, "/../")) {
        path += len;
        return strncmp(path, "./", 2) == 0 ? path + 2 : path;
    }
    return last ? last + 1 : path;
}


static json_t *
files_of(const cli_options_t *options)
{
    json_t *files = json_array(), *file;

    for (size_t i = 0; i < options->file_count; i++) {
        const char *path = options->files[i];

        file = json_object();
        json_object_set_new(file, "name",
                            json_string(name_of(path, options->files[0])));
        json_object_set_new(file, "content", content_of(path, file));
        if (!json_object_get(file, "name")) {
            cli_die("%s: the name is no UTF-8", path);
        }
        json_array_append_new(files, file);
    }
    return files;
}


/* The server knows most endings as names: "py", "js", "rs". */
static const char *
language_of(const cli_options_t *options)
{
    static const char *const same[][2] = {
        { "mjs", "javascript" }, { "cjs", "javascript" }, { "cc", "cpp" },
        { "cxx", "cpp" }, { "C", "cpp" }, { "h", "c" }
    };
    const char *name = name_of(options->files[0], options->files[0]);
    const char *dot = strrchr(name, '.');

    if (options->language) {
        return options->language;
    }
    if (!dot || dot == name || !dot[1]) {
        cli_die("%s: in which language? --lang NAME", options->files[0]);
    }
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        if (strcmp(dot + 1, same[i][0]) == 0) {
            return same[i][1];
        }
    }
    return dot + 1;
}


json_t *
cli_source_execute(const cli_options_t *options, json_t *tty)
{
    json_t *args = json_array(), *arg;
    json_t *message;

    for (char **at = options->args; *at; at++) {
        arg = json_string(*at);
        if (!arg) {
            cli_die("an argument is no UTF-8");
        }
        json_array_append_new(args, arg);
    }

    message = json_pack("{s:s, s:s, s:o, s:o, s:o}", "type", "execute",
                        "language", language_of(options),
                        "files", files_of(options), "args", args,
                        "tty", tty ? tty : json_false());
    if (!message) {
        cli_die("out of memory");
    }
    return message;
}
