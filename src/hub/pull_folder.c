/* In: a store and a model's name. Out: folders. A reader of the store sees the old model, then the
 * new one, and nothing between that a crash could leave behind but one rename's gap. */
#include "hub/pull_folder.h"

#include "base/error.h"
#include "base/file_map.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PATH_BYTES_MAX ((size_t)8192)
#define COMMIT_FILE    ".revision"
#define REMOVE_FDS     8

static embedd_status fail_errno(const char *path, embedd_error *err)
{
    return ed_fail(err, EMBEDD_IO, "%s: %s", path, strerror(errno));
}

embedd_status ed_pull_folder_init(ed_pull_folder *folder, const char *store, const char *full_name,
                                  embedd_error *err)
{
    char path[PATH_BYTES_MAX];
    const char *name = strchr(full_name, '/');

    *folder = (ed_pull_folder){.lock = -1};
    int n = snprintf(path, sizeof path, "%s/%.*s/.%s.partial", store, (int)(name - full_name),
                     full_name, name + 1);
    if (n < 0 || (size_t)n >= sizeof path)
        return ed_fail(err, EMBEDD_IO, "%s: the path is too long", store);
    folder->partial = ed_strdup(path);
    folder->place = ed_path_join(store, full_name);
    if (folder->partial && folder->place)
        return EMBEDD_OK;
    ed_pull_folder_clear(folder);
    return ed_fail(err, EMBEDD_MEMORY, "out of memory");
}

void ed_pull_folder_clear(ed_pull_folder *folder)
{
    if (folder->lock >= 0)
        close(folder->lock);
    ed_free(folder->place);
    ed_free(folder->partial);
    *folder = (ed_pull_folder){.lock = -1};
}

/* mkdir -p. */
static embedd_status make_folders(const char *path, embedd_error *err)
{
    char part[PATH_BYTES_MAX];
    size_t n = strlen(path);

    memcpy(part, path, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        part[i] = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return fail_errno(part, err);
        part[i] = path[i];
    }
    return ed_folder_exists(path) ? EMBEDD_OK
                                  : ed_fail(err, EMBEDD_IO, "%s: is not a folder", path);
}

embedd_status ed_pull_folder_open(ed_pull_folder *folder, uint64_t n_bytes, embedd_error *err)
{
    struct statvfs space;

    embedd_status status = make_folders(folder->partial, err);
    if (status != EMBEDD_OK)
        return status;
    folder->lock = open(folder->partial, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->lock < 0)
        return fail_errno(folder->partial, err);
    if (flock(folder->lock, LOCK_EX | LOCK_NB) != 0)
        return ed_fail(err, EMBEDD_IO, "%s: another process is pulling this model",
                       folder->partial);
    if (fstatvfs(folder->lock, &space) == 0) {
        uint64_t n_free = (uint64_t)space.f_bavail * space.f_frsize;
        if (n_free < n_bytes)
            return ed_fail(err, EMBEDD_IO,
                           "%s: the model needs %" PRIu64 " MB of disk, %" PRIu64 " MB are free",
                           folder->partial, n_bytes / 1000000 + 1, n_free / 1000000);
    }
    return EMBEDD_OK;
}

/* ---- activation ------------------------------------------------------------------------------ */

static bool sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return done;
}

static int sync_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)where;
    return kind == FTW_DP && !sync_folder(path);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    remove(path); /* what stays is in the way of nothing */
    return 0;
}

embedd_status ed_pull_folder_activate(ed_pull_folder *folder, embedd_error *err)
{
    char replaced[PATH_BYTES_MAX];
    char owner[PATH_BYTES_MAX];

    snprintf(owner, sizeof owner, "%.*s", (int)(strrchr(folder->place, '/') - folder->place),
             folder->place);
    snprintf(replaced, sizeof replaced, "%s.replaced", folder->partial);
    if (nftw(folder->partial, sync_one, REMOVE_FDS, FTW_DEPTH | FTW_PHYS) != 0)
        return fail_errno(folder->partial, err);
    if (ed_folder_exists(folder->place)) {
        nftw(replaced, remove_one, REMOVE_FDS, FTW_DEPTH | FTW_PHYS);
        if (rename(folder->place, replaced) != 0)
            return fail_errno(folder->place, err);
    }
    if (rename(folder->partial, folder->place) != 0) {
        embedd_status status = fail_errno(folder->place, err);
        rename(replaced, folder->place);
        return status;
    }
    if (!sync_folder(owner))
        return fail_errno(owner, err);
    nftw(replaced, remove_one, REMOVE_FDS, FTW_DEPTH | FTW_PHYS);
    return EMBEDD_OK;
}

/* ---- the commit ------------------------------------------------------------------------------ */

void ed_pull_folder_read_commit(const char *folder, char commit[65])
{
    char *path = ed_path_join(folder, COMMIT_FILE);
    char *text = NULL;
    size_t n_bytes = 0;

    commit[0] = '\0';
    if (path && ed_file_read(path, 64, &text, &n_bytes, NULL) == EMBEDD_OK)
        snprintf(commit, 65, "%s", text);
    commit[strcspn(commit, "\r\n")] = '\0';
    ed_free(text);
    ed_free(path);
}

embedd_status ed_pull_folder_write_commit(const char *folder, const char *commit, embedd_error *err)
{
    char *path = ed_path_join(folder, COMMIT_FILE);
    FILE *file = path ? fopen(path, "we") : NULL;
    bool done =
        file && fprintf(file, "%s\n", commit) > 0 && fflush(file) == 0 && fsync(fileno(file)) == 0;
    if (file && fclose(file) != 0)
        done = false;
    embedd_status status = done ? EMBEDD_OK : fail_errno(path ? path : folder, err);
    ed_free(path);
    return status;
}
