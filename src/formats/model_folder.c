/* In: names, variables, folders. Out: whether they hold what they say. Reads only. */
#include "formats/model_folder.h"

#include "base/file_map.h"
#include "base/memory.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_BYTES_MAX ((size_t)8192)
#define NAME_BYTES_MAX 96 /* the hub's limit for "org/name" */

bool ed_model_name_part_is_valid(const char *part, size_t n_bytes)
{
    if (n_bytes == 0 || part[0] == '-' || part[0] == '.' || part[n_bytes - 1] == '-' ||
        part[n_bytes - 1] == '.')
        return false;
    for (size_t i = 0; i < n_bytes; i++) {
        char c = part[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && c != '-' && c != '_' && c != '.')
            return false;
        if (i > 0 && (c == '.' || c == '-') && part[i - 1] == c)
            return false;
    }
    return true;
}

bool ed_model_name_is_valid(const char *name)
{
    size_t n = strlen(name);
    size_t n_owner = strcspn(name, "/");

    if (n > NAME_BYTES_MAX)
        return false;
    if (n_owner == n)
        return ed_model_name_part_is_valid(name, n);
    return ed_model_name_part_is_valid(name, n_owner) &&
           ed_model_name_part_is_valid(name + n_owner + 1, n - n_owner - 1);
}

char *ed_new_path(const char *format, ...)
{
    char text[PATH_BYTES_MAX];
    va_list arguments;

    va_start(arguments, format);
    int n = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return n >= 0 && (size_t)n < sizeof text ? ed_strdup(text) : NULL;
}

char *ed_path_variable(const char *variable, const char *below)
{
    const char *value = getenv(variable);
    const char *home = getenv("HOME");

    if (!value || !value[0])
        return NULL;
    bool at_home = value[0] == '~' && value[1] == '/' && home && home[0];
    return ed_new_path("%s%s%s%s", at_home ? home : "", at_home ? value + 1 : value,
                       below ? "/" : "", below ? below : "");
}

/* ---- what is in a folder --------------------------------------------------------------------- */

static bool ends_in(const char *text, const char *end)
{
    size_t n = strlen(text);
    size_t n_end = strlen(end);
    return n >= n_end && strcmp(text + n - n_end, end) == 0;
}

/* Adds up the files of `folder` and of `levels` levels of folders in it. */
static void add_up(const char *folder, int levels, size_t *n_bytes, bool *has_weights)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    struct stat info;

    while (dir && (entry = readdir(dir)) != NULL) {
        const char *name = entry->d_name;
        char *path = name[0] == '.' ? NULL : ed_path_join(folder, name);
        if (path && stat(path, &info) == 0) {
            if (S_ISDIR(info.st_mode) && levels > 0) {
                add_up(path, levels - 1, n_bytes, has_weights);
            } else if (S_ISREG(info.st_mode)) {
                *n_bytes += (size_t)info.st_size;
                *has_weights |= ends_in(name, ".safetensors");
            }
        }
        ed_free(path);
    }
    if (dir)
        closedir(dir);
}

static bool has_file(const char *folder, const char *name)
{
    char *path = ed_path_join(folder, name);
    bool has = path && ed_file_exists(path);
    ed_free(path);
    return has;
}

/* A download that was cut, or one with other weights only, is no model yet. */
bool ed_model_folder_measure(const char *folder, size_t *n_bytes)
{
    bool has_weights = false;

    *n_bytes = 0;
    if (!has_file(folder, "config.json") && !has_file(folder, "modules.json"))
        return false;
    add_up(folder, 1, n_bytes, &has_weights);
    return has_weights;
}
