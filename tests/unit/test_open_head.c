/* Folders whose head is not what their JSON says: refused, with file and reason. */
#include <stdlib.h>
#include <string.h>

#include "embedd.h"
#include "support/expected.h"
#include "support/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static char *copy_of(const char *name)
{
    char source[1024];

    snprintf(source, sizeof source, "%s/%s", expected_environment("EMBEDD_TEST_DATA"), name);
    return folder_copy(source);
}

static void assert_refused(char *folder, embedd_status status, const char *words)
{
    embedd_model *model = NULL;
    embedd_error err = {.message = ""};

    assert_int_equal(embedd_model_open(folder, NULL, &model, &err), status);
    if (!strstr(err.message, words))
        fail_msg("expected \"%s\", got: %s", words, err.message);
    assert_null(model);
    folder_remove(folder);
}

static void replace(const char *folder, const char *file, const char *from, const char *to)
{
    size_t n_bytes;
    char *text = folder_read(folder, file, &n_bytes), patched[16384];
    char *at = strstr(text, from);

    assert_non_null(at);
    snprintf(patched, sizeof patched, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    folder_write_text(folder, file, patched);
    free(text);
}

static void splade_of_another_kind(void **state)
{
    static const char *const configs[] = {"{\"pooling_strategy\":\"sum\"}",
                                          "{\"activation_function\":\"log1p_relu\"}"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char *folder = copy_of("heads/bert-splade");
        folder_write_text(folder, "1_SpladePooling/config.json", configs[i]);
        assert_refused(folder, EMBEDD_UNSUPPORTED, "SpladePooling");
    }
}

static void head_without_its_tensors(void **state)
{
    char *folder = copy_of("golden/bert-mean-norm");

    (void)state;
    folder_delete_file(folder, "modules.json");
    replace(folder, "config.json", "\"BertModel\"", "\"BertForSequenceClassification\"");
    assert_refused(folder, EMBEDD_FORMAT, "classifier.weight");

    folder = copy_of("golden/distilbert");
    folder_delete_file(folder, "modules.json");
    replace(folder, "config.json", "\"DistilBertModel\"",
            "\"DistilBertForSequenceClassification\"");
    assert_refused(folder, EMBEDD_FORMAT, "pre_classifier");
}

static void head_on_an_architecture_that_has_none(void **state)
{
    char *folder = copy_of("golden/nomic-bert");

    (void)state;
    folder_delete_file(folder, "modules.json");
    replace(folder, "config.json", "\"NomicBertModel\"", "\"NomicBertForSequenceClassification\"");
    assert_refused(folder, EMBEDD_UNSUPPORTED, "a classifier on it");
}

static void modernbert_of_another_kind(void **state)
{
    char *folder = copy_of("heads/modernbert-reranker");

    (void)state;
    replace(folder, "config.json", "\"classifier_pooling\": \"mean\"",
            "\"classifier_pooling\": \"max\"");
    assert_refused(folder, EMBEDD_UNSUPPORTED, "classifier_pooling");
    folder = copy_of("heads/modernbert-reranker");
    replace(folder, "config.json", "\"classifier_activation\": \"gelu\"",
            "\"classifier_activation\": \"relu\"");
    assert_refused(folder, EMBEDD_UNSUPPORTED, "classifier_activation");
}

static void a_reranker_makes_no_vectors(void **state)
{
    const embedd_text text = {"a", 1};
    embedd_model *model = NULL;
    embedd_session *session = NULL;
    embedd_error err;
    float out[8];
    char *folder = copy_of("heads/bert-reranker");

    (void)state;
    assert_int_equal(embedd_model_open(folder, NULL, &model, &err), EMBEDD_OK);
    assert_int_equal(embedd_session_open(model, NULL, &session, &err), EMBEDD_OK);
    assert_int_equal(embedd_embed(session, &text, 1, NULL, out, 8, NULL, &err), EMBEDD_UNSUPPORTED);
    assert_int_equal(embedd_model_dimensions(model, EMBEDD_POOLING_MEAN), 0);
    const int32_t ids[] = {9, 10};
    const embedd_row row = {.ids = ids, .n_tokens = 2, .pooling = EMBEDD_POOLING_CLS, .out = out};
    assert_int_equal(embedd_embed_rows(session, &row, 1, &err), EMBEDD_ARGUMENT);
    embedd_session_close(session);
    embedd_model_close(model);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splade_of_another_kind),
        cmocka_unit_test(head_without_its_tensors),
        cmocka_unit_test(head_on_an_architecture_that_has_none),
        cmocka_unit_test(modernbert_of_another_kind),
        cmocka_unit_test(a_reranker_makes_no_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
