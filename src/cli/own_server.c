/* In: arguments. Out: a server that listens on a free port of 127.0.0.1, and ends with this process
 * whatever happens: its standard input is a pipe from here. */
#include "cli/own_server.h"

#include "base/clock.h"
#include "base/error.h"
#include "formats/json.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif

#define ARGUMENTS_MAX  24
#define VARIABLES_MAX  1024
#define PATH_BYTES_MAX 4096
#define LINE_BYTES_MAX 4096

extern char **environ;

static bool find_program(char path[PATH_BYTES_MAX])
{
#ifdef __APPLE__
    uint32_t n = PATH_BYTES_MAX;
    return _NSGetExecutablePath(path, &n) == 0;
#else
    ssize_t n = readlink("/proc/self/exe", path, PATH_BYTES_MAX - 1);
    path[n > 0 ? n : 0] = '\0';
    return n > 0;
#endif
}

/* A key or a socket of the user's would change how the server is asked. */
static void copy_environment(char **out)
{
    size_t n = 0;

    for (char **variable = environ; *variable && n + 1 < VARIABLES_MAX; variable++)
        if (strncmp(*variable, "EMBEDD_", 7) != 0)
            out[n++] = *variable;
    out[n] = NULL;
}

static bool spawn(ed_own_server *server, char *const *argv, int in, int out)
{
    char path[PATH_BYTES_MAX];
    char *variables[VARIABLES_MAX];
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;

    if (!find_program(path) || posix_spawn_file_actions_init(&actions) != 0)
        return false;
    copy_environment(variables);
    bool good =
        posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO) == 0 &&
        posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO) == 0 &&
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
        posix_spawn(&pid, path, &actions, NULL, argv, variables) == 0;
    posix_spawn_file_actions_destroy(&actions);
    server->pid = pid;
    return good;
}

/* The ready line tells the address. */
static embedd_status read_ready_line(ed_own_server *server, int fd, embedd_error *err)
{
    char line[LINE_BYTES_MAX];
    size_t n = 0;
    struct json_object *object = NULL;
    const char *url = NULL;

    while (n < sizeof line && read(fd, line + n, 1) == 1 && line[n] != '\n')
        n++;
    if (n == 0 || n == sizeof line)
        return ed_fail(err, EMBEDD_NETWORK,
                       "embedd serve ended before it was ready; start it to see why");
    embedd_status status = ed_json_parse(line, n, "ready line", &object, err);
    if (status == EMBEDD_OK)
        status = ed_json_get_string(object, "url", &url, "ready line", err);
    if (status == EMBEDD_OK)
        snprintf(server->address.url, sizeof server->address.url, "%s", url ? url : "");
    json_object_put(object);
    server->address.kind = ED_SERVER_EMBEDD;
    snprintf(server->address.version, sizeof server->address.version, "%s", EMBEDD_VERSION);
    return status;
}

embedd_status ed_own_server_start(ed_own_server *server, const char *const *arguments,
                                  embedd_error *err)
{
    const char *argv[ARGUMENTS_MAX] = {"embedd", "serve", "--port", "0", "--exit-with-parent"};
    int to[2] = {-1, -1}, from[2] = {-1, -1};
    size_t n = 5;

    *server = (ed_own_server){.stdin_fd = -1};
    for (; *arguments && n + 1 < ARGUMENTS_MAX; arguments++)
        argv[n++] = *arguments;
    uint64_t begin = ed_clock_ns();
    embedd_status status = EMBEDD_OK;
    if (pipe(to) != 0 || pipe(from) != 0 || fcntl(to[1], F_SETFD, FD_CLOEXEC) != 0 ||
        fcntl(from[0], F_SETFD, FD_CLOEXEC) != 0 ||
        !spawn(server, (char *const *)(void *)argv, to[0], from[1]))
        status = ed_fail(err, EMBEDD_IO, "embedd serve does not start");
    server->stdin_fd = to[1];
    if (to[0] >= 0)
        close(to[0]);
    if (from[1] >= 0)
        close(from[1]);
    if (status == EMBEDD_OK)
        status = read_ready_line(server, from[0], err);
    server->start_seconds = (double)(ed_clock_ns() - begin) * 1e-9;
    if (from[0] >= 0)
        close(from[0]);
    return status;
}

void ed_own_server_stop(ed_own_server *server)
{
    if (server->pid > 0) {
        close(server->stdin_fd);
        kill((pid_t)server->pid, SIGTERM);
        waitpid((pid_t)server->pid, NULL, 0);
    }
    *server = (ed_own_server){.stdin_fd = -1};
}
