/* In: a listed file. Out: the file on disk with exactly the listed bytes, or an error and at most a
 * NAME.part to go on with. */
#include "hub/download.h"

#include "base/error.h"
#include "base/file_map.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES ((size_t)1 << 16)

typedef struct download {
    const ed_listed_file *file;
    const ed_hub_watcher *watcher;
    char *path; /* where the file belongs */
    char *part; /* path + ".part" */
    char digest[8 + ED_SHA_HEX_MAX];
    int fd;     /* of part */
    ed_sha sha; /* of what part holds */
    uint64_t n_bytes;
} download;

static embedd_status open_files(download *d, const char *folder, embedd_error *err);
static bool is_whole(download *d);
static embedd_status open_part(download *d, embedd_error *err);
static embedd_status fetch(download *d, ed_transfer *transfer, const char *url_path,
                           embedd_error *err);
static embedd_status check(download *d, embedd_error *err);
static embedd_status put_in_place(download *d, embedd_error *err);
static void tell(const download *d);

embedd_status ed_download_file(ed_transfer *transfer, const char *url_path, const char *folder,
                               const ed_listed_file *file, const ed_hub_watcher *watcher,
                               embedd_error *err)
{
    download d = {.file = file, .watcher = watcher, .fd = -1};
    uint64_t n_held = 0;

    snprintf(d.digest, sizeof d.digest, "%s:%s",
             file->checksum_kind == ED_SHA_256 ? "sha256" : "sha1", file->checksum);

    embedd_status status = open_files(&d, folder, err);
    if (status != EMBEDD_OK || is_whole(&d))
        goto done;
    status = open_part(&d, err);
    n_held = d.n_bytes;
    if (status == EMBEDD_OK)
        status = fetch(&d, transfer, url_path, err);
    if (status == EMBEDD_OK)
        status = check(&d, err);
    if (status == EMBEDD_CHECKSUM && n_held > 0) {
        /* What was held may be of another revision: once more, from the beginning. */
        status = fetch(&d, transfer, url_path, err);
        if (status == EMBEDD_OK)
            status = check(&d, err);
    }
    if (status == EMBEDD_OK)
        status = put_in_place(&d, err);
done:
    if (status == EMBEDD_OK)
        tell(&d);
    if (d.fd >= 0)
        close(d.fd);
    ed_free(d.path);
    ed_free(d.part);
    return status;
}

static void tell(const download *d)
{
    if (d->watcher && d->watcher->progress)
        d->watcher->progress(d->watcher->context, d->file->name, d->digest, d->n_bytes,
                             d->file->n_bytes);
}

static embedd_status fail_errno(const char *path, embedd_error *err)
{
    return ed_fail(err, EMBEDD_IO, "%s: %s", path, strerror(errno));
}

static embedd_status open_files(download *d, const char *folder, embedd_error *err)
{
    ed_buf part;

    ed_buf_init(&part, 65536);
    d->path = ed_path_join(folder, d->file->name);
    if (d->path && ed_buf_printf(&part, "%s.part", d->path))
        d->part = ed_strdup(part.data);
    ed_buf_clear(&part);
    if (d->part == NULL)
        return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    char *slash = strrchr(d->path, '/');
    *slash = '\0';
    bool made = mkdir(d->path, 0777) == 0 || errno == EEXIST;
    embedd_status status = made ? EMBEDD_OK : fail_errno(d->path, err);
    *slash = '/';
    return status;
}

/* Git names a file by "blob", its size and its bytes. */
static void start_sum(download *d)
{
    char header[32];

    ed_sha_init(&d->sha, d->file->checksum_kind);
    d->n_bytes = 0;
    if (d->file->checksum_kind == ED_SHA_1) {
        int n = snprintf(header, sizeof header, "blob %" PRIu64, d->file->n_bytes);
        ed_sha_add(&d->sha, header, (size_t)n + 1);
    }
}

/* Adds the rest of the open file to the sum. */
static bool add_file(download *d, int fd)
{
    char bytes[READ_BYTES];
    ssize_t n;

    while ((n = read(fd, bytes, sizeof bytes)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        ed_sha_add(&d->sha, bytes, (size_t)n);
        d->n_bytes += (uint64_t)n;
    }
    return true;
}

static bool sum_is_right(download *d)
{
    char hex[ED_SHA_HEX_MAX];

    ed_sha_hex(&d->sha, hex);
    return d->n_bytes == d->file->n_bytes && strcmp(hex, d->file->checksum) == 0;
}

/* True if an earlier run finished this file. */
static bool is_whole(download *d)
{
    int fd = open(d->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    start_sum(d);
    bool whole = add_file(d, fd) && sum_is_right(d);
    close(fd);
    return whole;
}

/* Opens or makes NAME.part and sums up what it holds. */
static embedd_status open_part(download *d, embedd_error *err)
{
    if (d->fd < 0)
        d->fd = open(d->part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (d->fd < 0)
        return fail_errno(d->part, err);
    start_sum(d);
    if (lseek(d->fd, 0, SEEK_SET) < 0 || !add_file(d, d->fd))
        return fail_errno(d->part, err);
    return EMBEDD_OK;
}

static embedd_status empty_part(void *context, embedd_error *err)
{
    download *d = context;

    start_sum(d);
    if (ftruncate(d->fd, 0) != 0 || lseek(d->fd, 0, SEEK_SET) < 0)
        return fail_errno(d->part, err);
    return EMBEDD_OK;
}

static embedd_status write_part(void *context, const void *data, size_t n_bytes, embedd_error *err)
{
    download *d = context;
    const char *bytes = data;

    if (n_bytes > d->file->n_bytes - d->n_bytes)
        return ed_fail(err, EMBEDD_CHECKSUM, "%s: more than the listed %" PRIu64 " bytes came",
                       d->file->name, d->file->n_bytes);
    ed_sha_add(&d->sha, data, n_bytes);
    d->n_bytes += n_bytes;
    while (n_bytes > 0) {
        ssize_t n = write(d->fd, bytes, n_bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_errno(d->part, err);
        bytes += n;
        n_bytes -= (size_t)n;
    }
    tell(d);
    return EMBEDD_OK;
}

static embedd_status fetch(download *d, ed_transfer *transfer, const char *url_path,
                           embedd_error *err)
{
    if (d->n_bytes > d->file->n_bytes) {
        embedd_status status = empty_part(d, err);
        if (status != EMBEDD_OK)
            return status;
    }
    tell(d);
    if (d->n_bytes == d->file->n_bytes)
        return EMBEDD_OK;
    ed_transfer_sink sink = {.context = d,
                             .n_bytes = d->n_bytes,
                             .n_bytes_total = d->file->n_bytes,
                             .write = write_part,
                             .restart = empty_part};
    return ed_transfer_get(transfer, url_path, &sink, err);
}

/* Bytes that are not the listed ones are worth nothing: they are thrown away. */
static embedd_status check(download *d, embedd_error *err)
{
    if (sum_is_right(d))
        return EMBEDD_OK;
    embedd_status status = empty_part(d, err);
    if (status != EMBEDD_OK)
        return status;
    return ed_fail(err, EMBEDD_CHECKSUM,
                   "%s: the bytes that came do not have the hub's checksum; they were thrown away",
                   d->file->name);
}

static embedd_status put_in_place(download *d, embedd_error *err)
{
    if (fsync(d->fd) != 0)
        return fail_errno(d->part, err);
    if (rename(d->part, d->path) != 0)
        return fail_errno(d->path, err);
    return EMBEDD_OK;
}
