/* In: a model that is read but not yet packed. Out: a number type. Sentences of many kinds are
 * embedded in f32 and in each narrower type that the CPU level computes faster; the first type, by
 * speed, whose cosines to f32 are high enough is taken. Never looks at a clock. */
#include "engine/choose_dtype.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "engine/open_head.h"
#include "engine/packed_note.h"

#define COSINE_MIN  0.999
#define COSINE_MEAN 0.9995
#define TOKENS_MAX  64 /* of a sentence */

static const char *const sentences[] = {
    "cat", "The quick brown fox jumps over the lazy dog.",
    "A man is playing a guitar on the stage.", "Someone performs music with a stringed instrument.",
    "Tomatoes grow best in warm soil with plenty of water.",
    "How do I reset my password if I no longer have access to my email account?",
    "The committee will meet again on Thursday, 14 March 2019, at 9:30 in room B-117.",
    "Interest rates rose by 0.25 percentage points, the third increase within twelve months.",
    "for (size_t i = 0; i < n; i++) sum += a[i] * b[i]; /* a dot product */",
    "SELECT name, price FROM products WHERE price > 100 ORDER BY price DESC LIMIT 10;",
    "ERROR 2024-05-01T12:00:00Z worker[17]: connection to 10.0.0.5:5432 refused, giving up",
    "Patients with type 2 diabetes were randomly assigned to receive either metformin or a placebo "
    "for twenty-four weeks; fasting glucose was measured every four weeks.",
    "The party of the first part shall indemnify and hold harmless the party of the second part "
    "against all claims arising out of any breach of this agreement.",
    "It was the kind of evening on which nothing happens: the rain had stopped, the street lamps "
    "were lit early, and from the open window came the sound of somebody practising scales.",
    "Buy now!!! Only $19.99 - FREE shipping & 30-day returns (terms apply).",
    "lol that's sooo true, can't wait 2 see u tmrw :)",
    "Photosynthesis converts light energy into chemical energy stored in glucose.",
    "Not good. Not bad either.", "The bank raised its rates.", "We sat on the bank of the river.",
    "Der Zug nach Hamburg f\xc3\xa4hrt heute wegen Bauarbeiten von Gleis sieben ab.",
    "Le petit d\xc3\xa9jeuner est servi de sept heures \xc3\xa0 dix heures.",
    "\xe4\xbb\x8a\xe5\xa4\xa9\xe5\xa4\xa9\xe6\xb0\x94\xe5\xbe\x88\xe5\xa5\xbd", /* fine weather */
    "3.14159 2.71828 1.41421 1.61803",
    /* What narrow types find hard: next to nothing, the same again and again, other scripts. */
    ".",
    "very very very very very very very very very very very very very very very very very very "
    "very very very very very very very very very very very very very very very very very very "
    "very very very very very very very very very very very very very very very very very very",
    "y\ny\ny\ny\ny\ny\ny\ny\ny\ny\ny\ny\ny\ny\ny\ny\ny\ny\ny\ny\ny\ny\ny\ny\ny\ny\ny\ny\ny\ny",
    "2024-02-29T23:59:60Z, 31.12.1999, 12/31/99, 5:30pm",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "\xf0\x9f\x98\x80\xf0\x9f\x98\x82\xe2\x9d\xa4",                     /* smileys and a heart */
    "\xd7\x91\xd7\x90\xd7\x91\xd7\x99\xd7\x91 1871",                    /* in the spring of 1871 */
    "\xd0\xa1\xd0\xb0\xd0\xb4\xd0\xbe\xd0\xb2\xd0\xbd\xd0\xb8\xd0\xba", /* the gardener */
};
enum { N_SENTENCES = sizeof sentences / sizeof *sentences };

/* How one type did; kept on the disk as it is. */
typedef struct dtype_trial {
    uint64_t done;
    double min, mean; /* cosines to f32 */
} dtype_trial;

typedef struct dtype_trials {
    dtype_trial of[EMBEDD_DTYPE_AUTO]; /* by type */
} dtype_trials;

static embedd_status try_types(embedd_model *model, const ed_config *config,
                               const embedd_dtype *types, dtype_trials *trials, embedd_error *err);
static embedd_dtype judge(const embedd_dtype *types, const dtype_trials *trials);
static void explain(embedd_model *model, const embedd_dtype *types, const dtype_trials *trials);

static const char *const dtype_names[] = {
    [EMBEDD_DTYPE_F32] = "f32", [EMBEDD_DTYPE_BF16] = "bf16", [EMBEDD_DTYPE_INT8] = "int8"};

/* The types that a level computes faster than f32, the fastest first; f32 ends the list. */
static const embedd_dtype *faster_types(const char *level)
{
    static const struct {
        const char *level;
        embedd_dtype types[3];
    } levels[] = {
        {"avx2", {EMBEDD_DTYPE_INT8, EMBEDD_DTYPE_F32}},
        {"avx512", {EMBEDD_DTYPE_INT8, EMBEDD_DTYPE_F32}},
        {"avx512vnni", {EMBEDD_DTYPE_INT8, EMBEDD_DTYPE_F32}},
        {"avx512bf16", {EMBEDD_DTYPE_INT8, EMBEDD_DTYPE_BF16, EMBEDD_DTYPE_F32}},
        {"dotprod", {EMBEDD_DTYPE_INT8, EMBEDD_DTYPE_F32}},
        {"i8mm", {EMBEDD_DTYPE_INT8, EMBEDD_DTYPE_F32}},
        {"bf16", {EMBEDD_DTYPE_INT8, EMBEDD_DTYPE_BF16, EMBEDD_DTYPE_F32}},
    };
    static const embedd_dtype none[] = {EMBEDD_DTYPE_F32};

    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (strcmp(levels[i].level, level) == 0)
            return levels[i].types;
    return none;
}

embedd_status ed_dtype_choose(embedd_model *model, const ed_config *config,
                              const embedd_model_options *options, embedd_dtype *out,
                              embedd_error *err)
{
    const embedd_dtype *types = faster_types(model->kernels.level);
    dtype_trials trials = {0};
    ed_packed_note note;
    embedd_status status = EMBEDD_OK;

    *out = EMBEDD_DTYPE_F32;
    if (types[0] == EMBEDD_DTYPE_F32 || ed_model_find_task(model, config) != EMBEDD_TASK_VECTOR) {
        snprintf(model->dtype_reason, sizeof model->dtype_reason, "auto: f32, %s",
                 types[0] == EMBEDD_DTYPE_F32 ? "which nothing outruns at this CPU level"
                                              : "as for every model that gives no vectors");
        return EMBEDD_OK;
    }
    const ed_packed_source source = ed_model_source(model, config);
    ed_packed_note_open(&note, &source, options->cache_folder);
    if (!ed_packed_note_read(&note, &trials, sizeof trials)) {
        status = try_types(model, config, types, &trials, err);
        if (status == EMBEDD_OK)
            ed_packed_note_write(&note, &trials, sizeof trials);
    }
    ed_packed_note_close(&note);
    *out = judge(types, &trials);
    explain(model, types, &trials);
    return status;
}

static bool passes(const dtype_trial *trial)
{
    return trial->done && trial->min >= COSINE_MIN && trial->mean >= COSINE_MEAN;
}

static embedd_dtype judge(const embedd_dtype *types, const dtype_trials *trials)
{
    while (*types != EMBEDD_DTYPE_F32 && !passes(&trials->of[*types]))
        types++;
    return *types;
}

/* "auto: bf16 has cosine min 0.99988, mean 0.99996 to f32; int8 min 0.99846, mean 0.99961 falls
 * short of 0.9990 and 0.9995" */
static void explain(embedd_model *model, const embedd_dtype *types, const dtype_trials *trials)
{
    char *out = model->dtype_reason;
    size_t cap = sizeof model->dtype_reason;
    embedd_dtype chosen = judge(types, trials);
    size_t n = (size_t)snprintf(out, cap, "auto: %s", dtype_names[chosen]);

    if (chosen != EMBEDD_DTYPE_F32)
        n += (size_t)snprintf(out + n, cap - n, " has cosine min %.5f, mean %.5f to f32",
                              trials->of[chosen].min, trials->of[chosen].mean);
    for (; *types != chosen && n < cap; types++)
        n += (size_t)snprintf(out + n, cap - n,
                              "; %s with min %.5f, mean %.5f falls short of %.4f, %.4f",
                              dtype_names[*types], trials->of[*types].min, trials->of[*types].mean,
                              COSINE_MIN, COSINE_MEAN);
}

/* ---- trials ---------------------------------------------------------------------------------- */

/* vectors[N_SENTENCES][D], in new memory; NONFINITE is an answer, too. */
static embedd_status embed_sentences(const embedd_model *model, float **vectors, embedd_error *err)
{
    const embedd_session_options options = {.batch_tokens_max = 8 * TOKENS_MAX,
                                            .text_tokens_max = TOKENS_MAX};
    size_t d = model->info.dimensions;
    embedd_text texts[N_SENTENCES];
    embedd_session *session = NULL;
    embedd_status status = embedd_session_open(model, &options, &session, err);

    for (size_t i = 0; i < N_SENTENCES; i++)
        texts[i] = (embedd_text){sentences[i], strlen(sentences[i])};
    *vectors = ed_calloc(N_SENTENCES, d * sizeof **vectors);
    if (status == EMBEDD_OK && !*vectors)
        status = ed_fail(err, EMBEDD_MEMORY, "%s: no memory for the self-test", model->folder);
    if (status == EMBEDD_OK)
        status =
            embedd_embed(session, texts, N_SENTENCES, NULL, *vectors, N_SENTENCES * d, NULL, err);
    embedd_session_close(session);
    return status;
}

static embedd_status embed_in(embedd_model *model, const ed_config *config, embedd_dtype dtype,
                              float **vectors, embedd_error *err)
{
    const embedd_model_options in_memory = {.dtype = dtype};
    embedd_status status = ed_model_open_parts(model, config, dtype, &in_memory, err);

    *vectors = NULL;
    if (status == EMBEDD_OK)
        status = embed_sentences(model, vectors, err);
    ed_model_close_parts(model);
    return status;
}

/* Both of length 1. */
static dtype_trial compare(const float *exact, const float *vectors, size_t d)
{
    dtype_trial trial = {.done = 1, .min = 1};

    for (size_t i = 0; i < N_SENTENCES; i++) {
        double dot = 0, a = 0, b = 0;
        for (size_t j = i * d; j < (i + 1) * d; j++) {
            dot += (double)exact[j] * (double)vectors[j];
            a += (double)exact[j] * (double)exact[j];
            b += (double)vectors[j] * (double)vectors[j];
        }
        double cosine = a > 0 && b > 0 ? dot / sqrt(a * b) : 0;
        trial.min = fmin(trial.min, cosine);
        trial.mean += cosine / N_SENTENCES;
    }
    return trial;
}

static embedd_status try_types(embedd_model *model, const ed_config *config,
                               const embedd_dtype *types, dtype_trials *trials, embedd_error *err)
{
    float *exact = NULL;
    embedd_status status = embed_in(model, config, EMBEDD_DTYPE_F32, &exact, err);

    for (; status == EMBEDD_OK && *types != EMBEDD_DTYPE_F32; types++) {
        float *vectors = NULL;
        embedd_status tried = embed_in(model, config, *types, &vectors, err);
        trials->of[*types] = (dtype_trial){.done = 1};
        if (tried == EMBEDD_OK)
            trials->of[*types] = compare(exact, vectors, model->info.dimensions);
        else if (tried != EMBEDD_NONFINITE)
            status = tried;
        ed_free(vectors);
        if (passes(&trials->of[*types]))
            break;
    }
    ed_free(exact);
    return status;
}
