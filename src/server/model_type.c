/* In: a model's facts. Out: a JSON object. */
#include "server/model_type.h"

#include "server/json_text.h"

void ed_put_model_type(ed_buf *reply, const embedd_model_info *info)
{
    if (info->task != EMBEDD_TASK_SCORE) {
        ed_buf_printf(reply, "{\"embedding\":{\"pooling\":\"%s\"}}", info->pooling);
        return;
    }
    ed_buf_printf(reply, "{\"%s\":{\"id2label\":{",
                  info->dimensions == 1 ? "reranker" : "classifier");
    for (size_t i = 0; i < info->dimensions; i++) {
        ed_buf_printf(reply, "%s\"%zu\":", i > 0 ? "," : "", i);
        ed_json_text_string_or_null(reply, info->labels[i]);
    }
    ed_buf_append_text(reply, "},\"label2id\":{");
    for (size_t i = 0; i < info->dimensions; i++) {
        ed_buf_append_text(reply, i > 0 ? "," : "");
        ed_json_text_string_or_null(reply, info->labels[i]);
        ed_buf_printf(reply, ":%zu", i);
    }
    ed_buf_append_text(reply, "}}}");
}
