/* A client's wish that a model be here: it is, or may not come, or is waited for. */
#ifndef ED_PULL_REQUEST_H
#define ED_PULL_REQUEST_H

#include "server/pipeline.h"

/* The job's request is read; `pulls` NULL = nothing is downloaded for clients. True: the job waits,
 * and belongs to the pulls until job->pull.done. False: it has a problem, or else the model is
 * here. */
bool ed_pull_request_start(ed_job *job, ed_models *models, ed_pulls *pulls);

/* What job->pull.error means to the client; nothing if it is OK. */
void ed_pull_request_end(ed_job *job);

#endif
