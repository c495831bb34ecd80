/* In: vectors. Out: the parts of a reply. Never a number that does not read back to the same float,
 * and never NaN. */
#include "server/reply.h"

#include <math.h>
#include <string.h>

#include "server/dialect.h"
#include "server/float_text.h"
#include "server/json_text.h"

#define FLOAT_BYTES_MAX  (ED_FLOAT_TEXT_MAX + 1) /* with its comma */
#define TEXT_BYTES_MAX   192 /* brackets, field names, and its line in the truncation report */
#define WEIGHT_BYTES_MAX 48  /* {"index":100000,"value":0.123456789}, */
#define NAME_BYTES_MAX   4096

static bool put_numbers(ed_buf *reply, const float *vector, size_t n_dimensions);
static bool put_base64(ed_buf *reply, const float *vector, size_t n_dimensions);
static void put_floats(ed_buf *reply, const float *vector, size_t n);
static void put_int8(ed_buf *reply, const float *vector, size_t n);
static void put_signs(ed_buf *reply, const float *vector, size_t n, unsigned offset);
static bool all_finite(const float *vector, size_t n_dimensions);

size_t ed_reply_bytes_max(const ed_request *request, const ed_result *result)
{
    bool sparse = request->dialect->answer == ED_ANSWER_SPARSE;
    size_t number = sparse ? WEIGHT_BYTES_MAX : FLOAT_BYTES_MAX, repeated = 0;
    for (size_t i = 0; request->return_texts && i < request->n_texts; i++)
        repeated += request->texts[i].n_bytes * 6; /* as an escape each */
    return result->n_vectors * (result->n_dimensions * number + TEXT_BYTES_MAX) + repeated +
           request->n_texts * TEXT_BYTES_MAX +
           (request->model.n_bytes + request->file.n_text_bytes) * 6 + NAME_BYTES_MAX + 8192;
}

bool ed_reply_vector(ed_buf *reply, const ed_request *request, const ed_result *result,
                     size_t vector_index, ed_problem *problem)
{
    const float *vector = result->vectors + vector_index * result->n_dimensions;
    bool ok = request->base64 ? put_base64(reply, vector, result->n_dimensions)
                              : put_numbers(reply, vector, result->n_dimensions);
    if (!ok && !reply->failed)
        ed_problem_set(problem, ED_PROBLEM_NONFINITE_OUTPUT, vector_index, NULL);
    return ok;
}

static bool put_numbers(ed_buf *reply, const float *vector, size_t n_dimensions)
{
    if (!ed_buf_reserve(reply, n_dimensions * FLOAT_BYTES_MAX + ED_FLOAT_TEXT_ROOM))
        return false;
    char *at = reply->data + reply->n_bytes;
    *at++ = '[';
    for (size_t i = 0; i < n_dimensions; i++) {
        size_t n_bytes = ed_float_text(vector[i], at);
        if (n_bytes == 0)
            return false;
        at += n_bytes;
        *at++ = ',';
    }
    at[-1] = ']'; /* a vector has at least one number */
    reply->n_bytes = (size_t)(at - reply->data);
    return true;
}

static unsigned char byte_at(const float *vector, size_t byte_index)
{
    uint32_t bits;
    memcpy(&bits, &vector[byte_index / 4], sizeof bits);
    return (unsigned char)(bits >> (byte_index % 4 * 8));
}

/* RFC 4648, padded. */
static bool put_base64(ed_buf *reply, const float *vector, size_t n_dimensions)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n_bytes = n_dimensions * sizeof *vector;
    if (!all_finite(vector, n_dimensions) || !ed_buf_reserve(reply, n_bytes / 3 * 4 + 8))
        return false;
    char *at = reply->data + reply->n_bytes;
    *at++ = '"';
    for (size_t i = 0; i < n_bytes; i += 3) {
        size_t n = n_bytes - i < 3 ? n_bytes - i : 3;
        uint32_t bits = 0;
        for (size_t j = 0; j < n; j++)
            bits |= (uint32_t)byte_at(vector, i + j) << (16 - 8 * j);
        for (size_t j = 0; j < 4; j++)
            *at++ = j <= n ? digits[bits >> (18 - 6 * j) & 63] : '=';
    }
    *at++ = '"';
    reply->n_bytes = (size_t)(at - reply->data);
    return true;
}

bool ed_reply_bytes(ed_buf *reply, const ed_request *request, const ed_result *result,
                    size_t vector_index, ed_problem *problem)
{
    size_t n = result->n_dimensions;
    const float *vector = result->vectors + vector_index * n;
    if (!all_finite(vector, n))
        return ed_problem_set(problem, ED_PROBLEM_NONFINITE_OUTPUT, vector_index, NULL);
    if (!ed_buf_reserve(reply, (n + 1) * sizeof *vector))
        return false;
    switch (request->encoding) {
    case ED_ENCODING_FLOAT32:
        put_floats(reply, vector, n);
        break;
    case ED_ENCODING_INT8:
        put_int8(reply, vector, n);
        break;
    case ED_ENCODING_UBINARY:
    case ED_ENCODING_BINARY:
        put_signs(reply, vector, n, request->encoding == ED_ENCODING_BINARY ? 128 : 0);
        break;
    }
    return true;
}

static void put_floats(ed_buf *reply, const float *vector, size_t n)
{
    for (size_t i = 0; i < n * sizeof *vector; i++)
        reply->data[reply->n_bytes++] = (char)byte_at(vector, i);
}

/* number = scale * byte, with the largest number at 127 or -127. */
static void put_int8(ed_buf *reply, const float *vector, size_t n)
{
    float largest = 0;
    for (size_t i = 0; i < n; i++)
        largest = fmaxf(largest, fabsf(vector[i]));
    const float scale = largest / 127;
    put_floats(reply, &scale, 1);
    for (size_t i = 0; i < n; i++)
        reply->data[reply->n_bytes++] = (char)(scale > 0 ? lrintf(vector[i] / scale) : 0);
}

/* A bit is 1 for a number above 0, the first in the highest place; the last byte ends in zeros. */
static void put_signs(ed_buf *reply, const float *vector, size_t n, unsigned offset)
{
    for (size_t i = 0; i < n; i += 8) {
        unsigned bits = 0;
        for (size_t j = i; j < i + 8; j++)
            bits = bits << 1 | (j < n && vector[j] > 0);
        reply->data[reply->n_bytes++] = (char)(unsigned char)(bits ^ offset);
    }
}

static bool all_finite(const float *vector, size_t n_dimensions)
{
    for (size_t i = 0; i < n_dimensions; i++)
        if (!isfinite(vector[i]))
            return false;
    return true;
}

size_t ed_reply_n_tokens(const ed_request *request, const ed_result *result)
{
    size_t n_tokens = 0;
    for (size_t i = 0; i < request->n_texts; i++)
        n_tokens += result->usages[i].n_tokens;
    return n_tokens;
}

void ed_reply_truncated(ed_buf *reply, const ed_request *request, const ed_result *result)
{
    const char *comma = "";
    ed_buf_append_text(reply, "[");
    for (size_t i = 0; i < request->n_texts; i++) {
        const embedd_usage *usage = &result->usages[i];
        if (usage->n_tokens_total <= usage->n_tokens)
            continue;
        ed_buf_printf(reply, "%s{\"index\":%zu,\"tokens_used\":%zu,\"tokens_total\":%zu}", comma, i,
                      usage->n_tokens, usage->n_tokens_total);
        comma = ",";
    }
    ed_buf_append_text(reply, "]");
}

void ed_reply_model(ed_buf *reply, const ed_request *request, const ed_result *result)
{
    if (request->model.bytes)
        ed_json_text_string(reply, request->model.bytes, request->model.n_bytes);
    else
        ed_json_text_string_or_null(reply, result->model_id);
}

bool ed_reply_end(ed_buf *reply, ed_problem *problem)
{
    if (reply->failed)
        return ed_problem_set(problem, ED_PROBLEM_OUT_OF_MEMORY, EMBEDD_NO_INDEX, NULL);
    return true;
}
