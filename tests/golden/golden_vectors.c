/* Every golden fixture at every CPU level of this machine, in every number type: token ids exactly,
 * vectors within 1e-5 of the reference, or for the narrower types at a cosine near 1, and the same
 * bits alone, in one packed call, in another order and on other threads.
 *
 *   golden_vectors                          all of EMBEDD_TEST_DATA/golden
 *   golden_vectors --real                   the real models of EMBEDD_TEST_MODELS
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

/* Of the fixtures' small random models, then of the real ones. */
static const struct number_type {
    embedd_dtype dtype;
    const char *name;
    double difference_max;
    double cosine_min, real_cosine_min, real_cosine_mean;
} number_types[] = {
    {EMBEDD_DTYPE_F32, "f32", 1e-5, 0.999999, 0.999999, 0.999999},
    {EMBEDD_DTYPE_BF16, "bf16", 1, 0.999, 0.9995, 0.9998},
    {EMBEDD_DTYPE_INT8, "int8", 1, 0.99, 0.998, 0.9995},
};
#define N_NUMBER_TYPES (sizeof number_types / sizeof *number_types)

/* Of the full-size models, only the best level reads the longest texts; slow builds and the
 * reference kernels read the short ones. */
#define TOKENS_MAX_SLOW  24
#define TOKENS_MAX_LOWER 64

static int n_failures, n_checks;

/* One model as it is tested, and how it did. */
typedef struct subject {
    const char *folder, *level;
    const struct number_type *type;
    bool real; /* and therefore slow */
    double difference, cosine, cosine_sum;
    size_t n_rows;
} subject;

static void fail(const subject *s, const expected_row *row, const char *what)
{
    fprintf(stderr, "FAILED %s at %s in %s, %s \"%.40s\": %s\n", s->folder, s->level, s->type->name,
            row ? row->name : "all", row ? row->text : "", what);
    n_failures++;
}

/* Differences after dividing by the expected length, as the fixtures' README states them. */
static void compare(subject *s, const expected_row *row, const float *vector)
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

    if (!(worst <= s->type->difference_max) ||
        !(cosine >= (s->real ? s->type->real_cosine_min : s->type->cosine_min)))
        fail(s, row, "the vector differs from the reference");
    s->difference = fmax(s->difference, worst);
    s->cosine = fmin(s->cosine, cosine);
    s->cosine_sum += cosine;
    s->n_rows++;
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
                   embedd_usage *usage, const subject *s)
{
    embedd_error err = {.message = ""};
    embedd_embed_options options = options_of(row);
    embedd_text text = {row->text, row->n_text_bytes};

    if (embedd_encode(encoder, text, &options.encode, ids, cap, usage, &err) != EMBEDD_OK) {
        fail(s, row, err.message);
        return false;
    }
    if (usage->n_tokens != row->n_ids || memcmp(ids, row->ids, row->n_ids * sizeof *ids) != 0) {
        fail(s, row, "the token ids differ from the reference");
        return false;
    }
    return true;
}

static void check_rows(const embedd_model *model, const expected_rows *expected, size_t tokens_max,
                       subject *s)
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
        fail(s, NULL, err.message);
        goto done;
    }
    for (size_t i = 0; i < expected->n_rows; i++) {
        const expected_row *row = &expected->rows[i];
        embedd_usage usage;
        size_t n_dims = row->dimensions ? row->dimensions : d;
        if (row->n_dims != n_dims)
            fail(s, row, "the fixture has another number of dimensions");
        if (!encode(encoder, row, ids + n * cap, cap, &usage, s) || row->n_dims != n_dims ||
            usage.n_tokens > tokens_max)
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
            fail(s, row, err.message);
        else
            compare(s, row, alone + n * d);
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
        fail(s, NULL, err.message);
    }
    for (size_t i = 0; i < n; i++)
        if (memcmp(alone + i * d, packed + i * d, d * sizeof *alone) != 0)
            fail(s, sources[i], "bits depend on batch, order or threads");
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

/* How long texts may be, or 0. Of a real model's narrower types only the best level is tested.
 * Sanitizer builds are slow: they read short texts, real models in float32 at the best level; and
 * threads, which ThreadSanitizer looks at, do not depend on the level. */
static size_t tokens_max_of(const subject *s, bool best_level)
{
    const char *sanitizers = getenv("EMBEDD_SAN");
    bool f32 = s->type->dtype == EMBEDD_DTYPE_F32;

    if (sanitizers && *sanitizers) {
        bool tested = best_level ? f32 || !s->real : !s->real && !strstr(sanitizers, "thread");
        return tested ? TOKENS_MAX_SLOW : 0;
    }
    if (!s->real)
        return SIZE_MAX;
    if (!best_level && !f32)
        return 0;
    if (strcmp(s->level, "ref") == 0)
        return TOKENS_MAX_SLOW;
    return best_level ? SIZE_MAX : TOKENS_MAX_LOWER;
}

static void check_subject(subject *s, const expected_rows *expected, const char *path,
                          bool best_level)
{
    embedd_model_options options = {.cpu_level = s->level, .dtype = s->type->dtype};
    const char *name = strrchr(path, '/'), *folder_name = strrchr(s->folder, '/');
    embedd_error err = {.message = ""};
    embedd_model *model = NULL;

    size_t tokens_max = tokens_max_of(s, best_level);

    if (tokens_max == 0)
        return;
    if (embedd_model_open(s->folder, &options, &model, &err) != EMBEDD_OK) {
        fail(s, NULL, err.message);
        return;
    }
    if (strcmp(embedd_model_get_info(model)->dtype, s->type->name) != 0)
        fail(s, NULL, "the model says it has another number type");
    check_rows(model, expected, tokens_max, s);
    if (s->n_rows > 0) {
        double mean = s->cosine_sum / (double)s->n_rows;
        if (s->n_rows == expected->n_rows && s->real && !(mean >= s->type->real_cosine_mean))
            fail(s, NULL, "the vectors differ from the reference on average");
        printf("%-24s %-20s %-10s %-4s %4zu rows  max difference %.1e  cosine min %.7f mean %.7f\n",
               folder_name ? folder_name + 1 : s->folder, name ? name + 1 : path, s->level,
               s->type->name, s->n_rows, s->difference, s->cosine, mean);
        fflush(stdout);
    }
    embedd_model_close(model);
}

static const char *product_name(const char *level, embedd_dtype dtype)
{
    embedd_error err;
    ed_kernels k;

    if (ed_kernels_open(&k, level, &err) != EMBEDD_OK)
        return "";
    return dtype == EMBEDD_DTYPE_BF16   ? k.gemm_bf16.name
           : dtype == EMBEDD_DTYPE_INT8 ? k.gemm_int8.name
                                        : k.gemm_f32.name;
}

/* Real models have tens of millions of numbers, the fixtures some hundred thousand. */
static bool is_real(const char *folder)
{
    char path[8192];
    struct stat status;

    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    return stat(path, &status) == 0 && status.st_size > 40000000;
}

/* A level that takes a type's product from the level below would show nothing new, so that only the
 * best one is tested anyway. */
static void check_file(const char *folder, const char *path)
{
    expected_rows expected = expected_read(path);
    bool real = is_real(folder);

    for (size_t i = 0; i < N_NUMBER_TYPES; i++) {
        const char *below = "";
        for (const char *const *level = ed_kernels_levels(); *level; level++) {
            subject s = {.folder = folder,
                         .level = *level,
                         .type = &number_types[i],
                         .real = real,
                         .cosine = 1};
            const char *product = product_name(*level, s.type->dtype);
            if (!level[1] || strcmp(product, below) != 0)
                check_subject(&s, &expected, path, !level[1]);
            below = product;
        }
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

static void check_fixtures(void)
{
    const char *data = expected_environment("EMBEDD_TEST_DATA");
    struct dirent **entries = NULL;
    char path[8192];

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
}

static void check_real(void)
{
    static const char *const real[] = {"all-MiniLM-L6-v2", "all-mpnet-base-v2"};
    const char *data = expected_environment("EMBEDD_TEST_DATA");
    const char *models = expected_environment("EMBEDD_TEST_MODELS");
    char path[8192], expected[8192];

    for (size_t i = 0; i < sizeof real / sizeof *real; i++) {
        snprintf(path, sizeof path, "%s/%s", models, real[i]);
        snprintf(expected, sizeof expected, "%s/golden/real/%s.jsonl", data, real[i]);
        check_file(path, expected);
    }
}

int main(int argc, char **argv)
{
    bool real = argc == 2 && strcmp(argv[1], "--real") == 0;

    if (argc == 1)
        check_fixtures();
    if (real)
        check_real();
    for (int i = 1; i + 1 < argc; i += 2)
        check_file(argv[i], argv[i + 1]);
    printf("%d passed, %d failed\n", n_checks, n_failures);
    return n_failures != 0 || n_checks == 0;
}
