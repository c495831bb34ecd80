/* A model that is named on the command line, opened to embed texts. */
#ifndef ED_MODEL_SESSION_H
#define ED_MODEL_SESSION_H

#include "cli/arguments.h"

/* The folder of --model; ed_free. ARGUMENT if the option is missing. */
embedd_status ed_model_find(const ed_arguments *arguments, char **folder, embedd_error *err);
/* "auto", "f32", ...; AUTO for anything else. */
embedd_dtype ed_dtype_parse(const char *text);
/* *cache is what the options point to: ed_free it when the model is open. */
embedd_model_options ed_model_options(const ed_arguments *arguments, char **cache);

typedef struct ed_model_session {
    embedd_model *model;
    embedd_session *session;
    const embedd_model_info *info;
    embedd_embed_options options; /* --pooling, --prompt ... */
    size_t dimensions;            /* under this pooling, after the cut */
} ed_model_session;

embedd_status ed_model_session_open(ed_model_session *opened, const ed_arguments *arguments,
                                    embedd_error *err);
void ed_model_session_close(ed_model_session *opened);

#endif
