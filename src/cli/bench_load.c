/* In: a number of tokens. Out: texts that have so many for this model, or as near below it as words
 * allow. The words are common ones, in an order of their own for each text. */
#include "cli/bench_measure.h"

#include "base/error.h"

#include <string.h>

#define N_TEXTS        64
#define TEXT_BYTES_MAX ((size_t)1 << 20)

static const char *const words[] = {
    "the",   "of",   "and",   "to",   "in",     "is",    "that",   "it",    "was",  "for",
    "on",    "are",  "with",  "as",   "his",    "they",  "be",     "at",    "one",  "have",
    "this",  "from", "or",    "had",  "by",     "word",  "but",    "what",  "some", "we",
    "can",   "out",  "other", "were", "all",    "there", "when",   "up",    "use",  "your",
    "how",   "said", "an",    "each", "she",    "which", "do",     "their", "time", "if",
    "will",  "way",  "about", "many", "then",   "them",  "write",  "would", "like", "so",
    "long",  "make", "thing", "see",  "him",    "two",   "has",    "look",  "more", "day",
    "could", "go",   "come",  "did",  "number", "sound", "people", "over",  "know", "water",
    "than",  "call", "first", "who",  "may",    "down",  "side",   "been",  "now",  "find",
};

typedef struct writer {
    embedd_encoder *encoder;
    int32_t *ids; /* [ids_cap] */
    size_t ids_cap;
    ed_buf text;
    uint64_t state; /* of the word to come */
} writer;

static embedd_status count_tokens(writer *w, size_t *out, embedd_error *err)
{
    embedd_usage usage = {0};
    const embedd_text text = {w->text.data, w->text.n_bytes};

    embedd_status status = embedd_encode(w->encoder, text, NULL, w->ids, w->ids_cap, &usage, err);
    *out = usage.n_tokens_total;
    return status;
}

static bool append_word(writer *w)
{
    w->state = w->state * 6364136223846793005u + 1442695040888963407u;
    const char *word = words[(w->state >> 33) % (sizeof words / sizeof words[0])];
    return ed_buf_append_text(&w->text, w->text.n_bytes > 0 ? " " : "") &&
           ed_buf_append_text(&w->text, word);
}

static void remove_word(writer *w)
{
    while (w->text.n_bytes > 0 && w->text.data[--w->text.n_bytes] != ' ')
        continue;
}

static embedd_status write_text(writer *w, size_t n_tokens, embedd_text *out, embedd_error *err)
{
    size_t n = 0;

    ed_buf_reset(&w->text);
    do {
        for (size_t i = 0; i < (n_tokens - n) / 2 + 1; i++)
            if (!append_word(w))
                return ed_fail(err, EMBEDD_MEMORY, "out of memory");
        embedd_status status = count_tokens(w, &n, err);
        if (status != EMBEDD_OK)
            return status;
    } while (n < n_tokens);
    while (n > n_tokens && w->text.n_bytes > 0) {
        remove_word(w);
        embedd_status status = count_tokens(w, &n, err);
        if (status != EMBEDD_OK)
            return status;
    }
    char *bytes = ed_strndup(w->text.data, w->text.n_bytes);
    *out = (embedd_text){bytes, w->text.n_bytes};
    return bytes ? EMBEDD_OK : ed_fail(err, EMBEDD_MEMORY, "out of memory");
}

embedd_status ed_bench_load_make(ed_bench_load *load, const embedd_model *model, size_t n_tokens,
                                 embedd_error *err)
{
    const embedd_model_info *info = embedd_model_get_info(model);
    writer w = {.ids_cap = info->tokens_max, .state = n_tokens};

    *load = (ed_bench_load){.n_tokens = n_tokens < info->tokens_max ? n_tokens : info->tokens_max};
    ed_buf_init(&w.text, TEXT_BYTES_MAX);
    embedd_status status = embedd_encoder_open(model, &w.encoder, err);
    w.ids = ed_calloc(w.ids_cap, sizeof *w.ids);
    load->texts = ed_calloc(N_TEXTS, sizeof *load->texts);
    if (status == EMBEDD_OK && (w.ids == NULL || load->texts == NULL))
        status = ed_fail(err, EMBEDD_MEMORY, "out of memory");
    for (; status == EMBEDD_OK && load->n_texts < N_TEXTS; load->n_texts++)
        status = write_text(&w, load->n_tokens, &load->texts[load->n_texts], err);
    ed_buf_clear(&w.text);
    ed_free(w.ids);
    embedd_encoder_close(w.encoder);
    return status;
}

void ed_bench_load_clear(ed_bench_load *load)
{
    for (size_t i = 0; load->texts && i < N_TEXTS; i++)
        ed_free((void *)load->texts[i].bytes);
    ed_free(load->texts);
    *load = (ed_bench_load){0};
}
