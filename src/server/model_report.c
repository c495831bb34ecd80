/* In: the service. Out: JSON that lists one model. Never a field that is a guess: what embedd does
 * not have (a template, a licence) is left out or empty. */
#include "server/model_report.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "server/json_text.h"
#include "server/model_name.h"

#define NEVER "2318-01-01T00:00:00Z" /* a model that stays loaded */

static bool loading(const ed_call *call);
static bool read_name(const ed_call *call, bool *stream);
static const char *format_of(const char *model_id);
static void put_name(ed_buf *reply, const char *model_id);
static void put_entry(ed_buf *reply, const ed_service *service);
static void put_details(ed_buf *reply, const ed_service *service);
static void put_object(ed_buf *reply, const ed_service *service);

unsigned ed_report_version(const ed_call *call)
{
    ed_buf_printf(call->reply, "{\"version\":\"%s\"}", embedd_version());
    return 200;
}

unsigned ed_report_tags(const ed_call *call)
{
    if (loading(call))
        return 0;
    ed_buf_append_text(call->reply, "{\"models\":[{");
    put_entry(call->reply, call->service);
    ed_buf_append_text(call->reply, "}]}");
    return 200;
}

unsigned ed_report_running_models(const ed_call *call)
{
    if (loading(call))
        return 0;
    const embedd_model_info *info = embedd_model_get_info(call->service->model);
    ed_buf_append_text(call->reply, "{\"models\":[{");
    put_entry(call->reply, call->service);
    ed_buf_printf(call->reply,
                  ",\"expires_at\":\"" NEVER "\",\"size_vram\":0,\"context_length\":%zu}]}",
                  info->tokens_max);
    return 200;
}

unsigned ed_report_show(const ed_call *call)
{
    bool stream = true;
    if (loading(call) || !read_name(call, &stream))
        return 0;
    const embedd_model_info *info = embedd_model_get_info(call->service->model);
    const char *family = info->architecture;
    ed_buf_append_text(call->reply, "{\"modelfile\":\"\",\"parameters\":\"\",\"template\":\"\",");
    put_details(call->reply, call->service);
    ed_buf_printf(call->reply,
                  ",\"model_info\":{\"general.architecture\":\"%s\","
                  "\"general.parameter_count\":%zu,\"%s.context_length\":%zu,"
                  "\"%s.embedding_length\":%zu,\"%s.block_count\":%zu},"
                  "\"capabilities\":[\"embedding\"]}",
                  family, info->n_parameters, family, info->tokens_max, family, info->dimensions,
                  family, info->n_layers);
    return 200;
}

/* The served model is here already; another one is brought by `embedd pull`. */
unsigned ed_report_pull(const ed_call *call)
{
    bool stream = true;
    if (loading(call) || !read_name(call, &stream))
        return 0;
    ed_buf_append_text(call->reply, stream ? "{\"status\":\"pulling manifest\"}\n" : "");
    ed_buf_append_text(call->reply, "{\"status\":\"success\"}\n");
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
        if (!ed_model_name_means(text, call->service->model_id)) {
            ed_problem_set(call->problem, ED_PROBLEM_UNKNOWN_MODEL, EMBEDD_NO_INDEX, NULL);
            return 0;
        }
        put_object(call->reply, call->service);
        return 200;
    }
    ed_buf_append_text(call->reply, "{\"object\":\"list\",\"data\":[");
    put_object(call->reply, call->service);
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

static bool read_stream(ed_request_parser *p, ed_json_token token)
{
    return ed_read_bool(p, token, "\"stream\"", &p->request->stream);
}

static bool check_name(ed_request_parser *p)
{
    if (!p->request->model.bytes)
        return ed_problem_set(p->problem, ED_PROBLEM_MISSING_FIELD, EMBEDD_NO_INDEX,
                              "model is required");
    return true;
}

/* {"model"}, or {"name"} as ollama-js sends it, and {"stream"}. */
static bool read_name(const ed_call *call, bool *stream)
{
    static const ed_request_field fields[] = {
        {"model", ed_read_model}, {"name", ed_read_model}, {"stream", read_stream}};
    static const ed_dialect naming = {
        .fields = fields, .n_fields = sizeof fields / sizeof *fields, .check = check_name};
    ed_request request;
    if (!ed_request_parse(&request, &naming, call->body, call->n_body, 0, call->problem))
        return false;
    *stream = request.stream;
    const embedd_text served = ed_model_name_short(call->service->model_id);
    bool ours = ed_model_name_means(request.model, call->service->model_id);
    ed_request_clear(&request);
    if (!ours)
        ed_problem_set(call->problem, ED_PROBLEM_UNKNOWN_MODEL, EMBEDD_NO_INDEX,
                       "model not found, try pulling it first; this server has %.*s",
                       (int)served.n_bytes, served.bytes);
    return ours;
}

static void put_name(ed_buf *reply, const char *model_id)
{
    embedd_text name = ed_model_name_short(model_id);
    const char *tag = strchr(name.bytes + name.n_bytes, ':');
    char text[256];
    snprintf(text, sizeof text, "%.*s%s", (int)(name.n_bytes < 200 ? name.n_bytes : 200),
             name.bytes, tag ? tag : ":latest");
    ed_json_text_string_or_null(reply, text);
}

static void put_entry(ed_buf *reply, const ed_service *service)
{
    const embedd_model_info *info = embedd_model_get_info(service->model);
    ed_buf_append_text(reply, "\"name\":");
    put_name(reply, service->model_id);
    ed_buf_append_text(reply, ",\"model\":");
    put_name(reply, service->model_id);
    ed_buf_printf(reply, ",\"modified_at\":\"1970-01-01T00:00:00Z\",\"size\":%zu,\"digest\":\"\",",
                  info->weight_bytes);
    put_details(reply, service);
    ed_buf_append_text(reply, ",\"capabilities\":[\"embedding\"]");
}

static void put_details(ed_buf *reply, const ed_service *service)
{
    const embedd_model_info *info = embedd_model_get_info(service->model);
    char type[16];
    size_t n = 0;
    for (; info->dtype[n] && n + 1 < sizeof type; n++)
        type[n] = (char)toupper((unsigned char)info->dtype[n]);
    type[n] = '\0';
    ed_buf_printf(reply,
                  "\"details\":{\"parent_model\":\"\",\"format\":\"%s\",\"family\":\"%s\","
                  "\"families\":[\"%s\"],\"parameter_size\":\"%zuM\",\"quantization_level\":\"%s\","
                  "\"context_length\":%zu,\"embedding_length\":%zu}",
                  format_of(service->model_id), info->architecture, info->architecture,
                  (info->n_parameters + 500000) / 1000000, type, info->tokens_max,
                  info->dimensions);
}

static const char *format_of(const char *model_id)
{
    size_t n = strlen(model_id);
    bool gguf =
        strncmp(model_id, "ollama:", 7) == 0 || (n > 5 && strcmp(model_id + n - 5, ".gguf") == 0);
    return gguf ? "gguf" : "safetensors";
}

static void put_object(ed_buf *reply, const ed_service *service)
{
    const embedd_model_info *info = embedd_model_get_info(service->model);
    const embedd_text name = ed_model_name_short(service->model_id);
    ed_buf_append_text(reply, "{\"id\":");
    ed_json_text_string(reply, name.bytes, name.n_bytes);
    ed_buf_printf(reply,
                  ",\"object\":\"model\",\"created\":0,\"owned_by\":\"library\",\"embedding\":"
                  "{\"dimensions\":%zu,\"max_tokens\":%zu,\"normalized\":%s,\"pooling\":\"%s\"}}",
                  info->dimensions, info->tokens_max, info->normalized ? "true" : "false",
                  info->pooling);
}
