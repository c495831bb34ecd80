/* In: the first token of a field's value. Out: the field of the request. Never copies a text. */
#include "server/request_fields.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TEXTS_FIRST 64 /* room for texts that the list starts with */
#define NUMBER_MAX  1000000000

static bool begin_texts(ed_request_parser *p, ed_json_token token, unsigned bit);
static bool read_list(ed_request_parser *p, const char *field);
static embedd_text token_text(ed_request_parser *p);
static bool wrong_type(ed_request_parser *p, ed_json_token token, const char *field,
                       const char *type);

bool ed_read_fields(ed_request_parser *p, const ed_request_field *fields, size_t n_fields)
{
    ed_json_token token;
    while ((token = ed_json_next(&p->json)) == ED_JSON_KEY) {
        const ed_request_field *field = NULL;
        embedd_text key = token_text(p);
        for (size_t i = 0; i < n_fields && !field; i++)
            if (ed_text_is(key, fields[i].name))
                field = &fields[i];
        token = ed_json_next(&p->json);
        if (field ? !field->read(p, token) : !ed_json_skip(&p->json, token))
            return false;
    }
    return token == ED_JSON_OBJECT_END;
}

bool ed_read_texts(ed_request_parser *p, ed_json_token token)
{
    if (!begin_texts(p, token, ED_GIVEN_TEXTS))
        return true;
    if (token != ED_JSON_ARRAY)
        return wrong_type(p, token, "\"texts\"", "a list of strings");
    return read_list(p, "\"texts\"");
}

bool ed_read_text(ed_request_parser *p, ed_json_token token)
{
    embedd_text text;
    if (!begin_texts(p, token, ED_GIVEN_TEXT))
        return true;
    return ed_read_string(p, token, "the text", &text) && ed_add_text(p, text);
}

bool ed_read_inputs(ed_request_parser *p, ed_json_token token)
{
    if (!begin_texts(p, token, ED_GIVEN_INPUTS))
        return true;
    p->single = token == ED_JSON_STRING;
    if (p->single)
        return ed_add_text(p, token_text(p));
    if (token != ED_JSON_ARRAY)
        return wrong_type(p, token, "the input", "a string or a list of strings");
    return read_list(p, "the input");
}

/* False if there is nothing to read. The last of a repeated field counts. */
static bool begin_texts(ed_request_parser *p, ed_json_token token, unsigned bit)
{
    ed_begin_texts(p, bit);
    if (token == ED_JSON_NULL)
        p->given &= ~bit;
    return token != ED_JSON_NULL;
}

void ed_begin_texts(ed_request_parser *p, unsigned bit)
{
    if (!(p->given & ~bit))
        p->request->n_texts = 0;
    p->given |= bit;
}

static bool read_list(ed_request_parser *p, const char *field)
{
    ed_json_token token;
    while ((token = ed_json_next(&p->json)) == ED_JSON_STRING)
        if (!ed_add_text(p, token_text(p)))
            return false;
    if (token == ED_JSON_ARRAY_END)
        return true;
    if (token == ED_JSON_ERROR)
        return false;
    bool ids = token == ED_JSON_NUMBER || token == ED_JSON_ARRAY;
    return ed_problem_set(p->problem, ED_PROBLEM_INVALID_TYPE, p->request->n_texts,
                          "item %zu of %s is not a string%s", p->request->n_texts, field,
                          ids ? "; send texts, not token ids (LangChain in Python: "
                                "check_embedding_ctx_length=False)"
                              : "");
}

/* The KEY or STRING just read, without its escapes. */
static embedd_text token_text(ed_request_parser *p)
{
    char *bytes = p->body + (p->json.token - p->json.text);
    return (embedd_text){bytes, ed_json_unescape(&p->json, bytes)};
}

bool ed_add_text(ed_request_parser *p, embedd_text text)
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

bool ed_read_model(ed_request_parser *p, ed_json_token token)
{
    return ed_read_string(p, token, "\"model\"", &p->request->model);
}

bool ed_read_any_model(ed_request_parser *p, ed_json_token token)
{
    p->request->any_model = true;
    return token == ED_JSON_STRING ? ed_read_model(p, token) : ed_json_skip(&p->json, token);
}

bool ed_read_normalize(ed_request_parser *p, ed_json_token token)
{
    return ed_read_bool(p, token, "\"normalize\"", &p->request->normalize);
}

bool ed_read_truncate(ed_request_parser *p, ed_json_token token)
{
    return ed_read_bool(p, token, "\"truncate\"", &p->request->truncate);
}

bool ed_read_pooling(ed_request_parser *p, ed_json_token token)
{
    embedd_text name = {0};
    char terminated[32];
    p->request->pooling = EMBEDD_POOLING_MODEL;
    if (token == ED_JSON_NULL)
        return true;
    if (!ed_read_string(p, token, "\"pooling\"", &name))
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

bool ed_read_prompt(ed_request_parser *p, ed_json_token token)
{
    p->request->prompt = (embedd_text){0};
    return ed_read_string(p, token, "\"prompt\"", &p->request->prompt);
}

bool ed_read_prompt_name(ed_request_parser *p, ed_json_token token)
{
    p->request->prompt_name = (embedd_text){0};
    return ed_read_string(p, token, "\"prompt_name\"", &p->request->prompt_name);
}

/* A hint of how much to compute at once. The scheduler knows better; but a number that makes no
 * sense is the client's mistake. */
bool ed_read_batch_size(ed_request_parser *p, ed_json_token token)
{
    p->request->batch_size = 0;
    return ed_read_whole_number(p, token, "\"batch_size\"", 1, &p->request->batch_size);
}

bool ed_read_dimensions(ed_request_parser *p, ed_json_token token)
{
    p->request->dimensions = 0;
    return ed_read_whole_number(p, token, "\"dimensions\"", 1, &p->request->dimensions);
}

/* The left end is never cut here, and a client that asks for it must learn that. */
bool ed_read_direction(ed_request_parser *p, ed_json_token token)
{
    embedd_text direction = {0};
    if (!ed_read_string(p, token, "\"truncation_direction\"", &direction))
        return false;
    if (!direction.bytes || ed_text_is(direction, "Right") || ed_text_is(direction, "right"))
        return true;
    return ed_problem_set(p->problem, ED_PROBLEM_INVALID_VALUE, EMBEDD_NO_INDEX,
                          "\"truncation_direction\" can only be \"Right\"");
}

bool ed_read_bool(ed_request_parser *p, ed_json_token token, const char *field, bool *out)
{
    if (token == ED_JSON_NULL)
        return true;
    if (token != ED_JSON_TRUE && token != ED_JSON_FALSE)
        return wrong_type(p, token, field, "true or false");
    *out = token == ED_JSON_TRUE;
    return true;
}

bool ed_read_string(ed_request_parser *p, ed_json_token token, const char *field, embedd_text *out)
{
    if (token == ED_JSON_NULL)
        return true;
    if (token != ED_JSON_STRING)
        return wrong_type(p, token, field, "a string");
    *out = token_text(p);
    return true;
}

bool ed_read_whole_number(ed_request_parser *p, ed_json_token token, const char *field, size_t min,
                          size_t *out)
{
    char number[32];
    double value = NAN;
    if (token == ED_JSON_NULL)
        return true;
    if (token != ED_JSON_NUMBER)
        return wrong_type(p, token, field, "a whole number");
    if (p->json.token_bytes < sizeof number) {
        memcpy(number, p->json.token, p->json.token_bytes);
        number[p->json.token_bytes] = '\0';
        value = strtod(number, NULL);
    }
    if (!(value >= (double)min && value <= NUMBER_MAX) || value != floor(value))
        return ed_problem_set(p->problem, ED_PROBLEM_INVALID_VALUE, EMBEDD_NO_INDEX,
                              "%s is not a whole number from %zu to %d", field, min, NUMBER_MAX);
    *out = (size_t)value;
    return true;
}

static bool wrong_type(ed_request_parser *p, ed_json_token token, const char *field,
                       const char *type)
{
    if (token == ED_JSON_ERROR)
        return false;
    return ed_problem_set(p->problem, ED_PROBLEM_INVALID_TYPE, EMBEDD_NO_INDEX, "%s is not %s",
                          field, type);
}

bool ed_text_is(embedd_text text, const char *expected)
{
    return text.bytes && text.n_bytes == strlen(expected) &&
           memcmp(text.bytes, expected, text.n_bytes) == 0;
}
