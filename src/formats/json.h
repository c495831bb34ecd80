/* JSON in, as json-c's tree: strict, UTF-8 checked, depth and memory limited; and typed access with
 * errors that name the file and the field. Lone surrogate escapes read as U+FFFD. */
#ifndef ED_JSON_H
#define ED_JSON_H

#include "embedd.h"

struct json_object; /* json-c's; release with json_object_put */

/* FORMAT names `where` and the byte offset: whatever RFC 8259 refuses, depth above 64, and field
 * names that hold NUL, which json-c cannot keep apart. LIMIT: the tree would take over 64 times the
 * text (and 1 MiB), or over 1 GiB. Of fields with the same name the last one wins. */
embedd_status ed_json_parse(const char *text, size_t n_bytes, const char *where,
                            struct json_object **out, embedd_error *err);

embedd_status ed_json_read_file(const char *path, size_t bytes_max, struct json_object **out,
                                embedd_error *err);

/* One field of an object. A field that is absent or null leaves *out as it is and is ok; a field of
 * another type is FORMAT: "<where>: <field> is not a whole number". Whole numbers are >= 0 and may
 * be written as 1e30 (then SIZE_MAX). Doubles are finite. Strings belong to the object; one that
 * holds NUL is FORMAT. */
embedd_status ed_json_get_size(struct json_object *object, const char *field, size_t *out,
                               const char *where, embedd_error *err);
embedd_status ed_json_get_double(struct json_object *object, const char *field, double *out,
                                 const char *where, embedd_error *err);
embedd_status ed_json_get_bool(struct json_object *object, const char *field, bool *out,
                               const char *where, embedd_error *err);
embedd_status ed_json_get_string(struct json_object *object, const char *field, const char **out,
                                 const char *where, embedd_error *err);
/* Object or array, NULL left as it is if absent. */
embedd_status ed_json_get_object(struct json_object *object, const char *field,
                                 struct json_object **out, const char *where, embedd_error *err);
embedd_status ed_json_get_array(struct json_object *object, const char *field,
                                struct json_object **out, const char *where, embedd_error *err);

#endif
