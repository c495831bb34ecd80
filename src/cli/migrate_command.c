/* embedd migrate: what made these vectors? In: a sample of a table. Out: the nearest model of this
 * machine and how to use it, and an exit code that says whether the table can stay. */
#include "cli/commands.h"

#include "base/error.h"
#include "base/memory.h"
#include "cli/model_match.h"
#include "cli/model_session.h"
#include "cli/progress.h"
#include "cli/vector_compare.h"
#include "cli/vector_sink.h"
#include "formats/model_store.h"
#include "server/server.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define OUT_BYTES_MAX ((size_t)4 << 20)
#define MATCHES_SHOWN 5
#define SHARE_MOST    0.9
#define LENGTH_SPREAD 0.02 /* of a raw vector's length, from half floats */

typedef enum verdict {
    VERDICT_SAME,  /* all vectors are this model's */
    VERDICT_CLOSE, /* the same weights in another precision */
    VERDICT_MOST,  /* some records have other texts or vectors */
    VERDICT_NONE
} verdict;

static const char *const verdict_names[] = {"same", "close", "most", "none"};

typedef struct migration {
    const char *path;
    ed_vector_records records;
    size_t n_normalized;
    double length_min, length_max;
    ed_model_matches *matches;
    ed_stored_model *models;
    size_t n_models;
    size_t n_opened;
    char *cache;     /* where packed weights are kept, or NULL */
    ed_buf left_out; /* a line for each model that does not open or does not fit */
    ed_progress progress;
} migration;

static embedd_status migrate(migration *m, const ed_arguments *arguments, embedd_error *err);
static embedd_status read_records(migration *m, const ed_arguments *arguments, embedd_error *err);
static embedd_status try_models(migration *m, const ed_arguments *arguments, embedd_error *err);
static verdict judge(const migration *m);
static void append_lines(ed_buf *out, const migration *m);
static void append_json(ed_buf *out, const migration *m);

int ed_command_migrate(const ed_arguments *arguments)
{
    migration m = {.matches = ed_calloc(1, sizeof *m.matches)};
    verdict found = VERDICT_NONE;
    embedd_error err;
    ed_buf out;

    ed_buf_init(&out, OUT_BYTES_MAX);
    ed_buf_init(&m.left_out, OUT_BYTES_MAX);
    embedd_status status =
        m.matches ? migrate(&m, arguments, &err) : ed_fail(&err, EMBEDD_MEMORY, "out of memory");
    ed_progress_hide(&m.progress);
    if (status == EMBEDD_OK) {
        found = judge(&m);
        if (arguments->values[ED_OPTION_JSON].on)
            append_json(&out, &m);
        else
            append_lines(&out, &m);
        if (out.failed || m.left_out.failed)
            status = ed_fail(&err, EMBEDD_MEMORY, "out of memory");
        else
            fwrite(out.data, 1, out.n_bytes, stdout);
    }
    ed_buf_clear(&out);
    ed_buf_clear(&m.left_out);
    ed_vector_records_clear(&m.records);
    ed_model_store_free_list(m.models, m.n_models);
    if (m.matches)
        ed_model_matches_clear(m.matches);
    ed_free(m.matches);
    ed_free(m.cache);
    if (status != EMBEDD_OK)
        return ed_complain(&err);
    return found <= VERDICT_CLOSE ? ED_EXIT_OK : ED_EXIT_FAILURE;
}

static embedd_status migrate(migration *m, const ed_arguments *arguments, embedd_error *err)
{
    if (arguments->n_operands == 0)
        return ed_fail(err, EMBEDD_ARGUMENT, "say which file: embedd migrate FILE");
    m->path = arguments->operands[0];
    embedd_status status = read_records(m, arguments, err);
    if (status == EMBEDD_OK)
        status = try_models(m, arguments, err);
    if (status == EMBEDD_OK)
        ed_model_matches_sort(m->matches);
    return status;
}

static embedd_status read_records(migration *m, const ed_arguments *arguments, embedd_error *err)
{
    const ed_records_request request = {arguments->values[ED_OPTION_FIELD].text,
                                        arguments->values[ED_OPTION_VECTOR_FIELD].text,
                                        (size_t)arguments->values[ED_OPTION_SAMPLE].number};

    embedd_status status = ed_vector_records_read(&m->records, m->path, &request, err);
    if (status != EMBEDD_OK)
        return status;
    const ed_vector_record *records = m->records.records;
    m->length_min = INFINITY;
    for (size_t i = 0; i < m->records.n_records; i++) {
        double length = ed_vector_length(records[i].vector, records[i].dimensions);
        if (records[i].dimensions != records[0].dimensions)
            return ed_fail(err, EMBEDD_IO,
                           "%s: record %zu has %zu numbers, the first has %zu: a table has one "
                           "length",
                           m->path, i + 1, records[i].dimensions, records[0].dimensions);
        m->n_normalized += ed_vector_is_normalized(records[i].vector, records[i].dimensions);
        m->length_min = fmin(m->length_min, length);
        m->length_max = fmax(m->length_max, length);
    }
    return EMBEDD_OK;
}

static embedd_status try_model(migration *m, const ed_match_model *model, double fraction,
                               embedd_error *err)
{
    char reason[256];

    embedd_status status = ed_model_matches_try(m->matches, model, &m->records, reason, err);
    if (reason[0])
        ed_buf_printf(&m->left_out, "left out  %s: %s\n", model->name, reason);
    else
        m->n_opened++;
    ed_progress_update(&m->progress, m->matches->n_texts_embedded, 0, fraction);
    return status;
}

static embedd_status try_models(migration *m, const ed_arguments *arguments, embedd_error *err)
{
    const ed_value *progress = &arguments->values[ED_OPTION_PROGRESS];
    ed_match_model model = {.name = arguments->values[ED_OPTION_MODEL].text,
                            .options = ed_model_options(arguments, &m->cache),
                            .n_threads = (size_t)arguments->values[ED_OPTION_THREADS].number};
    embedd_status status = EMBEDD_OK;

    ed_progress_start(&m->progress, ed_progress_choose(progress->given, progress->on, false),
                      ED_PROGRESS_TEXTS, "trying models", 0, 0);
    if (model.name) {
        char *folder = NULL;
        status = ed_model_find(arguments, &folder, err);
        model.folder = folder;
        if (status == EMBEDD_OK)
            status = try_model(m, &model, 1, err);
        ed_free(folder);
        return status;
    }
    status = ed_model_store_list(&m->models, &m->n_models, err);
    if (status == EMBEDD_OK && m->n_models == 0)
        return ed_fail(err, EMBEDD_NOT_FOUND,
                       "there is no model on this machine to compare with: embedd pull one, or "
                       "give -m a folder");
    for (size_t i = 0; status == EMBEDD_OK && i < m->n_models; i++) {
        model.name = m->models[i].name;
        model.folder = m->models[i].folder;
        status = try_model(m, &model, (double)(i + 1) / (double)m->n_models, err);
    }
    return status;
}

/* ---- what is said ---------------------------------------------------------------------------- */

static bool is_raw(const migration *m)
{
    return m->n_normalized < m->records.n_records;
}

static verdict judge(const migration *m)
{
    const ed_model_match *best = &m->matches->matches[0];

    if (m->matches->n_matches == 0 || (double)best->n_close < SHARE_MOST * (double)best->n_compared)
        return VERDICT_NONE;
    if (best->n_close < best->n_compared)
        return VERDICT_MOST;
    return best->n_same == best->n_compared ? VERDICT_SAME : VERDICT_CLOSE;
}

/* Whether the raw vectors of the best match have the records' lengths. */
static bool has_lengths(const ed_model_match *match)
{
    return fabs(match->length_ratio_min - 1) < LENGTH_SPREAD &&
           fabs(match->length_ratio_max - 1) < LENGTH_SPREAD;
}

static const char *pooling_name(embedd_pooling pooling)
{
    static const char *const names[] = {"own",           "cls",          "max",      "mean",
                                        "mean_sqrt_len", "weightedmean", "lasttoken"};
    return pooling < sizeof names / sizeof names[0] ? names[pooling] : "several";
}

static void append_table(ed_buf *out, const migration *m)
{
    const ed_model_matches *all = m->matches;
    int columns = (int)strlen("MODEL");
    size_t n = all->n_matches < MATCHES_SHOWN ? all->n_matches : MATCHES_SHOWN;

    for (size_t i = 0; i < n; i++)
        if ((int)strlen(all->matches[i].model) > columns)
            columns = (int)strlen(all->matches[i].model);
    if (n > 0)
        ed_buf_printf(out, "\n%-*s  %-12s  %-13s  %9s  %9s  %s\n", columns, "MODEL", "PROMPT",
                      "POOLING", "LEAST COS", "MEAN COS", "NEAR");
    for (size_t i = 0; i < n; i++) {
        const ed_model_match *match = &all->matches[i];
        ed_buf_printf(out, "%-*s  %-12s  %-13s  %9.6f  %9.6f  %zu of %zu\n", columns, match->model,
                      match->prompt_name ? match->prompt_name : "none",
                      pooling_name(match->pooling), match->least, match->mean, match->n_close,
                      match->n_compared);
    }
}

/* The options that make embedd compute the old vectors. */
static void append_use(ed_buf *out, const migration *m, const ed_model_match *best)
{
    size_t dimensions = m->records.records[0].dimensions;

    ed_buf_printf(out, "use       -m %s", best->model);
    if (best->prompt_name)
        ed_buf_printf(out, " --prompt-name %s", best->prompt_name);
    else if (best->has_default_prompt)
        ed_buf_append_text(out, " --prompt \"\"");
    if (!best->own_pooling)
        ed_buf_printf(out, " --pooling %s", pooling_name(best->pooling));
    if (dimensions < best->dimensions)
        ed_buf_printf(out, " --dimensions %zu%s", dimensions,
                      best->cut == EMBEDD_CUT_LAYER_NORM ? " (after layer norm)" : "");
    if (is_raw(m))
        ed_buf_append_text(out, " --no-normalize; in requests \"normalize\": false, or Ollama's "
                                "/api/embeddings");
    ed_buf_append_text(out, "\n");
    if (is_raw(m) && !has_lengths(best))
        ed_buf_printf(out,
                      "lengths   the old vectors are %.4g to %.4g times as long as the model's: "
                      "compare by cosine, not by L2\n",
                      best->length_ratio_min, best->length_ratio_max);
}

static void append_lines(ed_buf *out, const migration *m)
{
    const ed_model_match *best = &m->matches->matches[0];
    size_t n = m->records.n_records;

    ed_buf_printf(out, "table     %s, %zu records of %zu numbers looked at\n", m->path, n,
                  m->records.records[0].dimensions);
    if (!is_raw(m))
        ed_buf_append_text(out, "vectors   of length 1\n");
    else
        ed_buf_printf(out, "vectors   raw, of length %.4g to %.4g%s\n", m->length_min,
                      m->length_max, m->n_normalized > 0 ? "; some have length 1" : "");
    ed_buf_printf(out, "tried     %zu model%s in %zu ways\n", m->n_opened,
                  m->n_opened == 1 ? "" : "s", m->matches->n_tried);
    ed_buf_append(out, m->left_out.data, m->left_out.n_bytes);
    append_table(out, m);
    ed_buf_append_text(out, "\n");
    switch (judge(m)) {
    case VERDICT_SAME:
        ed_buf_printf(out, "result    no new index: %s computes the same vectors\n", best->model);
        append_use(out, m, best);
        break;
    case VERDICT_CLOSE:
        ed_buf_printf(out,
                      "result    no new index: %s computes the same vectors but for precision "
                      "(cosine %.4f and more); neighbours stay\n",
                      best->model, best->least);
        append_use(out, m, best);
        break;
    case VERDICT_MOST:
        ed_buf_printf(out,
                      "result    %zu of %zu vectors are those of %s; embed the others anew: their "
                      "text has changed since, or was cut elsewhere\n",
                      best->n_close, best->n_compared, best->model);
        append_use(out, m, best);
        break;
    case VERDICT_NONE:
        ed_buf_append_text(out, "result    a new index: no model here computes these vectors; old "
                                "and new ones cannot be compared\n");
        break;
    }
}

static void append_text_field(ed_buf *out, const char *field, const char *text)
{
    ed_buf_printf(out, "\"%s\":", field);
    if (text)
        ed_append_json_string(out, text, strlen(text));
    else
        ed_buf_append_text(out, "null");
}

static void append_match(ed_buf *out, const ed_model_match *match)
{
    static const char *const cuts[] = {"model", "plain", "layer_norm"};

    ed_buf_append_text(out, "{");
    append_text_field(out, "model", match->model);
    ed_buf_append_text(out, ",");
    append_text_field(out, "prompt_name", match->prompt_name);
    ed_buf_printf(out,
                  ",\"pooling\":\"%s\",\"cut\":\"%s\",\"dim\":%zu,\"min_cosine\":%.9f,"
                  "\"mean_cosine\":%.9f,\"compared\":%zu,\"same\":%zu,\"close\":%zu",
                  pooling_name(match->pooling), cuts[match->cut], match->dimensions, match->least,
                  match->mean, match->n_compared, match->n_same, match->n_close);
    if (match->length_ratio_max > 0)
        ed_buf_printf(out, ",\"length_ratio\":[%.6g,%.6g]", match->length_ratio_min,
                      match->length_ratio_max);
    ed_buf_append_text(out, "}");
}

static void append_json(ed_buf *out, const migration *m)
{
    verdict found = judge(m);

    ed_buf_append_text(out, "{");
    append_text_field(out, "file", m->path);
    ed_buf_printf(out,
                  ",\"records\":%zu,\"dim\":%zu,\"vectors\":\"%s\",\"length\":[%.6g,%.6g],"
                  "\"models\":%zu,\"ways\":%zu,\"verdict\":\"%s\",\"reindex\":%s,\"matches\":[",
                  m->records.n_records, m->records.records[0].dimensions,
                  !is_raw(m)            ? "normalized"
                  : m->n_normalized > 0 ? "mixed"
                                        : "raw",
                  m->length_min, m->length_max, m->n_opened, m->matches->n_tried,
                  verdict_names[found], found <= VERDICT_CLOSE ? "false" : "true");
    for (size_t i = 0; i < m->matches->n_matches; i++) {
        ed_buf_append_text(out, i > 0 ? ",\n" : "\n");
        append_match(out, &m->matches->matches[i]);
    }
    ed_buf_append_text(out, "]}\n");
}
