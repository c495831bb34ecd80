/* Temporary model folders. A failure here ends the test program. */
#include "support/folder.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void join(char out[4096], const char *folder, const char *name)
{
    if ((size_t)snprintf(out, 4096, "%s/%s", folder, name) >= 4096)
        die("a path is too long");
}

/* Model folders are two levels deep: files, and one folder for each module. */
static void copy_files(const char *from, const char *to, int depth)
{
    DIR *folder = opendir(from);

    if (!folder)
        die(from);
    for (struct dirent *entry; (entry = readdir(folder));) {
        char source[4096], target[4096];
        struct stat status;

        if (entry->d_name[0] == '.')
            continue;
        join(source, from, entry->d_name);
        join(target, to, entry->d_name);
        if (stat(source, &status) != 0)
            die(source);
        if (S_ISDIR(status.st_mode) && depth == 0) {
            if (mkdir(target, 0700) != 0)
                die(target);
            copy_files(source, target, 1);
        } else if (S_ISREG(status.st_mode)) {
            size_t n_bytes;
            char *data = folder_read(from, entry->d_name, &n_bytes);
            folder_write(to, entry->d_name, data, n_bytes);
            free(data);
        }
    }
    closedir(folder);
}

char *folder_new(void)
{
    char *folder = strdup("/tmp/embedd-test-XXXXXX");

    if (!folder || !mkdtemp(folder))
        die("mkdtemp");
    return folder;
}

void folder_make_folder(const char *folder, const char *name)
{
    char path[4096];

    join(path, folder, name);
    if (mkdir(path, 0700) != 0)
        die(path);
}

char *folder_copy(const char *source)
{
    char *folder = folder_new();

    copy_files(source, folder, 0);
    return folder;
}

void folder_write(const char *folder, const char *name, const void *data, size_t n_bytes)
{
    char path[4096];

    join(path, folder, name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, 1, n_bytes, file) != n_bytes || fclose(file) != 0)
        die(path);
}

void folder_write_text(const char *folder, const char *name, const char *text)
{
    folder_write(folder, name, text, strlen(text));
}

char *folder_read(const char *folder, const char *name, size_t *n_bytes)
{
    char path[4096];
    struct stat status;

    join(path, folder, name);
    FILE *file = fopen(path, "rb");
    if (!file || fstat(fileno(file), &status) != 0)
        die(path);
    *n_bytes = (size_t)status.st_size;
    char *data = calloc(*n_bytes + 1, 1);
    if (!data || fread(data, 1, *n_bytes, file) != *n_bytes)
        die(path);
    fclose(file);
    return data;
}

void folder_delete_file(const char *folder, const char *name)
{
    char path[4096];

    join(path, folder, name);
    if (unlink(path) != 0)
        die(path);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *at)
{
    (void)status;
    (void)type;
    (void)at;
    return remove(path);
}

void folder_remove(char *folder)
{
    if (nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS) != 0)
        die(folder);
    free(folder);
}
