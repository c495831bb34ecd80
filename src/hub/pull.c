/* In: a model's name. Out: its folder in embedd's store. The order of the work: look whether it is
 * here, ask the hub what belongs to it, get the files one by one, put the folder in its place. */
#include "hub/hub.h"

#include "base/error.h"
#include "base/file_map.h"
#include "base/memory.h"
#include "formats/model_store.h"
#include "hub/download.h"
#include "hub/listing.h"
#include "hub/pull_folder.h"
#include "hub/token.h"
#include "hub/transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEFAULT_ENDPOINT  "https://huggingface.co"
#define DEFAULT_REVISION  "main"
#define REVISION_MAX      128
#define URL_PATH_MAX      1024
#define LISTING_BYTES_MAX ((size_t)16 << 20)

typedef struct pull {
    char *full_name; /* "org/name" */
    char revision[REVISION_MAX];
    bool revision_given;
    ed_pull_folder folder;
    ed_transfer *transfer;
    ed_listing listing;
    const ed_hub_watcher *watcher;
} pull;

static embedd_status read_name(pull *p, const char *name, embedd_error *err);
static embedd_status choose_place(pull *p, const char *store, embedd_error *err);
static bool find_here(const pull *p, ed_hub_result *result);
static embedd_status ask_hub(pull *p, embedd_error *err);
static embedd_status get_files(pull *p, embedd_error *err);

embedd_status ed_hub_pull(const char *name, const char *store, const ed_hub_watcher *watcher,
                          ed_hub_result *result, embedd_error *err)
{
    pull p = {.watcher = watcher, .folder = {.lock = -1}};
    char here[65];

    *result = (ed_hub_result){0};
    embedd_status status = read_name(&p, name, err);
    if (status == EMBEDD_OK)
        status = choose_place(&p, store, err);
    if (status != EMBEDD_OK || (!p.revision_given && find_here(&p, result)))
        goto done;
    status = ask_hub(&p, err);
    if (status != EMBEDD_OK)
        goto done;
    ed_pull_folder_read_commit(p.folder.place, here);
    result->already_here = strcmp(here, p.listing.commit) == 0;
    if (!result->already_here)
        status = get_files(&p, err);
    if (status != EMBEDD_OK)
        goto done;
    snprintf(result->commit, sizeof result->commit, "%s", p.listing.commit);
    result->n_bytes = p.listing.n_bytes;
    result->n_files = p.listing.n_files;
    result->folder = ed_strdup(p.folder.place);
    if (result->folder == NULL)
        status = ed_fail(err, EMBEDD_MEMORY, "out of memory");
done:
    if (status == EMBEDD_OK) {
        result->name = p.full_name;
        p.full_name = NULL;
    }
    ed_transfer_close(p.transfer);
    ed_listing_clear(&p.listing);
    ed_pull_folder_clear(&p.folder);
    ed_free(p.full_name);
    return status;
}

void ed_hub_result_clear(ed_hub_result *result)
{
    ed_free(result->name);
    ed_free(result->folder);
    *result = (ed_hub_result){0};
}

/* ---- the name -------------------------------------------------------------------------------- */

embedd_status ed_hub_full_name(const char *name, char **full_name, embedd_error *err)
{
    pull p = {0};
    embedd_status status = read_name(&p, name, err);

    *full_name = p.full_name;
    return status;
}

/* A branch, tag or commit: refs/pr/1 too. It becomes part of a URL only. */
static bool is_revision(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "._-/";
    return text[0] && strlen(text) < REVISION_MAX && strspn(text, letters) == strlen(text) &&
           !strstr(text, "..");
}

/* Where the hub is, is not the name's to say: these mean HF_ENDPOINT. */
static const char *skip_host(const char *name)
{
    static const char *const hosts[] = {"https://", "hf.co/", "huggingface.co/"};

    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
        if (strncasecmp(name, hosts[i], strlen(hosts[i])) == 0)
            name += strlen(hosts[i]);
    return name;
}

static embedd_status read_name(pull *p, const char *name, embedd_error *err)
{
    static const char tag[] = ":latest";
    name = skip_host(name);
    const char *at = strchr(name, '@');
    char *bare = at ? ed_strndup(name, (size_t)(at - name)) : ed_strdup(name);
    size_t n = bare ? strlen(bare) : 0;
    embedd_status status = EMBEDD_OK;

    p->revision_given = at != NULL;
    snprintf(p->revision, sizeof p->revision, "%s", at ? at + 1 : DEFAULT_REVISION);
    if (at && !is_revision(at + 1))
        status = ed_fail(err, EMBEDD_ARGUMENT, "'%s' is no revision of a model", at + 1);
    else if (bare == NULL)
        status = ed_fail(err, EMBEDD_MEMORY, "out of memory");
    if (n >= sizeof tag && strcasecmp(bare + n - (sizeof tag - 1), tag) == 0)
        bare[n - (sizeof tag - 1)] = '\0';
    if (status == EMBEDD_OK)
        status = ed_model_store_full_name(bare, &p->full_name, err);
    ed_free(bare);
    return status;
}

/* ---- the place ------------------------------------------------------------------------------- */

static embedd_status choose_place(pull *p, const char *store, embedd_error *err)
{
    char *own = store ? ed_strdup(store) : ed_model_store_root();
    embedd_status status =
        own ? ed_pull_folder_init(&p->folder, own, p->full_name, err)
            : ed_fail(err, EMBEDD_ARGUMENT,
                      "there is no place for models: set EMBEDD_MODELS to a folder");
    ed_free(own);
    return status;
}

/* In the stores: a folder of that name where the process happens to be is another thing. */
static bool find_here(const pull *p, ed_hub_result *result)
{
    result->already_here = ed_model_store_find_pulled(p->full_name, &result->folder);
    return result->already_here;
}

/* ---- the hub --------------------------------------------------------------------------------- */

static bool is_offline(void)
{
    const char *text = getenv("HF_HUB_OFFLINE");
    return text && (strcmp(text, "1") == 0 || strcasecmp(text, "true") == 0 ||
                    strcasecmp(text, "yes") == 0 || strcasecmp(text, "on") == 0);
}

static embedd_status append_json(void *context, const void *data, size_t n_bytes, embedd_error *err)
{
    if (ed_buf_append(context, data, n_bytes))
        return EMBEDD_OK;
    return ed_fail(err, EMBEDD_LIMIT, "the hub's list of files is longer than %zu bytes",
                   LISTING_BYTES_MAX);
}

static embedd_status empty_json(void *context, embedd_error *err)
{
    (void)err;
    ed_buf_reset(context);
    return EMBEDD_OK;
}

/* The revision with its slashes escaped, as the hub wants it in a path. */
static void escape_revision(const char *revision, char out[3 * REVISION_MAX])
{
    size_t n = 0;

    for (const char *c = revision; *c; c++) {
        if (*c == '/') {
            memcpy(out + n, "%2F", 3);
            n += 3;
        } else {
            out[n++] = *c;
        }
    }
    out[n] = '\0';
}

static embedd_status ask_hub(pull *p, embedd_error *err)
{
    const char *endpoint = getenv("HF_ENDPOINT");
    char revision[3 * REVISION_MAX];
    char path[URL_PATH_MAX];
    ed_buf json;
    ed_transfer_sink sink = {.context = &json, .write = append_json, .restart = empty_json};

    ed_buf_init(&json, LISTING_BYTES_MAX);
    if (is_offline())
        return ed_fail(err, EMBEDD_NETWORK,
                       "%s is not on this machine, and HF_HUB_OFFLINE keeps embedd from asking "
                       "the hub",
                       p->full_name);
    char *token = ed_hub_token();
    embedd_status status =
        ed_transfer_open(&p->transfer, endpoint && endpoint[0] ? endpoint : DEFAULT_ENDPOINT, token,
                         p->watcher, err);
    ed_free(token);
    if (status != EMBEDD_OK)
        return status;
    escape_revision(p->revision, revision);
    snprintf(path, sizeof path, "/api/models/%s/revision/%s?blobs=true", p->full_name, revision);
    status = ed_transfer_get(p->transfer, path, &sink, err);
    if (status == EMBEDD_OK)
        status = ed_listing_read(&p->listing, json.data ? json.data : "", json.n_bytes,
                                 p->full_name, err);
    ed_buf_clear(&json);
    return status;
}

/* ---- the files ------------------------------------------------------------------------------- */

/* Files are asked for at the listing's commit, so that a push in between changes nothing. */
static embedd_status get_files(pull *p, embedd_error *err)
{
    char path[URL_PATH_MAX];

    embedd_status status = ed_pull_folder_open(&p->folder, p->listing.n_bytes, err);
    for (size_t i = 0; i < p->listing.n_files && status == EMBEDD_OK; i++) {
        if (ed_hub_stopped(p->watcher))
            return ed_fail(err, EMBEDD_NETWORK, "%s: the pull was given up", p->full_name);
        const ed_listed_file *file = &p->listing.files[i];
        int n = snprintf(path, sizeof path, "/%s/resolve/%s/%s", p->full_name, p->listing.commit,
                         file->name);
        if (n < 0 || (size_t)n >= sizeof path)
            return ed_fail(err, EMBEDD_FORMAT, "%s: a file's name is too long", p->full_name);
        status = ed_download_file(p->transfer, path, p->folder.partial, file, p->watcher, err);
    }
    if (status == EMBEDD_OK)
        status = ed_pull_folder_write_commit(p->folder.partial, p->listing.commit, err);
    return status == EMBEDD_OK ? ed_pull_folder_activate(&p->folder, err) : status;
}
