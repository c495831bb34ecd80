/* Temporary copies of a model folder, to break one thing in. */
#ifndef FOLDER_H
#define FOLDER_H

#include <stddef.h>

/* A new folder with the files of `source` and of its folders; ends the program if that fails. */
char *folder_copy(const char *source);
/* A new empty folder; and one inside another. */
char *folder_new(void);
void folder_make_folder(const char *folder, const char *name);
/* Replaces or creates one file. */
void folder_write(const char *folder, const char *name, const void *data, size_t n_bytes);
void folder_write_text(const char *folder, const char *name, const char *text);
/* The bytes of a file; free(). */
char *folder_read(const char *folder, const char *name, size_t *n_bytes);
void folder_delete_file(const char *folder, const char *name);
/* Removes the folder and frees the name. */
void folder_remove(char *folder);

#endif
