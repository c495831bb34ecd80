/* Every GGUF fixture at every CPU level of this machine. Against what an exact reader of the same
 * file gets: vectors within 1e-5. Against llama.cpp, which rounds activations to the weights' type:
 * the cosine that each type allows. Against llama.cpp's own tokenizer: the same ids.
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
    double difference, cosine; /* to vector_dequant, to vector */
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

/* How near llama.cpp comes to the exact vector: the fixtures' README. */
static double cosine_min(const char *file)
{
    if (ends_in(file, "-f32.gguf") || ends_in(file, "-f16.gguf"))
        return 0.99999;
    if (ends_in(file, "-bf16.gguf"))
        return 0.9999;
    return 0.9985;
}

static void compare(const char *file, const char *level, const expected_row *row,
                    const float *vector, result *out)
{
    double dot = 0, worst = 0;

    for (size_t i = 0; i < row->n_dims; i++) {
        dot += (double)vector[i] * row->vector[i];
        worst = fmax(worst, fabs((double)vector[i] - row->vector_dequant[i]));
    }
    if (!(worst <= DIFFERENCE_MAX))
        fail(file, level, row, "the vector differs from an exact reader's");
    else if (!(dot >= cosine_min(file)) && !strstr(row->text, "<pad>"))
        fail(file, level, row, "the vector is too far from llama.cpp's");
    else
        out->cosine = strstr(row->text, "<pad>") ? out->cosine : fmin(out->cosine, dot);
    out->difference = fmax(out->difference, worst);
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
    result out = {.cosine = 1};

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
    printf("%-24s %-8s %4zu rows  max difference %.1e  min cosine to llama.cpp %.6f\n",
           strrchr(file, '/') ? strrchr(file, '/') + 1 : file, level, out.n_rows, out.difference,
           out.cosine);
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
