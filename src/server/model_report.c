/* In: the service. Out: JSON that lists its models. Never a field that is a guess: what embedd does
 * not have (a template, a licence), or does not know of a model that is not loaded, is left out, 0
 * or empty. */
#include "server/model_report.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "server/json_text.h"
#include "server/model_name.h"

#define NEVER "2318-01-01T00:00:00Z" /* a model that stays loaded */

static bool loading(const ed_call *call);
static bool read_name(const ed_call *call, ed_request *request);
static void put_list(const ed_call *call, const char *begin, const ed_served_model *only,
                     bool loaded_only, void (*put)(ed_buf *reply, const ed_model_view *view));
static void put_tag(ed_buf *reply, const ed_model_view *view);
static void put_running(ed_buf *reply, const ed_model_view *view);
static void put_card(ed_buf *reply, const ed_model_view *view);
static void put_object(ed_buf *reply, const ed_model_view *view);
static void put_name(ed_buf *reply, const ed_model_view *view);
static void put_details(ed_buf *reply, const ed_model_view *view);
static void put_time(ed_buf *reply, time_t when);

unsigned ed_report_version(const ed_call *call)
{
    ed_buf_printf(call->reply, "{\"version\":\"%s\"}", embedd_version());
    return 200;
}

unsigned ed_report_tags(const ed_call *call)
{
    if (loading(call))
        return 0;
    put_list(call, "{\"models\":[", NULL, false, put_tag);
    ed_buf_append_text(call->reply, "]}");
    return 200;
}

unsigned ed_report_running_models(const ed_call *call)
{
    if (loading(call))
        return 0;
    put_list(call, "{\"models\":[", NULL, true, put_running);
    ed_buf_append_text(call->reply, "]}");
    return 200;
}

unsigned ed_report_show(const ed_call *call)
{
    ed_request request;
    if (loading(call) || !read_name(call, &request))
        return 0;
    put_list(call, "", ed_models_find(call->service->models, request.model), false, put_card);
    ed_request_clear(&request);
    return 200;
}

unsigned ed_report_models(const ed_call *call)
{
    static const char all[] = "/v1/models";
    if (loading(call))
        return 0;
    const char *name = call->path + sizeof all - 1;
    if (*name == '/' && name[1]) {
        const embedd_text text = {name + 1, strlen(name + 1)};
        const ed_served_model *model = ed_models_find(call->service->models, text);
        if (!model) {
            ed_problem_set(call->problem, ED_PROBLEM_UNKNOWN_MODEL, EMBEDD_NO_INDEX, NULL);
            return 0;
        }
        put_list(call, "", model, false, put_object);
        return 200;
    }
    put_list(call, "{\"object\":\"list\",\"data\":[", NULL, false, put_object);
    ed_buf_append_text(call->reply, "]}");
    return 200;
}

static bool loading(const ed_call *call)
{
    if (ed_service_get_state(call->service) != ED_SERVICE_LOADING)
        return false;
    ed_problem_set(call->problem, ED_PROBLEM_LOADING, EMBEDD_NO_INDEX, NULL);
    return true;
}

static bool check_name(ed_request_parser *p)
{
    if (!p->request->model.bytes)
        return ed_problem_set(p->problem, ED_PROBLEM_MISSING_FIELD, EMBEDD_NO_INDEX,
                              "model is required");
    return true;
}

/* {"model"}, or {"name"} as older clients send it. The name is one that is served. */
static bool read_name(const ed_call *call, ed_request *request)
{
    static const ed_request_field fields[] = {{"model", ed_read_model}, {"name", ed_read_model}};
    static const ed_dialect naming = {
        .fields = fields, .n_fields = sizeof fields / sizeof *fields, .check = check_name};
    if (!ed_request_parse(request, &naming, call->body, call->n_body, 0, call->problem))
        return false;
    if (ed_models_find(call->service->models, request->model))
        return true;
    ed_request_clear(request);
    ed_models_set_unknown(call->service->models, call->problem);
    return false;
}

/* ---- one model after the other --------------------------------------------------------------- */

typedef struct listing {
    ed_buf *reply;
    const char *separator;
    bool loaded_only;
    void (*put)(ed_buf *reply, const ed_model_view *view);
} listing;

static void put_entry(void *context, const ed_model_view *view)
{
    listing *l = context;
    if (l->loaded_only && !view->loaded)
        return;
    ed_buf_append_text(l->reply, l->separator);
    l->put(l->reply, view);
    l->separator = ",";
}

static void put_list(const ed_call *call, const char *begin, const ed_served_model *only,
                     bool loaded_only, void (*put)(ed_buf *reply, const ed_model_view *view))
{
    listing l = {call->reply, begin, loaded_only, put};
    ed_models_each(call->service->models, only, put_entry, &l);
    if (l.separator == begin)
        ed_buf_append_text(call->reply, begin); /* there was none */
}

static void put_tag(ed_buf *reply, const ed_model_view *view)
{
    size_t n_bytes = view->loaded ? view->facts->weight_bytes : view->files->n_bytes;
    ed_buf_append_text(reply, "{\"name\":");
    put_name(reply, view);
    ed_buf_append_text(reply, ",\"model\":");
    put_name(reply, view);
    ed_buf_append_text(reply, ",\"modified_at\":");
    put_time(reply, (time_t)view->files->modified_s);
    ed_buf_printf(reply, ",\"size\":%zu,\"digest\":\"\",", n_bytes);
    put_details(reply, view);
    ed_buf_append_text(reply, ",\"capabilities\":[\"embedding\"]}");
}

static void put_running(ed_buf *reply, const ed_model_view *view)
{
    put_tag(reply, view);
    reply->n_bytes -= !reply->failed; /* its brace */
    ed_buf_append_text(reply, ",\"expires_at\":");
    if (view->expires_in_ns == ED_FOREVER)
        ed_buf_append_text(reply, "\"" NEVER "\"");
    else
        put_time(reply, time(NULL) + (time_t)(view->expires_in_ns / 1000000000));
    ed_buf_printf(reply, ",\"size_vram\":0,\"context_length\":%zu}", view->facts->tokens_max);
}

static void put_card(ed_buf *reply, const ed_model_view *view)
{
    const ed_model_facts *facts = view->facts;
    const char *family = facts->architecture;
    ed_buf_append_text(reply, "{\"modelfile\":\"\",\"parameters\":\"\",\"template\":\"\",");
    put_details(reply, view);
    ed_buf_append_text(reply, ",\"model_info\":{\"general.architecture\":");
    ed_json_text_string_or_null(reply, family);
    ed_buf_printf(reply, ",\"general.parameter_count\":%zu", facts->n_parameters);
    const struct {
        const char *name;
        size_t value;
    } numbers[] = {{"context_length", facts->tokens_max},
                   {"embedding_length", facts->dimensions},
                   {"block_count", facts->n_layers}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char key[64];
        snprintf(key, sizeof key, "%s.%s", family, numbers[i].name);
        ed_buf_append(reply, ",", 1);
        ed_json_text_string_or_null(reply, key);
        ed_buf_printf(reply, ":%zu", numbers[i].value);
    }
    ed_buf_append_text(reply, "},\"capabilities\":[\"embedding\"]}");
}

static void put_object(ed_buf *reply, const ed_model_view *view)
{
    const ed_model_facts *facts = view->facts;
    embedd_text name = ed_model_name_short(view->id);
    if (view->ambiguous)
        name = (embedd_text){view->id, strlen(view->id)};
    ed_buf_append_text(reply, "{\"id\":");
    ed_json_text_string(reply, name.bytes, name.n_bytes);
    ed_buf_printf(reply,
                  ",\"object\":\"model\",\"created\":0,\"owned_by\":\"library\",\"embedding\":"
                  "{\"dimensions\":%zu,\"max_tokens\":%zu,\"normalized\":%s,\"pooling\":\"%s\"}}",
                  facts->dimensions, facts->tokens_max, facts->normalized ? "true" : "false",
                  facts->pooling);
}

/* ---- parts ----------------------------------------------------------------------------------- */

static void put_name(ed_buf *reply, const ed_model_view *view)
{
    embedd_text name = ed_model_name_short(view->id);
    const char *tag = strchr(name.bytes + name.n_bytes, ':');
    char text[256];
    if (view->ambiguous)
        name = (embedd_text){view->id, (size_t)(name.bytes + name.n_bytes - view->id)};
    snprintf(text, sizeof text, "%.*s%s", (int)(name.n_bytes < 200 ? name.n_bytes : 200),
             name.bytes, tag ? tag : ":latest");
    ed_json_text_string_or_null(reply, text);
}

static void put_details(ed_buf *reply, const ed_model_view *view)
{
    const ed_model_facts *facts = view->facts;
    char type[sizeof facts->dtype];
    size_t n = 0;
    for (; facts->dtype[n] && n + 1 < sizeof type; n++)
        type[n] = (char)toupper((unsigned char)facts->dtype[n]);
    type[n] = '\0';
    ed_buf_printf(reply, "\"details\":{\"parent_model\":\"\",\"format\":\"%s\",\"family\":",
                  view->files->gguf ? "gguf" : "safetensors");
    ed_json_text_string_or_null(reply, facts->architecture);
    ed_buf_append_text(reply, ",\"families\":[");
    ed_json_text_string_or_null(reply, facts->architecture);
    ed_buf_printf(reply,
                  "],\"parameter_size\":\"%zuM\",\"quantization_level\":\"%s\","
                  "\"context_length\":%zu,\"embedding_length\":%zu}",
                  (facts->n_parameters + 500000) / 1000000, type, facts->tokens_max,
                  facts->dimensions);
}

static void put_time(ed_buf *reply, time_t when)
{
    struct tm utc;
    char text[32] = "1970-01-01T00:00:00Z";
    if (gmtime_r(&when, &utc))
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    ed_json_text_string_or_null(reply, text);
}
