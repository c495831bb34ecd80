/* Model folders with one thing wrong: refused with the right status and a sentence that names it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "embedd.h"
#include "support/expected.h"
#include "support/folder.h"

static char *source_folder(const char *name)
{
    static char path[4096];

    snprintf(path, sizeof path, "%s/golden/%s", expected_environment("EMBEDD_TEST_DATA"), name);
    return path;
}

static void assert_refused(const char *folder, embedd_status status, const char *words)
{
    embedd_error err = {.message = ""};
    embedd_model *model = NULL;
    embedd_status got = embedd_model_open(folder, NULL, &model, &err);

    if (got != status || !strstr(err.message, words))
        fail_msg("expected %s with \"%s\", got %s: %s", embedd_status_name(status), words,
                 embedd_status_name(got), err.message);
    assert_null(model);
    assert_int_equal(err.status, status);
}

typedef struct text_case {
    const char *file, *text;
    embedd_status status;
    const char *words;
} text_case;

static const text_case text_cases[] = {
    {"config.json", "", EMBEDD_FORMAT, "config.json"},
    {"config.json", "[]", EMBEDD_FORMAT, "config.json"},
    {"config.json", "{}", EMBEDD_FORMAT, "model_type is missing"},
    {"config.json", "{\"model_type\":\"t5\",\"hidden_size\":64}", EMBEDD_FORMAT,
     "num_hidden_layers"},
    {"config.json", "{\"model_type\":7}", EMBEDD_FORMAT, "model_type"},
    {"config.json", "{\"model_type\":\"bert\",\"hidden_size\":-1}", EMBEDD_FORMAT, "hidden_size"},
    {"modules.json", "{}", EMBEDD_FORMAT, "modules.json"},
    {"modules.json", "[{\"type\":\"a.Transformer\",\"path\":\"\"}]", EMBEDD_UNSUPPORTED,
     "no Pooling"},
    {"modules.json", "[{\"type\":\"a.Transformer\",\"path\":\"../x\"}]", EMBEDD_FORMAT, "path"},
    {"modules.json",
     "[{\"type\":\"a.Transformer\",\"path\":\"\"},{\"type\":\"a.Pooling\",\"path\":\"1_Pooling\"},"
     "{\"type\":\"a.Whatever\",\"path\":\"\"}]",
     EMBEDD_UNSUPPORTED, "Whatever"},
    {"1_Pooling/config.json", "{}", EMBEDD_UNSUPPORTED, "pooling"},
    {"1_Pooling/config.json", "{\"pooling_mode\":\"median\"}", EMBEDD_UNSUPPORTED, "pooling_mode"},
    {"sentence_bert_config.json", "{\"max_seq_length\":1}", EMBEDD_FORMAT, "max_seq_length"},
    {"sentence_bert_config.json", "{\"max_seq_length\":\"x\"}", EMBEDD_FORMAT, "max_seq_length"},
    {"config_sentence_transformers.json", "{\"prompts\":{\"a\":1}}", EMBEDD_FORMAT, "prompt"},
    {"config_sentence_transformers.json", "{\"prompts\":{},\"default_prompt_name\":\"a\"}",
     EMBEDD_FORMAT, "default_prompt_name"},
    {"tokenizer.json", "{}", EMBEDD_FORMAT, "tokenizer.json"},
};

static void malformed_json(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof text_cases / sizeof *text_cases; i++) {
        char *folder = folder_copy(source_folder("bert-mean-norm"));
        folder_write_text(folder, text_cases[i].file, text_cases[i].text);
        assert_refused(folder, text_cases[i].status, text_cases[i].words);
        folder_remove(folder);
    }
}

static void missing_files(void **state)
{
    static const char *const files[] = {"config.json", "tokenizer.json", "model.safetensors"};

    (void)state;
    assert_refused("/nonexistent/model", EMBEDD_NOT_FOUND, "/nonexistent/model");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *folder = folder_copy(source_folder("bert-mean-norm"));
        folder_delete_file(folder, files[i]);
        assert_refused(folder, EMBEDD_FORMAT, files[i]);
        folder_remove(folder);
    }
}

/* config.json and weights that do not belong together: the tensor is named. */
static void config_against_tensors(void **state)
{
    static const struct {
        const char *field, *value, *words;
    } cases[] = {
        {"\"hidden_size\": ", "\"hidden_size\": 32, \"x\": ", "word_embeddings"},
        {"\"num_hidden_layers\": ", "\"num_hidden_layers\": 9, \"x\": ", "missing"},
        {"\"num_hidden_layers\": ", "\"num_hidden_layers\": 9000000, \"x\": ", "layers"},
        {"\"num_attention_heads\": ", "\"num_attention_heads\": 5, \"x\": ", "multiple"},
        {"\"intermediate_size\": ", "\"intermediate_size\": 100, \"x\": ", "intermediate"},
        {"\"vocab_size\": ", "\"vocab_size\": 16000000, \"x\": ", "word_embeddings"},
        {"\"max_position_embeddings\": ", "\"max_position_embeddings\": 161, \"x\": ",
         "position_embeddings"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *folder = folder_copy(source_folder("bert-mean-norm")), patched[8192];
        size_t n_bytes;
        char *config = folder_read(folder, "config.json", &n_bytes);
        char *at = strstr(config, cases[i].field);
        assert_non_null(at);
        snprintf(patched, sizeof patched, "%.*s%s%s", (int)(at - config), config, cases[i].value,
                 at + strlen(cases[i].field));
        folder_write_text(folder, "config.json", patched);
        assert_refused(folder, EMBEDD_FORMAT, cases[i].words);
        free(config);
        folder_remove(folder);
    }
}

/* What a config can ask for and no published model does is named, not left out. */
static void config_asks_for_more(void **state)
{
    static const struct {
        const char *source, *field, *value;
    } cases[] = {
        {"jina-bert", "\"feed_forward_type\": ", "\"reglu\", \"x\": "},
        {"nomic-moe", "\"expert_choice_router\": ", "true, \"x\": "},
        {"nomic-moe", "\"num_shared_experts\": ", "1, \"x\": "},
        {"nomic-moe", "\"rotary_emb_interleaved\": ", "true, \"x\": "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *folder = folder_copy(source_folder(cases[i].source)), patched[8192], words[64] = "";
        size_t n_bytes;
        char *config = folder_read(folder, "config.json", &n_bytes);
        const char *field = cases[i].field, *at = strstr(config, field);
        assert_non_null(at);
        at += strlen(field);
        snprintf(patched, sizeof patched, "%.*s%s%s", (int)(at - config), config, cases[i].value,
                 at);
        folder_write_text(folder, "config.json", patched);
        strncat(words, field + 1, strlen(field) - 4); /* without its quotes */
        assert_refused(folder, EMBEDD_UNSUPPORTED, words);
        free(config);
        folder_remove(folder);
    }
}

/* One weight that is not a number; the tensor is named. */
static void weight_not_finite(void **state)
{
    char *folder = folder_copy(source_folder("bert-mean-norm"));
    uint32_t nan_bits = 0x7fc00000U;
    size_t n_bytes;
    char *data = folder_read(folder, "model.safetensors", &n_bytes);

    (void)state;
    uint64_t n_header;
    memcpy(&n_header, data, sizeof n_header); /* the first tensor is a norm of the embeddings */
    memcpy(data + sizeof n_header + n_header, &nan_bits, sizeof nan_bits);
    folder_write(folder, "model.safetensors", data, n_bytes);
    assert_refused(folder, EMBEDD_NONFINITE, "NaN");
    free(data);
    folder_remove(folder);
}

static void file_cut_short(void **state)
{
    (void)state;
    for (int part = 0; part < 8; part++) {
        char *folder = folder_copy(source_folder("bert-mean-norm"));
        size_t n_bytes;
        char *data = folder_read(folder, "model.safetensors", &n_bytes);
        folder_write(folder, "model.safetensors", data, n_bytes * (size_t)part / 8);
        assert_refused(folder, EMBEDD_FORMAT, "model.safetensors");
        free(data);
        folder_remove(folder);
    }
}

static void wrong_calls(void **state)
{
    embedd_error err = {.message = ""};
    embedd_model *model = NULL;
    embedd_session *session = NULL;
    embedd_text text = {"x", 1};
    float out[64];
    int32_t ids[] = {2, 999999, 3};
    embedd_row row = {.ids = ids, .n_tokens = 3, .out = out};

    (void)state;
    assert_int_equal(embedd_model_open(source_folder("bert"), NULL, &model, &err), EMBEDD_OK);
    assert_int_equal(embedd_session_open(model, NULL, &session, &err), EMBEDD_OK);
    assert_int_equal(embedd_embed(session, &text, 1, NULL, out, 63, NULL, &err), EMBEDD_ARGUMENT);
    assert_int_equal(embedd_embed_rows(session, &row, 1, &err), EMBEDD_ARGUMENT);
    assert_int_equal(err.index, 0);
    row.n_tokens = 0;
    assert_int_equal(embedd_embed_rows(session, &row, 1, &err), EMBEDD_ARGUMENT);
    row = (embedd_row){.ids = ids, .n_tokens = 1, .out = out, .pooling = 0x77};
    assert_int_equal(embedd_embed_rows(session, &row, 1, &err), EMBEDD_ARGUMENT);
    text = (embedd_text){"ok \xff", 4};
    assert_int_equal(embedd_embed(session, &text, 1, NULL, out, 64, NULL, &err), EMBEDD_UTF8);
    assert_int_equal(err.index, 0);
    text = (embedd_text){"still works", 11};
    assert_int_equal(embedd_embed(session, &text, 1, NULL, out, 64, NULL, &err), EMBEDD_OK);
    assert_int_equal(embedd_embed(session, NULL, 0, NULL, out, 64, NULL, &err), EMBEDD_OK);
    embedd_session_close(session);
    embedd_model_close(model);
    assert_int_equal(embedd_model_open(source_folder("bert"),
                                       &(embedd_model_options){.cpu_level = "none"}, &model, &err),
                     EMBEDD_ARGUMENT);
}

/* A session for short texts has less scratch, the same vectors, and refuses or cuts longer ones. */
static void session_for_short_texts(void **state)
{
    embedd_model *model = NULL;
    embedd_session *whole = NULL, *small = NULL;
    embedd_error err;
    float expected[64], out[64];
    const int32_t ids[17] = {2, 3};
    const embedd_session_options options = {
        .n_threads = 1, .batch_tokens_max = 8, .text_tokens_max = 16};
    const char *words = "one two three four five six seven eight nine ten eleven twelve thirteen "
                        "fourteen fifteen sixteen seventeen";
    const embedd_text text = {words, strlen(words)};
    embedd_usage usage;

    (void)state;
    assert_int_equal(embedd_model_open(source_folder("bert"), NULL, &model, &err), EMBEDD_OK);
    assert_int_equal(embedd_session_open(model, NULL, &whole, &err), EMBEDD_OK);
    assert_int_equal(embedd_session_open(model, &options, &small, &err), EMBEDD_OK);
    assert_int_equal(embedd_session_batch_tokens_max(small), 16);
    assert_true(embedd_session_scratch_bytes(small) < embedd_session_scratch_bytes(whole) / 16);

    embedd_row row = {.ids = ids, .n_tokens = 16, .out = expected};
    assert_int_equal(embedd_embed_rows(whole, &row, 1, &err), EMBEDD_OK);
    row.out = out;
    assert_int_equal(embedd_embed_rows(small, &row, 1, &err), EMBEDD_OK);
    assert_memory_equal(out, expected, sizeof out);
    row.n_tokens = 17;
    assert_int_equal(embedd_embed_rows(small, &row, 1, &err), EMBEDD_ARGUMENT);

    embedd_embed_options cut = {.encode.tokens_max = 16};
    assert_int_equal(embedd_embed(whole, &text, 1, &cut, expected, 64, NULL, &err), EMBEDD_OK);
    cut.encode.tokens_max = 0;
    assert_int_equal(embedd_embed(small, &text, 1, &cut, out, 64, &usage, &err), EMBEDD_OK);
    assert_memory_equal(out, expected, sizeof out);
    assert_int_equal(usage.n_tokens, 16);
    assert_true(usage.n_tokens_total > 16);
    embedd_session_close(small);
    embedd_session_close(whole);
    embedd_model_close(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(session_for_short_texts), cmocka_unit_test(malformed_json),
        cmocka_unit_test(missing_files),           cmocka_unit_test(config_against_tensors),
        cmocka_unit_test(config_asks_for_more),    cmocka_unit_test(weight_not_finite),
        cmocka_unit_test(file_cut_short),          cmocka_unit_test(wrong_calls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
