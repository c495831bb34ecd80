/* In: the bytes of a body. Out: texts and options, or the problem and the index of the text at
 * fault. Never copies a text, and never puts one into a message. */
#include "server/request.h"

#include "base/memory.h"
#include "base/utf8.h"
#include "formats/json_reader.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TEXTS_FIRST 64 /* room for texts that the list starts with */

typedef struct parser {
    ed_json_reader json;
    char *body; /* what json reads; a string is unescaped in place, which never makes it longer */
    ed_request *request;
    size_t texts_max;
    size_t texts_cap;
    bool has_texts, has_text;
    ed_problem *problem;
} parser;

typedef bool (*field_reader)(parser *p, ed_json_token token);

static bool read_texts(parser *p, ed_json_token token);
static bool read_text(parser *p, ed_json_token token);
static bool read_normalize(parser *p, ed_json_token token);
static bool read_truncate(parser *p, ed_json_token token);
static bool read_pooling(parser *p, ed_json_token token);
static bool read_prompt(parser *p, ed_json_token token);
static bool read_prompt_name(parser *p, ed_json_token token);
static bool read_batch_size(parser *p, ed_json_token token);
static bool read_fields(parser *p);
static bool check_texts(parser *p);
static embedd_text token_text(parser *p);
static bool add_text(parser *p, embedd_text text);
static bool read_bool(parser *p, ed_json_token token, const char *field, bool *out);
static bool read_string(parser *p, ed_json_token token, const char *field, embedd_text *out);
static bool wrong_type(parser *p, ed_json_token token, const char *field, const char *type);
static bool not_json(parser *p);

static const struct field {
    const char *name;
    field_reader read;
} fields[] = {
    {"texts", read_texts},
    {"text", read_text},
    {"normalize", read_normalize},
    {"truncate", read_truncate},
    {"pooling", read_pooling},
    {"prompt", read_prompt},
    {"prompt_name", read_prompt_name},
    {"batch_size", read_batch_size},
};

bool ed_request_parse(ed_request *request, char *body, size_t n_bytes, size_t texts_max,
                      ed_problem *problem)
{
    parser p = {.body = body, .request = request, .texts_max = texts_max, .problem = problem};
    *request = (ed_request){.dialect = ED_DIALECT_SIDECAR, .normalize = true, .truncate = true};
    size_t n_valid = ed_utf8_valid_prefix(body, n_bytes);
    if (n_valid < n_bytes)
        return ed_problem_set(problem, ED_PROBLEM_INVALID_UTF8, EMBEDD_NO_INDEX,
                              "the body is not valid UTF-8 at byte %zu", n_valid);
    ed_json_reader_init(&p.json, body, n_bytes);
    if (n_bytes >= 3 && memcmp(body, "\xef\xbb\xbf", 3) == 0)
        p.json.at = 3; /* a byte order mark, which RFC 8259 lets a reader pass over */
    if (read_fields(&p) && check_texts(&p))
        return true;
    ed_request_clear(request);
    return false;
}

void ed_request_clear(ed_request *request)
{
    ed_free(request->texts);
    *request = (ed_request){0};
}

static bool read_fields(parser *p)
{
    ed_json_token token = ed_json_next(&p->json);
    if (token != ED_JSON_OBJECT) {
        if (!ed_json_skip(&p->json, token) || ed_json_next(&p->json) != ED_JSON_END)
            return not_json(p);
        return wrong_type(p, token, "the body", "an object");
    }
    while ((token = ed_json_next(&p->json)) == ED_JSON_KEY) {
        embedd_text key = token_text(p);
        field_reader read = NULL;
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
            if (key.n_bytes == strlen(fields[i].name) &&
                memcmp(key.bytes, fields[i].name, key.n_bytes) == 0)
                read = fields[i].read;
        token = ed_json_next(&p->json);
        if (read ? !read(p, token) : !ed_json_skip(&p->json, token))
            return p->json.reason ? not_json(p) : false;
    }
    if (token == ED_JSON_ERROR || ed_json_next(&p->json) != ED_JSON_END)
        return not_json(p);
    return true;
}

static bool check_texts(parser *p)
{
    if (p->has_texts && p->has_text)
        return ed_problem_set(p->problem, ED_PROBLEM_INVALID_VALUE, EMBEDD_NO_INDEX,
                              "\"texts\" and \"text\" are both given; send one of them");
    if (!p->has_texts && !p->has_text)
        return ed_problem_set(p->problem, ED_PROBLEM_MISSING_FIELD, EMBEDD_NO_INDEX,
                              "expected \"texts\", a list of strings, or \"text\", a string");
    return true;
}

static bool read_texts(parser *p, ed_json_token token)
{
    if (!p->has_text)
        p->request->n_texts = 0;
    p->has_texts = token != ED_JSON_NULL;
    if (token == ED_JSON_NULL)
        return true;
    if (token != ED_JSON_ARRAY)
        return wrong_type(p, token, "\"texts\"", "a list of strings");
    while ((token = ed_json_next(&p->json)) == ED_JSON_STRING)
        if (!add_text(p, token_text(p)))
            return false;
    if (token == ED_JSON_ARRAY_END)
        return true;
    if (token == ED_JSON_ERROR)
        return false;
    return ed_problem_set(p->problem, ED_PROBLEM_INVALID_TYPE, p->request->n_texts,
                          "item %zu of \"texts\" is not a string", p->request->n_texts);
}

static bool read_text(parser *p, ed_json_token token)
{
    embedd_text text;
    if (!p->has_texts)
        p->request->n_texts = 0;
    p->has_text = token != ED_JSON_NULL;
    if (token == ED_JSON_NULL)
        return true;
    return read_string(p, token, "\"text\"", &text) && add_text(p, text);
}

/* The KEY or STRING just read, without its escapes. */
static embedd_text token_text(parser *p)
{
    char *bytes = p->body + (p->json.token - p->json.text);
    return (embedd_text){bytes, ed_json_unescape(&p->json, bytes)};
}

static bool add_text(parser *p, embedd_text text)
{
    ed_request *request = p->request;
    /* Clients know a batch that is too large by these words. */
    if (request->n_texts == p->texts_max)
        return ed_problem_set(p->problem, ED_PROBLEM_BATCH_TOO_LARGE, EMBEDD_NO_INDEX,
                              "too many inputs: the maximum batch size is %zu", p->texts_max);
    if (request->n_texts == p->texts_cap) {
        size_t cap = p->texts_cap ? p->texts_cap * 2 : TEXTS_FIRST;
        embedd_text *texts = ed_realloc(request->texts, cap, sizeof *texts);
        if (!texts)
            return ed_problem_set(p->problem, ED_PROBLEM_OUT_OF_MEMORY, EMBEDD_NO_INDEX, NULL);
        request->texts = texts;
        p->texts_cap = cap;
    }
    request->texts[request->n_texts++] = text;
    return true;
}

static bool read_normalize(parser *p, ed_json_token token)
{
    return read_bool(p, token, "\"normalize\"", &p->request->normalize);
}

static bool read_truncate(parser *p, ed_json_token token)
{
    return read_bool(p, token, "\"truncate\"", &p->request->truncate);
}

static bool read_pooling(parser *p, ed_json_token token)
{
    embedd_text name = {0};
    char terminated[32];
    p->request->pooling = EMBEDD_POOLING_MODEL;
    if (token == ED_JSON_NULL)
        return true;
    if (!read_string(p, token, "\"pooling\"", &name))
        return false;
    if (name.n_bytes < sizeof terminated && !memchr(name.bytes, '\0', name.n_bytes)) {
        memcpy(terminated, name.bytes, name.n_bytes);
        terminated[name.n_bytes] = '\0';
        if (embedd_pooling_parse(terminated, &p->request->pooling))
            return true;
    }
    return ed_problem_set(p->problem, ED_PROBLEM_UNKNOWN_POOLING, EMBEDD_NO_INDEX,
                          "there is no such pooling; there are %s", embedd_pooling_names());
}

static bool read_prompt(parser *p, ed_json_token token)
{
    return read_string(p, token, "\"prompt\"", &p->request->prompt);
}

static bool read_prompt_name(parser *p, ed_json_token token)
{
    return read_string(p, token, "\"prompt_name\"", &p->request->prompt_name);
}

/* A hint of how much to compute at once. The scheduler knows better; but a number that makes no
 * sense is the client's mistake. */
static bool read_batch_size(parser *p, ed_json_token token)
{
    char number[32];
    double value = NAN;
    p->request->batch_size = 0;
    if (token == ED_JSON_NULL)
        return true;
    if (token != ED_JSON_NUMBER)
        return wrong_type(p, token, "\"batch_size\"", "a whole number");
    if (p->json.token_bytes < sizeof number) {
        memcpy(number, p->json.token, p->json.token_bytes);
        number[p->json.token_bytes] = '\0';
        value = strtod(number, NULL);
    }
    if (!(value >= 1 && value <= 1e9) || value != floor(value))
        return ed_problem_set(p->problem, ED_PROBLEM_INVALID_VALUE, EMBEDD_NO_INDEX,
                              "\"batch_size\" is not a whole number from 1 to 1000000000");
    p->request->batch_size = (size_t)value;
    return true;
}

static bool read_bool(parser *p, ed_json_token token, const char *field, bool *out)
{
    if (token == ED_JSON_NULL)
        return true;
    if (token != ED_JSON_TRUE && token != ED_JSON_FALSE)
        return wrong_type(p, token, field, "true or false");
    *out = token == ED_JSON_TRUE;
    return true;
}

static bool read_string(parser *p, ed_json_token token, const char *field, embedd_text *out)
{
    *out = (embedd_text){0};
    if (token == ED_JSON_NULL)
        return true;
    if (token != ED_JSON_STRING)
        return wrong_type(p, token, field, "a string");
    *out = token_text(p);
    return true;
}

static bool wrong_type(parser *p, ed_json_token token, const char *field, const char *type)
{
    if (token == ED_JSON_ERROR)
        return false;
    return ed_problem_set(p->problem, ED_PROBLEM_INVALID_TYPE, EMBEDD_NO_INDEX, "%s is not %s",
                          field, type);
}

static bool not_json(parser *p)
{
    return ed_problem_set(p->problem, ED_PROBLEM_INVALID_JSON, EMBEDD_NO_INDEX,
                          "the body is not valid JSON at byte %zu: %s", p->json.at, p->json.reason);
}
