/* In: a GET. Out: a file as it was when the program was built. Never reads one from disk. */
#include "server/embedded_files.h"

#include "server/server.h"

unsigned ed_report_page(const ed_call *call)
{
    ed_buf_append(call->reply, ed_page_html, ed_page_html_bytes);
    return 200;
}

const char *ed_server_openapi(size_t *n_bytes)
{
    *n_bytes = ed_openapi_json_bytes;
    return (const char *)ed_openapi_json;
}

unsigned ed_report_openapi(const ed_call *call)
{
    ed_buf_append(call->reply, ed_openapi_json, ed_openapi_json_bytes);
    return 200;
}
