/* The folder a model is pulled into, and the step that makes it the model's folder. */
#ifndef ED_PULL_FOLDER_H
#define ED_PULL_FOLDER_H

#include "embedd.h"

typedef struct ed_pull_folder {
    char *place;   /* STORE/org/name: where the model will be */
    char *partial; /* STORE/org/.name.partial: where it is put together */
    int lock;      /* of the partial folder, held while this is open */
} ed_pull_folder;

/* Paths only; nothing is made. */
embedd_status ed_pull_folder_init(ed_pull_folder *folder, const char *store, const char *full_name,
                                  embedd_error *err);
/* Makes the partial folder and takes its lock. IO (the system's reason, or another process pulls
 * the same model), also if fewer than n_bytes are free. */
embedd_status ed_pull_folder_open(ed_pull_folder *folder, uint64_t n_bytes, embedd_error *err);
/* Makes the partial folder durable and renames it; what was in its place is removed. */
embedd_status ed_pull_folder_activate(ed_pull_folder *folder, embedd_error *err);
void ed_pull_folder_clear(ed_pull_folder *folder);

/* The commit a model's folder was pulled at, "" if it was not pulled. */
void ed_pull_folder_read_commit(const char *folder, char commit[65]);
embedd_status ed_pull_folder_write_commit(const char *folder, const char *commit,
                                          embedd_error *err);

#endif
