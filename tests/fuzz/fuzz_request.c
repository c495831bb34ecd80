/* Bodies of every dialect: whatever the bytes are, texts lie inside the body and are valid UTF-8,
 * and a refusal has a 4xx and a message without any byte of the body beyond ASCII. */
#include "server/dialect.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

#define TEXTS_MAX 64

static void check_text(embedd_text text, const char *body, size_t n_bytes)
{
    if (!text.bytes)
        return;
    if (text.bytes < body || text.n_bytes > n_bytes || text.bytes + text.n_bytes > body + n_bytes ||
        ed_utf8_valid_prefix(text.bytes, text.n_bytes) != text.n_bytes)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static void parse(const ed_dialect *dialect, const uint8_t *data, size_t n_bytes)
{
    ed_request request;
    ed_problem problem;
    char *body = malloc(n_bytes ? n_bytes : 1);
    if (!body)
        return;
    if (n_bytes)
        memcpy(body, data, n_bytes);
    if (ed_request_parse(&request, dialect, body, n_bytes, TEXTS_MAX, &problem)) {
        if (request.n_texts > TEXTS_MAX || request.batch_size > 1000000000)
            abort();
        for (size_t i = 0; i < request.n_texts; i++)
            check_text(request.texts[i], body, n_bytes);
        check_text(request.prompt, body, n_bytes);
        check_text(request.prompt_name, body, n_bytes);
        check_text(request.model, body, n_bytes);
        check_text(request.source, body, n_bytes);
        check_text(request.query, body, n_bytes);
        check_text(request.file.path, body, n_bytes);
        if (request.file.chunk_overlap * 2 > request.file.chunk_size ||
            request.file.chunks_max > TEXTS_MAX)
            abort();
    } else {
        unsigned status = ed_problem_http_status(problem.code);
        if (status != 400 && status != 413)
            abort();
        for (const char *c = problem.message; *c; c++)
            if (*c < ' ' || *c > '~')
                abort();
    }
    ed_request_clear(&request);
    free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    static const ed_dialect *const dialects[] = {
        &ed_dialect_sidecar, &ed_dialect_openai,     &ed_dialect_ollama, &ed_dialect_ollama_prompt,
        &ed_dialect_binary,  &ed_dialect_similarity, &ed_dialect_file,   &ed_dialect_rerank,
        &ed_dialect_sparse,  &ed_dialect_tokenize,   &ed_dialect_decode};
    for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++)
        parse(dialects[i], data, n_bytes);
    return 0;
}
