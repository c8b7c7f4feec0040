/*
 * How many jobs run and wait, how much they use.  Runs in the broker, the
 * only place that knows: no worker that dies can leave a count behind.
 *
 * Told by a frame of its own, as it changes with every job; but a moment later,
 * and at most ten times a second, however many jobs there are.
 */

#include "codr_figures.h"

#include "codr_io.h"
#include "codr_proto.h"
#include "codr_util.h"

#define TELL_US     100000      /* between two frames */
#define LATER_US    5000        /* after what has changed them */
#define WARM_MAX    64          /* languages in one */
#define FIGURES_MAX 8192        /* bytes of one */


static void
put(codr_writer_t *writer, codr_figure_t figure, uint64_t value)
{
    codr_put_limit(writer, CODR_FIELD_FIGURE, figure, value);
}


/* As many languages as workers keep; the others have none. */
static void
put_warm(codr_writer_t *writer, const codr_broker_t *broker)
{
    size_t               i, ready, said = 0;
    const codr_config_t *config = broker->config[0];

    for (i = 0; config && i < config->languages && said < WARM_MAX; i++) {
        ready = codr_pool_ready(&broker->pool, &config->language[i]);
        if (ready > 0) {
            codr_put_text(writer, CODR_FIELD_LANGUAGE,
                          config->language[i].name);
            codr_put_number(writer, CODR_FIELD_WARM, ready);
            said++;
        }
    }
}


/* The FIGURES frame, or 0 when it does not fit. */
static size_t
encode(const codr_broker_t *broker, void *buffer, size_t size)
{
    codr_writer_t          writer;
    const codr_capacity_t *most = &broker->capacity;

    codr_writer_init(&writer, buffer, size);
    codr_frame_begin(&writer, CODR_FRAME_FIGURES);

    put(&writer, CODR_FIGURE_INSTANCE, broker->instance);
    put(&writer, CODR_FIGURE_RUNNING_INTERACTIVE,
        broker->running[CODR_KIND_INTERACTIVE]);
    put(&writer, CODR_FIGURE_RUNNING_BATCH, broker->running[CODR_KIND_BATCH]);
    put(&writer, CODR_FIGURE_QUEUED, broker->queue.count);
    put(&writer, CODR_FIGURE_COMPILING, broker->compiling);
    put(&writer, CODR_FIGURE_MAX_INTERACTIVE, most->jobs);
    put(&writer, CODR_FIGURE_MAX_BATCH, most->batch);
    put(&writer, CODR_FIGURE_MAX_COMPILE, most->compile);
    put(&writer, CODR_FIGURE_MEMORY,
        broker->link ? codr_meter_bytes(broker->link->usage) : 0);
    put(&writer, CODR_FIGURE_MEMORY_LIMIT, most->memory);

    put(&writer, CODR_FIGURE_CACHE_HITS, broker->cache.hits);
    put(&writer, CODR_FIGURE_CACHE_MISSES, broker->cache.misses);
    put_warm(&writer, broker);

    return codr_frame_end(&writer);
}


static void
tell(codr_timer_t *timer)
{
    size_t         len;
    uint8_t        frame[FIGURES_MAX];
    codr_broker_t *broker = timer->data;

    broker->figures_us = codr_now_us();

    len = encode(broker, frame, sizeof(frame));
    if (len == 0 || !codr_channel_tell_all(broker, frame, len)) {
        codr_figures_changed(broker);       /* somebody had no room for it */
    }
}


void
codr_figures_tell(codr_broker_t *broker, int channel)
{
    size_t  len;
    uint8_t frame[FIGURES_MAX];

    len = encode(broker, frame, sizeof(frame));
    if (len == 0 || codr_io_send_now(channel, frame, len) < 0) {
        codr_figures_changed(broker);
    }
}


void
codr_figures_changed(codr_broker_t *broker)
{
    uint64_t soon, due;

    if (codr_timer_is_set(&broker->figures_timer)) {
        return;
    }

    /* who has changed them is served first */
    soon = codr_now_us() + LATER_US;
    due = broker->figures_us + TELL_US;

    broker->figures_timer.handler = tell;
    broker->figures_timer.data = broker;

    /* without memory the next change tells it */
    (void) codr_timer_set(&broker->loop.timers, &broker->figures_timer,
                          due > soon ? due : soon);
}


void
codr_figures_restart(codr_broker_t *broker)
{
    broker->instance = codr_now_us();
    codr_figures_changed(broker);
}
