/* Files that become shorter while they are mapped: reading what is gone raises SIGBUS, which ends
 * the process. Each mapping of file_map.h is watched here; a program that calls
 * ed_file_cuts_survive lives on with zeros in place of what is gone, and must ask whether a file is
 * whole before it believes what it has computed from it. The library never installs the handler by
 * itself. */
#ifndef ED_FILE_CUTS_H
#define ED_FILE_CUTS_H

#include <stdbool.h>
#include <stddef.h>

/* `fd` is kept until the end of the watch, the path is copied. 0 = no room for one more. */
size_t ed_file_cuts_watch(const void *data, size_t n_bytes, int fd, const char *path);
void ed_file_cuts_unwatch(size_t watch); /* before the memory is unmapped; 0 is allowed */

/* NULL, or the path of a file that has become shorter, or whose pages could not be read. */
const char *ed_file_cuts_find(size_t watch);

/* For the program's first lines: the process's handler of SIGBUS, for watched mappings only. */
void ed_file_cuts_survive(void);

#endif
