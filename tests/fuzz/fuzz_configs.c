/* A model folder's JSON files -> sizes and modules. The first byte picks the file, the rest is it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/config.h"
#include "model/modules.h"
#include "support/folder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static const struct {
    const char *name, *text;
} files[] = {
    {"config.json",
     "{\"model_type\":\"bert\",\"hidden_size\":4,\"num_hidden_layers\":1,\"num_attention_heads\":1,"
     "\"intermediate_size\":4,\"vocab_size\":9,\"max_position_embeddings\":8}"},
    {"modules.json", "[{\"type\":\"a.Transformer\",\"path\":\"\"},"
                     "{\"type\":\"a.Pooling\",\"path\":\"1_Pooling\"}]"},
    {"1_Pooling/config.json", "{\"pooling_mode\":\"mean\"}"},
    {"sentence_bert_config.json", "{\"max_seq_length\":8}"},
    {"tokenizer_config.json", "{\"model_max_length\":8}"},
    {"config_sentence_transformers.json", "{\"prompts\":{\"query\":\"q: \"}}"},
};
#define N_FILES (sizeof files / sizeof *files)

static char *folder;

static void remove_folder(void)
{
    folder_remove(folder);
}

static void make_folder(void)
{
    folder = folder_new();
    folder_make_folder(folder, "1_Pooling");
    for (size_t i = 0; i < N_FILES; i++)
        folder_write_text(folder, files[i].name, files[i].text);
    atexit(remove_folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    ed_modules modules;
    ed_config config;
    embedd_error err;

    if (n_bytes == 0)
        return 0;
    if (!folder)
        make_folder();
    size_t chosen = data[0] % N_FILES;
    folder_write(folder, files[chosen].name, data + 1, n_bytes - 1);
    if (ed_config_read(&config, folder, &err) == EMBEDD_OK)
        ed_config_clear(&config);
    if (ed_modules_read(&modules, folder, &err) == EMBEDD_OK)
        ed_modules_clear(&modules);
    folder_write_text(folder, files[chosen].name, files[chosen].text);
    return 0;
}
