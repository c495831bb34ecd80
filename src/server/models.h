/* The models this server can serve: which there are, which are in memory, since when nobody has
 * used them. One thread, the keeper, loads and unloads; nobody else waits for a file. */
#ifndef ED_MODELS_H
#define ED_MODELS_H

#include "base/duration.h"
#include "server/loaded_model.h"
#include "server/model_facts.h"
#include "server/problem.h"

typedef struct ed_models ed_models;
typedef struct ed_served_model ed_served_model; /* lives as long as the models */

typedef struct ed_models_options {
    ed_loading_options loading;
    size_t memory_bytes_max; /* of weights and scratch; 0 = no limit */
    int64_t keep_alive_ns;   /* a model that nobody uses is unloaded after that time */
    const char *folder;      /* of --models-dir, or NULL; must outlive the models */
} ed_models_options;

/* Looks into the folder. */
embedd_status ed_models_open(ed_models **out, const ed_models_options *options, embedd_error *err);
/* No request may have a model any more. Waits for a model that is being loaded. NULL is allowed. */
void ed_models_close(ed_models *models);
/* One that is being loaded cannot be interrupted. */
bool ed_models_are_loading(ed_models *models);

/* One more that can be served, before all that are in the folder. */
embedd_status ed_models_add(ed_models *models, const char *id, const char *path, embedd_error *err);
/* From any thread: the keeper looks into the folder again, and loads anew what has changed. */
void ed_models_reload(ed_models *models);
/* Looks into the folder, unless that was done a moment ago. Reads folders. */
void ed_models_rescan(ed_models *models);

/* NULL = there is none of that name. name.bytes NULL = the first. The id itself goes before a name
 * that means it. */
ed_served_model *ed_models_find(ed_models *models, embedd_text name);
/* UNKNOWN_MODEL, and what there is instead. */
void ed_models_set_unknown(ed_models *models, ed_problem *problem);
const char *ed_served_model_id(const ed_served_model *model); /* as it was given */

/* A request that needs a model in memory. Its owner zeroes it and sets the first three. */
typedef struct ed_model_use {
    ed_served_model *model;
    void (*ready)(
        struct ed_model_use *use); /* on the keeper's thread: `loaded` or `error` is set */
    void *context;
    /* the models' */
    ed_loaded_model *loaded; /* NULL = not taken */
    embedd_error error;      /* or why */
    bool waiting, left;
    uint64_t number;
    struct ed_model_use *next;
} ed_model_use;

/* True: `loaded` or `error` is set. False: `ready` will be called, unless ed_models_leave comes
 * first. Files that have changed are noticed here, some time later. */
bool ed_models_take(ed_models *models, ed_model_use *use);
/* Any time, from any thread. True if it was waiting: `ready` will not be called any more. */
bool ed_models_leave(ed_models *models, ed_model_use *use);
/* The files of what was taken are not whole any more: nobody takes it again, the next one that asks
 * gets what they are then. */
void ed_models_discard(ed_models *models, ed_model_use *use);
/* What was taken is not used any more. keep_alive_ns NULL = as before. */
void ed_models_give(ed_models *models, ed_model_use *use, const int64_t *keep_alive_ns);

typedef enum ed_model_state {
    ED_MODEL_UNLOADED,
    ED_MODEL_LOADING,
    ED_MODEL_READY,
    ED_MODEL_FAILED
} ed_model_state;

const char *ed_model_state_name(ed_model_state state);

/* One model, for lists. */
typedef struct ed_model_view {
    const char *id;
    ed_model_state state;
    bool ambiguous; /* another one has the same short name */
    const ed_model_files *files;
    const ed_model_facts *facts;
    const ed_loaded_model *loaded; /* NULL = not in memory */
    const char *failure;           /* why it could not be loaded, or NULL */
    int64_t expires_in_ns;         /* of a loaded one; ED_FOREVER */
} ed_model_view;

/* All models in their order, or `only` one. `see` must be quick: it holds everybody up. */
void ed_models_each(ed_models *models, const ed_served_model *only,
                    void (*see)(void *context, const ed_model_view *view), void *context);

typedef struct ed_models_stats {
    size_t n_models, n_loaded, n_bytes;
    uint64_t n_loads, n_failures, n_unloads;
} ed_models_stats;

void ed_models_get_stats(ed_models *models, ed_models_stats *stats);

#endif
