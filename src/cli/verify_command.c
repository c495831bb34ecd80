/* embedd verify: does this machine compute the vectors it should? In: a model, and the vectors
 * that somebody else computed; without any, those of the plain C kernels. Out: how far they are
 * apart, and an exit code that says whether that is too far. */
#include "cli/commands.h"

#include "base/error.h"
#include "base/file_map.h"
#include "base/memory.h"
#include "cli/model_session.h"
#include "cli/number_list.h"
#include "cli/text_table.h"
#include "cli/vector_compare.h"
#include "cli/vector_records.h"
#include "cli/vector_sink.h"
#include "server/server.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define BESIDE_NAME   "expected.jsonl"
#define RECORDS_MAX   4096
#define OUT_BYTES_MAX ((size_t)1 << 20)
#define TEXT_COLUMNS  40
#define COSINE_F32    0.999999
#define COSINE_BF16   0.9995
#define COSINE_INT8   0.998
#define COSINE_GGUF   0.999 /* llama.cpp and Ollama round what they multiply, too */

/* Short, so that the plain C kernels take a moment only; scripts and lengths differ. */
static const char *const reference_texts[] = {
    "why is the sky blue?",
    "Le chat dort sur le canap\xc3\xa9.",
    "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x81\xae\xe6\x96\x87",
    "The invoice of March 14, 2024 (no. 4711) was paid twice, so half of it goes back.",
};

typedef struct verification {
    ed_model_session model;
    ed_vector_records records;
    char *path;          /* of the records, or NULL = the plain C kernels */
    bool of_ollama;      /* the file has one vector of each of Ollama's models */
    const char *of_name; /* the nearest of them */
    float *vector;       /* [dimensions] */
    size_t n_compared;
    double least_cosine, cosine_sum, largest;
    size_t worst; /* the record of least_cosine */
    double required;
} verification;

static embedd_status verify(verification *v, const ed_arguments *arguments, embedd_error *err);
static embedd_status find_records(verification *v, const ed_arguments *arguments,
                                  embedd_error *err);
static embedd_status compute_reference(verification *v, embedd_error *err);
static embedd_status choose_ollama(verification *v, embedd_error *err);
static embedd_status compare_all(verification *v, embedd_error *err);
static embedd_status read_required(verification *v, const ed_arguments *arguments,
                                   embedd_error *err);
static void append_lines(ed_buf *out, const verification *v, const char *model);
static void append_json(ed_buf *out, const verification *v, const char *model);

int ed_command_verify(const ed_arguments *arguments)
{
    const char *model = arguments->values[ED_OPTION_MODEL].text;
    verification v = {0};
    embedd_error err;
    ed_buf out;

    ed_buf_init(&out, OUT_BYTES_MAX);
    embedd_status status = verify(&v, arguments, &err);
    if (status == EMBEDD_OK) {
        if (arguments->values[ED_OPTION_JSON].on)
            append_json(&out, &v, model);
        else
            append_lines(&out, &v, model);
        if (out.failed)
            status = ed_fail(&err, EMBEDD_MEMORY, "out of memory");
        else
            fwrite(out.data, 1, out.n_bytes, stdout);
    }
    bool same = v.least_cosine >= v.required;
    ed_buf_clear(&out);
    ed_vector_records_clear(&v.records);
    ed_model_session_close(&v.model);
    ed_free(v.path);
    ed_free(v.vector);
    if (status != EMBEDD_OK)
        return ed_complain(&err);
    return same ? ED_EXIT_OK : ED_EXIT_FAILURE;
}

static embedd_status verify(verification *v, const ed_arguments *arguments, embedd_error *err)
{
    embedd_status status = ed_model_session_open(&v->model, arguments, err);
    if (status != EMBEDD_OK)
        return status;
    v->vector = ed_calloc(v->model.dimensions, sizeof *v->vector);
    if (v->vector == NULL)
        return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    status = find_records(v, arguments, err);
    if (status == EMBEDD_OK) {
        v->of_ollama = v->records.records[0].name != NULL;
        status = read_required(v, arguments, err);
    }
    if (status == EMBEDD_OK && v->of_ollama)
        status = choose_ollama(v, err);
    else if (status == EMBEDD_OK)
        status = compare_all(v, err);
    return status;
}

/* ---- what is expected ------------------------------------------------------------------------ */

/* "FOLDER/expected.jsonl", or "NAME.expected.jsonl" beside NAME.gguf; NULL = out of memory. */
static char *path_beside(const char *model)
{
    size_t n = strlen(model);
    ed_buf path;

    if (ed_folder_exists(model))
        return ed_path_join(model, BESIDE_NAME);
    if (n > 5 && strcmp(model + n - 5, ".gguf") == 0)
        n -= 5;
    ed_buf_init(&path, n + sizeof "." BESIDE_NAME);
    ed_buf_printf(&path, "%.*s." BESIDE_NAME, (int)n, model);
    char *copy = path.failed ? NULL : ed_strndup(path.data, path.n_bytes);
    ed_buf_clear(&path);
    return copy;
}

static embedd_status find_records(verification *v, const ed_arguments *arguments, embedd_error *err)
{
    const ed_records_request request = {arguments->values[ED_OPTION_FIELD].text,
                                        arguments->values[ED_OPTION_VECTOR_FIELD].text,
                                        RECORDS_MAX};
    bool given = arguments->n_operands > 0;

    v->path = given ? ed_strdup(arguments->operands[0]) : path_beside(v->model.info->folder);
    if (v->path == NULL)
        return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    if (given || ed_file_exists(v->path))
        return ed_vector_records_read(&v->records, v->path, &request, err);
    ed_free(v->path);
    v->path = NULL;
    return compute_reference(v, err);
}

static embedd_status compute_reference(verification *v, embedd_error *err)
{
    const embedd_model_options options = {.dtype = EMBEDD_DTYPE_F32, .cpu_level = "ref"};
    embedd_model *model = NULL;
    embedd_session *session = NULL;

    embedd_status status = embedd_model_open(v->model.info->folder, &options, &model, err);
    if (status == EMBEDD_OK)
        status = embedd_session_open(model, NULL, &session, err);
    for (size_t i = 0;
         status == EMBEDD_OK && i < sizeof reference_texts / sizeof reference_texts[0]; i++) {
        embedd_text text = {reference_texts[i], strlen(reference_texts[i])};
        status = embedd_embed(session, &text, 1, NULL, v->vector, v->model.dimensions, NULL, err);
        if (status == EMBEDD_OK)
            status = ed_vector_records_add(&v->records, text, v->vector, v->model.dimensions, err);
    }
    embedd_session_close(session);
    embedd_model_close(model);
    return status;
}

/* --min-cosine, or what the number type can keep. */
static embedd_status read_required(verification *v, const ed_arguments *arguments,
                                   embedd_error *err)
{
    const char *text = arguments->values[ED_OPTION_MIN_COSINE].text;
    const char *dtype = v->model.info->dtype;

    v->required = strcmp(dtype, "int8") == 0   ? COSINE_INT8
                  : strcmp(dtype, "bf16") == 0 ? COSINE_BF16
                                               : COSINE_F32;
    if (v->path && (v->of_ollama || ed_file_exists(v->model.info->folder)))
        v->required = fmin(v->required, COSINE_GGUF);
    if (text == NULL)
        return EMBEDD_OK;
    return ed_read_decimal(text, "--min-cosine", 1, &v->required, err);
}

/* ---- the comparison -------------------------------------------------------------------------- */

/* The record's text as the record was made: its length of vector, its prompt, raw or not. */
static embedd_status embed_like(verification *v, const ed_vector_record *record, const char *prompt,
                                embedd_cut cut, embedd_error *err)
{
    embedd_embed_options options = v->model.options;
    embedd_text text = {record->text, record->n_bytes};

    options.cut = cut;
    options.normalize = ed_vector_is_normalized(record->vector, record->dimensions);
    options.dimensions = record->dimensions;
    if (prompt)
        options.encode.prompt = (embedd_text){prompt, strlen(prompt)};
    return embedd_embed(v->model.session, &text, 1, &options, v->vector, v->model.dimensions, NULL,
                        err);
}

/* A shorter vector may have been cut with or without the layer norm that the model's authors
 * want: the better of the two. */
static embedd_status compare_one(verification *v, const ed_vector_record *record,
                                 ed_vector_comparison *out, embedd_error *err)
{
    static const embedd_cut cuts[] = {EMBEDD_CUT_MODEL, EMBEDD_CUT_PLAIN};
    size_t n_cuts = record->dimensions < v->model.dimensions ? 2 : 1;
    embedd_status status = EMBEDD_OK;

    *out = (ed_vector_comparison){.cosine = -2};
    for (size_t i = 0; status == EMBEDD_OK && i < n_cuts; i++) {
        status = embed_like(v, record, record->prompt, cuts[i], err);
        ed_vector_comparison c = ed_vector_compare(v->vector, record->vector, record->dimensions);
        if (c.cosine > out->cosine)
            *out = c;
    }
    return status;
}

static embedd_status compare_all(verification *v, embedd_error *err)
{
    v->least_cosine = 2;
    for (size_t i = 0; i < v->records.n_records; i++) {
        const ed_vector_record *record = &v->records.records[i];
        if (record->dimensions > v->model.dimensions)
            return ed_fail(err, EMBEDD_IO, "%s: record %zu has %zu numbers, the model's %zu",
                           v->path, i + 1, record->dimensions, v->model.dimensions);
        ed_vector_comparison c = {0};
        embedd_status status = compare_one(v, record, &c, err);
        if (status != EMBEDD_OK)
            return ed_fail(err, status, "record %zu: %s", i + 1, err->message);
        v->cosine_sum += c.cosine;
        v->largest = fmax(v->largest, c.difference);
        if (c.cosine < v->least_cosine) {
            v->least_cosine = c.cosine;
            v->worst = i;
        }
        v->n_compared++;
    }
    return EMBEDD_OK;
}

/* Names at Ollama are not those of the hub: the vector that is nearest tells which one is meant.
 * Ollama puts no prompt before a text. */
static embedd_status choose_ollama(verification *v, embedd_error *err)
{
    for (size_t i = 0; i < v->records.n_records; i++) {
        const ed_vector_record *record = &v->records.records[i];
        if (record->dimensions != v->model.dimensions)
            continue;
        embedd_status status = embed_like(v, record, "", EMBEDD_CUT_MODEL, err);
        if (status != EMBEDD_OK)
            return status;
        ed_vector_comparison c = ed_vector_compare(v->vector, record->vector, record->dimensions);
        if (v->n_compared == 0 || c.cosine > v->least_cosine) {
            v->least_cosine = v->cosine_sum = c.cosine;
            v->largest = c.difference;
            v->worst = i;
            v->of_name = record->name;
        }
        v->n_compared = 1;
    }
    if (v->n_compared == 0)
        return ed_fail(err, EMBEDD_IO, "%s: none of its %zu vectors has the model's %zu numbers",
                       v->path, v->records.n_records, v->model.dimensions);
    return EMBEDD_OK;
}

/* ---- what is said ---------------------------------------------------------------------------- */

static void append_lines(ed_buf *out, const verification *v, const char *model)
{
    const embedd_model_info *info = v->model.info;
    const ed_vector_record *worst = &v->records.records[v->worst];
    size_t columns = ed_text_width(worst->text, worst->n_bytes);

    ed_buf_printf(out, "%-20s%s, %s on %s\n", "model", model, info->dtype, info->cpu_level);
    if (v->path)
        ed_buf_printf(out, "%-20s%s%s%s, %zu vector%s\n", "compared with", v->path,
                      v->of_name ? ", there " : "", v->of_name ? v->of_name : "", v->n_compared,
                      v->n_compared == 1 ? "" : "s");
    else
        ed_buf_printf(out, "%-20sthe plain C kernels in f32, %zu texts; there is no %s\n",
                      "compared with", v->n_compared, BESIDE_NAME);
    ed_buf_printf(out, "%-20s%.7f, of \"", "least cosine", v->least_cosine);
    ed_append_cell(out, worst->text, worst->n_bytes,
                   columns < TEXT_COLUMNS ? columns : TEXT_COLUMNS);
    ed_buf_printf(out, "\"\n%-20s%.7f\n", "mean cosine", v->cosine_sum / (double)v->n_compared);
    ed_buf_printf(out, "%-20s%.2g of the vector's length\n", "largest difference", v->largest);
    if (v->least_cosine >= v->required)
        ed_buf_printf(out, "%-20sthe same vectors: no cosine below %g\n", "result", v->required);
    else
        ed_buf_printf(out,
                      "%-20sOTHER vectors: a cosine below %g; is it the same model, prompt and "
                      "pooling?\n",
                      "result", v->required);
}

static void append_json(ed_buf *out, const verification *v, const char *model)
{
    const embedd_model_info *info = v->model.info;
    const ed_vector_record *worst = &v->records.records[v->worst];

    ed_buf_append_text(out, "{\"model\":");
    ed_append_json_string(out, model, strlen(model));
    ed_buf_printf(out, ",\"dtype\":\"%s\",\"cpu_level\":\"%s\",\"expected\":", info->dtype,
                  info->cpu_level);
    if (v->path)
        ed_append_json_string(out, v->path, strlen(v->path));
    else
        ed_buf_append_text(out, "null");
    ed_buf_append_text(out, ",\"expected_name\":");
    if (v->of_name)
        ed_append_json_string(out, v->of_name, strlen(v->of_name));
    else
        ed_buf_append_text(out, "null");
    ed_buf_printf(out,
                  ",\"vectors\":%zu,\"min_cosine\":%.9f,\"mean_cosine\":%.9f,"
                  "\"max_difference\":%.3g,\"worst_text\":",
                  v->n_compared, v->least_cosine, v->cosine_sum / (double)v->n_compared,
                  v->largest);
    ed_append_json_string(out, worst->text, worst->n_bytes);
    ed_buf_printf(out, ",\"required_cosine\":%.9g,\"same\":%s}\n", v->required,
                  v->least_cosine >= v->required ? "true" : "false");
}
