/* In: the fields "tokenizer.ggml.*" of a checked file, with any values. Out: the tokenizer they
 * describe. What a field that is missing means depends on the kind of tokenizer, as in llama.cpp
 * (src/llama-vocab.cpp, llama_vocab::impl::load). */
#include "tokenizer/gguf_tokenizer.h"

#include "base/error.h"
#include "base/memory.h"
#include "tokenizer/tokenizer_parts.h"

#include <string.h>

/* A kind by its name, and what holds where the file is silent; -1 = no such token. */
typedef struct kind_defaults {
    const char *name;
    ed_parts_kind kind;
    int32_t first, last, unknown, mask;
    bool add_first, add_last;
    bool space_prefix;
} kind_defaults;

static const kind_defaults kinds[] = {
    {"bert", ED_PARTS_WORDPIECE, 101, 102, 100, 103, true, true, false},
    {"t5", ED_PARTS_UNIGRAM, -1, 1, 2, -1, false, true, true},
    {"llama", ED_PARTS_SPM_BPE, 1, 2, 0, -1, true, false, true},
    {"gpt2", ED_PARTS_BYTE_BPE, 11, 11, -1, -1, false, false, false},
};

/* What the parts point into. */
typedef struct token_lists {
    embedd_text *tokens, *merges;
    float *scores;
    int32_t *types;
    char *pre, *charsmap;
} token_lists;

static embedd_status find_kind(const ed_gguf *gguf, const kind_defaults **out, embedd_error *err);
static embedd_status read_texts(const ed_gguf *gguf, const char *key, embedd_text **out,
                                size_t *n_out, embedd_error *err);
static size_t leave_out_rowless(const ed_gguf *gguf, size_t n_tokens);
static embedd_status read_numbers(const ed_gguf *gguf, token_lists *lists,
                                  ed_tokenizer_parts *parts, embedd_error *err);
static embedd_status read_lstrip(const ed_gguf *gguf, ed_tokenizer_parts *parts, embedd_error *err);
static embedd_status read_charsmap(const ed_gguf *gguf, token_lists *lists,
                                   ed_tokenizer_parts *parts, embedd_error *err);
static embedd_status read_special(const ed_gguf *gguf, const kind_defaults *kind,
                                  ed_tokenizer_parts *parts, embedd_error *err);
static embedd_status read_settings(const ed_gguf *gguf, const kind_defaults *kind,
                                   token_lists *lists, ed_tokenizer_parts *parts,
                                   embedd_error *err);

embedd_status ed_tokenizer_open_gguf(ed_tokenizer **out, const ed_gguf *gguf, embedd_error *err)
{
    const kind_defaults *kind = NULL;
    ed_tokenizer_parts parts = {.n_tokens = 0};
    token_lists lists = {0};
    embedd_status status = find_kind(gguf, &kind, err);

    *out = NULL;
    if (status == EMBEDD_OK)
        status = read_texts(gguf, "tokenizer.ggml.tokens", &lists.tokens, &parts.n_tokens, err);
    if (status == EMBEDD_OK && parts.n_tokens == 0)
        status = ed_fail(err, EMBEDD_FORMAT, "%s: tokenizer.ggml.tokens is missing", gguf->where);
    if (status == EMBEDD_OK)
        status = read_texts(gguf, "tokenizer.ggml.merges", &lists.merges, &parts.n_merges, err);
    if (status == EMBEDD_OK) {
        parts.kind = kind->kind;
        parts.tokens = lists.tokens;
        parts.merges = lists.merges;
        parts.n_tokens = leave_out_rowless(gguf, parts.n_tokens);
        status = read_numbers(gguf, &lists, &parts, err);
    }
    if (status == EMBEDD_OK)
        status = read_special(gguf, kind, &parts, err);
    if (status == EMBEDD_OK)
        status = read_settings(gguf, kind, &lists, &parts, err);
    if (status == EMBEDD_OK)
        status = read_lstrip(gguf, &parts, err);
    if (status == EMBEDD_OK)
        status = read_charsmap(gguf, &lists, &parts, err);
    if (status == EMBEDD_OK)
        status = ed_tokenizer_open_parts(out, &parts, gguf->where, err);
    ed_free(lists.tokens);
    ed_free(lists.merges);
    ed_free(lists.scores);
    ed_free(lists.types);
    ed_free(lists.pre);
    ed_free(lists.charsmap);
    return status;
}

static embedd_status find_kind(const ed_gguf *gguf, const kind_defaults **out, embedd_error *err)
{
    embedd_text name = {"", 0};
    embedd_status status = ed_gguf_get_string(gguf, "tokenizer.ggml.model", &name, err);

    if (status != EMBEDD_OK)
        return status;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strlen(kinds[i].name) == name.n_bytes &&
            memcmp(kinds[i].name, name.bytes, name.n_bytes) == 0) {
            *out = &kinds[i];
            return EMBEDD_OK;
        }
    }
    return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: tokenizer.ggml.model \"%.*s\" is not supported",
                   gguf->where, name.n_bytes < 60 ? (int)name.n_bytes : 60, name.bytes);
}

/* Each string takes 8 bytes of the file at least, so that the list is in proportion to it. */
static embedd_status read_texts(const ed_gguf *gguf, const char *key, embedd_text **out,
                                size_t *n_out, embedd_error *err)
{
    ed_gguf_array array = {.n = 0};
    embedd_status status = ed_gguf_get_array(gguf, key, ED_GGUF_STRING, &array, err);

    if (status != EMBEDD_OK || array.n == 0)
        return status;
    if (array.n > (size_t)INT32_MAX)
        return ed_fail(err, EMBEDD_FORMAT, "%s: %s has too many entries", gguf->where, key);
    *out = ed_calloc(array.n, sizeof **out);
    if (!*out)
        return ed_fail(err, EMBEDD_MEMORY, "%s: no memory for %s", gguf->where, key);
    for (embedd_text text; ed_gguf_next_string(&array, &text);)
        (*out)[(*n_out)++] = text;
    return EMBEDD_OK;
}

/* Files of Ollama's name tokens for images at the end, which have no row in the table. */
static size_t leave_out_rowless(const ed_gguf *gguf, size_t n_tokens)
{
    const ed_tensor *table = ed_gguf_tensor(gguf, "token_embd.weight");

    return table && table->n_dims == 2 && table->shape[0] < n_tokens ? table->shape[0] : n_tokens;
}

/* One number for each token, or for each and for some that are left out, or no list. */
static embedd_status get_numbers(const ed_gguf *gguf, const char *key, ed_gguf_type type,
                                 size_t n_tokens, ed_gguf_array *out, embedd_error *err)
{
    embedd_status status = ed_gguf_get_array(gguf, key, type, out, err);

    if (status == EMBEDD_OK && out->data && out->n < n_tokens)
        status = ed_fail(err, EMBEDD_FORMAT, "%s: %s has %zu entries for %zu tokens", gguf->where,
                         key, out->n, n_tokens);
    return status;
}

static embedd_status read_numbers(const ed_gguf *gguf, token_lists *lists,
                                  ed_tokenizer_parts *parts, embedd_error *err)
{
    ed_gguf_array scores = {.data = NULL}, types = {.data = NULL};
    size_t n = parts->n_tokens;
    embedd_status status = get_numbers(gguf, "tokenizer.ggml.scores", ED_GGUF_F32, n, &scores, err);

    if (status == EMBEDD_OK)
        status = get_numbers(gguf, "tokenizer.ggml.token_type", ED_GGUF_I32, n, &types, err);
    if (status != EMBEDD_OK)
        return status;
    if ((scores.data && !(lists->scores = ed_calloc(n, sizeof *lists->scores))) ||
        (types.data && !(lists->types = ed_calloc(n, sizeof *lists->types))))
        return ed_fail(err, EMBEDD_MEMORY, "%s: no memory for %zu tokens", gguf->where, n);
    for (size_t i = 0; scores.data && i < n; i++)
        lists->scores[i] = ed_gguf_float_at(&scores, i);
    for (size_t i = 0; types.data && i < n; i++)
        lists->types[i] = ed_gguf_int_at(&types, i);
    parts->scores = lists->scores;
    parts->types = lists->types;
    return EMBEDD_OK;
}

/* *out stays what it is if there is no such field. */
static embedd_status read_id(const ed_gguf *gguf, const char *key, size_t n_tokens, int32_t *out,
                             embedd_error *err)
{
    size_t id = SIZE_MAX;
    embedd_status status = ed_gguf_get_size(gguf, key, &id, err);

    if (status != EMBEDD_OK || !ed_gguf_find(gguf, key))
        return status;
    if (id >= n_tokens)
        return ed_fail(err, EMBEDD_FORMAT, "%s: %s: there are only %zu tokens", gguf->where, key,
                       n_tokens);
    *out = (int32_t)id;
    return EMBEDD_OK;
}

static embedd_status read_special(const ed_gguf *gguf, const kind_defaults *kind,
                                  ed_tokenizer_parts *parts, embedd_error *err)
{
    bool bert = kind->kind == ED_PARTS_WORDPIECE;
    bool add_first = kind->add_first, add_last = kind->add_last;
    const struct {
        const char *key;
        int32_t *id;
    } ids[] = {
        /* Of two names for the same, the later one wins. */
        {"tokenizer.ggml.cls_token_id", bert ? &parts->first : NULL},
        {"tokenizer.ggml.bos_token_id", &parts->first},
        {bert ? "tokenizer.ggml.seperator_token_id" : "tokenizer.ggml.eos_token_id", &parts->last},
        {"tokenizer.ggml.unknown_token_id", &parts->unknown},
        {"tokenizer.ggml.mask_token_id", &parts->mask},
    };
    embedd_status status = EMBEDD_OK;

    parts->first = kind->first;
    parts->last = kind->last;
    parts->unknown = kind->unknown;
    parts->mask = kind->mask;
    for (size_t i = 0; status == EMBEDD_OK && i < sizeof ids / sizeof *ids; i++)
        if (ids[i].id)
            status = read_id(gguf, ids[i].key, parts->n_tokens, ids[i].id, err);
    if (bert || status != EMBEDD_OK)
        return status;
    status = ed_gguf_get_bool(gguf, "tokenizer.ggml.add_bos_token", &add_first, err);
    if (status == EMBEDD_OK)
        status = ed_gguf_get_bool(gguf, "tokenizer.ggml.add_eos_token", &add_last, err);
    if (!add_first)
        parts->first = -1;
    if (!add_last)
        parts->last = -1;
    return status;
}

static embedd_status read_settings(const ed_gguf *gguf, const kind_defaults *kind,
                                   token_lists *lists, ed_tokenizer_parts *parts, embedd_error *err)
{
    embedd_text pre = {NULL, 0};
    embedd_status status = ed_gguf_get_string(gguf, "tokenizer.ggml.pre", &pre, err);

    parts->space_prefix = kind->space_prefix;
    parts->lower_case = true;
    if (status == EMBEDD_OK && pre.bytes && !(lists->pre = ed_strndup(pre.bytes, pre.n_bytes)))
        status = ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", gguf->where);
    parts->pre = lists->pre;
    if (status == EMBEDD_OK)
        status =
            ed_gguf_get_bool(gguf, "tokenizer.ggml.add_space_prefix", &parts->space_prefix, err);
    if (status == EMBEDD_OK)
        status = ed_gguf_get_bool(gguf, "tokenizer.ggml.remove_extra_whitespaces",
                                  &parts->squeeze_spaces, err);
    if (status == EMBEDD_OK)
        status =
            ed_gguf_get_bool(gguf, "tokenizer.ggml.normalizer.lowercase", &parts->lower_case, err);
    parts->strip_accents = parts->lower_case;
    if (status == EMBEDD_OK)
        status = ed_gguf_get_bool(gguf, "tokenizer.ggml.normalizer.strip_accents",
                                  &parts->strip_accents, err);
    return status;
}

/* The files do not say it: llama.cpp knows it by names. */
static embedd_status read_lstrip(const ed_gguf *gguf, ed_tokenizer_parts *parts, embedd_error *err)
{
    static const char *const pres[] = {"jina-v2-de", "jina-v2-es", "jina-v2-code"};
    const char *architecture = "nomic-bert-moe";
    embedd_text name = {"", 0};
    embedd_status status = ed_gguf_get_string(gguf, "general.architecture", &name, err);

    if (name.n_bytes == strlen(architecture) && memcmp(name.bytes, architecture, name.n_bytes) == 0)
        parts->lstrip = "<mask>";
    for (size_t i = 0; parts->pre && i < sizeof pres / sizeof *pres; i++)
        if (strcmp(parts->pre, pres[i]) == 0)
            parts->lstrip = "<mask>";
    return status;
}

/* Bytes; in some files of Ollama's their base64, as one string for each digit. */
static embedd_status read_charsmap(const ed_gguf *gguf, token_lists *lists,
                                   ed_tokenizer_parts *parts, embedd_error *err)
{
    const char *key = "tokenizer.ggml.precompiled_charsmap";
    const ed_gguf_field *field = ed_gguf_find(gguf, key);
    ed_gguf_type type = field && field->is_array ? field->values.type : ED_GGUF_U8;
    ed_gguf_array array = {.n = 0};
    embedd_status status;

    if (type != ED_GGUF_STRING) {
        status = ed_gguf_get_array(gguf, key, type == ED_GGUF_I8 ? type : ED_GGUF_U8, &array, err);
        if (array.n > 0)
            parts->charsmap = (embedd_text){(const char *)array.data, array.n};
        return status;
    }
    status = ed_gguf_get_array(gguf, key, type, &array, err);
    if (status != EMBEDD_OK || array.n == 0)
        return status;
    lists->charsmap = ed_calloc(array.n, 1);
    if (!lists->charsmap)
        return ed_fail(err, EMBEDD_MEMORY, "%s: no memory for %s", gguf->where, key);
    for (embedd_text digit; ed_gguf_next_string(&array, &digit);) {
        if (digit.n_bytes != 1 || (unsigned char)*digit.bytes >= 0x80)
            return ed_fail(err, EMBEDD_FORMAT, "%s: %s is not a list of characters", gguf->where,
                           key);
        lists->charsmap[parts->charsmap_base64.n_bytes++] = *digit.bytes;
    }
    parts->charsmap_base64.bytes = lists->charsmap;
    return EMBEDD_OK;
}
