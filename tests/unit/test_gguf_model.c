/* GGUF files as models: the same vectors as from the folder that was converted, the settings that
 * the metadata make, and what is refused. */
#include "embedd.h"

#include "support/expected.h"
#include "support/folder.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DIFFERENCE_MAX 1e-6F

/* Longer than any window of these models. */
#define LONG_TEXT                                                                                  \
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "    \
    "sixteen seventeen eighteen nineteen twenty"

static const char *const texts[] = {
    "a", "Two words", "The quick brown fox jumps over the lazy dog, then it sleeps until noon.",
    LONG_TEXT};
#define N_TEXTS (sizeof texts / sizeof *texts)

static void embed(const char *path, float **out, size_t *n_dims)
{
    const embedd_embed_options options = {.pooling = EMBEDD_POOLING_MEAN, .normalize = true};
    embedd_error err = {.message = ""};
    embedd_model *model = NULL;
    embedd_session *session = NULL;
    embedd_text list[N_TEXTS];

    for (size_t i = 0; i < N_TEXTS; i++)
        list[i] = (embedd_text){texts[i], strlen(texts[i])};
    if (embedd_model_open(path, NULL, &model, &err) != EMBEDD_OK)
        fail_msg("%s", err.message);
    *n_dims = embedd_model_get_info(model)->dimensions;
    *out = calloc(N_TEXTS * *n_dims, sizeof **out);
    assert_int_equal(embedd_session_open(model, NULL, &session, &err), EMBEDD_OK);
    assert_int_equal(
        embedd_embed(session, list, N_TEXTS, &options, *out, N_TEXTS * *n_dims, NULL, &err),
        EMBEDD_OK);
    embedd_session_close(session);
    embedd_model_close(model);
}

/* Below EMBEDD_TEST_DATA; the same weights twice. */
static const struct pair {
    const char *one, *other;
} pairs[] = {
    {"gguf-pairs/distilbert", "gguf-pairs/distilbert/model.gguf"},
    {"gguf-pairs/jina_bert", "gguf-pairs/jina_bert/model.gguf"},
    {"gguf-pairs/nomic_moe", "gguf-pairs/nomic_moe/model.gguf"},
    {"golden/modernbert", "golden/gguf/modernbert-f32.gguf"},
    {"golden/qwen3", "golden/gguf/qwen3-f32.gguf"},
    {"golden/gemma3", "golden/gguf/gemma3-f32.gguf"},
    /* as Ollama's own converter spells EmbeddingGemma, and in float16, which loses nothing */
    {"golden/gguf/gemma3-f32.gguf", "gguf-pairs/gemma3-ollama.gguf"},
    /* one matrix for query, key and value */
    {"golden/gguf/roberta-f16.gguf", "gguf-pairs/roberta-qkv.gguf"},
};

static void a_converted_model_is_the_same_model(void **state)
{
    const char *data = expected_environment("EMBEDD_TEST_DATA");
    char one[2048], other[2048];

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        float *of_one, *of_other;
        size_t d, d_other;
        snprintf(one, sizeof one, "%s/%s", data, pairs[i].one);
        snprintf(other, sizeof other, "%s/%s", data, pairs[i].other);
        embed(one, &of_one, &d);
        embed(other, &of_other, &d_other);
        assert_int_equal(d, d_other);
        for (size_t j = 0; j < N_TEXTS * d; j++)
            if (!(fabsf(of_one[j] - of_other[j]) <= DIFFERENCE_MAX))
                fail_msg("%s: number %zu of text %zu differs", other, j % d, j / d);
        free(of_one);
        free(of_other);
    }
}

/* ---- one thing changed in a file ------------------------------------------------------------- */

static char *folder;

static int make_folder(void **state)
{
    (void)state;
    folder = folder_new();
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

/* golden/gguf/NAME with the bytes `from` that stand `offset` after the first `key` made `to`. */
static void write_changed(const char *name, const char *key, size_t offset, const void *to,
                          size_t n_bytes)
{
    char source[2048];
    size_t n_file = 0, n_key = strlen(key);

    snprintf(source, sizeof source, "%s/golden/gguf", expected_environment("EMBEDD_TEST_DATA"));
    char *file = folder_read(source, name, &n_file), *at = NULL;
    for (size_t i = 0; !at && i + n_key <= n_file; i++)
        if (memcmp(file + i, key, n_key) == 0)
            at = file + i;
    assert_non_null(at);
    memcpy(at + offset, to, n_bytes);
    folder_write(folder, "model.gguf", file, n_file);
    free(file);
}

static embedd_status open_changed(embedd_model **model, embedd_error *err)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/model.gguf", folder);
    return embedd_model_open(path, NULL, model, err);
}

static void expect(embedd_status status, const char *words)
{
    embedd_error err = {.message = ""};
    embedd_model *model = NULL;

    assert_int_equal(open_changed(&model, &err), status);
    assert_null(model);
    if (!strstr(err.message, words) || !strstr(err.message, "model.gguf"))
        fail_msg("\"%s\" does not say \"%s\"", err.message, words);
}

/* A field's value stands after its key and 4 bytes of type. */
static void write_field(const char *key, uint32_t value, size_t n_bytes)
{
    write_changed("bert-f32.gguf", key, strlen(key) + 4, &value, n_bytes);
}

static void write_name(const char *from, const char *to)
{
    write_changed("bert-f32.gguf", from, 0, to, strlen(to));
}

static void what_is_missing_is_named(void **state)
{
    static const char *const needed[] = {"bert.block_count",
                                         "bert.embedding_length",
                                         "bert.feed_forward_length",
                                         "bert.attention.head_count",
                                         "bert.attention.layer_norm_epsilon",
                                         "tokenizer.ggml.tokens"};

    (void)state;
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        char other[64];
        snprintf(other, sizeof other, "%s", needed[i]);
        other[strlen(other) - 1] = '_';
        write_name(needed[i], other);
        expect(EMBEDD_FORMAT, needed[i]);
    }
    write_name("token_embd.weight", "token_embd.weighx");
    expect(EMBEDD_FORMAT, "token_embd.weight");
    write_name("blk.1.ffn_down.bias", "blk.1.ffn_down.bia_");
    expect(EMBEDD_FORMAT, "encoder.layer.1.output.dense.bias is missing");
}

static void sizes_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    write_field("bert.block_count", 0, 4);
    expect(EMBEDD_FORMAT, "bert.block_count is missing or 0");
    write_field("bert.block_count", 3, 4);
    expect(EMBEDD_FORMAT, "encoder.layer.2");
    write_field("bert.block_count", UINT32_MAX, 4);
    expect(EMBEDD_FORMAT, "num_hidden_layers is too large");
    write_field("bert.attention.head_count", 5, 4);
    expect(EMBEDD_FORMAT, "not a multiple");
    write_field("bert.embedding_length", 128, 4);
    expect(EMBEDD_FORMAT, "shape");
    const uint32_t n_experts = 65;
    write_changed("../../gguf-pairs/nomic_moe/model.gguf", "nomic-bert-moe.expert_count",
                  strlen("nomic-bert-moe.expert_count") + 4, &n_experts, sizeof n_experts);
    expect(EMBEDD_UNSUPPORTED, "65 experts");
    write_field("tokenizer.ggml.bos_token_id", 900, 4);
    expect(EMBEDD_FORMAT, "tokenizer.ggml.bos_token_id: there are only 900 tokens");
}

static void what_is_not_supported_is_named(void **state)
{
    (void)state;
    write_field("bert.attention.causal", 1, 1);
    expect(EMBEDD_UNSUPPORTED, "bert.attention.causal true");
    write_field("bert.pooling_type", 4, 4);
    expect(EMBEDD_UNSUPPORTED, "bert.pooling_type 4");
    write_name("blk.1.ffn_up.weight", "blk.1.ffn_xx.weight");
    expect(EMBEDD_UNSUPPORTED, "tensor blk.1.ffn_xx.weight has no place in bert");
    write_changed("bert-f32.gguf", "general.architecture", strlen("general.architecture") + 12,
                  "bart", 4);
    expect(EMBEDD_UNSUPPORTED, "general.architecture \"bart\"");
    write_changed("bert-f32.gguf", "tokenizer.ggml.model", strlen("tokenizer.ggml.model") + 12,
                  "rwkv", 4);
    expect(EMBEDD_UNSUPPORTED, "tokenizer.ggml.model \"rwkv\"");
    write_changed("modernbert-f32.gguf", "tokenizer.ggml.pre", strlen("tokenizer.ggml.pre") + 12,
                  "modern-bart", 11);
    expect(EMBEDD_UNSUPPORTED, "pre-tokenizer modern-bart");
    write_changed("../../gguf-pairs/gemma3-ollama.gguf", "dense.0.weight", 0, "dense.2.weight", 14);
    expect(EMBEDD_UNSUPPORTED, "\"gemma3\" without a tensor dense.0.weight is no embedding model");
}

static void windows_and_fused_matrices_fit(void **state)
{
    const char *window = "modern-bert.attention.sliding_window";
    const char *heads = "bert.attention.head_count";
    const uint32_t none = 0, five = 5;

    (void)state;
    write_changed("modernbert-f32.gguf", window, strlen(window) + 4, &none, sizeof none);
    expect(EMBEDD_FORMAT, "modern-bert.attention.sliding_window is missing or 0");
    write_changed("../../gguf-pairs/roberta-qkv.gguf", heads, strlen(heads) + 4, &five,
                  sizeof five);
    expect(EMBEDD_FORMAT, "does not fit bert.attention.head_count");
}

static void check_info(const char *pooling, bool normalized)
{
    embedd_error err = {.message = ""};
    embedd_model *model = NULL;

    if (open_changed(&model, &err) != EMBEDD_OK)
        fail_msg("%s", err.message);
    assert_string_equal(embedd_model_get_info(model)->pooling, pooling);
    assert_int_equal(embedd_model_get_info(model)->normalized, normalized);
    embedd_model_close(model);
}

static void pooling_and_length_are_as_in_ollama(void **state)
{
    static const char *const pooling[] = {"mean", "mean", "cls", "lasttoken"};

    (void)state;
    for (uint32_t type = 0; type < 4; type++) {
        write_field("bert.pooling_type", type, 4);
        check_info(pooling[type], true);
    }
    write_changed("nomic-bert-f16.gguf", "nomic-bert.pooling_type", 0, "nomic-bert.pooling_type",
                  23);
    check_info("mean", false);
    write_changed("nomic-bert-f16.gguf", "nomic-bert.pooling_type", 0, "nomic-bert.pooling_typ_",
                  23);
    check_info("mean", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_converted_model_is_the_same_model),
        cmocka_unit_test_setup_teardown(what_is_missing_is_named, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(sizes_that_do_not_fit_are_refused, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(what_is_not_supported_is_named, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(windows_and_fused_matrices_fit, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(pooling_and_length_are_as_in_ollama, make_folder,
                                        remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
