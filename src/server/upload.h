/* Bodies that are files: multipart/form-data with a file and fields, or a text as it is with its
 * options behind the path's "?". Taken apart while they arrive, by libmicrohttpd. */
#ifndef ED_UPLOAD_H
#define ED_UPLOAD_H

#include "server/pipeline.h"

struct MHD_Connection;

typedef struct ed_upload ed_upload;

/* Keeps more of the file. False if it must not grow: the job has a problem then. */
typedef bool (*ed_upload_keep)(void *context, const char *bytes, size_t n_bytes);

/* By the Content-Type. *out stays NULL, without a problem, if the body is JSON. False with the
 * job's problem. */
bool ed_upload_open(ed_upload **out, struct MHD_Connection *connection, ed_job *job,
                    ed_upload_keep keep, void *context);
/* A piece of the body; false with the job's problem. */
bool ed_upload_read(ed_upload *upload, const char *data, size_t n_bytes);
/* The body is complete: fills the job's `options` and `body_type`. False with its problem. */
bool ed_upload_end(ed_upload *upload);
void ed_upload_close(ed_upload *upload); /* NULL is allowed */

#endif
