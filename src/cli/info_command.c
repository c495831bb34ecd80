/* embedd info: the card of a model, as lines or as JSON. */
#include "cli/commands.h"

#include "base/error.h"
#include "base/memory.h"
#include "cli/model_session.h"
#include "cli/progress.h"
#include "cli/text_table.h"
#include "cli/vector_sink.h"
#include "server/server.h"

#include <stdio.h>
#include <string.h>

#define OUT_BYTES_MAX      ((size_t)16 << 20)
#define PROMPT_COLUMNS_MAX 60

static void append_card(ed_buf *out, const ed_model_session *opened, const char *name);
static void append_json(ed_buf *out, const ed_model_session *opened, const char *name);

int ed_command_info(const ed_arguments *arguments)
{
    ed_model_session opened;
    embedd_error err;
    ed_buf out;
    const char *name = arguments->values[ED_OPTION_MODEL].text;

    embedd_status status = ed_model_session_open(&opened, arguments, &err);
    if (status != EMBEDD_OK)
        return ed_complain(&err);
    ed_buf_init(&out, OUT_BYTES_MAX);
    if (arguments->values[ED_OPTION_JSON].on)
        append_json(&out, &opened, name);
    else
        append_card(&out, &opened, name);
    fwrite(out.data, 1, out.n_bytes, stdout);
    if (out.failed)
        status = ed_fail(&err, EMBEDD_MEMORY, "out of memory");
    ed_buf_clear(&out);
    ed_model_session_close(&opened);
    return status == EMBEDD_OK ? ED_EXIT_OK : ed_complain(&err);
}

/* Folders that sentence-transformers writes name the prompts "query" and "document" even where
 * their texts are empty; such a model expects none. */
static void append_prompts(ed_buf *out, const embedd_model_info *info)
{
    size_t n_shown = 0;

    for (size_t i = 0; i < info->n_prompts; i++) {
        const embedd_prompt *prompt = &info->prompts[i];
        size_t n_bytes = strlen(prompt->text);
        size_t columns = ed_text_width(prompt->text, n_bytes);
        if (n_bytes == 0)
            continue;
        ed_buf_printf(out, "%-14s%s: \"", n_shown++ == 0 ? "prompts" : "", prompt->name);
        ed_append_cell(out, prompt->text, n_bytes,
                       columns < PROMPT_COLUMNS_MAX ? columns : PROMPT_COLUMNS_MAX);
        ed_buf_append_text(out, "\"\n");
    }
    if (n_shown > 0 && info->default_prompt)
        ed_buf_printf(out,
                      "\nThe prompt \"%s\" is put before each text unless --prompt-name or "
                      "--prompt says otherwise.\n",
                      info->default_prompt);
    else if (n_shown > 0)
        ed_buf_append_text(out, "\nThe model was trained with a prompt before each text and finds "
                                "less without: choose one with --prompt-name.\n");
}

static void append_answer(ed_buf *out, const embedd_model_info *info)
{
    if (info->task == EMBEDD_TASK_SCORE)
        ed_buf_printf(out, "%-14s%zu of two texts that are read together\n", "scores",
                      info->dimensions);
    else if (info->task == EMBEDD_TASK_SPARSE)
        ed_buf_printf(out, "%-14s%zu, one for each token that is known\n", "weights",
                      info->dimensions);
    else
        ed_buf_printf(out, "%-14s%zu numbers, %s\n", "vector", info->dimensions,
                      info->normalized ? "of length 1 by the model itself"
                                       : "made length 1 unless --no-normalize");
}

static void append_card(ed_buf *out, const ed_model_session *opened, const char *name)
{
    const embedd_model_info *info = opened->info;
    char weights[16], scratch[16];

    ed_size_text(info->weight_bytes, weights);
    ed_size_text(embedd_session_scratch_bytes(opened->session), scratch);
    ed_buf_printf(out, "%-14s%s\n", "model", name);
    ed_buf_printf(out, "%-14s%s\n", "folder", info->folder);
    ed_buf_printf(out, "%-14s%s, %zu layers of %zu, %.1f M parameters, %zu tokens known\n",
                  "architecture", info->architecture, info->n_layers, info->hidden_size,
                  (double)info->n_parameters / 1e6, info->vocabulary);
    append_answer(out, info);
    ed_buf_printf(out, "%-14s%zu tokens of a text, special ones included\n", "reads",
                  info->tokens_max);
    ed_buf_printf(out, "%-14s%s\n", "pooling", info->pooling);
    ed_buf_printf(out, "%-14s%s on %s, %zu threads\n", "computes", info->dtype, info->cpu_level,
                  embedd_session_threads(opened->session));
    if (info->dtype_reason)
        ed_buf_printf(out, "%-14s%s\n", "type", info->dtype_reason);
    ed_buf_printf(out, "%-14s%s of weights, %s to work with\n", "memory", weights, scratch);
    if (info->packed_file)
        ed_buf_printf(out, "%-14s%s, checked\n", "packed in", info->packed_file);
    append_prompts(out, info);
}

static void append_field(ed_buf *out, const char *field, const char *text)
{
    ed_buf_printf(out, "%s\"%s\":", out->data[out->n_bytes - 1] == '{' ? "" : ",", field);
    if (text)
        ed_append_json_string(out, text, strlen(text));
    else
        ed_buf_append_text(out, "null");
}

/* The fields that GET /info also has, under the same names. */
static void append_json(ed_buf *out, const ed_model_session *opened, const char *name)
{
    const embedd_model_info *info = opened->info;

    if (!ed_buf_append_text(out, "{"))
        return;
    append_field(out, "model_id", name);
    append_field(out, "folder", info->folder);
    append_field(out, "architecture", info->architecture);
    append_field(out, "pooling", info->pooling);
    append_field(out, "dtype", info->dtype);
    append_field(out, "dtype_reason", info->dtype_reason);
    append_field(out, "cpu_level", info->cpu_level);
    append_field(out, "packed_file", info->packed_file);
    ed_buf_printf(out,
                  ",\"dim\":%zu,\"max_tokens\":%zu,\"normalized\":%s,\"n_layers\":%zu,"
                  "\"hidden_size\":%zu,\"vocabulary\":%zu,\"n_parameters\":%zu,"
                  "\"weight_bytes\":%zu,\"scratch_bytes\":%zu,\"batch_tokens_max\":%zu,"
                  "\"threads\":%zu",
                  info->dimensions, info->tokens_max, info->normalized ? "true" : "false",
                  info->n_layers, info->hidden_size, info->vocabulary, info->n_parameters,
                  info->weight_bytes, embedd_session_scratch_bytes(opened->session),
                  embedd_session_batch_tokens_max(opened->session),
                  embedd_session_threads(opened->session));
    append_field(out, "default_prompt", info->default_prompt);
    ed_buf_append_text(out, ",\"prompts\":{");
    for (size_t i = 0; i < info->n_prompts; i++) {
        ed_buf_append_text(out, i > 0 ? "," : "");
        ed_append_json_string(out, info->prompts[i].name, strlen(info->prompts[i].name));
        ed_buf_append_text(out, ":");
        ed_append_json_string(out, info->prompts[i].text, strlen(info->prompts[i].text));
    }
    ed_buf_append_text(out, "}}\n");
}
