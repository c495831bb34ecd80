/* A file mapped read-only, or its bytes read into memory. Regular files only. */
#ifndef ED_FILE_MAP_H
#define ED_FILE_MAP_H

#include "embedd.h"

typedef struct ed_file_map {
    const unsigned char *data; /* [n_bytes]; not NULL even for an empty file */
    size_t n_bytes;
    bool mapped;
} ed_file_map;

/* NOT_FOUND, IO (with the system's reason), LIMIT (larger than bytes_max); the message holds the
 * path. */
embedd_status ed_file_map_open(ed_file_map *map, const char *path, size_t bytes_max,
                               embedd_error *err);
void ed_file_map_close(ed_file_map *map); /* a zeroed map is allowed */
/* Gives back the memory that read pages hold; what is read again comes from the file again. */
void ed_file_map_drop_pages(const ed_file_map *map);

/* Small files: read whole, NUL added after the last byte; release with ed_free. */
embedd_status ed_file_read(const char *path, size_t bytes_max, char **data, size_t *n_bytes,
                           embedd_error *err);
bool ed_file_exists(const char *path);
bool ed_folder_exists(const char *path);
/* "dir/name" in new memory (ed_free), NULL if out of memory. */
char *ed_path_join(const char *dir, const char *name);

#endif
