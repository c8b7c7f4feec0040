/*
 * Limits: whatever is set, missing or asked for, what comes out is finite,
 * above zero and within every cap.
 */

#include "tap.h"

#include "../../sandbox/codr_limits.h"


static codr_limits_t
one(codr_limit_id_t id, uint64_t value)
{
    codr_limits_t  limits;

    memset(&limits, 0, sizeof(limits));
    limits.value[id] = value;
    return limits;
}


static void
table_is_sane(void)
{
    int                      i;
    bool                     good = true;
    const codr_limit_info_t  *info;

    for (i = 0; i < CODR_LIMIT_COUNT; i++) {
        info = codr_limit_info((codr_limit_id_t) i);
        good = good && info->name && info->initial > 0
               && info->initial <= info->maximum;
        if (info->client) {
            good = good && codr_limit_by_client_name(info->client,
                                                     strlen(info->client)) == i;
        }
    }

    tap_ok(good, "every limit has a name, a default and a maximum");
    tap_number(codr_limit_by_client_name("memory", 6), -1,
               "clients do not use the configuration's names");
    tap_number(codr_limit_by_client_name("", 0), -1, "nothing is no limit");
}


static void
combining(void)
{
    codr_limits_t  none, location, language, caps;

    memset(&none, 0, sizeof(none));

    codr_limits_combine(&caps, &none, &none);
    tap_number(caps.value[CODR_LIMIT_MEMORY], 300 << 20,
               "without a word the default is in force");
    tap_number(caps.value[CODR_LIMIT_WALL_MS], 30 * 1000,
               "30 s when nobody can type");
    tap_number(caps.value[CODR_LIMIT_INPUT_MS], 5 * 60 * 1000,
               "5 minutes at a prompt");

    location = one(CODR_LIMIT_MEMORY, 100 << 20);
    language = one(CODR_LIMIT_MEMORY, 500 << 20);
    codr_limits_combine(&caps, &location, &language);
    tap_number(caps.value[CODR_LIMIT_MEMORY], 100 << 20,
               "of two values the smaller is in force");
    codr_limits_combine(&caps, &language, &location);
    tap_number(caps.value[CODR_LIMIT_MEMORY], 100 << 20, "either way");
    codr_limits_combine(&caps, &none, &language);
    tap_number(caps.value[CODR_LIMIT_MEMORY], 500 << 20,
               "one value is in force also above the default");

    language = one(CODR_LIMIT_MEMORY, UINT64_MAX);
    codr_limits_combine(&caps, &none, &language);
    tap_number(caps.value[CODR_LIMIT_MEMORY],
               codr_limit_info(CODR_LIMIT_MEMORY)->maximum,
               "nothing is beyond the compiled maximum");

    location = one(CODR_LIMIT_MEMORY, 1);
    codr_limits_combine(&caps, &location, &none);
    tap_number(caps.value[CODR_LIMIT_MEMORY], 2 << 20,
               "no cap is less than a sandbox needs");

    location = one(CODR_LIMIT_WALL_MS, 2000);
    codr_limits_combine(&caps, &location, &none);
    tap_ok(caps.value[CODR_LIMIT_WALL_MS] == 2000
           && caps.value[CODR_LIMIT_INPUT_MS] == 2000
           && caps.value[CODR_LIMIT_MAX_MS] == 2000,
           "a time given alone is the time for every way of waiting");

    location.value[CODR_LIMIT_WALL_MS] = 40 * 60 * 1000;
    location.value[CODR_LIMIT_INPUT_MS] = 10 * 60 * 1000;
    codr_limits_combine(&caps, &location, &none);
    tap_number(caps.value[CODR_LIMIT_MAX_MS], 40 * 60 * 1000,
               "max that nobody has set is not less than the time");
    location.value[CODR_LIMIT_INPUT_MS] = 50 * 60 * 1000;
    codr_limits_combine(&caps, &location, &none);
    tap_number(caps.value[CODR_LIMIT_MAX_MS], 50 * 60 * 1000,
               "nor than the one at a prompt");
    language = one(CODR_LIMIT_WALL_MS, 5000);
    codr_limits_combine(&caps, &location, &language);
    tap_number(caps.value[CODR_LIMIT_MAX_MS], 5000, "one that is set holds");

    location = one(CODR_LIMIT_WALL_MS, 2000);
    codr_limits_combine(&location, &location, &none);
    tap_number(location.value[CODR_LIMIT_WALL_MS], 2000,
               "the result may be an argument");
}


static void
narrowing(void)
{
    codr_limits_t  none, caps, asked, got;

    memset(&none, 0, sizeof(none));
    codr_limits_combine(&caps, &none, &none);

    tap_number(codr_limits_narrow(&got, &caps, &none), -1,
               "a client need not ask for anything");
    tap_ok(memcmp(&got, &caps, sizeof(got)) == 0, "then the caps hold");

    asked = one(CODR_LIMIT_MEMORY, 3 << 20);
    tap_number(codr_limits_narrow(&got, &caps, &asked), -1,
               "less than the cap is granted");
    tap_number(got.value[CODR_LIMIT_MEMORY], 3 << 20, "as it was asked");

    asked = one(CODR_LIMIT_MEMORY, 1);
    tap_number(codr_limits_narrow(&got, &caps, &asked), -1,
               "less than a sandbox needs is no mistake");
    tap_number(got.value[CODR_LIMIT_MEMORY], 2 << 20,
               "and what it needs is in force");

    asked = one(CODR_LIMIT_MEMORY, caps.value[CODR_LIMIT_MEMORY]);
    tap_number(codr_limits_narrow(&got, &caps, &asked), -1, "so is the cap");

    got = none;
    asked.value[CODR_LIMIT_MEMORY]++;
    tap_number(codr_limits_narrow(&got, &caps, &asked), CODR_LIMIT_MEMORY,
               "more is not, and the limit is named");
    tap_ok(memcmp(&got, &none, sizeof(got)) == 0, "and nothing is written");

    asked = one(CODR_LIMIT_WALL_MS, 1500);
    tap_number(codr_limits_narrow(&got, &caps, &asked), -1,
               "a shorter time is granted");
    tap_ok(got.value[CODR_LIMIT_INPUT_MS] == 1500
           && got.value[CODR_LIMIT_MAX_MS] == 1500,
           "and bounds the waiting at a prompt too");
}


/* All pairs of odd values for each limit: never zero, never above the cap. */
static void
always_finite(void)
{
    int             id;
    size_t          i, j;
    bool            good = true;
    uint64_t        value;
    codr_limits_t   a, b, caps, got;
    const uint64_t  odd[] = { 0, 1, 2, 1000, 1ULL << 31, 1ULL << 32,
                              1ULL << 62, 1ULL << 63, UINT64_MAX };

    for (id = 0; id < CODR_LIMIT_COUNT; id++) {
        for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
            for (j = 0; j < sizeof(odd) / sizeof(odd[0]); j++) {
                a = one((codr_limit_id_t) id, odd[i]);
                b = one((codr_limit_id_t) id, odd[j]);
                codr_limits_combine(&caps, &a, &b);
                value = caps.value[id];
                good = good && value > 0
                       && value <= codr_limit_info((codr_limit_id_t)
                                                   id)->maximum;

                if (codr_limits_narrow(&got, &caps, &b) == -1) {
                    good = good && got.value[id] > 0
                           && got.value[id] <= value;
                }
            }
        }
    }

    tap_ok(good, "no combination is endless or above its cap");
}


int
main(void)
{
    table_is_sane();
    combining();
    narrowing();
    always_finite();

    return tap_done();
}
