/*
 * What the fields of a configuration's image say.
 */

#ifndef CODR_CONFIG_FIELDS_H
#define CODR_CONFIG_FIELDS_H

#include "codr_config.h"

/* Takes all of config->image; what was taken belongs to the configuration
   also when it fails.  0, -EPROTO or -ENOMEM. */
int codr_config_fields(codr_config_t *config);

#endif /* CODR_CONFIG_FIELDS_H */
