/* Models with a head, at every CPU level of this machine: token ids of pairs exactly, scores and
 * sparse weights within 1e-5 of the reference, and the same bits alone, in one packed call, in
 * another order and on other threads. tests/data/heads, made by tools/fixtures/make_heads.py. */
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "embedd.h"
#include "kernels/kernels.h"
#include "support/expected.h"

#define DIFFERENCE_MAX 1e-5
#define ROWS_MAX       128
#define TOKENS_MAX     64

static const struct subject {
    const char *folder;
    embedd_task task;
    size_t n_labels; /* 0 = the vocabulary */
    const char *first_label;
} subjects[] = {
    {"bert-reranker", EMBEDD_TASK_SCORE, 1, "LABEL_0"},
    {"xlm-roberta-reranker", EMBEDD_TASK_SCORE, 1, "LABEL_0"},
    {"roberta-classifier", EMBEDD_TASK_SCORE, 3, "contradiction"},
    {"modernbert-reranker", EMBEDD_TASK_SCORE, 1, "LABEL_0"},
    {"bert-splade", EMBEDD_TASK_SPARSE, 0, NULL},
    {"distilbert-splade", EMBEDD_TASK_SPARSE, 0, NULL},
};
#define N_SUBJECTS (sizeof subjects / sizeof *subjects)

static int n_failures, n_checks;
static double worst;

static void fail(const char *folder, const char *level, size_t row, const char *what)
{
    fprintf(stderr, "FAILED %s at %s, row %zu: %s\n", folder, level, row, what);
    n_failures++;
}

static embedd_text text_of(struct json_object *row, const char *field)
{
    struct json_object *text = json_object_object_get(row, field);

    return (embedd_text){json_object_get_string(text), (size_t)json_object_get_string_len(text)};
}

/* The row's ids, compared, in `ids`. */
static bool encode(embedd_encoder *encoder, struct json_object *row, int32_t *ids,
                   embedd_usage *usage)
{
    bool pair = json_object_object_get(row, "query") != NULL;
    struct json_object *expected = json_object_object_get(row, "ids");
    embedd_error err;
    embedd_status status =
        pair ? embedd_encode_pair(encoder, text_of(row, "query"), text_of(row, "text"), NULL, ids,
                                  TOKENS_MAX, usage, &err)
             : embedd_encode(encoder, text_of(row, "text"), NULL, ids, TOKENS_MAX, usage, &err);

    if (status != EMBEDD_OK || usage->n_tokens != json_object_array_length(expected))
        return false;
    for (size_t i = 0; i < usage->n_tokens; i++)
        if (json_object_get_int(json_object_array_get_idx(expected, i)) != ids[i])
            return false;
    return true;
}

/* The largest difference to the row's scores or weights; an absent weight is 0. */
static double difference(struct json_object *row, const float *out, size_t n)
{
    struct json_object *scores = json_object_object_get(row, "scores");
    struct json_object *weights = json_object_object_get(row, "weights");
    double *expected = calloc(n, sizeof *expected), most = 0;

    for (size_t i = 0; scores && i < json_object_array_length(scores) && i < n; i++)
        expected[i] = json_object_get_double(json_object_array_get_idx(scores, i));
    for (size_t i = 0; weights && i < json_object_array_length(weights); i++) {
        struct json_object *pair = json_object_array_get_idx(weights, i);
        size_t index = (size_t)json_object_get_int(json_object_array_get_idx(pair, 0));
        if (index < n)
            expected[index] = json_object_get_double(json_object_array_get_idx(pair, 1));
    }
    for (size_t i = 0; i < n; i++)
        most = fmax(most, isfinite(out[i]) ? fabs(out[i] - expected[i]) : INFINITY);
    free(expected);
    return most;
}

static size_t read_rows(const char folder[1024], struct json_object *rows[ROWS_MAX])
{
    char path[1100], *line = NULL;
    size_t cap = 0, n = 0;

    snprintf(path, sizeof path, "%.1023s/expected.jsonl", folder);
    FILE *file = fopen(path, "r");
    while (file && n < ROWS_MAX && getline(&line, &cap, file) > 0)
        rows[n++] = json_tokener_parse(line);
    if (!file || n == 0) {
        fprintf(stderr, "%s cannot be read\n", path);
        exit(1);
    }
    free(line);
    fclose(file);
    return n;
}

static void check_packed(const embedd_model *model, const embedd_row *rows, size_t n,
                         const char *folder, const char *level)
{
    size_t d = embedd_model_get_info(model)->dimensions;
    embedd_row *reversed = calloc(n, sizeof *reversed);
    float *packed = calloc(n * d, sizeof *packed);
    const embedd_session_options options = {.n_threads = 3, .batch_tokens_max = 300};
    embedd_session *session = NULL;
    embedd_error err = {.message = ""};

    for (size_t i = 0; i < n; i++) {
        reversed[i] = rows[n - 1 - i];
        reversed[i].out = packed + i * d;
    }
    if (embedd_session_open(model, &options, &session, &err) ||
        embedd_embed_rows(session, reversed, n, &err))
        fail(folder, level, 0, err.message);
    for (size_t i = 0; i < n; i++, n_checks++)
        if (memcmp(reversed[i].out, rows[n - 1 - i].out, d * sizeof(float)) != 0)
            fail(folder, level, n - 1 - i, "other bits in a packed call");
    embedd_session_close(session);
    free(packed);
    free(reversed);
}

static void check_rows(const embedd_model *model, const char *folder, const char *level)
{
    struct json_object *expected[ROWS_MAX];
    size_t n = read_rows(folder, expected), d = embedd_model_get_info(model)->dimensions;
    int32_t *ids = calloc(n * TOKENS_MAX, sizeof *ids);
    float *out = calloc(n * d, sizeof *out);
    embedd_row *rows = calloc(n, sizeof *rows);
    embedd_session *session = NULL;
    embedd_encoder *encoder = NULL;
    embedd_error err = {.message = ""};

    if (embedd_session_open(model, &(embedd_session_options){.n_threads = 1}, &session, &err) ||
        embedd_encoder_open(model, &encoder, &err)) {
        fail(folder, level, 0, err.message);
        goto done;
    }
    for (size_t i = 0; i < n; i++, n_checks++) {
        embedd_usage usage;
        if (!encode(encoder, expected[i], ids + i * TOKENS_MAX, &usage)) {
            fail(folder, level, i, "the token ids differ from the reference");
            goto done;
        }
        rows[i] = (embedd_row){.ids = ids + i * TOKENS_MAX,
                               .n_tokens = usage.n_tokens,
                               .n_tokens_first = usage.n_tokens_first,
                               .out = out + i * d};
        if (embedd_embed_rows(session, &rows[i], 1, &err) != EMBEDD_OK)
            fail(folder, level, i, err.message);
        double most = difference(expected[i], rows[i].out, d);
        worst = fmax(worst, most);
        if (!(most <= DIFFERENCE_MAX))
            fail(folder, level, i, "the numbers differ from the reference");
    }
    check_packed(model, rows, n, folder, level);
done:
    for (size_t i = 0; i < n; i++)
        json_object_put(expected[i]);
    embedd_encoder_close(encoder);
    embedd_session_close(session);
    free(rows);
    free(out);
    free(ids);
}

static void check_subject(const struct subject *s, const char *level)
{
    char folder[1024];
    embedd_model *model = NULL;
    embedd_error err;

    snprintf(folder, sizeof folder, "%s/heads/%s", expected_environment("EMBEDD_TEST_DATA"),
             s->folder);
    if (embedd_model_open(folder, &(embedd_model_options){.cpu_level = level}, &model, &err) !=
        EMBEDD_OK) {
        fail(s->folder, level, 0, err.message);
        return;
    }
    const embedd_model_info *info = embedd_model_get_info(model);
    n_checks++;
    if (info->task != s->task || info->dimensions != (s->n_labels ? s->n_labels : info->vocabulary))
        fail(s->folder, level, 0, "another task, or another number of labels");
    if (s->first_label && (!info->labels || strcmp(info->labels[0], s->first_label) != 0))
        fail(s->folder, level, 0, "another label");
    check_rows(model, folder, level);
    embedd_model_close(model);
}

int main(void)
{
    for (const char *const *level = ed_kernels_levels(); *level; level++)
        for (size_t i = 0; i < N_SUBJECTS; i++)
            check_subject(&subjects[i], *level);
    printf("%d passed, %d failed, largest difference %.2g\n", n_checks, n_failures, worst);
    return n_failures > 0;
}
