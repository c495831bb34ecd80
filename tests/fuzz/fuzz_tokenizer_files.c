/* A vocab.txt or a SentencePiece model of any bytes: refused with a message, or written as a
 * tokenizer.json that is one. The first byte of the input says which, and of which class. */
#include "tokenizer/sentencepiece.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/vocab_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static embedd_status write_json(ed_buf *json, unsigned which, embedd_text bytes, embedd_error *err)
{
    static const char *const classes[] = {"BertTokenizer", "MPNetTokenizer", "XLMRobertaTokenizer",
                                          "CamembertTokenizer"};
    ed_tokenizer_config config = {.where = "f"};
    memcpy(config.class, classes[which], strlen(classes[which]));
    if (which < 2)
        return ed_vocab_text_write(json, bytes, &config, "f", err);
    ed_sentencepiece model;
    embedd_status status = ed_sentencepiece_open(&model, bytes, "f", err);
    if (status == EMBEDD_OK)
        status = ed_sentencepiece_write(json, &model, &config, "f", err);
    ed_sentencepiece_close(&model);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    if (n_bytes == 0)
        return 0;
    ed_tokenizer *tokenizer = NULL;
    embedd_error err = {.message = ""};
    ed_buf json;
    ed_buf_init(&json, (size_t)16 << 20);
    embedd_status status =
        write_json(&json, data[0] % 4, (embedd_text){(const char *)data + 1, n_bytes - 1}, &err);
    if (status == EMBEDD_OK && !json.failed)
        status = ed_tokenizer_open_json(&tokenizer, (embedd_text){json.data, json.n_bytes},
                                        &(ed_tokenizer_options){.exact_numbers = true}, "f", &err);
    /* What is written must be JSON. */
    if (status != EMBEDD_OK &&
        (strncmp(err.message, "f: ", 3) != 0 || strncmp(err.message, "f: byte ", 8) == 0))
        abort();
    ed_tokenizer_close(tokenizer);
    ed_buf_clear(&json);
    return 0;
}
