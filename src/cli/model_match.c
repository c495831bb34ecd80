/* In: records of one length, and a model. Out: the ways to embed that come near them. A look at a
 * few texts decides whether a way is worth all of them. Directions are compared, so that raw and
 * normalized records are alike here; lengths are measured for the ways that fit. */
#include "cli/model_match.h"

#include "base/error.h"
#include "base/memory.h"
#include "cli/vector_compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_TEXTS  8
#define COSINE_FAR  0.9 /* nothing to do with each other, for one model's vectors */
#define COSINE_BEST 0.999

static const embedd_pooling poolings[] = {
    EMBEDD_POOLING_MEAN, EMBEDD_POOLING_CLS,           EMBEDD_POOLING_LASTTOKEN,
    EMBEDD_POOLING_MAX,  EMBEDD_POOLING_MEAN_SQRT_LEN, EMBEDD_POOLING_WEIGHTEDMEAN};

typedef struct attempt {
    ed_model_matches *matches;
    const ed_match_model *chosen;
    const ed_vector_records *records;
    embedd_model *model;
    embedd_session *session;
    embedd_text *texts;  /* [n_records] */
    embedd_usage *usage; /* [n_records] */
    float *vectors;      /* [n_records][dimensions of the records] */
    double best_mean;    /* of this model */
    embedd_error *err;
} attempt;

static embedd_status open_attempt(attempt *a, char reason[256]);
static embedd_status try_pooling(attempt *a, embedd_pooling pooling);

embedd_status ed_model_matches_try(ed_model_matches *matches, const ed_match_model *model,
                                   const ed_vector_records *records, char reason[256],
                                   embedd_error *err)
{
    attempt a = {.matches = matches, .chosen = model, .records = records, .err = err};

    reason[0] = '\0';
    embedd_status status = open_attempt(&a, reason);
    if (status == EMBEDD_OK && reason[0] == '\0')
        status = try_pooling(&a, EMBEDD_POOLING_MODEL);
    for (size_t i = 0; status == EMBEDD_OK && reason[0] == '\0' && a.best_mean < COSINE_BEST &&
                       i < sizeof poolings / sizeof poolings[0];
         i++)
        status = try_pooling(&a, poolings[i]);
    embedd_session_close(a.session);
    embedd_model_close(a.model);
    ed_free(a.texts);
    ed_free(a.usage);
    ed_free(a.vectors);
    return status;
}

/* A model that does not open is no failure: the others are tried. */
static embedd_status open_attempt(attempt *a, char reason[256])
{
    const embedd_session_options options = {.n_threads = a->chosen->n_threads};
    size_t n = a->records->n_records, wanted = a->records->records[0].dimensions;
    embedd_error failure;

    if (embedd_model_open(a->chosen->folder, &a->chosen->options, &a->model, &failure) !=
            EMBEDD_OK ||
        embedd_session_open(a->model, &options, &a->session, &failure) != EMBEDD_OK) {
        snprintf(reason, 256, "%.255s", failure.message);
        return EMBEDD_OK;
    }
    if (embedd_model_get_info(a->model)->task != EMBEDD_TASK_VECTOR) {
        snprintf(reason, 256, "it does not make vectors");
        return EMBEDD_OK;
    }
    size_t dimensions = embedd_model_dimensions(a->model, EMBEDD_POOLING_MODEL);
    if (dimensions < wanted) {
        snprintf(reason, 256, "its vectors have %zu numbers", dimensions);
        return EMBEDD_OK;
    }
    a->texts = ed_calloc(n, sizeof *a->texts);
    a->usage = ed_calloc(n, sizeof *a->usage);
    a->vectors = ed_calloc(n, wanted * sizeof *a->vectors);
    if (!a->texts || !a->usage || !a->vectors)
        return ed_fail(a->err, EMBEDD_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++)
        a->texts[i] = (embedd_text){a->records->records[i].text, a->records->records[i].n_bytes};
    return EMBEDD_OK;
}

/* ---- one way --------------------------------------------------------------------------------- */

static embedd_status embed(attempt *a, const embedd_embed_options *options, size_t n_texts)
{
    size_t d = a->records->records[0].dimensions;
    embedd_status status = embedd_embed(a->session, a->texts, n_texts, options, a->vectors,
                                        n_texts * d, a->usage, a->err);

    a->matches->n_texts_embedded += n_texts;
    if (status == EMBEDD_OK || status == EMBEDD_MEMORY)
        return status;
    return ed_fail(a->err, EMBEDD_IO, "record %zu: %s",
                   a->err->index == EMBEDD_NO_INDEX ? 0 : a->err->index + 1, a->err->message);
}

/* Texts that were cut here may have been cut elsewhere there. */
static void compare(const attempt *a, size_t n_texts, ed_model_match *match)
{
    size_t d = a->records->records[0].dimensions;
    double sum = 0;

    match->least = 1;
    match->n_compared = match->n_same = match->n_close = 0;
    for (size_t i = 0; i < n_texts; i++) {
        if (a->usage[i].n_tokens_total > a->usage[i].n_tokens)
            continue;
        double cosine =
            ed_vector_compare(a->vectors + i * d, a->records->records[i].vector, d).cosine;
        sum += cosine;
        match->least = fmin(match->least, cosine);
        match->n_same += cosine >= ED_COSINE_SAME;
        match->n_close += cosine >= ED_COSINE_CLOSE;
        match->n_compared++;
    }
    match->mean = match->n_compared > 0 ? sum / (double)match->n_compared : 0;
}

/* Raw records: is their length the one that this way gives? */
static embedd_status measure_lengths(attempt *a, embedd_embed_options options,
                                     ed_model_match *match)
{
    size_t d = a->records->records[0].dimensions;

    options.normalize = false;
    embedd_status status = embed(a, &options, a->records->n_records);
    if (status != EMBEDD_OK)
        return status;
    match->length_ratio_min = INFINITY;
    for (size_t i = 0; i < a->records->n_records; i++) {
        double length = ed_vector_length(a->vectors + i * d, d);
        double ratio = length > 0 ? ed_vector_length(a->records->records[i].vector, d) / length : 0;
        if (a->usage[i].n_tokens_total > a->usage[i].n_tokens)
            continue;
        match->length_ratio_min = fmin(match->length_ratio_min, ratio);
        match->length_ratio_max = fmax(match->length_ratio_max, ratio);
    }
    return EMBEDD_OK;
}

static embedd_status keep(attempt *a, const ed_model_match *match, const embedd_prompt *prompt)
{
    ed_model_matches *all = a->matches;

    if (all->n_matches == ED_MATCHES_MAX)
        return EMBEDD_OK;
    ed_model_match *kept = &all->matches[all->n_matches++];
    *kept = *match;
    kept->model = ed_strdup(a->chosen->name);
    kept->prompt_name = prompt ? ed_strdup(prompt->name) : NULL;
    if (kept->model == NULL || (prompt && kept->prompt_name == NULL))
        return ed_fail(a->err, EMBEDD_MEMORY, "out of memory");
    return EMBEDD_OK;
}

static embedd_status try_way(attempt *a, const embedd_prompt *prompt, embedd_pooling pooling,
                             embedd_cut cut)
{
    const embedd_model_info *info = embedd_model_get_info(a->model);
    size_t n = a->records->n_records;
    size_t n_look = n < LOOK_TEXTS ? n : LOOK_TEXTS;
    const char *text = prompt ? prompt->text : "";
    const embedd_embed_options options = {.encode = {.prompt = {text, strlen(text)}},
                                          .pooling = pooling,
                                          .dimensions = a->records->records[0].dimensions,
                                          .cut = cut,
                                          .normalize = true};
    ed_model_match match = {.pooling = pooling,
                            .own_pooling = pooling == EMBEDD_POOLING_MODEL,
                            .has_default_prompt = info->default_prompt != NULL,
                            .cut = cut,
                            .dimensions = embedd_model_dimensions(a->model, pooling)};

    a->matches->n_tried++;
    embedd_status status = embed(a, &options, n_look);
    if (status == EMBEDD_OK)
        compare(a, n_look, &match);
    /* Where all of the few are cut, the rest decides. */
    if (status != EMBEDD_OK || (match.n_compared > 0 && match.mean < COSINE_FAR))
        return status;
    status = embed(a, &options, n);
    if (status != EMBEDD_OK)
        return status;
    compare(a, n, &match);
    if (match.n_compared == 0 || match.mean < COSINE_FAR)
        return EMBEDD_OK;
    a->best_mean = fmax(a->best_mean, match.mean);
    if (match.n_close > 0 &&
        !ed_vector_is_normalized(a->records->records[0].vector, a->records->records[0].dimensions))
        status = measure_lengths(a, options, &match);
    return status == EMBEDD_OK ? keep(a, &match, prompt) : status;
}

/* No prompt, then each that has a text; each cut where the records are shorter. */
static embedd_status try_pooling(attempt *a, embedd_pooling pooling)
{
    const embedd_model_info *info = embedd_model_get_info(a->model);
    size_t dimensions = embedd_model_dimensions(a->model, pooling);
    size_t wanted = a->records->records[0].dimensions;
    embedd_status status = EMBEDD_OK;

    if (dimensions < wanted)
        return EMBEDD_OK;
    size_t n_cuts = dimensions > wanted ? 2 : 1;
    static const embedd_cut cuts[] = {EMBEDD_CUT_PLAIN, EMBEDD_CUT_LAYER_NORM};
    for (size_t i = 0; status == EMBEDD_OK && i < n_cuts; i++) {
        status = try_way(a, NULL, pooling, cuts[i]);
        for (size_t j = 0; status == EMBEDD_OK && j < info->n_prompts; j++)
            if (info->prompts[j].text[0])
                status = try_way(a, &info->prompts[j], pooling, cuts[i]);
    }
    return status;
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* Most texts hit, then the highest mean; of equals the one with fewer wishes, tried first. */
static int compare_matches(const void *left, const void *right)
{
    const ed_model_match *x = left, *y = right;
    double x_share = (double)x->n_close / (double)x->n_compared;
    double y_share = (double)y->n_close / (double)y->n_compared;

    if (x_share > y_share || x_share < y_share)
        return x_share > y_share ? -1 : 1;
    return x->mean > y->mean ? -1 : x->mean < y->mean;
}

void ed_model_matches_sort(ed_model_matches *matches)
{
    if (matches->n_matches > 0)
        qsort(matches->matches, matches->n_matches, sizeof matches->matches[0], compare_matches);
}

void ed_model_matches_clear(ed_model_matches *matches)
{
    for (size_t i = 0; i < matches->n_matches; i++) {
        ed_free(matches->matches[i].model);
        ed_free(matches->matches[i].prompt_name);
    }
    *matches = (ed_model_matches){0};
}
