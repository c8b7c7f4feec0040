/*
 * The wire format between nginx's workers and the helper.
 *
 * A frame is an 8-byte header and a payload of at most CODR_FRAME_MAX bytes:
 *
 *     u32 length of the payload | u8 type | 3 bytes of zero      little endian
 *
 * The payload is raw bytes (DATA, INPUT), an output header and raw bytes
 * (OUTPUT), or a list of fields:
 *
 *     u16 tag | u16 zero | u32 length | bytes
 *
 * Numbers are fields of 8 bytes, little endian.  A tag may repeat where the
 * frame's comment says "*".  Unknown tags are an error: both ends are of one
 * build, which the channel's hello checks (CODR_PROTO_VERSION).
 *
 * The same field lists, without frame headers, make up the configuration
 * memfd (master to supervisor) and the source image (broker to init).
 *
 * Pure: no I/O, no allocation, libc only.  Compiled by module/ and sandbox/,
 * driven by t/fuzz/.  Every decoder takes hostile bytes.
 */

#ifndef CODR_PROTO_H
#define CODR_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CODR_PROTO_VERSION      1

#define CODR_FRAME_HEADER       8
#define CODR_FRAME_MAX          (64 * 1024)     /* payload bytes */
#define CODR_FIELD_HEADER       8
#define CODR_OUTPUT_HEADER      16

#define CODR_JOB_ID_LEN         32      /* 128 random bits, hexadecimal */
#define CODR_TOKEN_LEN          32      /* likewise */
#define CODR_NAME_MAX           64      /* language names and aliases */
#define CODR_FILE_NAME_MAX      807     /* 8 parts of 100 bytes */
#define CODR_MESSAGE_MAX        (12 * 1024)     /* text for people */
#define CODR_ARGS_MAX           1024    /* arguments of one job */
#define CODR_QUOTA_KEY          16      /* bytes, of a digest */
#define CODR_CPU_QUOTA          32
#define CODR_QUOTAS_MAX         32      /* of either kind, of one job */
#define CODR_OWNER_MAX          256     /* bytes; longer ones are hashed */
#define CODR_TAG_MAX            128     /* printable ASCII */
#define CODR_VIEWERS_MAX        16      /* of one job */


/*
 * Three sockets carry frames.
 *
 * lifeline  SOCK_SEQPACKET, nginx to supervisor: CONFIG (master, with the
 *           sealed memfd) and CHANNEL (worker, with one end of a seqpacket
 *           pair); one message each, a frame and one descriptor.
 * channel   SOCK_SEQPACKET, one a worker: JOB (with one end of a stream pair)
 *           and CLAIM towards the broker, STATUS, LOG and what else there is
 *           to tell towards the worker.  With "unix:" the connection to the
 *           helper's socket is the channel.
 * job       SOCK_STREAM, one a job: everything else.  Closing it ends the job.
 */
typedef enum {
    /* lifeline */
    CODR_FRAME_CONFIG = 1,      /* GENERATION; descriptor: sealed memfd */
    CODR_FRAME_CHANNEL,         /* VERSION GENERATION; descriptor: channel */

    /* channel, to the broker */
    CODR_FRAME_HELLO,           /* VERSION GENERATION; first, "unix:" only */
    CODR_FRAME_JOB,             /* no fields; descriptor: job socket */

    /* channel, to the worker */
    CODR_FRAME_STATUS,          /* see CODR_FIELD_* "status" below */
    CODR_FRAME_LOG,             /* LEVEL MESSAGE */

    /* job, to the broker, in this order up to SUBMIT */
    CODR_FRAME_EXECUTE,         /* LOCATION LANGUAGE OWNER KIND TERMINAL LIVE
                                   COLS ROWS ECHO ARG* LIMIT* CAP*
                                   QUOTA* CPU_QUOTA*
                                   OUTPUT_DROP? DETACH_MS? ASYNC? QUIET?
                                   TAG? JOB_ID? TRACE? */
    CODR_FRAME_FILE,            /* FILE_NAME SIZE; the first is the main file */
    CODR_FRAME_DATA,            /* raw: bytes of that file */
    CODR_FRAME_SUBMIT,          /* no fields: the job is complete */
    CODR_FRAME_INPUT,           /* raw: bytes for stdin */
    CODR_FRAME_EOF,             /* no fields */
    CODR_FRAME_RESIZE,          /* COLS ROWS */
    CODR_FRAME_SIGNAL,          /* SIGNAL */
    CODR_FRAME_STOP,            /* no fields */

    /* job, to the worker */
    CODR_FRAME_QUEUED,          /* JOB_ID POSITION WAIT_MS? */
    CODR_FRAME_STARTED,         /* JOB_ID ATTACH_TOKEN VIEW_TOKEN LANGUAGE
                                   LIMIT* RULE*?; to who attached TAG? TERMINAL
                                   INPUT_BYTES INPUT_CLOSED OFFSET HELD? too,
                                   and to a viewer no ATTACH_TOKEN */
    CODR_FRAME_STAGE,           /* STAGE CACHED? COMPILE_*? */
    CODR_FRAME_OUTPUT,          /* output header, raw bytes */
    CODR_FRAME_COMPLETE,        /* STATUS EXIT_CODE? SIGNAL? CPU_US WALL_US
                                   QUEUE_US START_US MEMORY_PEAK? OUTPUT_BYTES
                                   TRUNCATED PATH COMPILE_*?
                                   (no EXIT_CODE: the program never ran) */
    CODR_FRAME_ERROR,           /* CODE MESSAGE JOB_ID? RETRY_MS? LIMIT?
                                   COMPILE_*? RULE*? (LIMIT: its number and
                                   its cap) */
    CODR_FRAME_NOTICE,          /* CODE MESSAGE OFFSET? (output_lost: where
                                   output goes on) */

    /* job, to the broker: the first frame on a fresh socket, instead of
       EXECUTE */
    CODR_FRAME_ATTACH,          /* JOB_ID, ATTACH_TOKEN or VIEW_TOKEN,
                                   OFFSET?; answered by QUEUED while it
                                   waits, STARTED, STAGE, OUTPUT from there
                                   on, COMPLETE or ERROR */
    CODR_FRAME_FETCH,           /* JOB_ID OWNER? STOP? WAIT_MS? OFFSET? SIZE?
                                   LIVE?;
                                   the worker has checked whose job it is.
                                   With STOP it is stopped first.  Answered
                                   once it has ended or WAIT_MS are over:
                                   RECORD; with OFFSET, OUTPUT from there on,
                                   at most SIZE bytes of each stream; then
                                   COMPLETE or ERROR of the job, or FETCHED
                                   when it has not ended.  ERROR without
                                   RECORD is the fetch's own: not_found.
                                   With LIVE answered as ATTACH of a viewer,
                                   without tokens */

    /* job, to the worker */
    CODR_FRAME_ACCEPTED,        /* JOB_ID ATTACH_TOKEN VIEW_TOKEN; at SUBMIT
                                   of an ASYNC job, before anything else,
                                   unless it is refused at once: ERROR */
    CODR_FRAME_TAKEN,           /* no fields: another socket controls the job
                                   now; the last frame on this one */
    CODR_FRAME_RECORD,          /* JOB_ID OWNER LANGUAGE TAG? JOB_STATE
                                   CREATED_MS STARTED_MS? COMPLETED_MS?
                                   OFFSET SIZE (first byte kept and end of
                                   the output) */
    CODR_FRAME_FETCHED,         /* OFFSET: where the output ends by now */

    /* channel, to the worker */
    CODR_FRAME_FIGURES,         /* FIGURE* then, language by language,
                                   LANGUAGE WARM */
    CODR_FRAME_CHARGE,          /* CPU_US CPU_QUOTA*: a job with CPU quotas
                                   has ended; to one worker, any */
    CODR_FRAME_END,             /* JOB_ID*: jobs that no worker had hold of
                                   have ended; one FETCHes each, for its
                                   record */

    /* channel, to the broker */
    CODR_FRAME_CLAIM,           /* JOB_ID*: their ends are recorded */
    CODR_FRAME_TYPES
} codr_frame_type_t;


typedef enum {
    CODR_FIELD_VERSION = 1,     /* number: CODR_PROTO_VERSION */
    CODR_FIELD_GENERATION,      /* number: random, one a configuration */
    CODR_FIELD_LEVEL,           /* number: codr_level_t */
    CODR_FIELD_MESSAGE,         /* text for people, UTF-8 */
    CODR_FIELD_CODE,            /* number: codr_error_t or codr_notice_t */

    /* execute */
    CODR_FIELD_LOCATION,        /* number: location id of the configuration */
    CODR_FIELD_LANGUAGE,        /* bytes: name or alias; answers: the name */
    CODR_FIELD_OWNER,           /* bytes */
    CODR_FIELD_KIND,            /* number: codr_kind_t */
    CODR_FIELD_TERMINAL,        /* number: codr_terminal_t */
    CODR_FIELD_LIVE,            /* number 0/1: somebody watches (env_live) */
    CODR_FIELD_COLS,            /* number 1..1000 */
    CODR_FIELD_ROWS,            /* number 1..1000 */
    CODR_FIELD_ECHO,            /* number 0/1 */
    CODR_FIELD_ARG,             /* bytes without NUL, * */
    CODR_FIELD_LIMIT,           /* 12 bytes: u32 codr_limit_id_t, u64 value;
                                   in EXECUTE value 0 = "not a valid number",
                                   which the broker answers with the cap */
    CODR_FIELD_FILE_NAME,       /* bytes, checked by codr_file_name_valid() */
    CODR_FIELD_FILE_DATA,       /* source image only: bytes of that file */
    CODR_FIELD_SIZE,            /* number: bytes */
    CODR_FIELD_SIGNAL,          /* number: Linux signal number */

    /* answers */
    CODR_FIELD_JOB_ID,          /* CODR_JOB_ID_LEN bytes */
    CODR_FIELD_ATTACH_TOKEN,    /* CODR_TOKEN_LEN bytes */
    CODR_FIELD_VIEW_TOKEN,      /* CODR_TOKEN_LEN bytes */
    CODR_FIELD_POSITION,        /* number, from 1 */
    CODR_FIELD_WAIT_MS,         /* number: estimate */
    CODR_FIELD_RETRY_MS,        /* number */
    CODR_FIELD_STAGE,           /* number: codr_stage_t */
    CODR_FIELD_CACHED,          /* number 0/1 */
    CODR_FIELD_STATUS,          /* number: codr_status_t */
    CODR_FIELD_EXIT_CODE,       /* number, two's complement: code or -signal */
    CODR_FIELD_CPU_US,          /* number */
    CODR_FIELD_WALL_US,         /* number */
    CODR_FIELD_QUEUE_US,        /* number */
    CODR_FIELD_START_US,        /* number: accepted to program started */
    CODR_FIELD_MEMORY_PEAK,     /* number: bytes; absent = not known */
    CODR_FIELD_OUTPUT_BYTES,    /* number: written, dropped ones included */
    CODR_FIELD_TRUNCATED,       /* number 0/1 */
    CODR_FIELD_PATH,            /* number: codr_path_t */
    CODR_FIELD_COMPILE_CPU_US,  /* number */
    CODR_FIELD_COMPILE_WALL_US, /* number */
    CODR_FIELD_COMPILE_MEMORY,  /* number: bytes; absent = not known */
    CODR_FIELD_COMPILE_OUTPUT,  /* bytes: the compiler's words, cut at 48k */

    /* status: HELPER_STATE CAUSE* LAYER* then, language by language,
       LANGUAGE AVAILABLE VERSION_TEXT REASON? */
    CODR_FIELD_HELPER_STATE,    /* number: codr_helper_state_t */
    CODR_FIELD_CAUSE,           /* text */
    CODR_FIELD_LAYER,           /* u8 codr_layer_state_t, then the name */
    CODR_FIELD_AVAILABLE,       /* number 0/1; opens nothing, ends nothing */
    CODR_FIELD_VERSION_TEXT,    /* text */
    CODR_FIELD_REASON,          /* text */

    /* configuration: globals first, then each location (LOCATION opens one),
       then each language (LANGUAGE opens one) */
    CODR_FIELD_MAX_JOBS,        /* number; 0 = auto, as the next two */
    CODR_FIELD_MAX_BATCH,       /* number */
    CODR_FIELD_MAX_COMPILE,     /* number */
    CODR_FIELD_QUEUE_LENGTH,    /* number */
    CODR_FIELD_QUEUE_MS,        /* number */
    CODR_FIELD_TOTAL_MEMORY,    /* number: bytes; 0 = not set */
    CODR_FIELD_TOTAL_PERCENT,   /* number: percent of memory; 0 = not set */
    CODR_FIELD_TOTAL_CPU,       /* number: thousandths of a CPU; 0 = not set */
    CODR_FIELD_ALLOW_MISSING,   /* layer name, * */
    CODR_FIELD_BIND,            /* path, NUL, path inside, *; global or of the
                                   open language */
    CODR_FIELD_OUTPUT_DROP,     /* number 0/1, location or language */
    CODR_FIELD_ALIAS,           /* name, * */
    CODR_FIELD_SOURCE,          /* name of the main file */
    CODR_FIELD_SOURCES,         /* glob, * */
    CODR_FIELD_VERSION_ARG,     /* argument of the version command, * */
    CODR_FIELD_COMPILE_ARG,     /* argument of the compile command, * */
    CODR_FIELD_RUN_ARG,         /* argument of the run command, * */
    CODR_FIELD_ENV,             /* NAME=VALUE, * */
    CODR_FIELD_ENV_LIVE,        /* NAME=VALUE, * */

    CODR_FIELD_CAP,             /* as LIMIT; in EXECUTE to a "unix:" helper:
                                   an explicit limit of the location, which
                                   can only narrow the helper's own */
    CODR_FIELD_PEER,            /* number: a uid that may connect, *;
                                   configuration of a "unix:" helper */
    CODR_FIELD_CACHE_SIZE,      /* number: bytes, 0 = off; configuration */
    CODR_FIELD_CACHE_SHARED,    /* number 0/1; configuration */
    CODR_FIELD_SHORTCUT,        /* number 0/1, language */
    CODR_FIELD_PRECOMPILE,      /* header names with a blank between, *,
                                   language */

    /* jobs that outlive their socket */
    CODR_FIELD_DETACH_MS,       /* number: how long it may be without a
                                   controlling socket, bounded by the
                                   location's; configuration: that bound */
    CODR_FIELD_ASYNC,           /* number 0/1: it needs no socket at all once
                                   it is submitted */
    CODR_FIELD_QUIET,           /* number 0/1: no OUTPUT on this socket */
    CODR_FIELD_TAG,             /* text, CODR_TAG_MAX bytes */
    CODR_FIELD_OFFSET,          /* number: of a byte of the output */
    CODR_FIELD_STOP,            /* number 0/1 */
    CODR_FIELD_JOB_STATE,       /* number: codr_job_phase_t */
    CODR_FIELD_CREATED_MS,      /* number: since 1970, as the next two */
    CODR_FIELD_STARTED_MS,      /* number */
    CODR_FIELD_COMPLETED_MS,    /* number */
    CODR_FIELD_INPUT_BYTES,     /* number: it has been given so far */
    CODR_FIELD_INPUT_CLOSED,    /* number 0/1 */
    CODR_FIELD_HELD,            /* u8 stream, then up to three bytes: its last
                                   ones before OFFSET, where the byte before
                                   OFFSET is of the other stream */
    CODR_FIELD_RESULTS,         /* number: bytes kept of all jobs; global */
    CODR_FIELD_JOB_TTL_MS,      /* number: how long after its end; global */

    CODR_FIELD_WARM,            /* number: ready sandboxes, of the open
                                   language; FIGURES: how many there are */
    CODR_FIELD_FIGURE,          /* 12 bytes: u32 codr_figure_t, u64 value */
    CODR_FIELD_QUOTA,           /* u32 most jobs at once, then a key of
                                   CODR_QUOTA_KEY bytes, *; execute */
    CODR_FIELD_CPU_QUOTA,       /* CODR_CPU_QUOTA bytes that only workers
                                   understand, *; execute, and back */

    CODR_FIELD_RULE,            /* text; opens a finding: RULE SEVERITY
                                   RULE_MESSAGE PLACE SNIPPET FILE_NAME?, in
                                   ERROR and STARTED, at most 20 */
    CODR_FIELD_SEVERITY,        /* text: "error" or "warning" */
    CODR_FIELD_RULE_MESSAGE,    /* text for people */
    CODR_FIELD_PLACE,           /* 16 bytes: u32 line, column, end line, end
                                   column, from 1 */
    CODR_FIELD_SNIPPET,         /* text: the line of the source */
    CODR_FIELD_POLICY_MODE,     /* number: codr_policy_mode_t; location, and
                                   EXECUTE to a "unix:" helper */
    CODR_FIELD_POLICY_LEVEL,    /* number: codr_policy_level_t, likewise */
    CODR_FIELD_POLICIES,        /* path: directory of policies; global */
    CODR_FIELD_POLICY_FILE,     /* path, of the open language */
    CODR_FIELD_GRAMMAR,         /* name, of the open language */
    CODR_FIELD_ZYGOTE,          /* number: codr_interpreter_kind_t, of the
                                   open language */
    CODR_FIELD_PRELOAD,         /* name of a module, *; the same */
    CODR_FIELD_TRACE,           /* number 0/1: its time line goes to the log */
    CODR_FIELD_TAGS
} codr_field_tag_t;


typedef enum {
    CODR_KIND_INTERACTIVE = 0,  /* a socket with open stdin */
    CODR_KIND_BATCH
} codr_kind_t;

typedef enum {
    CODR_TERMINAL_NONE = 0,     /* pipes */
    CODR_TERMINAL_DUMB,         /* TERM=dumb, NO_COLOR=1 */
    CODR_TERMINAL_FULL          /* TERM=xterm-256color */
} codr_terminal_t;

typedef enum {
    CODR_PHASE_QUEUED = 0,
    CODR_PHASE_PROCESSING,
    CODR_PHASE_ENDED            /* by COMPLETE or ERROR */
} codr_job_phase_t;

typedef enum {
    CODR_STAGE_COMPILE = 0,
    CODR_STAGE_RUN
} codr_stage_t;

/* Of a zygote. */
typedef enum {
    CODR_INTERPRETER_NONE = 0,
    CODR_INTERPRETER_PYTHON = 1,
    CODR_INTERPRETER_NODE = 2,
    CODR_INTERPRETER_COUNT
} codr_interpreter_kind_t;

typedef enum {
    CODR_PATH_COLD = 0,
    CODR_PATH_POOL,
    CODR_PATH_ZYGOTE
} codr_path_t;

typedef enum {
    CODR_POLICY_OFF = 0,
    CODR_POLICY_WARN,           /* findings are told, the program runs */
    CODR_POLICY_BLOCK,
    CODR_POLICY_MODES
} codr_policy_mode_t;

typedef enum {
    CODR_POLICY_LIGHT = 0,
    CODR_POLICY_STANDARD,
    CODR_POLICY_STRICT,
    CODR_POLICY_LEVELS
} codr_policy_level_t;

typedef enum {
    CODR_STATUS_OK = 0,
    CODR_STATUS_ERROR,
    CODR_STATUS_SIGNALED,
    CODR_STATUS_CPU_LIMIT,
    CODR_STATUS_WALL_LIMIT,
    CODR_STATUS_MEMORY_LIMIT,
    CODR_STATUS_OUTPUT_LIMIT,
    CODR_STATUS_DISK_LIMIT,
    CODR_STATUS_STOPPED,
    CODR_STATUS_INTERNAL,
    CODR_STATUS_COUNT
} codr_status_t;

typedef enum {
    CODR_ERROR_BAD_MESSAGE = 0,
    CODR_ERROR_UNKNOWN_LANGUAGE,
    CODR_ERROR_CODE_TOO_LARGE,
    CODR_ERROR_UNAUTHORIZED,
    CODR_ERROR_REJECTED,
    CODR_ERROR_COMPILE_ERROR,
    CODR_ERROR_COMPILE_LIMIT,
    CODR_ERROR_BUSY,
    CODR_ERROR_RATE_LIMITED,
    CODR_ERROR_NOT_FOUND,
    CODR_ERROR_UNAVAILABLE,
    CODR_ERROR_INTERNAL,
    CODR_ERROR_COUNT
} codr_error_t;

typedef enum {
    CODR_NOTICE_BAD_MESSAGE = 0,
    CODR_NOTICE_ALREADY_RUNNING,
    CODR_NOTICE_NOT_RUNNING,
    CODR_NOTICE_INPUT_TOO_LARGE,
    CODR_NOTICE_INPUT_CLOSED,
    CODR_NOTICE_INPUT_TRUNCATED,
    CODR_NOTICE_OUTPUT_LOST,
    CODR_NOTICE_READ_ONLY,
    CODR_NOTICE_COUNT
} codr_notice_t;

/* Severities, and what they mean for the operator. */
typedef enum {
    CODR_LEVEL_DEBUG = 0,
    CODR_LEVEL_INFO,
    CODR_LEVEL_WARNING,         /* codr goes on, and says so */
    CODR_LEVEL_ERROR,           /* one job failed */
    CODR_LEVEL_FATAL,           /* the operator must act */
    CODR_LEVEL_PANIC,           /* our own bug */
    CODR_LEVEL_COUNT
} codr_level_t;

typedef enum {
    CODR_HELPER_UP = 0,
    CODR_HELPER_STARTING,
    CODR_HELPER_UNAVAILABLE     /* CAUSE says why; it is retried */
} codr_helper_state_t;

typedef enum {
    CODR_LAYER_OK = 0,
    CODR_LAYER_MISSING,         /* required: jobs are refused */
    CODR_LAYER_WAIVED,          /* missing, and codr_allow_missing names it */
    CODR_LAYER_ABSENT           /* missing, optional */
} codr_layer_state_t;

/* What the broker counts, for metrics. */
typedef enum {
    CODR_FIGURE_INSTANCE = 0,   /* of the helper: a later one is greater */
    CODR_FIGURE_RUNNING_INTERACTIVE,
    CODR_FIGURE_RUNNING_BATCH,
    CODR_FIGURE_QUEUED,
    CODR_FIGURE_COMPILING,
    CODR_FIGURE_MAX_INTERACTIVE,
    CODR_FIGURE_MAX_BATCH,
    CODR_FIGURE_MAX_COMPILE,
    CODR_FIGURE_MEMORY,         /* bytes of all jobs together */
    CODR_FIGURE_MEMORY_LIMIT,   /* and their ceiling; 0 = none */
    CODR_FIGURE_CACHE_HITS,     /* since INSTANCE, as the next */
    CODR_FIGURE_CACHE_MISSES,
    CODR_FIGURE_COUNT
} codr_figure_t;


/* The names of section 4 of docs/protocol.md; NULL for a number beyond. */
const char *codr_status_name(uint64_t status);
const char *codr_error_name(uint64_t error);
const char *codr_notice_name(uint64_t notice);
const char *codr_path_name(uint64_t path);
const char *codr_interpreter_name(uint64_t kind);
int codr_interpreter_kind(const char *name);    /* -1 for an unknown one */
const char *codr_level_name(uint64_t level);
const char *codr_policy_mode_name(uint64_t mode);
const char *codr_policy_level_name(uint64_t level);

/* "SIGINT" for 2, NULL for what has no name; and back, 0 for an unknown one.
   The numbers are Linux's, the names those of signal(7), 1..31. */
const char *codr_signal_name(uint64_t signo);
int codr_signal_number(const char *name, size_t len);

/*
 * A file name as clients may choose it: relative, 1 to 8 parts of
 * [A-Za-z0-9._-], none starting with '.' or '-', each at most 100 bytes.
 */
bool codr_file_name_valid(const char *name, size_t len);


/*
 * Reading.  A header is refused (-1) when the length is beyond
 * CODR_FRAME_MAX, the type unknown, or a reserved byte set.
 */
typedef struct {
    uint32_t  length;
    uint8_t   type;             /* codr_frame_type_t */
} codr_frame_t;

int codr_frame_decode(codr_frame_t *ret,
    const uint8_t header[CODR_FRAME_HEADER]);

typedef struct {
    const uint8_t  *pos;
    const uint8_t  *end;
} codr_fields_t;

typedef struct {
    uint16_t        tag;        /* codr_field_tag_t */
    uint32_t        length;
    const uint8_t  *data;       /* points into the payload */
} codr_field_t;

void codr_fields_init(codr_fields_t *fields, const void *payload, size_t len);

/* 1: *ret is the next field; 0: the end; -1: malformed. */
int codr_fields_next(codr_fields_t *fields, codr_field_t *ret);

/* Typed views of a field: 0, or -1 when it has another shape.  A number must
   lie in [min, max]; text has at most max bytes and no NUL. */
int codr_field_number(const codr_field_t *field, uint64_t min, uint64_t max,
    uint64_t *ret);
int codr_field_text(const codr_field_t *field, size_t max);
int codr_field_id(const codr_field_t *field);   /* of a job, or a token */
int codr_field_limit(const codr_field_t *field, uint32_t *ret_id,
    uint64_t *ret_value);
int codr_field_quota(const codr_field_t *field,
    uint8_t ret_key[CODR_QUOTA_KEY], uint32_t *ret_max);
int codr_field_figure(const codr_field_t *field, uint32_t *ret_id,
    uint64_t *ret_value);

/* Lines and columns from 1, columns in characters; the end is behind the last
   one. */
typedef struct {
    uint32_t  line;
    uint32_t  column;
    uint32_t  end_line;
    uint32_t  end_column;
} codr_position_t;

int codr_field_position(const codr_field_t *field, codr_position_t *ret);

typedef struct {
    uint8_t         stream;     /* 1 stdout, 2 stderr */
    uint64_t        offset;     /* bytes the program had written before */
    const uint8_t  *data;
    size_t          length;
} codr_output_t;

int codr_output_decode(codr_output_t *ret, const uint8_t *payload, size_t len);
void codr_output_header(uint8_t header[CODR_OUTPUT_HEADER], uint8_t stream,
    uint64_t offset);


/*
 * Writing into the caller's buffer.  A writer that has run out of room stays
 * failed: check once, at the end.  codr_frame_begin() leaves room for the
 * header, codr_frame_end() fills it and returns the size of the whole frame,
 * or 0 when anything did not fit.
 */
typedef struct {
    uint8_t  *start;
    uint8_t  *pos;
    uint8_t  *end;
    bool      failed;
} codr_writer_t;

void codr_writer_init(codr_writer_t *writer, void *buffer, size_t size);
void codr_frame_begin(codr_writer_t *writer, codr_frame_type_t type);
size_t codr_frame_end(codr_writer_t *writer);
void codr_put_bytes(codr_writer_t *writer, codr_field_tag_t tag,
    const void *data, size_t len);
void codr_put_text(codr_writer_t *writer, codr_field_tag_t tag,
    const char *text);
void codr_put_number(codr_writer_t *writer, codr_field_tag_t tag,
    uint64_t value);
void codr_put_limit(codr_writer_t *writer, codr_field_tag_t tag, uint32_t id,
    uint64_t value);
void codr_put_quota(codr_writer_t *writer,
    const uint8_t key[CODR_QUOTA_KEY], uint32_t max);

/* Fields that are encoded already. */
void codr_put_fields(codr_writer_t *writer, const void *fields, size_t len);
void codr_put_position(codr_writer_t *writer,
    const codr_position_t *position);

/* The header of a field whose bytes the caller writes itself. */
void codr_field_header(uint8_t header[CODR_FIELD_HEADER],
    codr_field_tag_t tag, uint32_t length);

/* The header of a frame whose payload the caller writes itself. */
void codr_frame_header(uint8_t header[CODR_FRAME_HEADER],
    codr_frame_type_t type, uint32_t length);

#endif /* CODR_PROTO_H */
