/*
 * A text that a command prints as JSON, as a file's name, a finding or a
 * layer's cause may be anything: it is one string of JSON and of UTF-8, and
 * says the same.
 */

#define _GNU_SOURCE

#include "../../../sandbox/codr_json.h"
#include "../fuzz.h"
#include "utf8.h"


/* What the string says, with room for all of it; its length. */
static size_t
read_string(char *said, const char *json, size_t size)
{
    char          digits[5] = "";
    size_t        n = 0;
    const char   *p = json + 1, *end = json + size - 1;

    must(size >= 2 && *json == '"' && *end == '"');

    while (p < end) {
        must((uint8_t) *p >= 0x20 && *p != '"');

        if (*p != '\\') {
            said[n++] = *p++;

        } else if (p[1] == 'u') {
            must(end - p >= 6 && memcmp(p + 2, "00", 2) == 0);
            memcpy(digits, p + 2, 4);
            said[n++] = (char) strtoul(digits, NULL, 16);
            p += 6;

        } else {
            must(end - p >= 2 && (p[1] == '"' || p[1] == '\\'));
            said[n++] = p[1];
            p += 2;
        }
    }

    return n;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char   *text = malloc(size + 1), *json = NULL, *said;
    FILE   *file;
    size_t  printed = 0, len;

    must(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    len = strlen(text);

    file = open_memstream(&json, &printed);
    must(file != NULL);
    codr_json_put(file, text);
    must(fclose(file) == 0 && is_utf8(json, printed));

    said = malloc(printed);
    must(said != NULL);
    printed = read_string(said, json, printed);
    must(!is_utf8(text, len)
         || (printed == len && memcmp(said, text, len) == 0));

    free(said);
    free(json);
    free(text);

    return 0;
}
