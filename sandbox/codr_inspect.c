/*
 * What a verdict means for a job.  Runs in the broker, which alone has the
 * numbers of the validator, the texts of the rules, and the source.
 */

#define _GNU_SOURCE

#include "codr_inspect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "codr_answer.h"
#include "codr_diagnostic.h"
#include "codr_log.h"

#define FINDINGS_MAX    (48 * 1024)     /* bytes of them as fields */

static const codr_rule_text_t unavailable = {
    "policy.unavailable",
    "The program could not be checked, so it does not run. Please try again;"
    " if it is very large or unusual, make it simpler.", "error",
};

static const codr_rule_text_t too_complex = {
    "policy.too_complex",
    "The program is too large to be checked: it has more parts than are"
    " allowed.", "error",
};

/* The source image; mapped, if it is a file. */
typedef struct {
    const char  *data;
    size_t       length;
} image_t;


static void
put_finding(codr_writer_t *writer, const codr_rule_text_t *rule,
    const codr_range_t *range)
{
    char            text[CODR_DIAGNOSTIC_MESSAGE];
    codr_position_t position = codr_diagnostic_position(range);

    codr_put_text(writer, CODR_FIELD_RULE, rule->id);
    codr_put_text(writer, CODR_FIELD_SEVERITY, rule->severity);
    codr_diagnostic_message(text, rule->message, range);
    codr_put_text(writer, CODR_FIELD_RULE_MESSAGE, text);
    codr_put_position(writer, &position);
    codr_diagnostic_snippet(text, range);
    codr_put_text(writer, CODR_FIELD_SNIPPET, text);
}


/* The file that is the n-th one of the code. */
static size_t
file_of(const codr_source_t *source, uint32_t n)
{
    size_t i;

    for (i = 0; i + 1 < source->names.count; i++) {
        if (source->piece[i].checked && n-- == 0) {
            break;
        }
    }

    return i;
}


static void
put_found(codr_writer_t *writer, const codr_job_t *job, const image_t *image)
{
    size_t                       i, file;
    codr_range_t                 range;
    const codr_source_piece_t   *piece;
    const codr_review_t         *review = &job->inspection.review;
    const codr_review_finding_t *finding;

    for (i = 0; i < review->verdict.count; i++) {
        finding = &review->verdict.finding[i];
        file = file_of(&job->source, finding->source);
        piece = &job->source.piece[file];
        range = (codr_range_t) {
            image->data + piece->offset, piece->length, finding->start,
            finding->end,
        };
        put_finding(writer, &review->rules->rule[finding->rule], &range);
        if (file > 0) {
            codr_put_text(writer, CODR_FIELD_FILE_NAME,
                          job->source.names.item[file]);
        }
    }
}


static image_t
map(const codr_source_t *source)
{
    void   *place;
    image_t image = { NULL, (size_t) source->image };

    if (source->memfd == -1) {
        image.data = (const char *) source->few;
        return image;
    }

    place = mmap(NULL, image.length, PROT_READ, MAP_PRIVATE, source->memfd,
                 0);
    if (place != MAP_FAILED) {
        image.data = place;
    }

    return image;
}


static void
unmap(const codr_source_t *source, const image_t *image)
{
    if (source->memfd != -1 && image->data) {
        (void) munmap((void *) (uintptr_t) image->data, image->length);
    }
}


/* The findings as fields, for ERROR or STARTED. */
static void
encode(codr_job_t *job)
{
    bool               found = job->inspection.review.verdict.count > 0;
    image_t            image = { "", 0 };
    codr_range_t       nowhere = { "", 0, 0, 0 };
    codr_writer_t      writer;
    codr_inspection_t *inspection = &job->inspection;
    static uint8_t     buffer[FINDINGS_MAX];

    codr_writer_init(&writer, buffer, sizeof(buffer));
    if (found) {
        image = map(&job->source);
    }

    if (image.data == NULL
        || inspection->review.verdict.result == CODR_REVIEW_UNAVAILABLE)
    {
        put_finding(&writer, &unavailable, &nowhere);
    } else if (inspection->review.verdict.result == CODR_REVIEW_TOO_COMPLEX) {
        put_finding(&writer, &too_complex, &nowhere);
    } else {
        put_found(&writer, job, &image);
    }

    if (found) {
        unmap(&job->source, &image);
    }

    inspection->findings_len = (size_t) (writer.pos - writer.start);
    inspection->findings = malloc(inspection->findings_len + 1);
    if (inspection->findings) {
        memcpy(inspection->findings, buffer, inspection->findings_len);
    } else {
        inspection->findings_len = 0;
    }
}


/* An error refuses where the location blocks; no verdict refuses anywhere. */
static bool
refuses(const codr_job_t *job)
{
    size_t               i;
    const codr_review_t *review = &job->inspection.review;

    if (review->verdict.result != CODR_REVIEW_DONE) {
        return true;
    }
    if (job->inspection.mode != CODR_POLICY_BLOCK) {
        return false;
    }

    for (i = 0; i < review->verdict.count; i++) {
        if (strcmp(review->rules->rule[review->verdict.finding[i].rule]
                       .severity, "error") == 0)
        {
            return true;
        }
    }

    return false;
}


static void
log_cost(const codr_job_t *job)
{
    const codr_review_verdict_t *verdict = &job->inspection.review.verdict;

    if (job->trace.wanted) {
        codr_log(CODR_LEVEL_DEBUG, 0, "a verdict took %u us of a processor,"
                 " for %u us of work", verdict->cpu_us, verdict->work_us);
    }
}


static void
over(codr_review_t *review)
{
    codr_job_t *job = review->data;

    log_cost(job);
    if (review->verdict.result != CODR_REVIEW_DONE
        || review->verdict.count > 0)
    {
        encode(job);
    }

    job->inspection.refused = refuses(job);
    if (!job->inspection.refused && job->inspection.findings) {
        codr_results_warn(&job->broker->results, job->result,
                          job->inspection.findings,
                          job->inspection.findings_len);
    }

    codr_stage_inspected(job);
}


void
codr_inspect_begin(codr_job_t *job)
{
    codr_review_t *review = &job->inspection.review;

    if (job->inspection.mode == CODR_POLICY_OFF) {
        return;
    }

    review->source = &job->source;
    review->language = job->language->name;
    review->level = (uint32_t) job->inspection.level;
    review->nodes = (uint32_t) job->limits.value[CODR_LIMIT_AST_NODES];
    review->over = over;
    review->data = job;

    if (codr_review_begin(&job->broker->reviewer, review) < 0) {
        codr_job_refuse(job, CODR_ERROR_INTERNAL, "out of memory", 0);
    }
}


bool
codr_inspect_passed(const codr_job_t *job)
{
    return job->inspection.mode == CODR_POLICY_OFF
           || (job->inspection.review.state == CODR_REVIEW_OVER
               && !job->inspection.refused);
}


bool
codr_inspect_refused(const codr_job_t *job)
{
    return job->inspection.refused;
}


void
codr_inspect_refuse(codr_job_t *job)
{
    codr_answer_error_t error = {
        .code = CODR_ERROR_REJECTED, .limit = -1,
        .message = "the program does not keep to the rules of this place",
        .findings = job->inspection.findings,
        .findings_len = job->inspection.findings_len,
    };

    /* what was found in the cache has cost nothing, and is not for it */
    job->compile.done = false;

    if (job->inspection.review.verdict.result != CODR_REVIEW_DONE) {
        error.message = "the program could not be checked";
    }

    codr_answer_error(job, &error);
    codr_job_finish(job);
}
