/* A GGUF file, mapped read-only: metadata by key and type, tensors as views into the map.
 * Versions 2 and 3, little-endian. Source: github.com/ggml-org/ggml, docs/gguf.md. */
#ifndef ED_GGUF_H
#define ED_GGUF_H

#include "base/file_map.h"
#include "formats/tensors.h"

typedef enum ed_gguf_type { /* the numbers of the file */
                            ED_GGUF_U8 = 0,
                            ED_GGUF_I8,
                            ED_GGUF_U16,
                            ED_GGUF_I16,
                            ED_GGUF_U32,
                            ED_GGUF_I32,
                            ED_GGUF_F32,
                            ED_GGUF_BOOL,
                            ED_GGUF_STRING,
                            ED_GGUF_ARRAY,
                            ED_GGUF_U64,
                            ED_GGUF_I64,
                            ED_GGUF_F64
} ed_gguf_type;

/* A run of n values of one type, checked to lie in the file. */
typedef struct ed_gguf_array {
    ed_gguf_type type; /* not ARRAY */
    size_t n;
    const unsigned char *data; /* no alignment promised */
    size_t n_bytes;
} ed_gguf_array;

typedef struct ed_gguf_field {
    const char *key; /* [key_bytes] in the map, no NUL after it */
    size_t key_bytes;
    bool is_array;
    ed_gguf_array values; /* one, if it is no array */
} ed_gguf_field;

typedef struct ed_gguf {
    ed_file_map map;
    ed_gguf_field *fields; /* [n_fields], sorted by key */
    size_t n_fields;
    ed_tensor *tensors; /* [n_tensors], sorted by offset */
    size_t n_tensors;
    char *names; /* of the tensors */
    char *where; /* the path, for messages */
} ed_gguf;

/* NOT_FOUND, IO, FORMAT (file, place and reason), UNSUPPORTED (another version, byte order or
 * tensor type, named), MEMORY. Allocates in proportion to the lists that are there, whatever their
 * counts claim. */
embedd_status ed_gguf_open(ed_gguf *gguf, const char *path, embedd_error *err);
void ed_gguf_close(ed_gguf *gguf); /* a zeroed struct is allowed */
/* The same over bytes in memory, which must outlive it. */
embedd_status ed_gguf_parse(ed_gguf *gguf, const unsigned char *bytes, size_t n_bytes,
                            const char *where, embedd_error *err);
/* Whether the file begins as a GGUF file does, in any version. */
bool ed_gguf_is(const char *path);

const ed_gguf_field *ed_gguf_find(const ed_gguf *gguf, const char *key); /* NULL = none */
const ed_tensor *ed_gguf_tensor(const ed_gguf *gguf, const char *name);  /* NULL = none */

/* One field. An absent one leaves *out as it is and is ok; one of another type is FORMAT. A size
 * may be of any whole number type, but not negative; a double of any number type, but finite. */
embedd_status ed_gguf_get_size(const ed_gguf *gguf, const char *key, size_t *out,
                               embedd_error *err);
embedd_status ed_gguf_get_double(const ed_gguf *gguf, const char *key, double *out,
                                 embedd_error *err);
embedd_status ed_gguf_get_bool(const ed_gguf *gguf, const char *key, bool *out, embedd_error *err);
/* In the map; holds no NUL. */
embedd_status ed_gguf_get_string(const ed_gguf *gguf, const char *key, embedd_text *out,
                                 embedd_error *err);
embedd_status ed_gguf_get_array(const ed_gguf *gguf, const char *key, ed_gguf_type type,
                                ed_gguf_array *out, embedd_error *err);

/* Takes the first string off an array of strings; false = no more. */
bool ed_gguf_next_string(ed_gguf_array *array, embedd_text *out);
/* Of an array of F32 or I32; value_index < n. */
float ed_gguf_float_at(const ed_gguf_array *array, size_t value_index);
int32_t ed_gguf_int_at(const ed_gguf_array *array, size_t value_index);

#endif
