/* A model in memory, with all that its requests need. */
#ifndef ED_LOADED_MODEL_H
#define ED_LOADED_MODEL_H

#include "server/scheduler.h"

typedef struct ed_loading_options {
    embedd_model_options model;
    embedd_session_options session;
    size_t n_encoders; /* one for each worker */
} ed_loading_options;

typedef struct ed_loaded_model {
    embedd_model *model;
    const embedd_model_info *info;
    embedd_session *session;
    embedd_session *express;   /* for short requests while the other is busy */
    embedd_encoder **encoders; /* [n_encoders] */
    size_t n_encoders;
    ed_target target; /* of the scheduler's tickets */
    size_t n_bytes;   /* of weights and scratch */
    /* those who keep it count: models.c */
    size_t n_users;
    struct ed_loaded_model *next;
} ed_loaded_model;

embedd_status ed_loaded_model_open(ed_loaded_model **out, const char *path,
                                   const ed_loading_options *options, embedd_error *err);
void ed_loaded_model_close(ed_loaded_model *loaded); /* NULL is allowed */

#endif
