/* What models.c, where requests come in, and model_keeper.c, which loads and unloads, share. */
#ifndef ED_SERVED_MODEL_H
#define ED_SERVED_MODEL_H

#include "server/models.h"

#include <pthread.h>

struct ed_served_model {
    char *id; /* never changes, and is read without the mutex */
    char *path;
    ed_model_files files; /* as last seen */
    ed_model_facts facts;
    bool from_folder, ambiguous;
    bool gone;        /* not in the folder any more */
    uint64_t scan;    /* that has seen it last */
    bool look;        /* the keeper should look at its files */
    uint64_t seen_ns; /* when that was asked for */
    bool is_loading;  /* by the keeper */
    bool evicting;    /* another one needs its room: nobody takes it any more */
    ed_loaded_model *loaded;
    uint64_t loaded_stamp;              /* of the files that were loaded, or failed to */
    size_t n_bytes_known;               /* of a model of that stamp; 0 = never loaded */
    ed_model_use *first_use, *last_use; /* waiting for it */
    int64_t keep_alive_ns;
    uint64_t used_ns;     /* when the last user has gone */
    embedd_error failure; /* of the last loading; status OK = none */
};

struct ed_models {
    ed_models_options options;
    pthread_t keeper;
    bool started;
    pthread_mutex_t scan_mutex; /* one looks into the folder; taken before the other */
    uint64_t scanned_ns;        /* guarded by that one */
    pthread_mutex_t mutex;      /* guards everything below and all served models */
    pthread_cond_t changed;
    bool stop, reload;
    uint64_t n_scans, n_uses;
    ed_served_model **list; /* [n_list] */
    size_t n_list, list_cap;
    ed_loaded_model *retired; /* replaced, but in use */
    ed_models_stats stats;    /* n_bytes and the counters */
};

/* The keeper's thread. */
void *ed_models_keep(void *models);

/* With scan_mutex held, and without the other. */
void ed_models_scan(ed_models *models);

static inline bool ed_served_model_is_stale(const ed_served_model *m)
{
    return m->files.stamp != 0 && m->files.stamp != m->loaded_stamp;
}

#endif
