/* In: sched_getaffinity, /sys and /proc. Out: a number of cores, at least 1. Never fails: what
 * cannot be read sets no limit. */
#if defined(__linux__)
#include "base/cpu_cores.h"

#include "base/file_map.h"
#include "base/memory.h"
#include "base/thread_pool.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CPUS_MAX 4096

static bool shares_core_with_lower(const char *root, const bool *allowed, size_t cpu);
static size_t group_quota(const char *root, const char *mount, const char *group, bool v2);
static size_t quota_of(const char *root, const char *mount, const char *group, bool v2);
static bool read_text(char *text, size_t cap, const char *root, const char *path);

size_t ed_cpu_cores(void)
{
    static const size_t set_bytes = CPU_ALLOC_SIZE(CPUS_MAX);
    size_t n_cores = 1;
    cpu_set_t *set = ed_calloc(1, set_bytes);
    bool *allowed = ed_calloc(CPUS_MAX, sizeof *allowed);
    if (set && allowed && sched_getaffinity(0, set_bytes, set) == 0) {
        for (size_t cpu = 0; cpu < CPUS_MAX; cpu++)
            allowed[cpu] = CPU_ISSET_S(cpu, set_bytes, set);
        n_cores = ed_cpu_cores_allowed("", allowed, CPUS_MAX);
        size_t quota = ed_cpu_quota("");
        if (quota < n_cores)
            n_cores = quota;
    }
    ed_free(set);
    ed_free(allowed);
    return n_cores;
}

size_t ed_cpu_cores_allowed(const char *root, const bool *allowed, size_t n_cpus)
{
    size_t n_cores = 0;
    for (size_t cpu = 0; cpu < n_cpus; cpu++)
        if (allowed[cpu] && !shares_core_with_lower(root, allowed, cpu))
            n_cores++;
    return n_cores > 0 ? n_cores : 1;
}

/* The file lists the logical CPUs of cpu's core, such as "0,64" or "2-3". */
static bool shares_core_with_lower(const char *root, const bool *allowed, size_t cpu)
{
    char path[128], text[256];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%zu/topology/thread_siblings_list",
             cpu);
    if (!read_text(text, sizeof text, root, path))
        return false;
    for (char *at = text; *at >= '0' && *at <= '9';) {
        unsigned long first = strtoul(at, &at, 10), last = first;
        if (*at == '-')
            last = strtoul(at + 1, &at, 10);
        for (unsigned long other = first; other <= last && other < cpu; other++)
            if (allowed[other])
                return true;
        if (*at == ',')
            at++;
    }
    return false;
}

size_t ed_cpu_quota(const char *root)
{
    /* Lines: "0::/group" (version 2), "4:cpu,cpuacct:/group" (version 1). */
    char text[4096];
    size_t quota = SIZE_MAX;
    if (!read_text(text, sizeof text, root, "/proc/self/cgroup"))
        return quota;
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n"));) {
        char *hierarchy = strsep(&line, ":");
        char *controllers = strsep(&line, ":");
        char *group = line;
        if (!controllers || !group || group[0] != '/')
            continue;
        size_t found = SIZE_MAX;
        if (strcmp(hierarchy, "0") == 0 && controllers[0] == '\0') {
            found = group_quota(root, "/sys/fs/cgroup", group, true);
        } else {
            for (char *name; (name = strsep(&controllers, ","));)
                if (strcmp(name, "cpu") == 0)
                    found = group_quota(root, "/sys/fs/cgroup/cpu", group, false);
        }
        if (found < quota)
            quota = found;
    }
    return quota;
}

/* The least of a group and its parents. In a container the group's path may be the host's, and only
 * its root be visible: folders that are not there set no limit. */
static size_t group_quota(const char *root, const char *mount, const char *group, bool v2)
{
    char path[2048];
    size_t quota = SIZE_MAX;
    if (snprintf(path, sizeof path, "%s", group) >= (int)sizeof path)
        return quota;
    for (;;) {
        size_t found = quota_of(root, mount, path, v2);
        if (found < quota)
            quota = found;
        char *slash = strrchr(path, '/');
        if (!slash)
            return quota;
        *slash = '\0';
    }
}

static size_t quota_of(const char *root, const char *mount, const char *group, bool v2)
{
    char path[2304], text[64];
    long long used_us = -1, period_us = 0;
    snprintf(path, sizeof path, "%s%s/%s", mount, group, v2 ? "cpu.max" : "cpu.cfs_quota_us");
    if (!read_text(text, sizeof text, root, path))
        return SIZE_MAX;
    char *end;
    used_us = strtoll(text, &end, 10); /* "max" reads as 0, version 1's "no limit" as -1 */
    if (!v2) {
        snprintf(path, sizeof path, "%s%s/cpu.cfs_period_us", mount, group);
        if (!read_text(text, sizeof text, root, path))
            return SIZE_MAX;
        end = text;
    }
    period_us = strtoll(end, NULL, 10);
    if (used_us <= 0 || period_us <= 0)
        return SIZE_MAX;
    return (size_t)(used_us / period_us + (used_us % period_us != 0));
}

/* The start of a small file of the system; false if it cannot be read. */
static bool read_text(char *text, size_t cap, const char *root, const char *path)
{
    char *whole = ed_path_join(root, path);
    FILE *file = whole ? fopen(whole, "rbe") : NULL;
    ed_free(whole);
    if (!file)
        return false;
    size_t n_bytes = fread(text, 1, cap - 1, file);
    text[n_bytes] = '\0';
    fclose(file);
    return n_bytes > 0;
}
#endif
