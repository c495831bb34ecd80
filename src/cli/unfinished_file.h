/* A file that must not stay behind when the user interrupts the program. */
#ifndef ED_UNFINISHED_FILE_H
#define ED_UNFINISHED_FILE_H

/* From now on SIGINT, SIGTERM and SIGHUP remove `path` before they end the program; NULL = no
 * more. One file at a time; a path too long to keep is not guarded. */
void ed_unfinished_file_guard(const char *path);

#endif
