/* JSON configs: what the reader refuses the parser refuses, at the same byte; json-c's own parser
 * takes whatever is accepted; every typed getter answers for every field. */
#include "formats/json.h"
#include "formats/json_reader.h"

#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void check_fields(struct json_object *object)
{
    json_object_object_foreach(object, field, value)
    {
        size_t size = 0;
        double number = 0;
        bool flag = false;
        const char *text = "";
        struct json_object *part = NULL;
        int n_ok = 0;
        embedd_error err;
        n_ok += ed_json_get_size(object, field, &size, "fuzz", &err) == EMBEDD_OK ||
                ed_json_get_double(object, field, &number, "fuzz", &err) == EMBEDD_OK;
        n_ok += ed_json_get_bool(object, field, &flag, "fuzz", &err) == EMBEDD_OK;
        n_ok += ed_json_get_string(object, field, &text, "fuzz", &err) == EMBEDD_OK;
        n_ok += ed_json_get_object(object, field, &part, "fuzz", &err) == EMBEDD_OK;
        n_ok += ed_json_get_array(object, field, &part, "fuzz", &err) == EMBEDD_OK;
        if (!isfinite(number) || strlen(text) > SIZE_MAX / 2)
            abort();
        /* null is fine for all; a string with NUL and an endless number are fine for none. */
        if (value ? n_ok > 1 : n_ok != 5)
            abort();
    }
}

static void check_accepted_by_json_c(const char *text, size_t n_bytes)
{
    struct json_tokener *tokener = json_tokener_new_ex(ED_JSON_DEPTH_MAX + 2);
    if (!tokener)
        return;
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *tree = json_tokener_parse_ex(tokener, text, (int)n_bytes);
    if (json_tokener_get_error(tokener) == json_tokener_continue)
        tree = json_tokener_parse_ex(tokener, "", 1); /* a number, open until something follows */
    if (json_tokener_get_error(tokener) != json_tokener_success)
        abort();
    json_object_put(tree);
    json_tokener_free(tokener);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    struct json_object *tree = NULL;
    embedd_error err;
    ed_json_reader reader;
    ed_json_token token;
    const char *text = (const char *)data;
    ed_json_reader_init(&reader, text, n_bytes);
    do
        token = ed_json_next(&reader);
    while (token > ED_JSON_END);

    embedd_status status = ed_json_parse(text, n_bytes, "fuzz", &tree, &err);
    if (status == EMBEDD_OK)
        check_accepted_by_json_c(text, n_bytes);
    else if (strncmp(err.message, "fuzz: byte ", 11) != 0)
        abort();
    /* The parser refuses more: NUL in a field name, a tree out of proportion. */
    if ((token == ED_JSON_END) != (status == EMBEDD_OK) && !strstr(err.message, "holds NUL") &&
        status != EMBEDD_LIMIT)
        abort();
    if (json_object_is_type(tree, json_type_object))
        check_fields(tree);
    json_object_put(tree);
    return 0;
}
