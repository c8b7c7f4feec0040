/*
 * The state of the helper, as workers show it in health and codr_languages.
 * Runs in the broker.
 */

#include "codr_broker.h"

#include <stdio.h>
#include <string.h>

#include "codr_proto.h"


static bool
all_asked(const codr_config_t *config)
{
    size_t i;

    for (i = 0; i < config->languages; i++) {
        if (config->language[i].availability == CODR_LANGUAGE_UNKNOWN) {
            return false;
        }
    }

    return true;
}


static codr_helper_state_t
helper_state(const codr_broker_t *broker)
{
    if (broker->link == NULL) {
        return broker->cause[0] ? CODR_HELPER_UNAVAILABLE
                                : CODR_HELPER_STARTING;
    }

    switch (broker->link->state) {

    case CODR_LINK_READY:
        return all_asked(broker->config[0]) ? CODR_HELPER_UP
                                            : CODR_HELPER_STARTING;

    case CODR_LINK_LACKING:
        return CODR_HELPER_UNAVAILABLE;

    case CODR_LINK_STARTING:
    case CODR_LINK_LOST:
        break;
    }

    return CODR_HELPER_STARTING;
}


static void
put_layers(codr_writer_t *writer, const codr_link_t *link)
{
    size_t  i, len;
    uint8_t field[1 + CODR_NAME_MAX];

    for (i = 0; i < CODR_LAYER_COUNT; i++) {
        len = strlen(codr_layer_name((codr_layer_id_t) i));
        field[0] = link->layer[i];
        memcpy(field + 1, codr_layer_name((codr_layer_id_t) i), len);
        codr_put_bytes(writer, CODR_FIELD_LAYER, field, 1 + len);
    }
}


static void
put_causes(codr_writer_t *writer, const codr_broker_t *broker)
{
    size_t i;
    char   cause[CODR_NAME_MAX + 32];

    if (broker->reviewer.cause[0] != '\0') {
        codr_put_text(writer, CODR_FIELD_CAUSE, broker->reviewer.cause);
    }

    if (broker->link == NULL) {
        if (broker->cause[0] != '\0') {
            codr_put_text(writer, CODR_FIELD_CAUSE, broker->cause);
        }
        return;
    }

    for (i = 0; i < CODR_LAYER_COUNT; i++) {
        if (broker->link->layer[i] == CODR_LAYER_MISSING) {
            (void) snprintf(cause, sizeof(cause), "layer %s is missing",
                            codr_layer_name((codr_layer_id_t) i));
            codr_put_text(writer, CODR_FIELD_CAUSE, cause);
        }
    }
}


static const char *
zygote_cause(uint32_t state)
{
    switch (state) {
    case CODR_ZYGOTE_DIFFERS:
        return "its clones differ from a new interpreter";
    case CODR_ZYGOTE_FAILS:
        return "it ends again and again";
    case CODR_ZYGOTE_IMPOSSIBLE:
        return "this host has not what it takes";
    default:
        return NULL;            /* it serves, or starts */
    }
}


/* Jobs run without one, only slower; how it came to that is in the log. */
static void
put_zygote_causes(codr_writer_t *writer, const codr_broker_t *broker,
    const codr_config_t *config)
{
    size_t      i;
    char        cause[2 * CODR_NAME_MAX];
    const char *why;

    for (i = 0; broker->link && i < config->languages; i++) {
        why = zygote_cause(broker->link->zygote[config->language[i].zygote]
                           & ~(uint32_t) CODR_ZYGOTE_PARKS);
        if (why) {
            (void) snprintf(cause, sizeof(cause), "no zygote for \"%s\": %s,"
                            " see the error log", config->language[i].name,
                            why);
            codr_put_text(writer, CODR_FIELD_CAUSE, cause);
        }
    }
}


static void
put_language(codr_writer_t *writer, const codr_language_t *language)
{
    bool available = language->availability == CODR_LANGUAGE_AVAILABLE;

    codr_put_text(writer, CODR_FIELD_LANGUAGE, language->name);
    codr_put_number(writer, CODR_FIELD_AVAILABLE, available);
    codr_put_text(writer, CODR_FIELD_VERSION_TEXT, language->version_text);

    if (language->availability == CODR_LANGUAGE_UNKNOWN) {
        codr_put_text(writer, CODR_FIELD_REASON, "not checked yet");
    } else if (!available) {
        codr_put_text(writer, CODR_FIELD_REASON, language->reason);
    }
}


size_t
codr_status_encode(const codr_broker_t *broker, const codr_config_t *config,
    void *buffer, size_t size)
{
    size_t        i;
    codr_writer_t writer;

    codr_writer_init(&writer, buffer, size);
    codr_frame_begin(&writer, CODR_FRAME_STATUS);

    codr_put_number(&writer, CODR_FIELD_HELPER_STATE, helper_state(broker));
    put_causes(&writer, broker);
    put_zygote_causes(&writer, broker, config);
    if (broker->link && broker->link->size > 0) {
        put_layers(&writer, broker->link);
    }

    for (i = 0; i < config->languages; i++) {
        put_language(&writer, &config->language[i]);
    }

    return codr_frame_end(&writer);
}
