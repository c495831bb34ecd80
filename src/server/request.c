/* In: the bytes of a body. Out: texts and options, or the problem and the index of the text at
 * fault. Never copies a text, and never puts one into a message. */
#include "server/dialect.h"

#include "base/memory.h"
#include "base/utf8.h"

#include <string.h>

static bool read_fields(ed_request_parser *p);
static bool not_json(ed_request_parser *p);

bool ed_request_parse(ed_request *request, const ed_dialect *dialect, char *body, size_t n_bytes,
                      size_t texts_max, ed_problem *problem)
{
    ed_request_parser p = {
        .body = body, .request = request, .texts_max = texts_max, .problem = problem};
    *request =
        (ed_request){.dialect = dialect, .normalize = true, .truncate = true, .stream = true};
    if (n_bytes == 0)
        return ed_problem_set(problem, ED_PROBLEM_INVALID_JSON, EMBEDD_NO_INDEX,
                              "missing request body");
    size_t n_valid = ed_utf8_valid_prefix(body, n_bytes);
    if (n_valid < n_bytes)
        return ed_problem_set(problem, ED_PROBLEM_INVALID_UTF8, EMBEDD_NO_INDEX,
                              "the body is not valid UTF-8 at byte %zu", n_valid);
    ed_json_reader_init(&p.json, body, n_bytes);
    if (n_bytes >= 3 && memcmp(body, "\xef\xbb\xbf", 3) == 0)
        p.json.at = 3; /* a byte order mark, which RFC 8259 lets a reader pass over */
    bool ok = read_fields(&p) && dialect->check(&p);
    request->n_replaced = p.json.n_replaced;
    if (ok)
        return true;
    ed_request_clear(request);
    return false;
}

void ed_request_clear(ed_request *request)
{
    ed_chunks_clear(&request->file.chunks);
    ed_document_close(&request->file.document);
    ed_free(request->file.bytes);
    ed_free(request->texts);
    *request = (ed_request){.dialect = request->dialect};
}

static bool read_fields(ed_request_parser *p)
{
    const ed_dialect *dialect = p->request->dialect;
    ed_json_token token = ed_json_next(&p->json);
    if (token != ED_JSON_OBJECT) {
        if (!ed_json_skip(&p->json, token) || ed_json_next(&p->json) != ED_JSON_END)
            return not_json(p);
        return ed_problem_set(p->problem, ED_PROBLEM_INVALID_TYPE, EMBEDD_NO_INDEX,
                              "the body is not an object");
    }
    if (!ed_read_fields(p, dialect->fields, dialect->n_fields))
        return p->json.reason ? not_json(p) : false;
    if (ed_json_next(&p->json) != ED_JSON_END)
        return not_json(p);
    return true;
}

static bool not_json(ed_request_parser *p)
{
    return ed_problem_set(p->problem, ED_PROBLEM_INVALID_JSON, EMBEDD_NO_INDEX,
                          "the body is not valid JSON at byte %zu: %s", p->json.at, p->json.reason);
}
