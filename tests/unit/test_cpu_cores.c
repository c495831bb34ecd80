/* Cores and quotas, read from made copies of what Linux shows under /sys and /proc. */
#include "base/cpu_cores.h"

#include "base/thread_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_at_least_one_and_no_more_than_cpus(void **state)
{
    (void)state;
    assert_in_range(ed_cpu_cores(), 1, (size_t)sysconf(_SC_NPROCESSORS_CONF));
}

#if defined(__linux__)
#include <ftw.h>
#include <sched.h>

static char root[64];

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

static int make_root(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/embedd_cpu_cores.XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    (void)state;
    return nftw(root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* Writes a file below root, and the folders on its way. */
static void put(const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s%s", root, name);
    for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void put_siblings(size_t cpu, const char *list)
{
    char name[128];
    snprintf(name, sizeof name, "/sys/devices/system/cpu/cpu%zu/topology/thread_siblings_list",
             cpu);
    put(name, list);
}

static void test_affinity_is_respected(void **state)
{
    (void)state;
    cpu_set_t before, one;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    size_t cpu = 0;
    while (!CPU_ISSET(cpu, &before))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    size_t n_cores = ed_cpu_cores();
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
    assert_int_equal(n_cores, 1);
}

static void test_threads_of_a_core_count_once(void **state)
{
    (void)state;
    const bool all[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    const bool upper[8] = {0, 0, 0, 0, 1, 1, 1, 1};
    const bool mixed[8] = {1, 0, 0, 1, 1, 1, 0, 0};
    const bool none[8] = {0};
    assert_int_equal(ed_cpu_cores_allowed(root, all, 8), 8); /* nothing is known */
    const char *const apart[] = {"0,4\n", "1,5\n", "2,6\n", "3,7\n",
                                 "0,4\n", "1,5\n", "2,6\n", "3,7\n"};
    for (size_t cpu = 0; cpu < 8; cpu++)
        put_siblings(cpu, apart[cpu]);
    assert_int_equal(ed_cpu_cores_allowed(root, all, 8), 4);
    assert_int_equal(ed_cpu_cores_allowed(root, upper, 8), 4);
    assert_int_equal(ed_cpu_cores_allowed(root, mixed, 8), 3);
    assert_int_equal(ed_cpu_cores_allowed(root, none, 8), 1);
    const char *const pairs[] = {"0-1\n", "0-1\n", "2-3\n", "2-3\n", "4\n", "5\n", "", "?"};
    for (size_t cpu = 0; cpu < 8; cpu++)
        put_siblings(cpu, pairs[cpu]);
    assert_int_equal(ed_cpu_cores_allowed(root, all, 8), 6);
    put_siblings(7, "0-99999999999999999999,-,5-2");
    assert_int_equal(ed_cpu_cores_allowed(root, all, 8), 5);
}

static void test_quota(void **state)
{
    (void)state;
    assert_true(ed_cpu_quota(root) == SIZE_MAX); /* no control groups */
    put("/proc/self/cgroup", "0::/a/b\n");
    assert_true(ed_cpu_quota(root) == SIZE_MAX);
    put("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
    assert_true(ed_cpu_quota(root) == SIZE_MAX);
    put("/sys/fs/cgroup/a/cpu.max", "250000 100000\n"); /* the parent's holds as well */
    assert_int_equal(ed_cpu_quota(root), 3);
    put("/sys/fs/cgroup/a/b/cpu.max", "50000 100000\n");
    assert_int_equal(ed_cpu_quota(root), 1);
    put("/sys/fs/cgroup/a/b/cpu.max", "300000 100000\n");
    put("/sys/fs/cgroup/cpu.max", "200000 100000\n"); /* as a container sees its own group */
    assert_int_equal(ed_cpu_quota(root), 2);
    const char *const nonsense[] = {"0 0", "-5 100000", "100000", "x y", "1 0"};
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        put("/sys/fs/cgroup/cpu.max", nonsense[i]);
        assert_int_equal(ed_cpu_quota(root), 3);
    }
}

static void test_quota_of_version_1(void **state)
{
    (void)state;
    put("/proc/self/cgroup", "5:memory:/x\n4:cpuset:/y\n3:cpu,cpuacct:/d\n0::/none\n1:x\n\n");
    put("/sys/fs/cgroup/cpu/d/cpu.cfs_period_us", "50000\n");
    put("/sys/fs/cgroup/cpu/d/cpu.cfs_quota_us", "-1\n");
    put("/sys/fs/cgroup/cpu.max", "max 100000\n");
    assert_true(ed_cpu_quota(root) == SIZE_MAX);
    put("/sys/fs/cgroup/cpu/d/cpu.cfs_quota_us", "75000\n");
    assert_int_equal(ed_cpu_quota(root), 2);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_least_one_and_no_more_than_cpus),
#if defined(__linux__)
        cmocka_unit_test(test_affinity_is_respected),
        cmocka_unit_test_setup_teardown(test_threads_of_a_core_count_once, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_quota, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_quota_of_version_1, make_root, remove_root),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
