/* A table of a stranger: whatever the bytes are, a row that comes out has its text and its vector
 * inside them. */
#include "cli/arrow_file.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct counter {
    size_t n_rows;
    double sum; /* of all that was handed out: every byte of it must be there to read */
} counter;

static embedd_status take_row(void *context, embedd_text text, const float *vector,
                              size_t dimensions, bool *enough, embedd_error *err)
{
    counter *counted = context;

    (void)err;
    for (size_t i = 0; i < text.n_bytes; i++)
        counted->sum += text.bytes[i];
    for (size_t i = 0; i < dimensions; i++)
        counted->sum += (double)vector[i];
    counted->n_rows++;
    *enough = counted->n_rows == 64;
    return EMBEDD_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    static const ed_arrow_columns columns[] = {{"text", "vector"}, {"body", "embedding"}};

    (void)ed_arrow_is_one(data, n_bytes);
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        embedd_error err = {0};
        counter counted = {0};
        if (ed_arrow_read(data, n_bytes, &columns[i], take_row, &counted, &err) != EMBEDD_OK &&
            err.message[0] == '\0')
            abort();
        if (counted.n_rows > 64)
            abort();
    }
    return 0;
}
