/* Rows of an expected*.jsonl file, see tests/data/golden/README.md. */
#ifndef EXPECTED_H
#define EXPECTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct expected_row {
    char *name; /* "" if the file gives none */
    char *text; /* NUL added after n_text_bytes */
    size_t n_text_bytes;
    int32_t *ids; /* [n_ids] */
    size_t n_ids;
    bool normalize;
    float *vector; /* [n_dims], NULL if the file gives none */
    size_t n_dims;
    /* [n_dims], of GGUF files: what an exact reader gets, and what the float32 model gets if the
     * text has the same ids there; or NULL */
    float *vector_dequant, *vector_hf;
    bool has_prompt;
    size_t dimensions; /* 0 = all */
    bool layer_norm;   /* before the vector is cut */
    char *prompt;      /* "" if none */
    char *prompt_name; /* NULL: the caller gave the prompt itself */
} expected_row;

typedef struct expected_rows {
    expected_row *rows;
    size_t n_rows;
} expected_rows;

/* Ends the program with a sentence on stderr if the file is missing or malformed: a test without
 * its data has failed. */
expected_rows expected_read(const char *path);
void expected_free(expected_rows *rows);

/* Value of an environment variable; ends the program if it is not set. */
const char *expected_environment(const char *name);

#endif
