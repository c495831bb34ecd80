/* Lists of token ids in a request: what /decode reads, and what an OpenAI client may send for
 * texts. A list stays JSON, one of the request's texts, until the model is there. */
#ifndef ED_TOKEN_IDS_H
#define ED_TOKEN_IDS_H

#include "server/pipeline.h"
#include "server/request_fields.h"

struct ed_prepare_options;

/* One list of ids, or a list of such; `field` names it in messages. A reader of the table of fields
 * calls it with the value's first token. */
bool ed_read_id_lists(ed_request_parser *p, ed_json_token token, const char *field);

typedef struct ed_id_list {
    ed_json_reader json;
    size_t list_index;
    size_t n; /* ids that were read */
} ed_id_list;

void ed_id_list_open(ed_id_list *list, embedd_text json, size_t list_index);
/* False at the end, or with the problem that a number is no id. */
bool ed_id_list_next(ed_id_list *list, int32_t *id, ed_problem *problem);

/* The ids of one text as embedd_encode would have made them: the sender's own, cut at the model's
 * limit, between the special tokens, which are not added where they are there already. No prompt is
 * put before them.
 *
 *   ids  [tokens_max of the model]
 *
 * False with a problem: something is no id, or none of this model. */
bool ed_token_ids_encode(const struct ed_prepare_options *options, embedd_text json,
                         size_t text_index, int32_t *ids, embedd_usage *usage, ed_problem *problem);

#endif
