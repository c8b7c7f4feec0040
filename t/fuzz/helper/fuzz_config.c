/*
 * The configuration memfd, from whoever could write it: what is decoded is
 * complete, and can be asked for anything.
 */

#include "../../../sandbox/codr_config.h"
#include "../../../sandbox/codr_language.h"

#include "../fuzz.h"

#define ROOM  (256 * 1024)


static void
use(const codr_config_t *config, const codr_language_t *language)
{
    static uint8_t         buffer[ROOM];
    char                  *names[] = { (char *) "main.c", (char *) "a/b.c",
                                       NULL };
    codr_list_t            files = { .item = names, .count = 2 };
    codr_list_t            none = { .item = NULL, .count = 0 };
    codr_writer_t          writer;
    codr_surroundings_t    around = { CODR_TERMINAL_FULL, true };

    must(language->name != NULL && language->source != NULL);
    must(language->run.count > 0);
    must(codr_config_language(config, language->name, strlen(language->name))
         != NULL);
    must(language->offset + language->length <= config->length);
    must(codr_config_language_same(config, language, config, language));
    must(codr_file_name_valid(language->source, strlen(language->source)));

    codr_writer_init(&writer, buffer, sizeof(buffer));
    codr_language_put_argv(&writer, language, &language->run, &files, &none);
    codr_language_put_env(&writer, language, around);
    codr_language_put_programs(&writer, language);
    (void) codr_language_is_source(language, "main.c");
    (void) codr_language_includes(language, "a/b.h");
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t          i;
    codr_config_t  *config = NULL;

    if (codr_config_decode(&config, data, size, 1) != 0) {
        must(config == NULL);
        return 0;
    }

    must(config->locations <= CODR_CONFIG_LOCATIONS
         && config->languages <= CODR_CONFIG_LANGUAGES
         && config->peers <= CODR_CONFIG_PEERS);

    for (i = 0; i < config->languages; i++) {
        use(config, &config->language[i]);
    }
    for (i = 0; i < config->locations; i++) {
        must(codr_config_location(config, config->location[i].id) != NULL);
    }

    codr_config_unref(config);

    return 0;
}
