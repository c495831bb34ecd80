/* In: nothing. Out: facts, or their absence; on Linux from /proc, elsewhere from sysconf. */
#include "cli/machine_facts.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES_MAX 512

void ed_machine_cpu_name(char *out, size_t out_cap)
{
    FILE *file = fopen("/proc/cpuinfo", "re");
    char line[LINE_BYTES_MAX];
    struct utsname system;

    snprintf(out, out_cap, "%s", uname(&system) == 0 ? system.machine : "unknown");
    while (file && fgets(line, sizeof line, file)) {
        const char *value = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || value == NULL)
            continue;
        value += 1 + strspn(value + 1, " ");
        snprintf(out, out_cap, "%.*s", (int)strcspn(value, "\n"), value);
        break;
    }
    if (file)
        fclose(file);
}

void ed_machine_system_name(char *out, size_t out_cap)
{
    struct utsname system;

    if (uname(&system) == 0)
        snprintf(out, out_cap, "%s %s, %s", system.sysname, system.release, system.machine);
    else
        snprintf(out, out_cap, "an unknown system");
}

bool ed_machine_memory(uint64_t *total, uint64_t *available)
{
    FILE *file = fopen("/proc/meminfo", "re");
    char line[LINE_BYTES_MAX];
    uint64_t kib;

    *total = *available = 0;
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "MemTotal: %" SCNu64, &kib) == 1)
            *total = 1024 * kib;
        else if (sscanf(line, "MemAvailable: %" SCNu64, &kib) == 1)
            *available = 1024 * kib;
    }
    if (file)
        fclose(file);
    if (*total == 0) {
        long n_pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
        if (n_pages <= 0 || page_bytes <= 0)
            return false;
        *total = (uint64_t)n_pages * (uint64_t)page_bytes;
    }
    if (*available == 0)
        *available = *total;
    return true;
}

static uint64_t peak_memory_of_self(void)
{
    struct rusage usage;

    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
#ifdef __APPLE__
    return (uint64_t)usage.ru_maxrss;
#else
    return 1024 * (uint64_t)usage.ru_maxrss;
#endif
}

uint64_t ed_machine_peak_memory(long pid)
{
    char path[64], line[LINE_BYTES_MAX];
    uint64_t kib = 0;

    if (pid == ED_PROCESS_SELF)
        return peak_memory_of_self();
    snprintf(path, sizeof path, "/proc/%ld/status", pid);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmHWM: %" SCNu64, &kib) == 1)
            break;
    if (file)
        fclose(file);
    return 1024 * kib;
}

double ed_machine_cpu_seconds(long pid)
{
    clockid_t clock = CLOCK_PROCESS_CPUTIME_ID;
    struct timespec time;

    if (pid == ED_PROCESS_UNKNOWN)
        return -1;
#ifdef __linux__
    if (pid != ED_PROCESS_SELF && clock_getcpuclockid((pid_t)pid, &clock) != 0)
        return -1;
#else
    if (pid != ED_PROCESS_SELF)
        return -1;
#endif
    if (clock_gettime(clock, &time) != 0)
        return -1;
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

bool ed_machine_port_is_free(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int on = 1;

    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s < 0)
        return false;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bool is_free = bind(s, (struct sockaddr *)&address, sizeof address) == 0;
    close(s);
    return is_free;
}
