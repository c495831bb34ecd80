/* In: a code. Out: its HTTP status, name and sentence. Never holds anything a client has sent. */
#include "server/problem.h"

#include <stdarg.h>
#include <stdio.h>

typedef struct problem_row {
    unsigned http_status;
    const char *name;
    unsigned retry_seconds;
    const char *sentence;
} problem_row;

static const problem_row rows[] = {[ED_PROBLEM_NONE] = {200, "ok", 0, "ok"},
#define ED_XX(name, http, code, retry, sentence)                                                   \
    [ED_PROBLEM_##name] = {http, code, retry, sentence},
                                   ED_PROBLEM_MAP(ED_XX)
#undef ED_XX
};

bool ed_problem_set(ed_problem *problem, ed_problem_code code, size_t index, const char *format,
                    ...)
{
    *problem = (ed_problem){.code = code, .index = index};
    va_list arguments;
    va_start(arguments, format);
    if (format)
        vsnprintf(problem->message, sizeof problem->message, format, arguments);
    else
        snprintf(problem->message, sizeof problem->message, "%s", rows[code].sentence);
    va_end(arguments);
    return false;
}

unsigned ed_problem_http_status(ed_problem_code code)
{
    return rows[code].http_status;
}

const char *ed_problem_name(ed_problem_code code)
{
    return rows[code].name;
}

const char *ed_problem_sentence(ed_problem_code code)
{
    return rows[code].sentence;
}

unsigned ed_problem_retry_seconds(ed_problem_code code)
{
    return rows[code].retry_seconds;
}

/* A request was checked before it reached the engine: what else the engine may say is our fault. */
ed_problem_code ed_problem_of(embedd_status status)
{
    switch (status) {
    case EMBEDD_OK:
        return ED_PROBLEM_NONE;
    case EMBEDD_UTF8:
        return ED_PROBLEM_INVALID_UTF8;
    case EMBEDD_TOO_LONG:
        return ED_PROBLEM_INPUT_TOO_LONG;
    case EMBEDD_NONFINITE:
        return ED_PROBLEM_NONFINITE_OUTPUT;
    case EMBEDD_MEMORY:
        return ED_PROBLEM_OUT_OF_MEMORY;
    case EMBEDD_ARGUMENT:
    case EMBEDD_LIMIT:
    case EMBEDD_NOT_FOUND:
    case EMBEDD_IO:
    case EMBEDD_FORMAT:
    case EMBEDD_UNSUPPORTED:
    case EMBEDD_CPU:
    case EMBEDD_NETWORK:
    case EMBEDD_CHECKSUM:
        return ED_PROBLEM_INTERNAL;
    }
    return ED_PROBLEM_INTERNAL;
}
