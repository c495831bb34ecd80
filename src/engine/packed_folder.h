/* The folder of packed weights: names, and what leaves it. Nothing here fails: what cannot be done
 * is left. */
#ifndef ED_PACKED_FOLDER_H
#define ED_PACKED_FOLDER_H

#include <stdbool.h>

typedef struct ed_packed_name {
    const char *model; /* its folder or file */
    const char *dtype;
    const char *level;
    const char *key; /* all that the weights depend on */
} ed_packed_name;

/* <folder>/<model>-<checksum of its place>-<dtype>-<level>-<checksum of the key>.packed, in new
 * memory (ed_free); NULL = out of memory. */
char *ed_packed_folder_path(const char *folder, const ed_packed_name *name);

/* Makes the folder of `path`, for its owner only, and the folders above it. */
bool ed_packed_folder_prepare(const char *path);

/* The file was used now. */
void ed_packed_folder_touch(const char *path);

/* After `path` was written: removes files of the same model, type and level with another key, those
 * left unfinished for an hour, and, beyond 16 GiB in all, the ones not used for longest. */
void ed_packed_folder_clean(const char *path);

#endif
