/* Every GGUF fixture at every CPU level of this machine. Against what an exact reader of the same
 * file gets: vectors within 1e-5. Against llama.cpp, which rounds activations to the weights' type,
 * and against the float32 model: the cosines that each type allows. Against llama.cpp's own
 * tokenizer: the same ids.
 *
 *   golden_gguf                        all of EMBEDD_TEST_DATA/golden/gguf
 *   golden_gguf FILE EXPECTED.jsonl    one file and its rows */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "embedd.h"
#include "kernels/kernels.h"
#include "support/expected.h"

#define DIFFERENCE_MAX 1e-5

static int n_failures, n_checks;

typedef struct result {
    double difference, to_llama, to_f32;
    size_t n_rows;
} result;

static void fail(const char *file, const char *level, const expected_row *row, const char *what)
{
    fprintf(stderr, "FAILED %s at %s, %s \"%.40s\": %s\n", file, level, row->name, row->text, what);
    n_failures++;
}

static bool ends_in(const char *text, const char *end)
{
    size_t n = strlen(text), n_end = strlen(end);

    return n >= n_end && strcmp(text + n - n_end, end) == 0;
}

/* The cosines that a type of weights allows: to llama.cpp's vector of the same file, and to the
 * vector of the float32 model. */
typedef struct bounds {
    const char *end; /* of the file's name */
    double llama, f32;
} bounds;

static const bounds *bounds_of(const char *file)
{
    static const bounds rows[] = {
        {"-f32.gguf", 0.99999, 0.999999}, {"-f16.gguf", 0.99999, 0.99999},
        {"-bf16.gguf", 0.9999, 0.9999},   {"-q8_0.gguf", 0.9985, 0.9985},
        {"-q6_k.gguf", 0.9985, 0.999},    {"-q5_k_m.gguf", 0.9985, 0.998},
        {"-q5_0.gguf", 0.9985, 0.997},    {"-q4_k_m.gguf", 0.9985, 0.995},
        {"-q4_0.gguf", 0.9985, 0.99},     {"-q3_k_m.gguf", 0.9985, 0.985},
        {"-q2_k.gguf", 0.9985, 0.93},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (ends_in(file, rows[i].end))
            return &rows[i];
    fprintf(stderr, "%s: a type of weights without bounds\n", file);
    exit(1);
}

static double dot(const float *a, const float *b, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * b[i];
    return sum;
}

static void compare(const char *file, const char *level, const expected_row *row,
                    const float *vector, result *out)
{
    const bounds *least = bounds_of(file);
    bool has_pad = strstr(row->text, "<pad>"); /* llama.cpp gives it another position */
    double to_llama = has_pad ? 1 : dot(vector, row->vector, row->n_dims);
    double to_f32 = row->vector_hf && !has_pad ? dot(vector, row->vector_hf, row->n_dims) : 1;
    double worst = 0;

    for (size_t i = 0; i < row->n_dims; i++)
        worst = fmax(worst, fabs((double)vector[i] - row->vector_dequant[i]));
    if (!(worst <= DIFFERENCE_MAX))
        fail(file, level, row, "the vector differs from an exact reader's");
    else if (!(to_llama >= least->llama))
        fail(file, level, row, "the vector is too far from llama.cpp's");
    else if (!(to_f32 >= least->f32))
        fail(file, level, row, "the vector is too far from the float32 model's");
    out->difference = fmax(out->difference, worst);
    out->to_llama = fmin(out->to_llama, to_llama);
    out->to_f32 = fmin(out->to_f32, to_f32);
    out->n_rows++;
    n_checks++;
}

static void check_row(embedd_session *session, embedd_encoder *encoder, size_t ids_cap,
                      const expected_row *row, const char *file, const char *level, result *out)
{
    int32_t *ids = calloc(ids_cap, sizeof *ids);
    float *vector = calloc(row->n_dims, sizeof *vector);
    embedd_error err = {.message = ""};
    embedd_usage usage;
    const embedd_row call = {
        .ids = row->ids, .n_tokens = row->n_ids, .normalize = true, .out = vector};

    if (embedd_encode(encoder, (embedd_text){row->text, row->n_text_bytes}, NULL, ids, ids_cap,
                      &usage, &err) != EMBEDD_OK)
        fail(file, level, row, err.message);
    else if (usage.n_tokens != row->n_ids || memcmp(ids, row->ids, row->n_ids * sizeof *ids) != 0)
        fail(file, level, row, "the token ids differ from llama.cpp's");
    if (embedd_embed_rows(session, &call, 1, &err) != EMBEDD_OK)
        fail(file, level, row, err.message);
    else
        compare(file, level, row, vector, out);
    free(ids);
    free(vector);
}

static void check_level(const char *file, const expected_rows *expected, const char *level)
{
    const embedd_model_options options = {.cpu_level = level};
    embedd_error err = {.message = ""};
    embedd_model *model = NULL;
    embedd_session *session = NULL;
    embedd_encoder *encoder = NULL;
    result out = {.to_llama = 1, .to_f32 = 1};

    if (embedd_model_open(file, &options, &model, &err) ||
        embedd_session_open(model, NULL, &session, &err) ||
        embedd_encoder_open(model, &encoder, &err)) {
        fprintf(stderr, "FAILED %s at %s: %s\n", file, level, err.message);
        n_failures++;
        goto done;
    }
    const embedd_model_info *info = embedd_model_get_info(model);
    for (size_t i = 0; i < expected->n_rows; i++) {
        const expected_row *row = &expected->rows[i];
        if (!row->vector_dequant || row->n_dims != info->dimensions)
            fail(file, level, row, "the fixture has other vectors");
        else
            check_row(session, encoder, info->tokens_max, row, file, level, &out);
    }
    printf(
        "%-24s %-12s %4zu rows  max difference %.1e  min cosine to llama.cpp %.6f, to f32 %.6f\n",
        strrchr(file, '/') ? strrchr(file, '/') + 1 : file, level, out.n_rows, out.difference,
        out.to_llama, out.to_f32);
    fflush(stdout);
done:
    embedd_encoder_close(encoder);
    embedd_session_close(session);
    embedd_model_close(model);
}

static void check_file(const char *file, const char *path)
{
    expected_rows expected = expected_read(path);

    for (const char *const *level = ed_kernels_levels(); *level; level++)
        check_level(file, &expected, *level);
    expected_free(&expected);
}

static void check_all(void)
{
    const char *data = expected_environment("EMBEDD_TEST_DATA");
    struct dirent **entries = NULL;
    char folder[4096], file[8192], expected[8192];

    snprintf(folder, sizeof folder, "%s/golden/gguf", data);
    int n_entries = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < n_entries; i++) {
        const char *name = entries[i]->d_name;
        if (ends_in(name, ".gguf")) {
            snprintf(file, sizeof file, "%s/%s", folder, name);
            snprintf(expected, sizeof expected, "%s/%.*s.expected.jsonl", folder,
                     (int)(strlen(name) - strlen(".gguf")), name);
            check_file(file, expected);
        }
        free(entries[i]);
    }
    free(entries);
}

int main(int argc, char **argv)
{
    if (argc == 1)
        check_all();
    for (int i = 1; i + 1 < argc; i += 2)
        check_file(argv[i], argv[i + 1]);
    printf("%d passed, %d failed\n", n_checks, n_failures);
    return n_failures != 0 || n_checks == 0;
}
