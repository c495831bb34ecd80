/* What the dialects' replies are made of. */
#ifndef ED_REPLY_H
#define ED_REPLY_H

#include "base/memory.h"
#include "server/pulls.h"
#include "server/request.h"

typedef struct ed_result {
    const char *model_id;
    size_t n_dimensions;
    const float *vectors;       /* [n_vectors][n_dimensions] */
    size_t n_vectors;           /* n_texts; of ED_ANSWER_TOKENS as many as tokens */
    const embedd_usage *usages; /* [n_texts] */
    ed_pulls *pulls;
    const ed_pull_use *pull; /* of ED_ANSWER_PULL */
    double seconds;          /* since the request's body was complete */
} ed_result;

/* Room that a reply with n_texts vectors takes at most, in any dialect. */
size_t ed_reply_bytes_max(const ed_request *request, const ed_result *result);

/* [0.1,0.2] or, if the request asks for it, "zczMPc3MTD4=": the same float32, little-endian. False
 * if a number is not finite, with the problem, or if the buffer has failed. */
bool ed_reply_vector(ed_buf *reply, const ed_request *request, const ed_result *result,
                     size_t vector_index, ed_problem *problem);

/* The numbers as bytes, little-endian, in the request's encoding; otherwise as above. */
bool ed_reply_bytes(ed_buf *reply, const ed_request *request, const ed_result *result,
                    size_t vector_index, ed_problem *problem);

/* Of all texts. */
size_t ed_reply_n_tokens(const ed_request *request, const ed_result *result);

/* A list of {"index","tokens_used","tokens_total"} of the texts that were cut. */
void ed_reply_truncated(ed_buf *reply, const ed_request *request, const ed_result *result);

/* The name the client used, or the server's own. */
void ed_reply_model(ed_buf *reply, const ed_request *request, const ed_result *result);

/* At the end of a reply: false with OUT_OF_MEMORY if the buffer has failed. */
bool ed_reply_end(ed_buf *reply, ed_problem *problem);

#endif
