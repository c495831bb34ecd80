/* In: findings, one after the other. Out: all of them as lines or as JSON. */
#include "cli/findings.h"

#include "cli/text_table.h"
#include "cli/vector_sink.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define OUT_BYTES_MAX    ((size_t)4 << 20)
#define DETAIL_BYTES_MAX 640

void ed_findings_init(ed_findings *findings)
{
    *findings = (ed_findings){0};
    ed_buf_init(&findings->lines, OUT_BYTES_MAX);
    ed_buf_init(&findings->json, OUT_BYTES_MAX);
}

void ed_findings_clear(ed_findings *findings)
{
    ed_buf_clear(&findings->lines);
    ed_buf_clear(&findings->json);
}

/* `detail` may hold names from elsewhere: no control byte of theirs reaches the terminal. */
static void add(ed_findings *findings, const char *name, const char *advice, const char *detail)
{
    ed_buf *lines = &findings->lines, *json = &findings->json;
    size_t n = strlen(detail);

    ed_buf_printf(lines, "%-8s %-11s ", advice ? "warning" : "ok", name);
    ed_append_cell(lines, detail, n, ed_text_width(detail, n));
    ed_buf_append_text(lines, "\n");
    if (advice)
        ed_buf_printf(lines, "%-20s -> %s\n", "", advice);
    ed_buf_append_text(json, findings->n_findings > 0 ? ",\n{\"check\":" : "\n{\"check\":");
    ed_append_json_string(json, name, strlen(name));
    ed_buf_printf(json, ",\"status\":\"%s\",\"detail\":", advice ? "warning" : "ok");
    ed_append_json_string(json, detail, strlen(detail));
    ed_buf_append_text(json, ",\"advice\":");
    if (advice)
        ed_append_json_string(json, advice, strlen(advice));
    else
        ed_buf_append_text(json, "null");
    ed_buf_append_text(json, "}");
    findings->n_findings++;
    findings->n_warnings += advice != NULL;
}

void ed_findings_ok(ed_findings *findings, const char *name, const char *format, ...)
{
    char detail[DETAIL_BYTES_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    add(findings, name, NULL, detail);
}

void ed_findings_warn(ed_findings *findings, const char *name, const char *advice,
                      const char *format, ...)
{
    char detail[DETAIL_BYTES_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    add(findings, name, advice, detail);
}

bool ed_findings_print(const ed_findings *findings, bool as_json)
{
    if (findings->lines.failed || findings->json.failed)
        return false;
    if (as_json)
        printf("{\"ok\":%s,\"warnings\":%zu,\"checks\":[%.*s\n]}\n",
               findings->n_warnings == 0 ? "true" : "false", findings->n_warnings,
               (int)findings->json.n_bytes, findings->json.data);
    else
        printf("%.*s%s", (int)findings->lines.n_bytes, findings->lines.data,
               findings->n_warnings == 0 ? "all is well\n" : "");
    return true;
}
