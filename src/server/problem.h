/* Why a request is not answered with vectors: one list of code, HTTP status and sentence. */
#ifndef ED_PROBLEM_H
#define ED_PROBLEM_H

#include "embedd.h"

/* name, HTTP status, code in the error body, seconds after which a retry may help (0: it will not),
 * the general sentence */
#define ED_PROBLEM_MAP(XX)                                                                         \
    XX(MALFORMED_HTTP, 400, "malformed_http", 0, "the request is not well-formed HTTP")            \
    XX(INVALID_JSON, 400, "invalid_json", 0, "the body is not valid JSON")                         \
    XX(INVALID_UTF8, 400, "invalid_utf8", 0, "the body is not valid UTF-8")                        \
    XX(INVALID_TYPE, 400, "invalid_type", 0, "a field has the wrong type")                         \
    XX(INVALID_VALUE, 400, "invalid_value", 0, "a field has a value that is not possible")         \
    XX(MISSING_FIELD, 400, "missing_field", 0, "a field is missing")                               \
    XX(UNKNOWN_POOLING, 400, "unknown_pooling", 0, "there is no such pooling")                     \
    XX(UNKNOWN_PROMPT, 400, "unknown_prompt", 0, "the model has no such prompt")                   \
    XX(WRONG_TASK, 400, "wrong_task", 0, "the model is not made for that")                         \
    XX(UNAUTHORIZED, 401, "unauthorized", 0,                                                       \
       "the request needs Authorization: Bearer and the key")                                      \
    XX(FORBIDDEN_HOST, 403, "forbidden_host", 0, "the Host header names another server")           \
    XX(FORBIDDEN_ORIGIN, 403, "forbidden_origin", 0, "this web page's origin may not call")        \
    XX(FORBIDDEN_CHANGE, 403, "forbidden_change", 0, "models are not changed over HTTP")           \
    XX(FORBIDDEN_PATH, 403, "forbidden_path", 0, "no such file below a --file-root is readable")   \
    XX(NOT_FOUND, 404, "not_found", 0, "there is no such route")                                   \
    XX(UNKNOWN_MODEL, 404, "model_not_found", 0, "the model is not served here")                   \
    XX(METHOD_NOT_ALLOWED, 405, "method_not_allowed", 0, "the route has no such method")           \
    XX(BODY_TOO_LARGE, 413, "body_too_large", 0, "the body is larger than the limit")              \
    XX(BATCH_TOO_LARGE, 413, "batch_too_large", 0, "too many inputs in one request")               \
    XX(UNSUPPORTED_DOCUMENT, 415, "unsupported_document", 0, "files of this type are not read")    \
    XX(NOT_A_FILE, 422, "not_a_file", 0, "the path is no file but a folder, a pipe or a device")   \
    XX(INPUT_TOO_LONG, 422, "input_too_long", 0, "a text is longer than the model reads")          \
    XX(OVERLOADED, 429, "overloaded", 1, "too many requests are waiting")                          \
    XX(HEADER_TOO_LARGE, 431, "header_too_large", 0, "the header has too many lines")              \
    XX(INTERNAL, 500, "internal", 0, "the server failed")                                          \
    XX(MODEL_FAILED, 500, "model_failed", 0, "the model could not be loaded")                      \
    XX(NONFINITE_OUTPUT, 500, "nonfinite_output", 0,                                               \
       "the model computed a number that is not finite")                                           \
    XX(UNSUPPORTED_CODING, 501, "unsupported_coding", 0, "the transfer coding is not supported")   \
    XX(PULL_FAILED, 502, "pull_failed", 0, "the model could not be downloaded")                    \
    XX(LOADING, 503, "loading", 1, "the model is being loaded")                                    \
    XX(MODEL_MEMORY, 503, "model_memory", 1, "no memory is left for the model")                    \
    XX(DRAINING, 503, "draining", 1, "the server is shutting down")                                \
    XX(OUT_OF_MEMORY, 503, "out_of_memory", 1, "no memory is left for the request")                \
    XX(DEADLINE_EXCEEDED, 504, "deadline_exceeded", 1, "the request took too long")

typedef enum ed_problem_code {
    ED_PROBLEM_NONE,
#define ED_XX(name, http, code, retry, sentence) ED_PROBLEM_##name,
    ED_PROBLEM_MAP(ED_XX)
#undef ED_XX
} ed_problem_code;

typedef struct ed_problem {
    ed_problem_code code;
    size_t index;    /* of the text at fault, or EMBEDD_NO_INDEX */
    size_t n_tokens; /* INPUT_TOO_LONG: of the text, and how many the model reads */
    size_t n_tokens_max;
    char message[256]; /* ASCII, and nothing a client has sent */
} ed_problem;

/* Fills `problem`; `format` NULL = the general sentence. Returns false, so that a check can `return
 * ed_problem_set(...)`. */
bool ed_problem_set(ed_problem *problem, ed_problem_code code, size_t index, const char *format,
                    ...) __attribute__((format(printf, 4, 5)));

unsigned ed_problem_http_status(ed_problem_code code);
const char *ed_problem_name(ed_problem_code code);
const char *ed_problem_sentence(ed_problem_code code);
unsigned ed_problem_retry_seconds(ed_problem_code code);
/* The problem a client sees when the engine returns `status`. */
ed_problem_code ed_problem_of(embedd_status status);

#endif
