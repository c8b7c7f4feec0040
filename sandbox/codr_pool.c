/*
 * Ready sandboxes.  Runs in the broker.  What is in one is the spawner's doing
 * and as strong as in any other; here is only decided how many of which kind
 * wait.  The last jobs of a language are the forecast of its next ones: the
 * pool holds what they asked for.  It is filled one by one, when a job has
 * ended or lasts, and not while jobs wait in the queue, so that it never takes
 * the processors from somebody who is there.
 */

#define _GNU_SOURCE

#include "codr_pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codr_broker.h"
#include "codr_command.h"
#include "codr_figures.h"
#include "codr_interpreter.h"
#include "codr_log.h"
#include "codr_util.h"

#define FILL_US         2000        /* after a job has ended */
#define TAKEN_US        20000       /* after one was taken: few last longer */
#define BUSY_US         20000       /* while jobs wait */
#define RETRY_US        100000ULL   /* after one could not be made, doubling */
#define RETRY_DOUBLINGS 8

struct codr_pool_entry_s {
    codr_doomed_t            doomed;
    codr_pool_entry_t       *next;
    codr_pool_t             *pool;
    const codr_language_t   *language;
    codr_spawn_request_t     wanted;
    codr_sandbox_t           sandbox;
    int                      master;    /* of its terminal, or -1 */
    bool                     ready;
    bool                     ending;
};

/* What the last runs of a language asked for, in a ring of `warm`. */
struct codr_forecast_s {
    codr_spawn_request_t  recent[CODR_CONFIG_WARM];
    size_t                size;
    size_t                next;
};


static int describe_later(codr_sandbox_t *sandbox);
static void keep_terminal(codr_sandbox_t *sandbox, int master);
static void never_started(codr_sandbox_t *sandbox);
static void entry_changed(codr_sandbox_t *sandbox);

static const codr_sandbox_handlers_t handlers = {
    describe_later, keep_terminal, never_started, entry_changed,
};


static int
describe_later(codr_sandbox_t *sandbox)
{
    (void) sandbox;
    return 0;
}


/* RUN is its new owner's to say, so this is refused before. */
static void
never_started(codr_sandbox_t *sandbox)
{
    (void) sandbox;
}


static void
keep_terminal(codr_sandbox_t *sandbox, int master)
{
    codr_pool_entry_t *entry = sandbox->data;

    codr_close(&entry->master);
    entry->master = master;
}


static void
look_in(codr_pool_t *pool, uint64_t us)
{
    uint64_t at_us = codr_now_us() + us;

    if (!codr_timer_is_set(&pool->timer) || at_us < pool->timer.at_us) {
        /* without memory for it: the next job looks again */
        (void) codr_timer_set(&pool->broker->loop.timers, &pool->timer, at_us);
    }
}


/* Of the pool's own configuration, and so perhaps one of its languages. */
static bool
is_known(const codr_pool_t *pool, const codr_language_t *language)
{
    const codr_config_t *config = pool->config;

    return config && language >= config->language
           && language < config->language + config->languages;
}


uint32_t
codr_pool_flags(const codr_broker_t *broker, const codr_language_t *language)
{
    codr_interpreter_kind_t  kind;
    const codr_link_t       *link = broker->link;

    if (link == NULL || language->compile.count > 0) {
        return 0;
    }
    if (link->zygote[language->zygote] & CODR_ZYGOTE_SERVES) {
        return (uint32_t) language->zygote << CODR_SPAWN_KIND_SHIFT;
    }
    if (!is_known(&broker->pool, language)) {
        return 0;
    }

    kind = codr_interpreter_of(broker->pool.config, language);
    return link->zygote[kind] & CODR_ZYGOTE_PARKS
           ? (uint32_t) kind << CODR_SPAWN_PARKED_SHIFT : 0;
}


/* Entries */


static void
destroy(codr_doomed_t *doomed)
{
    free(doomed);
}


static void
remove_entry(codr_pool_entry_t *entry)
{
    codr_pool_t        *pool = entry->pool;
    codr_pool_entry_t **place = &pool->entries;

    while (*place != entry) {
        place = &(*place)->next;
    }
    *place = entry->next;

    pool->count--;
    if (!entry->ready) {
        pool->starting--;
    }
    codr_close(&entry->master);
    codr_sandbox_free(&entry->sandbox);
    codr_figures_changed(pool->broker);
    codr_loop_doom(&pool->broker->loop, &entry->doomed, destroy);
}


/* One that ends although nobody wanted it: not at once again. */
static void
entry_gone(codr_pool_entry_t *entry)
{
    uint64_t                  pause;
    codr_pool_t              *pool = entry->pool;
    const codr_sandbox_end_t *end = &entry->sandbox.end;
    bool                      unwanted = !entry->ending && !end->lost;

    if (unwanted) {
        pause = RETRY_US << (pool->failures < RETRY_DOUBLINGS
                             ? pool->failures : RETRY_DOUBLINGS);
        if (pool->failures++ == 0) {
            codr_log(CODR_LEVEL_WARNING, end->error,
                     "a ready sandbox could not be kept: %s",
                     codr_step_name(end->step));
        }
        look_in(pool, pause);
    }

    remove_entry(entry);

    /* its slot is free: perhaps another kind waits for it */
    if (!unwanted) {
        look_in(pool, FILL_US);
    }
}


static void
entry_changed(codr_sandbox_t *sandbox)
{
    codr_pool_entry_t *entry = sandbox->data;

    if (sandbox->state == CODR_SANDBOX_GONE) {
        entry_gone(entry);
        return;
    }

    if (!entry->ready && codr_sandbox_rest(sandbox)) {
        entry->ready = true;
        entry->pool->starting--;
        entry->pool->failures = 0;
        look_in(entry->pool, 0);
        codr_figures_changed(entry->pool->broker);
    }
}


static void
end_entry(codr_pool_entry_t *entry)
{
    entry->ending = true;
    codr_sandbox_kill(&entry->sandbox, CODR_STATUS_STOPPED);
}


/* A processor is nobody's now, so what may be of use costs nothing. */
static bool
has_time(const codr_broker_t *broker)
{
    return broker->running[CODR_KIND_INTERACTIVE]
           + broker->running[CODR_KIND_BATCH] < broker->host.cpus;
}


static int
add_entry(codr_pool_t *pool, const codr_language_t *language,
    const codr_spawn_request_t *wanted)
{
    int                   result;
    codr_pool_entry_t    *entry = calloc(1, sizeof(*entry));
    codr_spawn_request_t  request = *wanted;

    if (entry == NULL) {
        return -ENOMEM;
    }

    entry->pool = pool;
    entry->language = language;
    entry->wanted = *wanted;
    entry->master = -1;
    codr_sandbox_init(&entry->sandbox, &pool->broker->loop, &handlers, entry);

    entry->next = pool->entries;
    pool->entries = entry;
    pool->count++;
    pool->starting++;

    request.flags |= has_time(pool->broker) ? CODR_SPAWN_SPARE : 0;
    result = codr_sandbox_start(&entry->sandbox, pool->broker->link, &request);
    if (result < 0) {
        remove_entry(entry);
    }

    return result;
}


/* Filling */


/* How it is made is not what a job asks for: a zygote may come or go. */
static bool
asks_the_same(const codr_spawn_request_t *a, const codr_spawn_request_t *b)
{
    codr_spawn_request_t x = *a, y = *b;

    x.flags &= ~(uint32_t) CODR_SPAWN_HOW;
    y.flags &= ~(uint32_t) CODR_SPAWN_HOW;
    return memcmp(&x, &y, sizeof(x)) == 0;
}


/* Not one that would be made otherwise now. */
static bool
is_of_use(const codr_pool_entry_t *entry)
{
    uint32_t flags = codr_pool_flags(entry->pool->broker, entry->language);

    return !entry->ending
           && (entry->wanted.flags & CODR_SPAWN_HOW) == flags;
}


static size_t
count_entries(const codr_pool_t *pool, const codr_language_t *language,
    const codr_spawn_request_t *wanted)
{
    size_t                   n = 0;
    const codr_pool_entry_t *entry;

    for (entry = pool->entries; entry; entry = entry->next) {
        n += entry->language == language && is_of_use(entry)
             && asks_the_same(&entry->wanted, wanted);
    }

    return n;
}


static size_t
count_wanted(const codr_forecast_t *forecast,
    const codr_spawn_request_t *wanted)
{
    size_t i, n = 0;

    for (i = 0; i < forecast->size; i++) {
        n += asks_the_same(&forecast->recent[i], wanted);
    }

    return n;
}


/* One that the forecast has no use for any more, the oldest. */
static codr_pool_entry_t *
find_surplus(const codr_pool_t *pool)
{
    size_t             language;
    codr_pool_entry_t *entry, *found = NULL;

    for (entry = pool->entries; entry; entry = entry->next) {
        language = (size_t) (entry->language - pool->config->language);
        if (entry->ready && !entry->ending
            && (!is_of_use(entry)
                || count_entries(pool, entry->language, &entry->wanted)
                   > count_wanted(&pool->forecast[language], &entry->wanted)))
        {
            found = entry;
        }
    }

    return found;
}


/* What is missing; false when nothing is. */
static bool
find_missing(const codr_pool_t *pool, size_t *ret_language,
    codr_spawn_request_t *ret_wanted)
{
    size_t                 i, k;
    const codr_forecast_t *forecast;
    const codr_language_t *language;

    for (i = 0; i < pool->config->languages; i++) {
        forecast = &pool->forecast[i];
        language = &pool->config->language[i];
        if (language->availability == CODR_LANGUAGE_UNAVAILABLE) {
            continue;
        }
        for (k = 0; k < forecast->size; k++) {
            if (count_entries(pool, language, &forecast->recent[k])
                < count_wanted(forecast, &forecast->recent[k]))
            {
                *ret_language = i;
                *ret_wanted = forecast->recent[k];
                ret_wanted->flags &= ~(uint32_t) CODR_SPAWN_HOW;
                ret_wanted->flags |= codr_pool_flags(pool->broker, language);
                return true;
            }
        }
    }

    return false;
}


static void
fill(codr_timer_t *timer)
{
    size_t                language;
    codr_pool_t          *pool = timer->data;
    codr_broker_t        *broker = pool->broker;
    codr_pool_entry_t    *surplus;
    codr_spawn_request_t  wanted;

    if (pool->config == NULL || pool->starting > 0 || broker->link == NULL
        || broker->link->state != CODR_LINK_READY)
    {
        return;                     /* whoever changes that looks again */
    }

    if (broker->queue.count > 0) {
        look_in(pool, BUSY_US);
        return;
    }

    surplus = find_surplus(pool);
    if (surplus) {
        end_entry(surplus);
        return;
    }

    if (pool->count < broker->capacity.warm
        && find_missing(pool, &language, &wanted)
        && add_entry(pool, &pool->config->language[language], &wanted) < 0)
    {
        look_in(pool, RETRY_US);
    }
}


/* The forecast without a past: what a client that asks for nothing gets, with
   a terminal and without, location by location. */
static void
guess(codr_pool_t *pool, const codr_language_t *language,
    codr_forecast_t *forecast)
{
    size_t               i, n = pool->config->locations;
    codr_limits_t        limits;

    forecast->size = language->warm;

    for (i = 0; n > 0 && i < forecast->size; i++) {
        codr_limits_combine(&limits,
                            &pool->config->location[i / 2 % n].limits,
                            &language->limits);
        forecast->recent[i] = codr_command_run_limits(pool->broker, &limits,
                                                      i % 2 == 0);
    }

    if (n == 0) {
        forecast->size = 0;
    }
}


void
codr_pool_init(codr_pool_t *pool, codr_broker_t *broker)
{
    *pool = (codr_pool_t) {
        .broker = broker,
        .timer = { .handler = fill, .data = pool },
    };
}


void
codr_pool_drain(codr_pool_t *pool)
{
    codr_pool_entry_t *entry = pool->entries;

    while (entry) {
        if (entry->ending) {
            entry = entry->next;
            continue;
        }
        end_entry(entry);
        entry = pool->entries;      /* a lost spawner ends them all */
    }
}


void
codr_pool_refill(codr_pool_t *pool)
{
    look_in(pool, FILL_US);
}


void
codr_pool_restart(codr_pool_t *pool)
{
    size_t         i;
    codr_config_t *config = pool->broker->config[0];

    codr_pool_drain(pool);

    if (config == NULL || pool->broker->link == NULL) {
        return;
    }

    free(pool->forecast);
    codr_config_unref(pool->config);
    pool->config = codr_config_ref(config);

    pool->forecast = calloc(config->languages + 1, sizeof(*pool->forecast));
    if (pool->forecast == NULL) {
        codr_config_unref(pool->config);
        pool->config = NULL;
        return;
    }

    for (i = 0; i < config->languages; i++) {
        guess(pool, &config->language[i], &pool->forecast[i]);
    }

    pool->failures = 0;
    look_in(pool, FILL_US);
}


/* Taking */


static void
learn(codr_forecast_t *forecast, const codr_spawn_request_t *request)
{
    forecast->recent[forecast->next % forecast->size] = *request;
    forecast->next = (forecast->next + 1) % forecast->size;
}


static codr_pool_entry_t *
find_ready(const codr_pool_t *pool, const codr_language_t *language,
    const codr_spawn_request_t *request)
{
    codr_pool_entry_t *entry, *found = NULL;

    for (entry = pool->entries; entry; entry = entry->next) {
        if (entry->ready && !entry->ending && entry->language == language
            && entry->sandbox.init.fd != -1
            && entry->sandbox.link == pool->broker->link
            && memcmp(&entry->wanted, request, sizeof(*request)) == 0)
        {
            found = entry;
        }
    }

    return found;
}


bool
codr_pool_take(codr_pool_t *pool, const codr_language_t *language,
    const codr_spawn_request_t *request, codr_sandbox_t *sandbox,
    int *ret_master)
{
    codr_forecast_t    *forecast;
    codr_pool_entry_t  *entry;

    /* of an older configuration: its language is another one */
    if (!is_known(pool, language)) {
        return false;
    }

    forecast = &pool->forecast[language - pool->config->language];
    if (forecast->size == 0) {
        return false;
    }

    learn(forecast, request);
    look_in(pool, TAKEN_US);

    entry = find_ready(pool, language, request);
    if (entry == NULL) {
        return false;
    }

    *ret_master = codr_steal_fd(&entry->master);
    (void) codr_sandbox_adopt(sandbox, &entry->sandbox);
    remove_entry(entry);
    return true;
}


size_t
codr_pool_ready(const codr_pool_t *pool, const codr_language_t *language)
{
    size_t                   n = 0;
    const codr_pool_entry_t *entry;

    for (entry = pool->entries; entry; entry = entry->next) {
        n += entry->ready && !entry->ending && entry->language == language;
    }

    return n;
}
