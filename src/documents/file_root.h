/* Files below folders that the user has allowed. Whatever a path says, nothing outside of them is
 * opened: symbolic links are followed first, and then every step of the result is taken without
 * following any. */
#ifndef ED_FILE_ROOT_H
#define ED_FILE_ROOT_H

#include "embedd.h"

typedef struct ed_file_roots ed_file_roots;

/* NOT_FOUND (no such folder), IO, MEMORY; the message names the folder. */
embedd_status ed_file_roots_open(ed_file_roots **out, const char *const *folders, size_t n_folders,
                                 embedd_error *err);
void ed_file_roots_close(ed_file_roots *roots); /* NULL is allowed */

typedef enum ed_file_answer {
    ED_FILE_OPENED,
    ED_FILE_FORBIDDEN,  /* outside, missing, not readable: a caller does not learn which */
    ED_FILE_NOT_REGULAR /* a folder, a pipe, a device */
} ed_file_answer;

typedef struct ed_rooted_file {
    int fd;
    size_t n_bytes; /* when it was opened */
} ed_rooted_file;

/* `path` is absolute, or below one of the folders, the first that has it. */
ed_file_answer ed_rooted_file_open(ed_rooted_file *file, const ed_file_roots *roots,
                                   embedd_text path);
/* Reads at most file->n_bytes to `bytes`; *n_bytes is less if the file has shrunk. False if it
 * cannot be read. */
bool ed_rooted_file_read(const ed_rooted_file *file, char *bytes, size_t *n_bytes);
void ed_rooted_file_close(ed_rooted_file *file);

#endif
