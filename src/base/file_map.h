/* A file mapped read-only, or its bytes read into memory. Regular files only. */
#ifndef ED_FILE_MAP_H
#define ED_FILE_MAP_H

#include "embedd.h"

typedef struct ed_file_map {
    const unsigned char *data; /* [n_bytes]; not NULL even for an empty file */
    size_t n_bytes;
    bool mapped;
    size_t watch;         /* see file_cuts.h */
    uint64_t identity[3]; /* inode, size, time of the last change in ns */
} ed_file_map;

/* NOT_FOUND, IO (with the system's reason), LIMIT (larger than bytes_max); the message holds the
 * path. */
embedd_status ed_file_map_open(ed_file_map *map, const char *path, size_t bytes_max,
                               embedd_error *err);
void ed_file_map_close(ed_file_map *map); /* a zeroed map is allowed */
/* IO and the path, if the file has become shorter: what was read since then may be zeros, and where
 * nobody survives SIGBUS the next read ends the process. */
embedd_status ed_file_map_check(const ed_file_map *map, embedd_error *err);
/* Gives back the memory that read pages hold; what is read again comes from the file again. */
void ed_file_map_drop_pages(const ed_file_map *map);

/* Tells whether a file is still the one it was: from its identity and its first 64 KiB. `seed`: see
 * ed_checksum. */
uint64_t ed_file_map_fingerprint(const ed_file_map *map, uint64_t seed);

/* Small files: read whole, NUL added after the last byte; release with ed_free. */
embedd_status ed_file_read(const char *path, size_t bytes_max, char **data, size_t *n_bytes,
                           embedd_error *err);
bool ed_file_exists(const char *path);
bool ed_folder_exists(const char *path);
/* "dir/name" in new memory (ed_free), NULL if out of memory. */
char *ed_path_join(const char *dir, const char *name);

#endif
