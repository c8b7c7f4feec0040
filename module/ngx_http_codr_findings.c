
/*
 * What a policy has found, between the broker's frames and clients' JSON.
 * Runs in workers.
 */

#include "ngx_http_codr_findings.h"


/* A field of a finding; NGX_DECLINED when it is another one. */

ngx_int_t
ngx_http_codr_findings_field(ngx_http_codr_answer_t *a, codr_field_t *field)
{
    ngx_str_t                *text;
    ngx_http_codr_finding_t  *f;

    if (field->tag == CODR_FIELD_RULE) {

        if (a->findings == NGX_HTTP_CODR_FINDINGS) {
            return NGX_ERROR;
        }

        a->findings++;
    }

    if (a->findings == 0) {
        return NGX_DECLINED;
    }

    f = &a->finding[a->findings - 1];

    switch (field->tag) {

    case CODR_FIELD_RULE:
        text = &f->rule;
        break;

    case CODR_FIELD_SEVERITY:
        text = &f->severity;
        break;

    case CODR_FIELD_RULE_MESSAGE:
        text = &f->message;
        break;

    case CODR_FIELD_SNIPPET:
        text = &f->snippet;
        break;

    case CODR_FIELD_FILE_NAME:
        text = &f->file;
        break;

    case CODR_FIELD_PLACE:
        return codr_field_position(field, &f->place) == 0 ? NGX_OK
                                                          : NGX_ERROR;

    default:
        return NGX_DECLINED;
    }

    if (codr_field_text(field, CODR_MESSAGE_MAX) != 0) {
        return NGX_ERROR;
    }

    text->data = (u_char *) field->data;
    text->len = field->length;

    return NGX_OK;
}


void
ngx_http_codr_findings_json(ngx_http_codr_json_t *j, const char *key,
    ngx_http_codr_answer_t *a)
{
    ngx_uint_t                i;
    ngx_http_codr_finding_t  *f;

    if (a->findings == 0) {
        return;
    }

    ngx_http_codr_json_array(j, key);

    for (i = 0; i < a->findings; i++) {
        f = &a->finding[i];

        ngx_http_codr_json_open(j, NULL);
        ngx_http_codr_json_text(j, "rule", &f->rule);
        ngx_http_codr_json_text(j, "message", &f->message);
        ngx_http_codr_json_text(j, "severity", &f->severity);
        ngx_http_codr_json_number(j, "line", f->place.line);
        ngx_http_codr_json_number(j, "column", f->place.column);
        ngx_http_codr_json_number(j, "end_line", f->place.end_line);
        ngx_http_codr_json_number(j, "end_column", f->place.end_column);
        ngx_http_codr_json_text(j, "snippet", &f->snippet);

        if (f->file.len) {
            ngx_http_codr_json_text(j, "file", &f->file);
        }

        ngx_http_codr_json_close(j);
    }

    ngx_http_codr_json_array_end(j);
}
