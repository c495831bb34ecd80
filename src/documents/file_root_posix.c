/* In: a path from a stranger. Out: a regular file below a root, open for reading. Never waits for a
 * pipe, never opens a device, never believes a path twice: between resolving it and walking it
 * anything may have changed. */
#include "documents/file_root.h"

#include "base/error.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef O_PATH
#define FOLDER_FLAGS (O_PATH | O_DIRECTORY | O_CLOEXEC)
#else
#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
#endif

typedef struct root {
    int fd;
    char *path; /* without links; "" for "/", so that "path/" begins whatever is below */
} root;

struct ed_file_roots {
    root *roots; /* [n_roots] */
    size_t n_roots;
};

static bool resolve(const root *r, embedd_text path, char resolved[PATH_MAX]);
static bool is_below(const root *r, const char *resolved);
static ed_file_answer walk(ed_rooted_file *file, const root *r, char *below);
static ed_file_answer open_last(ed_rooted_file *file, int folder, const char *name);

embedd_status ed_file_roots_open(ed_file_roots **out, const char *const *folders, size_t n_folders,
                                 embedd_error *err)
{
    embedd_status status = EMBEDD_MEMORY;
    ed_file_roots *roots = ed_calloc(1, sizeof *roots);
    if (!roots || !(roots->roots = ed_calloc(n_folders, sizeof *roots->roots)))
        goto no_memory;
    for (; roots->n_roots < n_folders; roots->n_roots++) {
        root *r = &roots->roots[roots->n_roots];
        char resolved[PATH_MAX];
        if (!realpath(folders[roots->n_roots], resolved) ||
            (r->fd = open(resolved, FOLDER_FLAGS)) < 0) {
            status = errno == ENOENT ? EMBEDD_NOT_FOUND : EMBEDD_IO;
            ed_fail(err, status, "--file-root %s: %s", folders[roots->n_roots], strerror(errno));
            goto failed;
        }
        if (!(r->path = ed_strdup(strcmp(resolved, "/") == 0 ? "" : resolved))) {
            close(r->fd);
            goto no_memory;
        }
    }
    *out = roots;
    return EMBEDD_OK;
no_memory:
    ed_fail(err, EMBEDD_MEMORY, "no memory for the file roots");
failed:
    ed_file_roots_close(roots);
    return status;
}

void ed_file_roots_close(ed_file_roots *roots)
{
    if (!roots)
        return;
    for (size_t i = 0; i < roots->n_roots; i++) {
        close(roots->roots[i].fd);
        ed_free(roots->roots[i].path);
    }
    ed_free(roots->roots);
    ed_free(roots);
}

ed_file_answer ed_rooted_file_open(ed_rooted_file *file, const ed_file_roots *roots,
                                   embedd_text path)
{
    ed_file_answer answer = ED_FILE_FORBIDDEN;
    char resolved[PATH_MAX];
    *file = (ed_rooted_file){.fd = -1};
    for (size_t i = 0; i < roots->n_roots && answer == ED_FILE_FORBIDDEN; i++) {
        const root *r = &roots->roots[i];
        if (resolve(r, path, resolved) && is_below(r, resolved))
            answer = walk(file, r, resolved + strlen(r->path));
    }
    return answer;
}

static bool resolve(const root *r, embedd_text path, char resolved[PATH_MAX])
{
    char whole[PATH_MAX];
    bool absolute = path.n_bytes > 0 && path.bytes[0] == '/';
    if (path.n_bytes == 0 || path.n_bytes >= PATH_MAX || memchr(path.bytes, '\0', path.n_bytes))
        return false;
    int n = snprintf(whole, sizeof whole, "%s%s%.*s", absolute ? "" : r->path, absolute ? "" : "/",
                     (int)path.n_bytes, path.bytes);
    return n > 0 && (size_t)n < sizeof whole && realpath(whole, resolved);
}

static bool is_below(const root *r, const char *resolved)
{
    size_t n = strlen(r->path);
    return strncmp(resolved, r->path, n) == 0 && (resolved[n] == '/' || resolved[n] == '\0');
}

/* `below` is "/a/b/c.txt"; it is cut into its names. */
static ed_file_answer walk(ed_rooted_file *file, const root *r, char *below)
{
    int folder = r->fd;
    ed_file_answer answer = ED_FILE_FORBIDDEN;
    char *name = below + (*below == '/');
    if (*name == '\0')
        return ED_FILE_NOT_REGULAR; /* the root itself */
    for (char *end; (end = strchr(name, '/')); name = end + 1) {
        *end = '\0';
        int next = openat(folder, name, FOLDER_FLAGS | O_NOFOLLOW);
        if (folder != r->fd)
            close(folder);
        if (next < 0)
            return ED_FILE_FORBIDDEN;
        folder = next;
    }
    answer = open_last(file, folder, name);
    if (folder != r->fd)
        close(folder);
    return answer;
}

/* What is no file is not even opened: that alone can change the state of a device. */
static ed_file_answer open_last(ed_rooted_file *file, int folder, const char *name)
{
    struct stat is;
    if (fstatat(folder, name, &is, AT_SYMLINK_NOFOLLOW) != 0)
        return ED_FILE_FORBIDDEN;
    if (!S_ISREG(is.st_mode))
        return S_ISLNK(is.st_mode) ? ED_FILE_FORBIDDEN : ED_FILE_NOT_REGULAR;
    file->fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (file->fd < 0)
        return ED_FILE_FORBIDDEN;
    if (fstat(file->fd, &is) == 0 && S_ISREG(is.st_mode) && is.st_size >= 0) {
        file->n_bytes = (uintmax_t)is.st_size < SIZE_MAX ? (size_t)is.st_size : SIZE_MAX;
        return ED_FILE_OPENED;
    }
    ed_rooted_file_close(file);
    return ED_FILE_NOT_REGULAR;
}

bool ed_rooted_file_read(const ed_rooted_file *file, char *bytes, size_t *n_bytes)
{
    *n_bytes = 0;
    while (*n_bytes < file->n_bytes) {
        ssize_t n = read(file->fd, bytes + *n_bytes, file->n_bytes - *n_bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        if (n == 0)
            break;
        *n_bytes += (size_t)n;
    }
    return true;
}

void ed_rooted_file_close(ed_rooted_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}
