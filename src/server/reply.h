/* Reply bodies. */
#ifndef ED_REPLY_H
#define ED_REPLY_H

#include "base/memory.h"
#include "server/request.h"

typedef struct ed_result {
    const char *model_id;
    size_t n_dimensions;
    const float *vectors;       /* [n_texts][n_dimensions] */
    const embedd_usage *usages; /* [n_texts] */
} ed_result;

/* Room that a reply with n_texts vectors takes at most. */
size_t ed_reply_bytes_max(const ed_request *request, const ed_result *result);

/* The 200 body in the request's dialect, appended to `reply`. Returns false with NONFINITE_OUTPUT
 * (and the text's index) or OUT_OF_MEMORY. */
bool ed_reply_vectors(ed_buf *reply, const ed_request *request, const ed_result *result,
                      ed_problem *problem);

/* {"error":{"code","message","index"}}: ASCII, and nothing a client has sent. */
void ed_reply_problem(ed_buf *reply, const ed_problem *problem);

#endif
