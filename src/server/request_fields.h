/* Reading fields of a request body, for the dialects' tables: each reader gets the first token of
 * its field's value, and reads to the value's end. Returns false with a problem, or with none if
 * the body is not JSON there. null is like an absent field. */
#ifndef ED_REQUEST_FIELDS_H
#define ED_REQUEST_FIELDS_H

#include "formats/json_reader.h"
#include "server/request.h"

/* Which of the fields that bring texts have come. */
enum { ED_GIVEN_TEXTS = 1 << 0, ED_GIVEN_TEXT = 1 << 1, ED_GIVEN_INPUTS = 1 << 2 };

typedef struct ed_request_parser {
    ed_json_reader json;
    char *body; /* what json reads; a string is unescaped in place, which never makes it longer */
    ed_request *request;
    size_t texts_max;
    size_t texts_cap;
    unsigned given;
    bool single; /* the inputs are one string, not a list */
    ed_problem *problem;
} ed_request_parser;

typedef struct ed_request_field {
    const char *name;
    bool (*read)(ed_request_parser *p, ed_json_token token);
} ed_request_field;

/* All fields of an object whose OBJECT token has been read. */
bool ed_read_fields(ed_request_parser *p, const ed_request_field *fields, size_t n_fields);

/* "texts": a list of strings. "text", "prompt": one. "input", "inputs": either. */
bool ed_read_texts(ed_request_parser *p, ed_json_token token);
bool ed_read_text(ed_request_parser *p, ed_json_token token);
bool ed_read_inputs(ed_request_parser *p, ed_json_token token);
/* Before a dialect reads a list of its own: forgets the texts that the same field has brought. */
void ed_begin_texts(ed_request_parser *p, unsigned bit);

bool ed_read_model(ed_request_parser *p, ed_json_token token);
/* Where clients need not name a model, and did not before there were several. */
bool ed_read_any_model(ed_request_parser *p, ed_json_token token);
bool ed_read_normalize(ed_request_parser *p, ed_json_token token);
bool ed_read_truncate(ed_request_parser *p, ed_json_token token);
bool ed_read_pooling(ed_request_parser *p, ed_json_token token);
bool ed_read_prompt(ed_request_parser *p, ed_json_token token);
bool ed_read_prompt_name(ed_request_parser *p, ed_json_token token);
bool ed_read_batch_size(ed_request_parser *p, ed_json_token token);
/* TEI's truncation_direction. */
bool ed_read_direction(ed_request_parser *p, ed_json_token token);
bool ed_read_dimensions(ed_request_parser *p, ed_json_token token);

/* For fields of one dialect. *out stays as it is if the value is null. */
bool ed_read_bool(ed_request_parser *p, ed_json_token token, const char *field, bool *out);
bool ed_read_string(ed_request_parser *p, ed_json_token token, const char *field, embedd_text *out);
bool ed_read_whole_number(ed_request_parser *p, ed_json_token token, const char *field, size_t min,
                          size_t *out);

bool ed_add_text(ed_request_parser *p, embedd_text text);
bool ed_text_is(embedd_text text, const char *expected);

#endif
