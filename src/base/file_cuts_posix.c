/* In: mappings, and the address of a fault. Out: which file is not whole any more. The handler
 * never takes a lock and never touches memory but that of a watched mapping. */
#include "base/file_cuts.h"

#include "base/memory.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define WATCHES_MAX 4096

typedef struct watch {
    atomic_bool taken;
    atomic_uintptr_t begin, end; /* begin 0 = not watched; the handler reads both */
    atomic_bool cut;
    int fd;
    char *path;
} watch;

/* A signal handler has no other way to its data than static memory. */
static watch watches[WATCHES_MAX + 1]; /* [0] is none */
static struct sigaction before;
static uintptr_t page_bytes;

size_t ed_file_cuts_watch(const void *data, size_t n_bytes, int fd, const char *path)
{
    char *own_path = ed_strdup(path);
    for (size_t i = 1; own_path && i <= WATCHES_MAX; i++) {
        bool none = false;
        watch *w = &watches[i];
        if (!atomic_compare_exchange_strong(&w->taken, &none, true))
            continue;
        w->fd = fd;
        w->path = own_path;
        atomic_store(&w->cut, false);
        atomic_store(&w->end, (uintptr_t)data + n_bytes);
        atomic_store(&w->begin, (uintptr_t)data);
        return i;
    }
    ed_free(own_path);
    return 0;
}

void ed_file_cuts_unwatch(size_t number)
{
    watch *w = &watches[number];
    if (number == 0)
        return;
    atomic_store(&w->begin, 0);
    close(w->fd);
    ed_free(w->path);
    atomic_store(&w->taken, false);
}

const char *ed_file_cuts_find(size_t number)
{
    watch *w = &watches[number];
    struct stat info;
    if (number == 0)
        return NULL;
    /* The end of the last page that is left reads as zeros, without a fault. */
    uintmax_t n_bytes = atomic_load(&w->end) - atomic_load(&w->begin);
    if (fstat(w->fd, &info) == 0 && (uintmax_t)info.st_size < n_bytes)
        atomic_store(&w->cut, true);
    return atomic_load(&w->cut) ? w->path : NULL;
}

/* Zeros from the page of the fault to the mapping's end. mmap is one call of the system. */
static void on_fault(int number, siginfo_t *info, void *context)
{
    uintptr_t at = (uintptr_t)info->si_addr;
    (void)context;
    for (size_t i = 1; i <= WATCHES_MAX; i++) {
        uintptr_t begin = atomic_load(&watches[i].begin), end = atomic_load(&watches[i].end);
        if (begin == 0 || at < begin || at >= end)
            continue;
        uintptr_t page = at & ~(page_bytes - 1);
        atomic_store(&watches[i].cut, true);
        if (mmap((void *)page, end - page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                 0) != MAP_FAILED)
            return;
    }
    sigaction(number, &before, NULL); /* not ours: it comes again, to whoever was there before */
}

void ed_file_cuts_survive(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &before);
}
