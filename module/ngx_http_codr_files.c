
/*
 * The files of an execute: names that stay inside the job's directory, their
 * bytes, how many there are and how large they may be.  Runs in workers.
 */

#include "ngx_http_codr_execute.h"

#include <fnmatch.h>
#include <openssl/evp.h>


static ngx_int_t ngx_http_codr_files_code(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal);
static ngx_int_t ngx_http_codr_files_list(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal);
static ngx_int_t ngx_http_codr_files_one(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal, json_t *item);
static ngx_int_t ngx_http_codr_files_decode(ngx_http_codr_execute_t *x,
    ngx_str_t *data);
static ngx_int_t ngx_http_codr_files_distinct(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal);
static int ngx_libc_cdecl ngx_http_codr_files_compare(const void *one,
    const void *two);
static EVP_MD_CTX *ngx_http_codr_files_digest(void);
static ngx_int_t ngx_http_codr_files_sizes(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal);
static ngx_uint_t ngx_http_codr_files_is_code(ngx_http_codr_execute_t *x,
    ngx_str_t *name);


ngx_int_t
ngx_http_codr_files_read(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal)
{
    if (ngx_array_init(&x->files, x->pool, 4, sizeof(ngx_http_codr_file_t))
        != NGX_OK)
    {
        return ngx_http_codr_refuse(x, refusal, CODR_ERROR_INTERNAL,
                                    "out of memory");
    }

    if (ngx_http_codr_files_code(x, refusal) != NGX_OK
        || ngx_http_codr_files_list(x, refusal) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (x->files.nelts == 0) {
        return ngx_http_codr_refuse(x, refusal, CODR_ERROR_BAD_MESSAGE,
                                    "neither \"code\" nor \"files\"");
    }

    if (ngx_http_codr_files_distinct(x, refusal) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_codr_files_sizes(x, refusal);
}


static ngx_int_t
ngx_http_codr_files_code(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal)
{
    json_t                *value;
    ngx_http_codr_file_t  *file;

    value = json_object_get(x->message, "code");

    if (value == NULL || json_is_null(value)) {
        return NGX_OK;
    }

    if (!json_is_string(value)) {
        return ngx_http_codr_refuse(x, refusal, CODR_ERROR_BAD_MESSAGE,
                                    "\"code\" is not a string");
    }

    file = ngx_array_push(&x->files);              /* was allocated before */
    file->name = x->language->source;
    file->data.data = (u_char *) json_string_value(value);
    file->data.len = json_string_length(value);

    return NGX_OK;
}


static ngx_int_t
ngx_http_codr_files_list(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal)
{
    size_t   i;
    json_t  *files;

    files = json_object_get(x->message, "files");

    if (files == NULL || json_is_null(files)) {
        return NGX_OK;
    }

    if (!json_is_array(files)) {
        return ngx_http_codr_refuse(x, refusal, CODR_ERROR_BAD_MESSAGE,
                                    "\"files\" is not an array");
    }

    if (x->files.nelts + json_array_size(files)
        > x->caps.value[CODR_LIMIT_FILE_COUNT])
    {
        return ngx_http_codr_refuse_limit(x, refusal, CODR_ERROR_BAD_MESSAGE,
                                          CODR_LIMIT_FILE_COUNT,
                                          "too many files");
    }

    for (i = 0; i < json_array_size(files); i++) {
        if (ngx_http_codr_files_one(x, refusal, json_array_get(files, i))
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_codr_files_one(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal, json_t *item)
{
    json_t                *name, *content, *encoding;
    const char            *kind;
    ngx_http_codr_file_t  *file;

    name = json_object_get(item, "name");
    content = json_object_get(item, "content");
    encoding = json_object_get(item, "encoding");

    if (!json_is_string(name) || !json_is_string(content)) {
        return ngx_http_codr_refuse(x, refusal, CODR_ERROR_BAD_MESSAGE,
                                    "an item of \"files\" has no \"name\" and"
                                    " \"content\" that are strings");
    }

    file = ngx_array_push(&x->files);
    if (file == NULL) {
        return ngx_http_codr_refuse(x, refusal, CODR_ERROR_INTERNAL,
                                    "out of memory");
    }

    file->name.data = (u_char *) json_string_value(name);
    file->name.len = json_string_length(name);
    file->data.data = (u_char *) json_string_value(content);
    file->data.len = json_string_length(content);

    if (!codr_file_name_valid((char *) file->name.data, file->name.len)) {
        file->name.len = ngx_min(file->name.len, 100);

        return ngx_http_codr_refuse(x, refusal, CODR_ERROR_BAD_MESSAGE,
                                    "file name \"%V\" is not allowed",
                                    &file->name);
    }

    if (encoding == NULL || json_is_null(encoding)) {
        return NGX_OK;
    }

    kind = json_is_string(encoding) ? json_string_value(encoding) : "";

    if (ngx_strcmp(kind, "utf8") == 0) {
        return NGX_OK;
    }

    if (ngx_strcmp(kind, "base64") != 0
        || ngx_http_codr_files_decode(x, &file->data) != NGX_OK)
    {
        return ngx_http_codr_refuse(x, refusal, CODR_ERROR_BAD_MESSAGE,
                                    "file \"%V\" is not encoded as \"utf8\" or"
                                    " \"base64\"", &file->name);
    }

    return NGX_OK;
}


/* Whole groups of four and nothing behind the padding: nginx's decoder alone
   would ignore whatever follows the first '='. */

static ngx_int_t
ngx_http_codr_files_decode(ngx_http_codr_execute_t *x, ngx_str_t *data)
{
    size_t     len;
    ngx_str_t  src, dst;

    src = *data;
    len = src.len;

    while (len > 0 && src.len - len < 2 && src.data[len - 1] == '=') {
        len--;
    }

    if (src.len % 4 != 0
        || ngx_strlchr(src.data, src.data + len, '=') != NULL)
    {
        return NGX_ERROR;
    }

    dst.data = ngx_pnalloc(x->pool, ngx_base64_decoded_length(src.len) + 1);

    if (dst.data == NULL || ngx_decode_base64(&dst, &src) != NGX_OK) {
        return NGX_ERROR;
    }

    *data = dst;

    return NGX_OK;
}


/* No name twice, and none that would need another one to be a directory. */

static ngx_int_t
ngx_http_codr_files_distinct(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal)
{
    ngx_str_t             *name;
    ngx_uint_t             i, n;
    ngx_http_codr_file_t  *file;

    n = x->files.nelts;
    file = x->files.elts;

    name = ngx_palloc(x->pool, n * sizeof(ngx_str_t));
    if (name == NULL) {
        return ngx_http_codr_refuse(x, refusal, CODR_ERROR_INTERNAL,
                                    "out of memory");
    }

    for (i = 0; i < n; i++) {
        name[i] = file[i].name;
    }

    ngx_qsort(name, n, sizeof(ngx_str_t), ngx_http_codr_files_compare);

    for (i = 1; i < n; i++) {
        if (name[i - 1].len <= name[i].len
            && ngx_memcmp(name[i - 1].data, name[i].data, name[i - 1].len) == 0
            && (name[i - 1].len == name[i].len
                || name[i].data[name[i - 1].len] == '/'))
        {
            return ngx_http_codr_refuse(x, refusal, CODR_ERROR_BAD_MESSAGE,
                                        "file name \"%V\" is there twice",
                                        &name[i - 1]);
        }
    }

    return NGX_OK;
}


/* '/' before every other character: what lies in a directory comes right
   after a file of that name. */

static int ngx_libc_cdecl
ngx_http_codr_files_compare(const void *one, const void *two)
{
    u_char            a, b;
    size_t            i;
    const ngx_str_t  *first, *second;

    first = one;
    second = two;

    for (i = 0; i < first->len && i < second->len; i++) {
        a = first->data[i];
        b = second->data[i];

        if (a != b) {
            return (a == '/') ? -1 : (b == '/') ? 1 : (int) a - (int) b;
        }
    }

    return (first->len > second->len) - (first->len < second->len);
}


/* The worker's one, begun anew: to look up how SHA-256 is made costs more than
   the digest of a small program.  NULL without memory. */

static EVP_MD_CTX *
ngx_http_codr_files_digest(void)
{
    static EVP_MD_CTX  *md;

    if (md) {
        return EVP_DigestInit_ex(md, NULL, NULL) == 1 ? md : NULL;
    }

    md = EVP_MD_CTX_new();

    if (md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(md);
        md = NULL;
    }

    return md;
}


static ngx_int_t
ngx_http_codr_files_sizes(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal)
{
    uint64_t               all, code;
    u_char                 digest[EVP_MAX_MD_SIZE];
    EVP_MD_CTX            *md;
    ngx_uint_t             i;
    ngx_http_codr_file_t  *file;

    all = 0;
    code = 0;
    file = x->files.elts;

    md = ngx_http_codr_files_digest();

    if (md == NULL) {
        return ngx_http_codr_refuse(x, refusal, CODR_ERROR_INTERNAL,
                                    "out of memory");
    }

    for (i = 0; i < x->files.nelts; i++) {
        all += file[i].data.len;

        if (i == 0 || ngx_http_codr_files_is_code(x, &file[i].name)) {
            code += file[i].data.len;
            (void) EVP_DigestUpdate(md, file[i].data.data, file[i].data.len);
        }
    }

    if (EVP_DigestFinal_ex(md, digest, NULL) == 1) {
        ngx_hex_dump(x->sha256, digest, sizeof(x->sha256) / 2);
    }

    if (code > x->caps.value[CODR_LIMIT_CODE]) {
        return ngx_http_codr_refuse_limit(x, refusal,
                                          CODR_ERROR_CODE_TOO_LARGE,
                                          CODR_LIMIT_CODE,
                                          "the code is too large");
    }

    if (all > x->caps.value[CODR_LIMIT_FILES]) {
        return ngx_http_codr_refuse_limit(x, refusal,
                                          CODR_ERROR_CODE_TOO_LARGE,
                                          CODR_LIMIT_FILES,
                                          "the files are too large");
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_codr_files_is_code(ngx_http_codr_execute_t *x, ngx_str_t *name)
{
    u_char       text[CODR_FILE_NAME_MAX + 1], glob[NGX_MAX_PATH];
    ngx_str_t   *pattern;
    ngx_uint_t   i;

    (void) ngx_cpystrn(text, name->data, ngx_min(name->len + 1, sizeof(text)));

    pattern = x->language->sources.elts;

    for (i = 0; i < x->language->sources.nelts; i++) {
        (void) ngx_cpystrn(glob, pattern[i].data,
                           ngx_min(pattern[i].len + 1, sizeof(glob)));

        if (fnmatch((char *) glob, (char *) text, 0) == 0) {
            return 1;
        }
    }

    return 0;
}
