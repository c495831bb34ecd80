/* embedd list: what can be given to -m by name. */
#include "cli/commands.h"

#include "base/error.h"
#include "base/memory.h"
#include "cli/progress.h"
#include "cli/vector_sink.h"
#include "formats/model_store.h"
#include "server/server.h"

#include <stdio.h>
#include <string.h>

#define OUT_BYTES_MAX ((size_t)64 << 20)

static void append_table(ed_buf *out, const ed_stored_model *models, size_t n_models);
static void append_json(ed_buf *out, const ed_stored_model *models, size_t n_models);

int ed_command_list(const ed_arguments *arguments)
{
    ed_stored_model *models = NULL;
    size_t n_models = 0;
    embedd_error err;
    ed_buf out;

    embedd_status status = ed_model_store_list(&models, &n_models, &err);
    if (status != EMBEDD_OK)
        return ed_complain(&err);
    ed_buf_init(&out, OUT_BYTES_MAX);
    if (arguments->values[ED_OPTION_JSON].on) {
        append_json(&out, models, n_models);
    } else if (arguments->values[ED_OPTION_NAMES].on) {
        for (size_t i = 0; i < n_models; i++)
            ed_buf_printf(&out, "%s\n", models[i].name);
    } else if (n_models == 0) {
        fputs("embedd: no models yet; get one with: embedd pull "
              "sentence-transformers/all-MiniLM-L6-v2\n",
              stderr);
    } else {
        append_table(&out, models, n_models);
    }
    if (out.n_bytes > 0)
        fwrite(out.data, 1, out.n_bytes, stdout);
    if (out.failed)
        status = ed_fail(&err, EMBEDD_MEMORY, "out of memory");
    ed_buf_clear(&out);
    ed_model_store_free_list(models, n_models);
    return status == EMBEDD_OK ? ED_EXIT_OK : ed_complain(&err);
}

/* Names are ASCII: the store lets no other through. */
static void append_table(ed_buf *out, const ed_stored_model *models, size_t n_models)
{
    int name_columns = (int)strlen("NAME");
    char size[16];

    for (size_t i = 0; i < n_models; i++)
        if ((int)strlen(models[i].name) > name_columns)
            name_columns = (int)strlen(models[i].name);
    ed_buf_printf(out, "%-*s  %9s  %s\n", name_columns, "NAME", "SIZE", "FROM");
    for (size_t i = 0; i < n_models; i++) {
        ed_size_text(models[i].n_bytes, size);
        ed_buf_printf(out, "%-*s  %9s  %s\n", name_columns, models[i].name, size, models[i].source);
    }
}

static void append_json(ed_buf *out, const ed_stored_model *models, size_t n_models)
{
    ed_buf_append_text(out, "{\"models\":[");
    for (size_t i = 0; i < n_models; i++) {
        ed_buf_printf(out, "%s\n{\"name\":\"%s\",\"source\":\"%s\",\"bytes\":%zu,\"folder\":",
                      i > 0 ? "," : "", models[i].name, models[i].source, models[i].n_bytes);
        ed_append_json_string(out, models[i].folder, strlen(models[i].folder));
        ed_buf_append_text(out, "}");
    }
    ed_buf_append_text(out, n_models > 0 ? "\n]}\n" : "]}\n");
}
