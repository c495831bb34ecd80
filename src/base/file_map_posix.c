/* In: a path. Out: the file's bytes, mapped or read. Never blocks on a FIFO, never follows into
 * anything that is not a regular file, never holds more than bytes_max. */
#include "base/checked.h"
#include "base/checksum.h"
#include "base/error.h"
#include "base/file_cuts.h"
#include "base/file_map.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FINGERPRINT_BYTES_MAX ((size_t)64 << 10)

static embedd_status open_regular(const char *path, size_t bytes_max, int *fd, struct stat *info,
                                  embedd_error *err);
static void identify(ed_file_map *map, const struct stat *info);
static embedd_status fail_errno(const char *path, embedd_error *err);

embedd_status ed_file_map_open(ed_file_map *map, const char *path, size_t bytes_max,
                               embedd_error *err)
{
    static const unsigned char nothing[1];
    int fd = -1;
    struct stat info;
    *map = (ed_file_map){0};
    embedd_status status = open_regular(path, bytes_max, &fd, &info, err);
    if (status != EMBEDD_OK)
        return status;
    size_t n_bytes = (size_t)info.st_size;
    identify(map, &info);
    if (n_bytes == 0) { /* mmap refuses a length of 0 */
        map->data = nothing;
        goto done;
    }
    void *data = mmap(NULL, n_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) {
        status = fail_errno(path, err);
        goto done;
    }
    map->data = data;
    map->n_bytes = n_bytes;
    map->mapped = true;
    map->watch = ed_file_cuts_watch(data, n_bytes, fd, path);
    if (map->watch != 0)
        return EMBEDD_OK;
    status = ed_fail(err, EMBEDD_LIMIT, "%s: too many files are mapped", path);
    ed_file_map_close(map);
done:
    close(fd);
    return status;
}

embedd_status ed_file_map_check(const ed_file_map *map, embedd_error *err)
{
    const char *path = ed_file_cuts_find(map->watch);
    return path ? ed_fail(err, EMBEDD_IO, "%s: the file has become shorter while it was in use",
                          path)
                : EMBEDD_OK;
}

static void identify(ed_file_map *map, const struct stat *info)
{
#if defined(__APPLE__)
    const struct timespec *changed = &info->st_mtimespec;
#else
    const struct timespec *changed = &info->st_mtim;
#endif

    /* Not the device: its number may be another one after the next boot. */
    map->identity[0] = (uint64_t)info->st_ino;
    map->identity[1] = (uint64_t)info->st_size;
    map->identity[2] = (uint64_t)changed->tv_sec * 1000000000U + (uint64_t)changed->tv_nsec;
}

uint64_t ed_file_map_fingerprint(const ed_file_map *map, uint64_t seed)
{
    size_t n = map->n_bytes < FINGERPRINT_BYTES_MAX ? map->n_bytes : FINGERPRINT_BYTES_MAX;

    return ed_checksum(map->data, n, ed_checksum(map->identity, sizeof map->identity, seed));
}

void ed_file_map_drop_pages(const ed_file_map *map)
{
    if (map->mapped)
        (void)madvise((void *)map->data, map->n_bytes, MADV_DONTNEED);
}

void ed_file_map_close(ed_file_map *map)
{
    ed_file_cuts_unwatch(map->watch);
    if (map->mapped)
        munmap((void *)map->data, map->n_bytes);
    *map = (ed_file_map){0};
}

embedd_status ed_file_read(const char *path, size_t bytes_max, char **data, size_t *n_bytes,
                           embedd_error *err)
{
    int fd = -1;
    size_t n_total = 0, n_read = 0;
    struct stat info;
    char *bytes = NULL;
    embedd_status status = open_regular(path, bytes_max, &fd, &info, err);
    if (status != EMBEDD_OK)
        return status;
    size_t size = (size_t)info.st_size;
    if (ed_add_size(size, 1, &n_total))
        bytes = ed_realloc(NULL, n_total, 1);
    if (!bytes) {
        status = ed_fail(err, EMBEDD_MEMORY, "%s: no memory for %zu bytes", path, size);
        goto done;
    }
    while (n_read < size) {
        ssize_t n = read(fd, bytes + n_read, size - n_read);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            status = fail_errno(path, err);
            goto done;
        }
        if (n == 0) /* the file has become shorter since it was opened */
            break;
        n_read += (size_t)n;
    }
    bytes[n_read] = '\0';
    *data = bytes;
    *n_bytes = n_read;
    bytes = NULL;
done:
    ed_free(bytes);
    close(fd);
    return status;
}

static embedd_status open_regular(const char *path, size_t bytes_max, int *fd, struct stat *info,
                                  embedd_error *err)
{
    embedd_status status;
    /* O_NONBLOCK: opening a FIFO without a writer would wait for ever. */
    int opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (opened < 0)
        return fail_errno(path, err);
    if (fstat(opened, info) != 0) {
        status = fail_errno(path, err);
        goto fail;
    }
    if (!S_ISREG(info->st_mode)) {
        status = ed_fail(err, EMBEDD_IO, "%s: not a regular file", path);
        goto fail;
    }
    if (info->st_size < 0 || (uintmax_t)info->st_size > bytes_max) {
        status = ed_fail(err, EMBEDD_LIMIT, "%s: %jd bytes, more than the limit of %zu", path,
                         (intmax_t)info->st_size, bytes_max);
        goto fail;
    }
    *fd = opened;
    return EMBEDD_OK;
fail:
    close(opened);
    return status;
}

static embedd_status fail_errno(const char *path, embedd_error *err)
{
    int reason = errno;
    embedd_status status = EMBEDD_IO;
    if (reason == ENOENT || reason == ENOTDIR)
        status = EMBEDD_NOT_FOUND;
    else if (reason == ENOMEM)
        status = EMBEDD_MEMORY;
    return ed_fail(err, status, "%s: %s", path, strerror(reason));
}

bool ed_file_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

bool ed_folder_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

char *ed_path_join(const char *dir, const char *name)
{
    size_t n_dir = strlen(dir), n_name = strlen(name), n_total;
    bool slash = n_dir > 0 && dir[n_dir - 1] != '/';
    if (!ed_add_size(n_dir, n_name, &n_total) || !ed_add_size(n_total, 2, &n_total))
        return NULL;
    char *path = ed_realloc(NULL, n_total, 1);
    if (!path)
        return NULL;
    memcpy(path, dir, n_dir);
    if (slash)
        path[n_dir++] = '/';
    memcpy(path + n_dir, name, n_name + 1);
    return path;
}
