/* In: paths. Out: files made or gone. Removes only what has the name of a file of ours. */
#include "engine/packed_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/checksum.h"
#include "base/file_map.h"
#include "base/memory.h"

#define MODEL_NAME_MAX   64
#define FOLDER_BYTES_MAX ((uint64_t)16 << 30)
#define UNFINISHED_S     3600

static const char extension[] = ".packed";

/* ---- names ----------------------------------------------------------------------------------- */

/* The last part of a path, without what would be trouble in a name. */
static void copy_base_name(char out[MODEL_NAME_MAX], const char *path)
{
    const char *base = strrchr(path, '/');
    size_t n = 0;

    for (base = base ? base + 1 : path; *base && n + 1 < MODEL_NAME_MAX; base++, n++) {
        char c = *base;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '.' || c == '_';
        out[n] = plain && !(n == 0 && c == '.') ? c : '-';
    }
    out[n] = '\0';
}

char *ed_packed_folder_path(const char *folder, const ed_packed_name *name)
{
    char model[MODEL_NAME_MAX], file[256];
    char *place = realpath(name->model, NULL);
    const char *where = place ? place : name->model;

    copy_base_name(model, where);
    snprintf(file, sizeof file, "%s-%08x-%s-%s-%016llx%s", model,
             (unsigned)(ed_checksum(where, strlen(where), 0) & 0xffffffffU), name->dtype,
             name->level, (unsigned long long)ed_checksum(name->key, strlen(name->key), 0),
             extension);
    ed_free(place);
    return ed_path_join(folder, file);
}

bool ed_packed_folder_prepare(const char *path)
{
    char *folder = ed_strdup(path);
    bool made = folder != NULL;

    for (char *slash = made ? strchr(folder + 1, '/') : NULL; made && slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        made = mkdir(folder, 0700) == 0 || errno == EEXIST;
        *slash = '/';
    }
    ed_free(folder);
    return made;
}

void ed_packed_folder_touch(const char *path)
{
    (void)utimensat(AT_FDCWD, path, NULL, 0);
}

/* ---- what leaves ----------------------------------------------------------------------------- */

typedef struct kept_file {
    char *path;
    uint64_t n_bytes;
    time_t used;
} kept_file;

typedef struct kept_files {
    kept_file *files; /* [n] */
    size_t n;
    uint64_t n_bytes;
} kept_files;

static bool is_stale(const char *name, const char *written, const struct stat *info)
{
    const char *end = strstr(name, extension);
    size_t n_same = (size_t)(strrchr(written, '-') + 1 - written);

    if (end[sizeof extension - 1] == '.') /* a writer's: path.XXXXXX */
        return time(NULL) - info->st_mtime > UNFINISHED_S;
    return strcmp(name, written) != 0 && strncmp(name, written, n_same) == 0 &&
           !strchr(name + n_same, '-');
}

static void keep(kept_files *kept, char *path, const struct stat *info)
{
    kept_file *files = ed_realloc(kept->files, kept->n + 1, sizeof *files);

    if (!files) {
        ed_free(path);
        return;
    }
    kept->files = files;
    files[kept->n++] = (kept_file){path, (uint64_t)info->st_size, info->st_mtime};
    kept->n_bytes += (uint64_t)info->st_size;
}

static int compare_use(const void *a, const void *b)
{
    const kept_file *x = a, *y = b;

    return (x->used > y->used) - (x->used < y->used);
}

/* The file that was just written stays, however large it is. */
static void remove_oldest(kept_files *kept, const char *written)
{
    if (kept->n > 0)
        qsort(kept->files, kept->n, sizeof *kept->files, compare_use);
    for (size_t i = 0; i < kept->n; i++) {
        if (kept->n_bytes > FOLDER_BYTES_MAX && strcmp(kept->files[i].path, written) != 0) {
            (void)unlink(kept->files[i].path);
            kept->n_bytes -= kept->files[i].n_bytes;
        }
        ed_free(kept->files[i].path);
    }
    ed_free(kept->files);
}

void ed_packed_folder_clean(const char *path)
{
    char *folder = ed_strdup(path);
    char *written = folder ? strrchr(folder, '/') : NULL;
    kept_files kept = {.files = NULL};
    struct dirent *entry;
    struct stat info;
    DIR *dir = NULL;

    if (written) {
        *written++ = '\0';
        dir = opendir(folder);
    }
    while (dir && (entry = readdir(dir)) != NULL) {
        char *file = strstr(entry->d_name, extension) ? ed_path_join(folder, entry->d_name) : NULL;
        if (!file)
            continue;
        if (lstat(file, &info) != 0 || !S_ISREG(info.st_mode)) {
            ed_free(file);
        } else if (is_stale(entry->d_name, written, &info)) {
            (void)unlink(file);
            ed_free(file);
        } else {
            keep(&kept, file, &info);
        }
    }
    if (dir)
        closedir(dir);
    remove_oldest(&kept, path);
    ed_free(folder);
}
