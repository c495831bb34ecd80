/* In: a folder or a GGUF file, or a model in memory. Out: facts about it. Never fails: what cannot
 * be read stays unknown. */
#include "server/model_facts.h"

#include "base/file_map.h"
#include "base/memory.h"
#include "formats/json.h"

#include <dirent.h>
#include <json-c/json.h>
#include <stdio.h>
#include <sys/stat.h>

#define CONFIG_BYTES_MAX ((size_t)1 << 20)

static void add_file(ed_model_files *files, const struct stat *file);
static struct json_object *read_json(const char *folder, const char *name);
static void read_size(struct json_object *object, const char *key, size_t *out);
static uint64_t mix(uint64_t hash, uint64_t value);

/* The order in which a folder lists its files does not matter to the stamp. */
void ed_model_files_look(ed_model_files *files, const char *path)
{
    struct stat own;
    *files = (ed_model_files){0};
    if (stat(path, &own) != 0)
        return;
    files->gguf = S_ISREG(own.st_mode);
    add_file(files, &own);
    DIR *dir = files->gguf ? NULL : opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL;) {
        struct stat file;
        char *file_path = entry->d_name[0] == '.' ? NULL : ed_path_join(path, entry->d_name);
        if (file_path && stat(file_path, &file) == 0 && S_ISREG(file.st_mode))
            add_file(files, &file);
        ed_free(file_path);
    }
    if (dir)
        closedir(dir);
}

static void add_file(ed_model_files *files, const struct stat *file)
{
    uint64_t hash = mix(mix(1, (uint64_t)file->st_dev), (uint64_t)file->st_ino);
    if (S_ISREG(file->st_mode)) {
        files->n_bytes += (size_t)file->st_size;
        hash = mix(mix(hash, (uint64_t)file->st_size), (uint64_t)file->st_mtime);
        if ((int64_t)file->st_mtime > files->modified_s)
            files->modified_s = (int64_t)file->st_mtime;
    }
    files->stamp += hash;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15u + 0x632be59bd9b4e019u;
    return hash ^ hash >> 29;
}

void ed_model_facts_read(ed_model_facts *facts, const char *path)
{
    const char *family = NULL;
    *facts = (ed_model_facts){0};
    struct json_object *config = read_json(path, "config.json");
    struct json_object *sentence = read_json(path, "sentence_bert_config.json");
    if (config && ed_json_get_string(config, "model_type", &family, path, NULL) == EMBEDD_OK &&
        family)
        snprintf(facts->architecture, sizeof facts->architecture, "%s", family);
    read_size(config, "hidden_size", &facts->dimensions);
    read_size(config, "max_position_embeddings", &facts->tokens_max);
    read_size(config, "num_hidden_layers", &facts->n_layers);
    read_size(sentence, "max_seq_length", &facts->tokens_max);
    json_object_put(config);
    json_object_put(sentence);
}

static struct json_object *read_json(const char *folder, const char *name)
{
    struct json_object *object = NULL;
    char *path = ed_path_join(folder, name);
    if (path && ed_json_read_file(path, CONFIG_BYTES_MAX, &object, NULL) != EMBEDD_OK)
        object = NULL;
    ed_free(path);
    return object;
}

static void read_size(struct json_object *object, const char *key, size_t *out)
{
    size_t value = *out;
    if (object && ed_json_get_size(object, key, &value, "", NULL) == EMBEDD_OK)
        *out = value;
}

void ed_model_facts_copy(ed_model_facts *facts, const embedd_model_info *info)
{
    *facts = (ed_model_facts){.dimensions = info->dimensions,
                              .tokens_max = info->tokens_max,
                              .n_parameters = info->n_parameters,
                              .n_layers = info->n_layers,
                              .weight_bytes = info->weight_bytes,
                              .normalized = info->normalized};
    snprintf(facts->architecture, sizeof facts->architecture, "%s", info->architecture);
    snprintf(facts->pooling, sizeof facts->pooling, "%s", info->pooling);
    snprintf(facts->dtype, sizeof facts->dtype, "%s", info->dtype);
}
