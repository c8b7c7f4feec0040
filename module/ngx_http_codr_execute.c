
/*
 * One JSON object becomes a checked execute.  Every field is a client's word:
 * its type and size are looked at before it is used, and nothing is sent to
 * the broker before all of it has passed.  Limits are only passed on: the
 * broker is the one that judges them.  Runs in workers.
 */

#include "ngx_http_codr_execute.h"

#include <sys/random.h>


#define NGX_HTTP_CODR_SIDE_MAX  1000           /* of a terminal */


typedef ngx_int_t (*ngx_http_codr_execute_pt)(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal);


static ngx_int_t ngx_http_codr_execute_name(ngx_http_codr_execute_t *x);
static ngx_int_t ngx_http_codr_execute_language(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal);
static ngx_int_t ngx_http_codr_execute_stdin(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal);
static ngx_int_t ngx_http_codr_execute_args(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal);
static ngx_int_t ngx_http_codr_execute_tty(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal);
static ngx_int_t ngx_http_codr_execute_side(json_t *tty, const char *name,
    ngx_uint_t *side);
static ngx_int_t ngx_http_codr_execute_limits(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal);
static uint64_t ngx_http_codr_execute_wish(json_t *value, ngx_uint_t is_time);
static ngx_int_t ngx_http_codr_execute_tag(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal);
static ngx_int_t ngx_http_codr_execute_detach(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal);


/* In an order in which each step may rely on those before it. */

static const ngx_http_codr_execute_pt  ngx_http_codr_execute_steps[] = {
    ngx_http_codr_execute_language,
    ngx_http_codr_files_read,
    ngx_http_codr_execute_stdin,
    ngx_http_codr_execute_args,
    ngx_http_codr_execute_tty,
    ngx_http_codr_execute_limits,
    ngx_http_codr_execute_tag,
    ngx_http_codr_execute_detach,
    ngx_http_codr_quotas_read,
    NULL
};


ngx_int_t
ngx_http_codr_execute_read(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal)
{
    ngx_uint_t  i;

    /* one process, one thread: what is in it is copied for each job */

    static u_char  frame[CODR_FRAME_HEADER + CODR_FRAME_MAX];

    if (ngx_http_codr_execute_name(x) != NGX_OK) {
        return ngx_http_codr_refuse(x, refusal, CODR_ERROR_INTERNAL,
                                    "out of memory");
    }

    ngx_http_codr_traceparent(x->request, &x->trace);

    for (i = 0; ngx_http_codr_execute_steps[i]; i++) {
        if (ngx_http_codr_execute_steps[i](x, refusal) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    x->head.data = frame;
    x->head.len = ngx_http_codr_execute_head(x, frame, sizeof(frame));
    if (x->head.len == 0) {
        return ngx_http_codr_refuse(x, refusal, CODR_ERROR_BAD_MESSAGE,
                                    "\"args\" are too long");
    }

    return ngx_http_codr_quotas_take(x, refusal);
}


/* A job that no ticket has named gets a name that nobody can guess, from where
   it takes a fiftieth of what a library's own generator does first. */

static ngx_int_t
ngx_http_codr_execute_name(ngx_http_codr_execute_t *x)
{
    u_char  bytes[CODR_JOB_ID_LEN / 2];

    if (x->who.job_id.len == CODR_JOB_ID_LEN) {
        return NGX_OK;
    }

    x->who.job_id.data = ngx_pnalloc(x->pool, CODR_JOB_ID_LEN);

    if (x->who.job_id.data == NULL
        || getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
    {
        return NGX_ERROR;
    }

    (void) ngx_hex_dump(x->who.job_id.data, bytes, sizeof(bytes));
    x->who.job_id.len = CODR_JOB_ID_LEN;

    return NGX_OK;
}


static ngx_int_t
ngx_http_codr_execute_language(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal)
{
    json_t     *value;
    ngx_str_t   name;

    value = json_object_get(x->message, "language");

    if (value == NULL) {
        x->language = ngx_http_codr_language_only(x->lcf);

        if (x->language == NULL) {
            return ngx_http_codr_refuse(x, refusal, CODR_ERROR_BAD_MESSAGE,
                                        "\"language\" is missing");
        }

    } else {

        if (!json_is_string(value)) {
            return ngx_http_codr_refuse(x, refusal, CODR_ERROR_BAD_MESSAGE,
                                        "\"language\" is not a string");
        }

        name.data = (u_char *) json_string_value(value);
        name.len = json_string_length(value);

        x->language = (name.len <= CODR_NAME_MAX)
                      ? ngx_http_codr_language_find(x->mcf, &name) : NULL;

        if (x->language == NULL
            || ngx_http_codr_language_allowed(x->lcf, x->language) != NGX_OK)
        {
            name.len = ngx_min(name.len, CODR_NAME_MAX);

            return ngx_http_codr_refuse(x, refusal,
                                        CODR_ERROR_UNKNOWN_LANGUAGE,
                                        "language \"%V\" is not known here",
                                        &name);
        }
    }

    codr_limits_combine(&x->caps, &x->lcf->limits, &x->language->limits);

    return NGX_OK;
}


static ngx_int_t
ngx_http_codr_execute_stdin(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal)
{
    json_t  *value;

    value = json_object_get(x->message, "stdin");

    if (value == NULL || json_is_null(value)) {
        x->closed = !x->live;
        return NGX_OK;
    }

    if (!json_is_string(value)) {
        return ngx_http_codr_refuse(x, refusal, CODR_ERROR_BAD_MESSAGE,
                                    "\"stdin\" is not a string");
    }

    x->input.data = (u_char *) json_string_value(value);
    x->input.len = json_string_length(value);
    x->closed = 1;

    if (x->input.len > x->caps.value[CODR_LIMIT_STDIN]) {
        return ngx_http_codr_refuse_limit(x, refusal, CODR_ERROR_BAD_MESSAGE,
                                          CODR_LIMIT_STDIN,
                                          "\"stdin\" is too large");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_codr_execute_args(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal)
{
    size_t      i, n;
    json_t     *args, *value;
    ngx_str_t  *arg;

    args = json_object_get(x->message, "args");
    n = (args && !json_is_null(args)) ? json_array_size(args) : 0;

    if (args && !json_is_null(args) && !json_is_array(args)) {
        return ngx_http_codr_refuse(x, refusal, CODR_ERROR_BAD_MESSAGE,
                                    "\"args\" is not an array");
    }

    if (n > CODR_ARGS_MAX) {
        return ngx_http_codr_refuse(x, refusal, CODR_ERROR_BAD_MESSAGE,
                                    "more than %d \"args\"", CODR_ARGS_MAX);
    }

    if (ngx_array_init(&x->args, x->pool, ngx_max(n, 1), sizeof(ngx_str_t))
        != NGX_OK)
    {
        return ngx_http_codr_refuse(x, refusal, CODR_ERROR_INTERNAL,
                                    "out of memory");
    }

    for (i = 0; i < n; i++) {
        value = json_array_get(args, i);

        /* execve() cannot pass a zero byte on */

        if (!json_is_string(value)
            || ngx_strlen(json_string_value(value))
               != json_string_length(value))
        {
            return ngx_http_codr_refuse(x, refusal, CODR_ERROR_BAD_MESSAGE,
                                        "an item of \"args\" is not a string"
                                        " without zero bytes");
        }

        arg = ngx_array_push(&x->args);            /* was allocated above */
        arg->data = (u_char *) json_string_value(value);
        arg->len = json_string_length(value);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_codr_execute_tty(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal)
{
    json_t  *tty, *echo;

    tty = json_object_get(x->message, "tty");
    echo = json_object_get(tty, "echo");           /* NULL unless an object */

    x->cols = 80;
    x->rows = 24;
    x->echo = 0;
    x->terminal = CODR_TERMINAL_DUMB;

    if (json_is_false(tty)) {
        x->terminal = CODR_TERMINAL_NONE;

    } else if (json_is_true(tty) || json_is_object(tty)) {
        x->terminal = CODR_TERMINAL_FULL;
        x->echo = !json_is_false(echo);

    } else if (tty && !json_is_null(tty)) {
        return ngx_http_codr_refuse(x, refusal, CODR_ERROR_BAD_MESSAGE,
                                    "\"tty\" is neither a boolean nor an"
                                    " object");
    }

    if ((echo && !json_is_boolean(echo))
        || ngx_http_codr_execute_side(tty, "cols", &x->cols) != NGX_OK
        || ngx_http_codr_execute_side(tty, "rows", &x->rows) != NGX_OK)
    {
        return ngx_http_codr_refuse(x, refusal, CODR_ERROR_BAD_MESSAGE,
                                    "\"tty\" takes \"cols\" and \"rows\" of"
                                    " 1 to %d, and a boolean \"echo\"",
                                    NGX_HTTP_CODR_SIDE_MAX);
    }

    if (x->closed || !x->live) {
        x->terminal = CODR_TERMINAL_NONE;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_codr_execute_side(json_t *tty, const char *name, ngx_uint_t *side)
{
    json_t  *value;

    value = json_object_get(tty, name);

    return value ? ngx_http_codr_side(value, side) : NGX_OK;
}


ngx_int_t
ngx_http_codr_side(json_t *value, ngx_uint_t *side)
{
    double  n;

    n = json_number_value(value);                  /* 0 of another type */

    if (n < 1 || n > NGX_HTTP_CODR_SIDE_MAX || n != (double) (int) n) {
        return NGX_ERROR;
    }

    *side = (ngx_uint_t) n;

    return NGX_OK;
}


static ngx_int_t
ngx_http_codr_execute_limits(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal)
{
    int          id;
    json_t      *limits, *value;
    const char  *name;

    limits = json_object_get(x->message, "limits");

    if (limits == NULL || json_is_null(limits)) {
        return NGX_OK;
    }

    if (!json_is_object(limits)) {
        return ngx_http_codr_refuse(x, refusal, CODR_ERROR_BAD_MESSAGE,
                                    "\"limits\" is not an object");
    }

    json_object_foreach(limits, name, value) {
        id = codr_limit_by_client_name(name, ngx_strlen(name));

        if (id >= 0) {
            x->wishes |= 1 << id;
            x->wished.value[id] = ngx_http_codr_execute_wish(value,
                                                codr_limit_info(id)->is_time);
        }
    }

    return NGX_OK;
}


/* What is no whole number of milliseconds, bytes or tasks is rounded up, so
   that a value above its cap stays above it, and none becomes 0, which is "not
   a valid number". */

static uint64_t
ngx_http_codr_execute_wish(json_t *value, ngx_uint_t is_time)
{
    double    n;
    uint64_t  whole;

    n = json_number_value(value) * (is_time ? 1000 : 1);

    if (!(n > 0)) {
        return 0;
    }

    if (n >= 1e18) {
        return UINT64_MAX;
    }

    whole = (uint64_t) n;

    return ((double) whole < n) ? whole + 1 : whole;
}


static ngx_int_t
ngx_http_codr_execute_tag(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal)
{
    size_t   i;
    json_t  *value;

    value = json_object_get(x->message, "tag");

    if (value == NULL || json_is_null(value)) {
        return NGX_OK;
    }

    x->tag.data = (u_char *) json_string_value(value);
    x->tag.len = json_string_length(value);

    for (i = 0; i < x->tag.len; i++) {
        if (x->tag.data[i] < 0x20 || x->tag.data[i] > 0x7e) {
            break;
        }
    }

    if (!json_is_string(value) || x->tag.len > CODR_TAG_MAX
        || i < x->tag.len)
    {
        return ngx_http_codr_refuse(x, refusal, CODR_ERROR_BAD_MESSAGE,
                                    "\"tag\" is not a string of at most %d"
                                    " printable ASCII characters",
                                    CODR_TAG_MAX);
    }

    return NGX_OK;
}


/* Who waits for an HTTP answer is its job's only listener. */

static ngx_int_t
ngx_http_codr_execute_detach(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal)
{
    json_t  *value;

    value = json_object_get(x->message, "detach");

    if (value && !json_is_null(value) && !json_is_boolean(value)) {
        return ngx_http_codr_refuse(x, refusal, CODR_ERROR_BAD_MESSAGE,
                                    "\"detach\" is not a boolean");
    }

    x->detach = (x->live && json_is_true(value)) ? x->lcf->detach : 0;

    return NGX_OK;
}
