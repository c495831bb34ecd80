/* A job whose request is read and whose model is there: texts -> token ids -> rows. */
#ifndef ED_PREPARE_H
#define ED_PREPARE_H

#include "server/pipeline.h"

typedef struct ed_prepare_options {
    const embedd_model *model;
    embedd_encoder *encoder;
    const ed_file_roots *file_roots;
    ed_budget *budget;
    size_t body_bytes_max; /* also of the texts, each with the prompt before it */
} ed_prepare_options;

/* Body -> request. False with the job's problem. */
bool ed_prepare_request(ed_job *job, const ed_pipeline_options *options);

/* Fills the job's usages, ids, vectors (not yet computed) and ticket. False with the job's
 * problem; a job that is cancelled meanwhile gets any. */
bool ed_prepare(ed_job *job, const ed_prepare_options *options);

#endif
