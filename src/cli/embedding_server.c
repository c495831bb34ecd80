/* In: a URL. Out: which of the known kinds of server answers there. Each kind has one answer that
 * no other gives: /info with "dim" (embedd and its like) or with "max_client_batch_size" (TEI),
 * /api/version (Ollama), /v1/models (everybody else). embedd answers all of them: it is asked
 * first. */
#include "cli/embedding_server.h"

#include "base/error.h"
#include "cli/vector_sink.h"
#include "formats/json.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The body of a GET as JSON; NULL if there is no such answer. */
static struct json_object *get_json(const ed_embedding_server *server, ed_http_call *call,
                                    const char *path, unsigned timeout_ms)
{
    char url[ED_SERVER_URL_MAX + 32];
    struct json_object *object = NULL;

    snprintf(url, sizeof url, "%s%s", server->url, path);
    if (ed_http_call_send(call, url, NULL, 0, timeout_ms, NULL) != EMBEDD_OK || call->code != 200 ||
        ed_json_parse(call->body.data, call->body.n_bytes, url, &object, NULL) != EMBEDD_OK)
        return NULL;
    if (json_object_is_type(object, json_type_object))
        return object;
    json_object_put(object);
    return NULL;
}

/* Printable ASCII only: it goes to a terminal. */
static void copy_string(struct json_object *object, const char *field, char *out, size_t out_cap)
{
    const char *text = NULL;
    size_t n = 0;

    if (ed_json_get_string(object, field, &text, "", NULL) != EMBEDD_OK || text == NULL)
        return;
    for (; text[n] && n + 1 < out_cap; n++)
        out[n] = text[n] >= ' ' && text[n] < 0x7f ? text[n] : '?';
    out[n] = '\0';
}

/* The first object of the list in `field`. */
static void copy_first(ed_embedding_server *server, struct json_object *answer, const char *field,
                       const char *name)
{
    struct json_object *list = NULL;

    if (ed_json_get_array(answer, field, &list, "", NULL) == EMBEDD_OK && list &&
        json_object_array_length(list) > 0)
        copy_string(json_object_array_get_idx(list, 0), name, server->model, sizeof server->model);
}

static bool read_info(ed_embedding_server *server, struct json_object *info)
{
    if (json_object_object_get_ex(info, "dim", NULL))
        server->kind = ED_SERVER_EMBEDD;
    else if (json_object_object_get_ex(info, "max_client_batch_size", NULL))
        server->kind = ED_SERVER_TEI;
    else
        return false;
    copy_string(info, "version", server->version, sizeof server->version);
    copy_string(info, "model_id", server->model, sizeof server->model);
    return true;
}

embedd_status ed_server_probe(ed_embedding_server *server, ed_http_call *call, const char *url,
                              unsigned timeout_ms, embedd_error *err)
{
    size_t n = strlen(url);
    struct json_object *answer;

    while (n > 0 && url[n - 1] == '/')
        n--;
    if (n >= ED_SERVER_URL_MAX ||
        (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0))
        return ed_fail(err, EMBEDD_ARGUMENT, "'%s' is no address that begins with http://", url);
    *server = (ed_embedding_server){.kind = ED_SERVER_NONE};
    memcpy(server->url, url, n);
    answer = get_json(server, call, "/info", timeout_ms);
    if (call->code == 0)
        return EMBEDD_OK;
    server->kind = ED_SERVER_OTHER;
    bool known = answer && read_info(server, answer);
    json_object_put(answer);
    if (!known && (answer = get_json(server, call, "/api/version", timeout_ms)) != NULL) {
        known = true;
        server->kind = ED_SERVER_OLLAMA;
        copy_string(answer, "version", server->version, sizeof server->version);
        json_object_put(answer);
        answer = get_json(server, call, "/api/tags", timeout_ms);
        copy_first(server, answer, "models", "name");
        json_object_put(answer);
    }
    if (!known && (answer = get_json(server, call, "/v1/models", timeout_ms)) != NULL) {
        server->kind = ED_SERVER_OPENAI;
        copy_first(server, answer, "data", "id");
        json_object_put(answer);
    }
    return EMBEDD_OK;
}

void ed_server_title(const ed_embedding_server *server, char *out, size_t out_cap)
{
    static const char *const names[] = {
        [ED_SERVER_NONE] = "nobody",   [ED_SERVER_OTHER] = "a server of another kind",
        [ED_SERVER_EMBEDD] = "embedd", [ED_SERVER_TEI] = "text-embeddings-inference",
        [ED_SERVER_OLLAMA] = "Ollama", [ED_SERVER_OPENAI] = "a server with OpenAI's routes",
    };

    /* A sidecar of another make has the routes, not the version. */
    bool other_make = server->kind == ED_SERVER_EMBEDD && !server->version[0];
    snprintf(out, out_cap, "%s%s%s", other_make ? "an embedding sidecar" : names[server->kind],
             server->version[0] ? " " : "", server->version);
}

/* ---- requests -------------------------------------------------------------------------------- */

void ed_server_request_url(const ed_embedding_server *server, char out[ED_SERVER_URL_MAX + 32])
{
    const char *path = server->kind == ED_SERVER_OLLAMA   ? "/api/embed"
                       : server->kind == ED_SERVER_OPENAI ? "/v1/embeddings"
                                                          : "/embed";
    snprintf(out, ED_SERVER_URL_MAX + 32, "%s%s", server->url, path);
}

bool ed_server_request_body(const ed_embedding_server *server, const embedd_text *texts,
                            size_t n_texts, ed_buf *out)
{
    bool has_model = server->kind == ED_SERVER_OLLAMA || server->kind == ED_SERVER_OPENAI;

    ed_buf_append_text(out, "{");
    if (has_model) {
        ed_buf_append_text(out, "\"model\":");
        ed_append_json_string(out, server->model, strlen(server->model));
        ed_buf_append_text(out, ",");
    }
    ed_buf_append_text(out, has_model                       ? "\"input\":["
                            : server->kind == ED_SERVER_TEI ? "\"inputs\":["
                                                            : "\"texts\":[");
    for (size_t i = 0; i < n_texts; i++) {
        ed_buf_append_text(out, i > 0 ? "," : "");
        ed_append_json_string(out, texts[i].bytes, texts[i].n_bytes);
    }
    return ed_buf_append_text(out, "]}");
}
