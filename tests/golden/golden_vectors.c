/* Every golden fixture at every CPU level of this machine: token ids exactly, vectors within 1e-5
 * of the reference, and the same bits alone, in one packed call, in another order and on other
 * threads.
 *
 *   golden_vectors                          all of EMBEDD_TEST_DATA/golden, and the real models
 *   golden_vectors FOLDER EXPECTED.jsonl    one model and its rows */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "embedd.h"
#include "kernels/kernels.h"
#include "support/expected.h"

#define DIFFERENCE_MAX 1e-5
#define COSINE_MIN     0.999999
/* Of the full-size models, only the best level reads the longest texts; slow builds and the
 * reference kernels read the short ones. */
#define TOKENS_MAX_SLOW  24
#define TOKENS_MAX_LOWER 64

static int n_failures, n_checks;

typedef struct result {
    double difference, cosine;
    size_t n_rows;
} result;

static void fail(const char *folder, const char *level, const expected_row *row, const char *what)
{
    fprintf(stderr, "FAILED %s at %s, %s \"%.40s\": %s\n", folder, level, row->name, row->text,
            what);
    n_failures++;
}

/* Differences after dividing by the expected length, as the fixtures' README states them. */
static void compare(const char *folder, const char *level, const expected_row *row,
                    const float *vector, result *out)
{
    double dot = 0, a = 0, b = 0, worst = 0;

    for (size_t i = 0; i < row->n_dims; i++) {
        dot += (double)vector[i] * row->vector[i];
        a += (double)vector[i] * vector[i];
        b += (double)row->vector[i] * row->vector[i];
    }
    for (size_t i = 0; i < row->n_dims; i++)
        worst = fmax(worst, fabs((double)vector[i] - row->vector[i]) / sqrt(b));
    double cosine = dot / sqrt(a * b);

    if (!(worst <= DIFFERENCE_MAX) || !(cosine >= COSINE_MIN))
        fail(folder, level, row, "the vector differs from the reference");
    out->difference = fmax(out->difference, worst);
    out->cosine = fmin(out->cosine, cosine);
    out->n_rows++;
    n_checks++;
}

static embedd_embed_options options_of(const expected_row *row)
{
    embedd_embed_options options = {.normalize = row->normalize};

    if (row->has_prompt && row->prompt_name)
        options.encode.prompt_name = row->prompt_name;
    else if (row->has_prompt)
        options.encode.prompt = (embedd_text){row->prompt, strlen(row->prompt)};
    return options;
}

/* Ids of one row, compared; they stay in `ids` for the packed call. */
static bool encode(embedd_encoder *encoder, const expected_row *row, int32_t *ids, size_t cap,
                   embedd_usage *usage, const char *folder, const char *level)
{
    embedd_error err = {.message = ""};
    embedd_embed_options options = options_of(row);
    embedd_text text = {row->text, row->n_text_bytes};

    if (embedd_encode(encoder, text, &options.encode, ids, cap, usage, &err) != EMBEDD_OK) {
        fail(folder, level, row, err.message);
        return false;
    }
    if (usage->n_tokens != row->n_ids || memcmp(ids, row->ids, row->n_ids * sizeof *ids) != 0) {
        fail(folder, level, row, "the token ids differ from the reference");
        return false;
    }
    return true;
}

static void check_rows(const embedd_model *model, const expected_rows *expected, size_t tokens_max,
                       const char *folder, const char *level, result *out)
{
    const embedd_model_info *info = embedd_model_get_info(model);
    embedd_session *one = NULL, *two = NULL;
    embedd_encoder *encoder = NULL;
    embedd_error err = {.message = ""};
    size_t cap = info->tokens_max, n = 0, d = info->dimensions;
    int32_t *ids = calloc(expected->n_rows * cap, sizeof *ids);
    float *alone = calloc(expected->n_rows * d, sizeof *alone);
    float *packed = calloc(expected->n_rows * d, sizeof *packed);
    embedd_row *rows = calloc(expected->n_rows, sizeof *rows);
    const expected_row **sources = calloc(expected->n_rows, sizeof *sources);

    if (embedd_session_open(model, &(embedd_session_options){.n_threads = 1}, &one, &err) ||
        embedd_session_open(model, &(embedd_session_options){.n_threads = 3}, &two, &err) ||
        embedd_encoder_open(model, &encoder, &err)) {
        fprintf(stderr, "FAILED %s at %s: %s\n", folder, level, err.message);
        n_failures++;
        goto done;
    }
    for (size_t i = 0; i < expected->n_rows; i++) {
        const expected_row *row = &expected->rows[i];
        embedd_usage usage;
        size_t n_dims = row->dimensions ? row->dimensions : d;
        if (row->n_dims != n_dims)
            fail(folder, level, row, "the fixture has another number of dimensions");
        if (!encode(encoder, row, ids + n * cap, cap, &usage, folder, level) ||
            row->n_dims != n_dims || usage.n_tokens > tokens_max)
            continue;
        rows[n] = (embedd_row){.ids = ids + n * cap,
                               .n_tokens = usage.n_tokens,
                               .n_tokens_prompt = usage.n_tokens_prompt,
                               .dimensions = row->dimensions,
                               .cut = row->layer_norm ? EMBEDD_CUT_LAYER_NORM : EMBEDD_CUT_PLAIN,
                               .normalize = row->normalize,
                               .out = alone + n * d};
        sources[n] = row;
        if (embedd_embed_rows(one, &rows[n], 1, &err) != EMBEDD_OK)
            fail(folder, level, row, err.message);
        else
            compare(folder, level, row, alone + n * d, out);
        n++;
    }
    /* The same rows in one call, last first, on three threads: bit for bit. */
    for (size_t i = 0; i < n / 2; i++) {
        embedd_row swap = rows[i];
        rows[i] = rows[n - 1 - i];
        rows[n - 1 - i] = swap;
    }
    for (size_t i = 0; i < n; i++)
        rows[i].out = packed + (n - 1 - i) * d;
    if (embedd_embed_rows(two, rows, n, &err) != EMBEDD_OK) {
        fprintf(stderr, "FAILED %s at %s: %s\n", folder, level, err.message);
        n_failures++;
    }
    for (size_t i = 0; i < n; i++)
        if (memcmp(alone + i * d, packed + i * d, d * sizeof *alone) != 0)
            fail(folder, level, sources[i], "bits depend on batch, order or threads");
done:
    embedd_encoder_close(encoder);
    embedd_session_close(one);
    embedd_session_close(two);
    free(ids);
    free(alone);
    free(packed);
    free(rows);
    free(sources);
}

static void check_file(const char *folder, const char *path)
{
    const char *sanitizers = getenv("EMBEDD_SAN");
    bool slow_build = sanitizers && *sanitizers;
    expected_rows expected = expected_read(path);

    for (const char *const *level = ed_kernels_levels(); *level; level++) {
        embedd_model_options options = {.cpu_level = *level};
        embedd_error err = {.message = ""};
        embedd_model *model = NULL;
        result out = {.cosine = 1};

        if (embedd_model_open(folder, &options, &model, &err) != EMBEDD_OK) {
            fprintf(stderr, "FAILED %s at %s: %s\n", folder, *level, err.message);
            n_failures++;
            continue;
        }
        bool full_size = embedd_model_get_info(model)->n_parameters > 10000000;
        size_t tokens_max = SIZE_MAX;
        if (full_size && (slow_build || strcmp(*level, "ref") == 0))
            tokens_max = TOKENS_MAX_SLOW;
        else if (full_size && level[1])
            tokens_max = TOKENS_MAX_LOWER;
        check_rows(model, &expected, tokens_max, folder, *level, &out);
        const char *name = strrchr(path, '/');
        printf("%-28s %-24s %-8s %4zu rows  max difference %.1e  min cosine %.9f\n",
               strrchr(folder, '/') ? strrchr(folder, '/') + 1 : folder, name ? name + 1 : path,
               *level, out.n_rows, out.difference, out.cosine);
        fflush(stdout);
        embedd_model_close(model);
    }
    expected_free(&expected);
}

static bool exists(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0;
}

static void check_folder(const char *folder)
{
    static const char *const files[] = {"expected.jsonl", "expected_prompts.jsonl",
                                        "expected_matryoshka.jsonl"};
    char path[8192];

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, files[i]) >= sizeof path)
            exit(1);
        if (i == 0 || exists(path))
            check_file(folder, path);
    }
}

static void check_all(void)
{
    static const char *const real[] = {"all-MiniLM-L6-v2", "all-mpnet-base-v2"};
    const char *data = expected_environment("EMBEDD_TEST_DATA");
    const char *models = expected_environment("EMBEDD_TEST_MODELS");
    struct dirent **entries = NULL;
    char path[8192], expected[8192];

    snprintf(path, sizeof path, "%s/golden", data);
    int n_entries = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < n_entries; i++) {
        snprintf(path, sizeof path, "%s/golden/%s/modules.json", data, entries[i]->d_name);
        if (exists(path)) {
            *strrchr(path, '/') = '\0';
            check_folder(path);
        }
        free(entries[i]);
    }
    free(entries);
    for (size_t i = 0; i < sizeof real / sizeof *real; i++) {
        snprintf(path, sizeof path, "%s/%s", models, real[i]);
        snprintf(expected, sizeof expected, "%s/golden/real/%s.jsonl", data, real[i]);
        check_file(path, expected);
    }
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
