/* In: vectors. Out: the parts of a reply. Never a number that does not read back to the same float,
 * and never NaN. */
#include "server/reply.h"

#include <math.h>
#include <string.h>

#include "server/float_text.h"
#include "server/json_text.h"

#define FLOAT_BYTES_MAX (ED_FLOAT_TEXT_MAX + 1) /* with its comma */
#define TEXT_BYTES_MAX  192 /* brackets, field names, and its line in the truncation report */
#define NAME_BYTES_MAX  4096

static bool put_numbers(ed_buf *reply, const float *vector, size_t n_dimensions);
static bool put_base64(ed_buf *reply, const float *vector, size_t n_dimensions);
static bool all_finite(const float *vector, size_t n_dimensions);

size_t ed_reply_bytes_max(const ed_request *request, const ed_result *result)
{
    return request->n_texts * (result->n_dimensions * FLOAT_BYTES_MAX + TEXT_BYTES_MAX) +
           (request->model.n_bytes + request->file.n_text_bytes) * 6 + NAME_BYTES_MAX + 8192;
}

bool ed_reply_vector(ed_buf *reply, const ed_request *request, const ed_result *result,
                     size_t text_index, ed_problem *problem)
{
    const float *vector = result->vectors + text_index * result->n_dimensions;
    bool ok = request->base64 ? put_base64(reply, vector, result->n_dimensions)
                              : put_numbers(reply, vector, result->n_dimensions);
    if (!ok && !reply->failed)
        ed_problem_set(problem, ED_PROBLEM_NONFINITE_OUTPUT, text_index, NULL);
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

bool ed_reply_bytes(ed_buf *reply, const ed_result *result, size_t text_index, ed_problem *problem)
{
    const float *vector = result->vectors + text_index * result->n_dimensions;
    size_t n_bytes = result->n_dimensions * sizeof *vector;
    if (!all_finite(vector, result->n_dimensions))
        return ed_problem_set(problem, ED_PROBLEM_NONFINITE_OUTPUT, text_index, NULL);
    if (!ed_buf_reserve(reply, n_bytes))
        return false;
    for (size_t i = 0; i < n_bytes; i++)
        reply->data[reply->n_bytes++] = (char)byte_at(vector, i);
    return true;
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
