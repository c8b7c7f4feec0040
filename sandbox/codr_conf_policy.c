/*
 * Policies in a configuration file.  Runs in the supervisor.
 */

#define _GNU_SOURCE

#include "codr_conf_policy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "codr_proto.h"
#include "codr_util.h"


bool
codr_conf_take_policies(codr_conf_parser_t *parser,
    const codr_conf_row_t *row, const codr_list_t *words)
{
    int fd;

    (void) row;
    if (words->item[1][0] != '/') {
        return codr_conf_invalid(parser, words, 1);
    }

    fd = open(words->item[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd == -1) {
        return codr_conf_fail(parser, "no directory of policies \"%s\" in"
                              " \"%s\": %s", words->item[1], words->item[0],
                              strerror(errno));
    }
    codr_close(&fd);

    codr_put_text(&parser->piece[CODR_CONF_GLOBALS], CODR_FIELD_POLICIES,
                  words->item[1]);
    return true;
}


/* What nginx says of its own location can only be stricter. */
bool
codr_conf_take_policy(codr_conf_parser_t *parser,
    const codr_conf_row_t *row, const codr_list_t *words)
{
    unsigned       mode, level = CODR_POLICY_STANDARD;
    codr_writer_t *writer = &parser->piece[CODR_CONF_LOCATION];

    (void) row;
    for (mode = 0; mode < CODR_POLICY_MODES; mode++) {
        if (strcmp(codr_policy_mode_name(mode), words->item[1]) == 0) {
            break;
        }
    }
    if (mode == CODR_POLICY_MODES) {
        return codr_conf_invalid(parser, words, 1);
    }

    if (mode == CODR_POLICY_OFF && words->count > 2) {
        return codr_conf_invalid(parser, words, 2);
    }

    if (words->count > 2) {
        for (level = 0; level < CODR_POLICY_LEVELS; level++) {
            if (strcmp(codr_policy_level_name(level), words->item[2]) == 0) {
                break;
            }
        }
        if (level == CODR_POLICY_LEVELS) {
            return codr_conf_invalid(parser, words, 2);
        }
    }

    codr_put_number(writer, CODR_FIELD_POLICY_MODE, mode);
    codr_put_number(writer, CODR_FIELD_POLICY_LEVEL, level);
    return true;
}
