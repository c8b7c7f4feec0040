/*
 * The wire format of codr_proto.h.  Pure: bytes in, views out; views in,
 * bytes out.  Runs in nginx's workers and in every role of codr-sandboxd, on
 * bytes that may be anybody's: a length is compared before it is used.
 */

#include "codr_proto.h"
#include "codr_limits.h"

#include <string.h>

#define FILE_NAME_PARTS     8
#define FILE_NAME_PART      100


static const char *const status_names[CODR_STATUS_COUNT] = {
    "ok", "error", "signaled", "cpu_limit", "wall_limit", "memory_limit",
    "output_limit", "disk_limit", "stopped", "internal",
};

static const char *const error_names[CODR_ERROR_COUNT] = {
    "bad_message", "unknown_language", "code_too_large", "unauthorized",
    "rejected", "compile_error", "compile_limit", "busy", "rate_limited",
    "not_found", "unavailable", "internal",
};

static const char *const notice_names[CODR_NOTICE_COUNT] = {
    "bad_message", "already_running", "not_running", "input_too_large",
    "input_closed", "input_truncated", "output_lost", "read_only",
};

static const char *const path_names[] = { "cold", "pool", "zygote" };
static const char *const interpreter_names[] = { "off", "python", "node" };

static const char *const mode_names[CODR_POLICY_MODES] = {
    "off", "warn", "block",
};

static const char *const policy_names[CODR_POLICY_LEVELS] = {
    "light", "standard", "strict",
};

static const char *const level_names[CODR_LEVEL_COUNT] = {
    "debug", "info", "warning", "error", "fatal", "panic",
};

/* signal(7), the numbers of x86 and ARM */
static const char *const signal_names[] = {
    NULL, "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT",
    "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV", "SIGUSR2", "SIGPIPE",
    "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP",
    "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ",
    "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
};

#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define NAME(a, i)  ((i) < COUNT(a) ? (a)[i] : NULL)


const char *
codr_status_name(uint64_t status)
{
    return NAME(status_names, status);
}


const char *
codr_error_name(uint64_t error)
{
    return NAME(error_names, error);
}


const char *
codr_notice_name(uint64_t notice)
{
    return NAME(notice_names, notice);
}


const char *
codr_path_name(uint64_t path)
{
    return NAME(path_names, path);
}


const char *
codr_interpreter_name(uint64_t kind)
{
    return NAME(interpreter_names, kind);
}


int
codr_interpreter_kind(const char *name)
{
    size_t i;

    for (i = 0; i < COUNT(interpreter_names); i++) {
        if (strcmp(interpreter_names[i], name) == 0) {
            return (int) i;
        }
    }

    return -1;
}


const char *
codr_level_name(uint64_t level)
{
    return NAME(level_names, level);
}


const char *
codr_policy_mode_name(uint64_t mode)
{
    return NAME(mode_names, mode);
}


const char *
codr_policy_level_name(uint64_t level)
{
    return NAME(policy_names, level);
}


const char *
codr_signal_name(uint64_t signo)
{
    return NAME(signal_names, signo);
}


int
codr_signal_number(const char *name, size_t len)
{
    size_t i;

    for (i = 1; i < COUNT(signal_names); i++) {
        if (strlen(signal_names[i]) == len
            && memcmp(signal_names[i], name, len) == 0)
        {
            return (int) i;
        }
    }

    return 0;
}


static bool
file_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}


bool
codr_file_name_valid(const char *name, size_t len)
{
    size_t i, part = 0, parts = 1;

    for (i = 0; i < len; i++) {
        if (name[i] == '/') {
            if (part == 0 || ++parts > FILE_NAME_PARTS) {
                return false;
            }
            part = 0;
            continue;
        }
        if (!file_name_char(name[i]) || ++part > FILE_NAME_PART) {
            return false;
        }
        if (part == 1 && (name[i] == '.' || name[i] == '-')) {
            return false;
        }
    }

    return part > 0;
}


/* Shifts of bytes, not casts: alignment and byte order do not matter. */

static uint64_t
get_le(const uint8_t *p, size_t size)
{
    uint64_t value = 0;

    while (size-- > 0) {
        value = value << 8 | p[size];
    }

    return value;
}


static void
set_le(uint8_t *p, uint64_t value, size_t size)
{
    size_t i;

    for (i = 0; i < size; i++) {
        p[i] = (uint8_t) (value >> (8 * i));
    }
}


int
codr_frame_decode(codr_frame_t *ret, const uint8_t header[CODR_FRAME_HEADER])
{
    uint32_t length = (uint32_t) get_le(header, 4);
    uint8_t  type = header[4];

    if (length > CODR_FRAME_MAX || type == 0 || type >= CODR_FRAME_TYPES
        || header[5] != 0 || header[6] != 0 || header[7] != 0)
    {
        return -1;
    }

    ret->length = length;
    ret->type = type;
    return 0;
}


void
codr_frame_header(uint8_t header[CODR_FRAME_HEADER], codr_frame_type_t type,
    uint32_t length)
{
    set_le(header, length, 4);
    set_le(header + 4, type, 4);
}


void
codr_field_header(uint8_t header[CODR_FIELD_HEADER], codr_field_tag_t tag,
    uint32_t length)
{
    set_le(header, tag, 4);
    set_le(header + 4, length, 4);
}


void
codr_fields_init(codr_fields_t *fields, const void *payload, size_t len)
{
    fields->pos = payload;
    fields->end = fields->pos + len;
}


int
codr_fields_next(codr_fields_t *fields, codr_field_t *ret)
{
    size_t       left = (size_t) (fields->end - fields->pos);
    codr_field_t field;

    if (left == 0) {
        return 0;
    }
    if (left < CODR_FIELD_HEADER) {
        return -1;
    }

    field.tag = (uint16_t) get_le(fields->pos, 2);
    field.length = (uint32_t) get_le(fields->pos + 4, 4);
    field.data = fields->pos + CODR_FIELD_HEADER;

    if (field.tag == 0 || field.tag >= CODR_FIELD_TAGS
        || get_le(fields->pos + 2, 2) != 0
        || field.length > left - CODR_FIELD_HEADER)
    {
        return -1;
    }

    fields->pos = field.data + field.length;
    *ret = field;
    return 1;
}


int
codr_field_number(const codr_field_t *field, uint64_t min, uint64_t max,
    uint64_t *ret)
{
    uint64_t value;

    if (field->length != 8) {
        return -1;
    }

    value = get_le(field->data, 8);
    if (value < min || value > max) {
        return -1;
    }

    *ret = value;
    return 0;
}


int
codr_field_text(const codr_field_t *field, size_t max)
{
    if (field->length > max
        || memchr(field->data, '\0', field->length) != NULL)
    {
        return -1;
    }

    return 0;
}


int
codr_field_id(const codr_field_t *field)
{
    uint32_t i;
    uint8_t  c;

    if (field->length != CODR_JOB_ID_LEN) {
        return -1;
    }

    for (i = 0; i < field->length; i++) {
        c = field->data[i];
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) {
            return -1;
        }
    }

    return 0;
}


/* u32 below count, u64. */
static int
take_pair(const codr_field_t *field, uint32_t count, uint32_t *ret_id,
    uint64_t *ret_value)
{
    uint32_t id;

    if (field->length != 12) {
        return -1;
    }

    id = (uint32_t) get_le(field->data, 4);
    if (id >= count) {
        return -1;
    }

    *ret_id = id;
    *ret_value = get_le(field->data + 4, 8);
    return 0;
}


int
codr_field_limit(const codr_field_t *field, uint32_t *ret_id,
    uint64_t *ret_value)
{
    return take_pair(field, CODR_LIMIT_COUNT, ret_id, ret_value);
}


int
codr_field_figure(const codr_field_t *field, uint32_t *ret_id,
    uint64_t *ret_value)
{
    return take_pair(field, CODR_FIGURE_COUNT, ret_id, ret_value);
}


int
codr_field_quota(const codr_field_t *field, uint8_t ret_key[CODR_QUOTA_KEY],
    uint32_t *ret_max)
{
    if (field->length != 4 + CODR_QUOTA_KEY) {
        return -1;
    }

    *ret_max = (uint32_t) get_le(field->data, 4);
    memcpy(ret_key, field->data + 4, CODR_QUOTA_KEY);
    return 0;
}


int
codr_field_position(const codr_field_t *field, codr_position_t *ret)
{
    if (field->length != 16) {
        return -1;
    }

    ret->line = (uint32_t) get_le(field->data, 4);
    ret->column = (uint32_t) get_le(field->data + 4, 4);
    ret->end_line = (uint32_t) get_le(field->data + 8, 4);
    ret->end_column = (uint32_t) get_le(field->data + 12, 4);
    return 0;
}


int
codr_output_decode(codr_output_t *ret, const uint8_t *payload, size_t len)
{
    if (len < CODR_OUTPUT_HEADER || (payload[0] != 1 && payload[0] != 2)
        || get_le(payload + 1, 7) != 0)
    {
        return -1;
    }

    ret->stream = payload[0];
    ret->offset = get_le(payload + 8, 8);
    ret->data = payload + CODR_OUTPUT_HEADER;
    ret->length = len - CODR_OUTPUT_HEADER;
    return 0;
}


void
codr_output_header(uint8_t header[CODR_OUTPUT_HEADER], uint8_t stream,
    uint64_t offset)
{
    set_le(header, stream, 8);
    set_le(header + 8, offset, 8);
}


void
codr_writer_init(codr_writer_t *writer, void *buffer, size_t size)
{
    writer->start = buffer;
    writer->pos = writer->start;
    writer->end = writer->start + size;
    writer->failed = false;
}


/* Room for len more bytes, or NULL and a failed writer. */
static uint8_t *
reserve(codr_writer_t *writer, size_t len)
{
    uint8_t *p = writer->pos;

    if (writer->failed || (size_t) (writer->end - p) < len) {
        writer->failed = true;
        return NULL;
    }

    writer->pos += len;
    return p;
}


void
codr_frame_begin(codr_writer_t *writer, codr_frame_type_t type)
{
    uint8_t *header;

    writer->pos = writer->start;
    header = reserve(writer, CODR_FRAME_HEADER);
    if (header) {
        codr_frame_header(header, type, 0);
    }
}


size_t
codr_frame_end(codr_writer_t *writer)
{
    size_t size = (size_t) (writer->pos - writer->start);

    if (writer->failed || size - CODR_FRAME_HEADER > CODR_FRAME_MAX) {
        return 0;
    }

    set_le(writer->start, size - CODR_FRAME_HEADER, 4);
    return size;
}


static uint8_t *
put_field(codr_writer_t *writer, codr_field_tag_t tag, size_t len)
{
    uint8_t *p;

    if (len > UINT32_MAX - CODR_FIELD_HEADER) {
        writer->failed = true;
        return NULL;
    }

    p = reserve(writer, CODR_FIELD_HEADER + len);
    if (p == NULL) {
        return NULL;
    }

    codr_field_header(p, tag, (uint32_t) len);
    return p + CODR_FIELD_HEADER;
}


void
codr_put_fields(codr_writer_t *writer, const void *fields, size_t len)
{
    uint8_t *p = len > 0 ? reserve(writer, len) : NULL;

    if (p) {
        memcpy(p, fields, len);
    }
}


void
codr_put_bytes(codr_writer_t *writer, codr_field_tag_t tag, const void *data,
    size_t len)
{
    uint8_t *p = put_field(writer, tag, len);

    if (p && len > 0) {
        memcpy(p, data, len);
    }
}


void
codr_put_text(codr_writer_t *writer, codr_field_tag_t tag, const char *text)
{
    codr_put_bytes(writer, tag, text, strlen(text));
}


void
codr_put_number(codr_writer_t *writer, codr_field_tag_t tag, uint64_t value)
{
    uint8_t *p = put_field(writer, tag, 8);

    if (p) {
        set_le(p, value, 8);
    }
}


void
codr_put_limit(codr_writer_t *writer, codr_field_tag_t tag, uint32_t id,
    uint64_t value)
{
    uint8_t *p = put_field(writer, tag, 12);

    if (p) {
        set_le(p, id, 4);
        set_le(p + 4, value, 8);
    }
}


void
codr_put_quota(codr_writer_t *writer, const uint8_t key[CODR_QUOTA_KEY],
    uint32_t max)
{
    uint8_t *p = put_field(writer, CODR_FIELD_QUOTA, 4 + CODR_QUOTA_KEY);

    if (p) {
        set_le(p, max, 4);
        memcpy(p + 4, key, CODR_QUOTA_KEY);
    }
}


void
codr_put_position(codr_writer_t *writer, const codr_position_t *position)
{
    uint8_t *p = put_field(writer, CODR_FIELD_PLACE, 16);

    if (p) {
        set_le(p, position->line, 4);
        set_le(p + 4, position->column, 4);
        set_le(p + 8, position->end_line, 4);
        set_le(p + 12, position->end_column, 4);
    }
}
