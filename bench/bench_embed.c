/* Times the library in its own process, one load at a time as it is told to.
 *
 *     echo "run short" | build/bench_embed models/all-MiniLM-L6-v2 load.json [--max-tokens N]
 * [--threads N] [--dtype f32|bf16|int8]
 *
 * In: load.json, {"NAME": ["text", ...], ...} from bench/peers/make_load.py, and a command a line:
 *     run NAME            all its texts in one call
 *     one NAME N          N of its texts, one a call
 *     vectors NAME FILE   all its texts, written to FILE as float32
 *     memory              peak memory of this process
 * Out: one line of JSON for the start and for each command, so that bench/peers/compare.py can take
 * turns between this and other engines. It uses nothing of the project but embedd.h. */
#include "embedd.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define SINGLES_MAX 4096

typedef struct load {
    embedd_text *texts; /* [n_texts], bytes owned by the parsed file */
    size_t n_texts;
} load;

typedef struct bench {
    embedd_model *model;
    embedd_session *session;
    embedd_embed_options options;
    size_t dimensions;
    struct json_object *file;
} bench;

static bool bench_open(bench *b, const char *folder, const char *load_file, size_t n_threads,
                       embedd_dtype dtype);
static void bench_close(bench *b);
static bool command_run(bench *b, const char *line);
static bool time_all(bench *b, const char *name, const load *l);
static bool time_singles(bench *b, const char *name, const load *l, size_t n);
static bool write_vectors(bench *b, const load *l, const char *path);
static void print_memory(void);
static bool find_load(const bench *b, const char *name, load *out);
static double seconds_of(clockid_t clock);
static bool parse_size(const char *text, size_t *out);
static bool parse_dtype(const char *text, embedd_dtype *out);

int main(int argc, char **argv)
{
    bench b = {.options = {.normalize = true}};
    double start = seconds_of(CLOCK_MONOTONIC);
    embedd_dtype dtype = EMBEDD_DTYPE_F32;
    size_t n_threads = 0;
    char line[512];
    bool good = argc >= 3;

    for (int i = 3; good && i < argc; i += 2) {
        size_t *to = strcmp(argv[i], "--threads") == 0      ? &n_threads
                     : strcmp(argv[i], "--max-tokens") == 0 ? &b.options.encode.tokens_max
                                                            : NULL;
        good = i + 1 < argc &&
               (to ? parse_size(argv[i + 1], to)
                   : strcmp(argv[i], "--dtype") == 0 && parse_dtype(argv[i + 1], &dtype));
    }
    if (!good) {
        fprintf(stderr, "usage: bench_embed MODEL LOAD.json [--max-tokens N] [--threads N] "
                        "[--dtype f32|bf16|int8]\n");
        return 2;
    }
    good = bench_open(&b, argv[1], argv[2], n_threads, dtype);
    if (good) {
        const embedd_model_info *info = embedd_model_get_info(b.model);
        printf("{\"engine\": \"embedd %s\", \"threads\": %zu, \"level\": \"%s\", "
               "\"start_seconds\": %.6f}\n",
               info->dtype, embedd_session_threads(b.session), info->cpu_level,
               seconds_of(CLOCK_MONOTONIC) - start);
        fflush(stdout);
    }
    while (good && fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        good = command_run(&b, line);
        fflush(stdout);
    }
    bench_close(&b);
    return good ? 0 : 1;
}

static bool bench_open(bench *b, const char *folder, const char *load_file, size_t n_threads,
                       embedd_dtype dtype)
{
    embedd_model_options model_options = {.dtype = dtype};
    embedd_session_options options = {.n_threads = n_threads};
    embedd_error err = {.status = EMBEDD_OK};

    b->file = json_object_from_file(load_file);
    if (!b->file) {
        fprintf(stderr, "%s: %s\n", load_file, json_util_get_last_err());
        return false;
    }
    if (embedd_model_open(folder, &model_options, &b->model, &err) != EMBEDD_OK ||
        embedd_session_open(b->model, &options, &b->session, &err) != EMBEDD_OK) {
        fprintf(stderr, "%s\n", err.message);
        return false;
    }
    b->dimensions = embedd_model_dimensions(b->model, EMBEDD_POOLING_MODEL);
    return true;
}

static void bench_close(bench *b)
{
    embedd_session_close(b->session);
    embedd_model_close(b->model);
    json_object_put(b->file);
}

static bool command_run(bench *b, const char *line)
{
    char verb[16] = "", name[64] = "", rest[256] = "";
    size_t n = 0;
    load l = {NULL, 0};
    bool good = false;

    sscanf(line, "%15s %63s %255s", verb, name, rest);
    if (strcmp(verb, "memory") == 0) {
        print_memory();
        return true;
    }
    if (find_load(b, name, &l)) {
        if (strcmp(verb, "run") == 0)
            good = time_all(b, name, &l);
        else if (strcmp(verb, "one") == 0 && parse_size(rest, &n))
            good = time_singles(b, name, &l, n);
        else if (strcmp(verb, "vectors") == 0 && rest[0])
            good = write_vectors(b, &l, rest);
        else
            fprintf(stderr, "no such command: %s\n", line);
    }
    free(l.texts);
    return good;
}

/* Embeds texts [first, first + n) into out, [n][dimensions]. */
static bool embed(bench *b, const load *l, size_t first, size_t n, float *out)
{
    embedd_error err = {.status = EMBEDD_OK};

    if (embedd_embed(b->session, l->texts + first, n, &b->options, out, n * b->dimensions, NULL,
                     &err) == EMBEDD_OK)
        return true;
    fprintf(stderr, "%s\n", err.message);
    return false;
}

static bool time_all(bench *b, const char *name, const load *l)
{
    float *out = calloc(l->n_texts, b->dimensions * sizeof *out);
    double wall = seconds_of(CLOCK_MONOTONIC), cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    bool good = out && embed(b, l, 0, l->n_texts, out);

    wall = seconds_of(CLOCK_MONOTONIC) - wall;
    cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    if (good)
        printf("{\"load\": \"%s\", \"texts\": %zu, \"seconds\": %.6f, \"cpu_seconds\": %.6f}\n",
               name, l->n_texts, wall, cpu);
    free(out);
    return good;
}

static bool time_singles(bench *b, const char *name, const load *l, size_t n)
{
    float *out = calloc(b->dimensions, sizeof *out);
    bool good = out && n > 0 && n <= SINGLES_MAX;
    double milliseconds[SINGLES_MAX];

    for (size_t i = 0; good && i < n; i++) {
        double start = seconds_of(CLOCK_MONOTONIC);
        good = embed(b, l, i % l->n_texts, 1, out);
        milliseconds[i] = 1e3 * (seconds_of(CLOCK_MONOTONIC) - start);
    }
    if (good) {
        printf("{\"load\": \"%s\", \"milliseconds\": [", name);
        for (size_t i = 0; i < n; i++)
            printf("%s%.4f", i ? ", " : "", milliseconds[i]);
        printf("]}\n");
    }
    free(out);
    return good;
}

static bool write_vectors(bench *b, const load *l, const char *path)
{
    size_t n = l->n_texts * b->dimensions;
    float *out = calloc(n, sizeof *out);
    FILE *f = fopen(path, "wb");
    bool good = out && f && embed(b, l, 0, l->n_texts, out) && fwrite(out, sizeof *out, n, f) == n;

    if (f && fclose(f) != 0)
        good = false;
    if (good)
        printf("{\"texts\": %zu, \"dimensions\": %zu}\n", l->n_texts, b->dimensions);
    free(out);
    return good;
}

static void print_memory(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
#ifdef __APPLE__
    printf("{\"peak_bytes\": %ld}\n", usage.ru_maxrss);
#else
    printf("{\"peak_bytes\": %ld}\n", usage.ru_maxrss * 1024);
#endif
}

static bool find_load(const bench *b, const char *name, load *out)
{
    struct json_object *texts = NULL;

    if (!json_object_object_get_ex(b->file, name, &texts) ||
        !json_object_is_type(texts, json_type_array) || json_object_array_length(texts) == 0) {
        fprintf(stderr, "no load named %s\n", name);
        return false;
    }
    out->n_texts = json_object_array_length(texts);
    out->texts = calloc(out->n_texts, sizeof *out->texts);
    for (size_t i = 0; out->texts && i < out->n_texts; i++) {
        struct json_object *text = json_object_array_get_idx(texts, i);
        out->texts[i].bytes = json_object_get_string(text);
        out->texts[i].n_bytes = (size_t)json_object_get_string_len(text);
    }
    return out->texts != NULL;
}

static double seconds_of(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool parse_size(const char *text, size_t *out)
{
    char *end = NULL;
    unsigned long value = strtoul(text, &end, 10);

    *out = value;
    return end != text && *end == '\0';
}

static bool parse_dtype(const char *text, embedd_dtype *out)
{
    static const char *const names[] = {
        [EMBEDD_DTYPE_F32] = "f32", [EMBEDD_DTYPE_BF16] = "bf16", [EMBEDD_DTYPE_INT8] = "int8"};

    for (size_t i = EMBEDD_DTYPE_F32; i <= EMBEDD_DTYPE_INT8; i++) {
        *out = (embedd_dtype)i;
        if (strcmp(names[i], text) == 0)
            return true;
    }
    return false;
}
