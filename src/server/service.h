/* What every part of the running server can see. */
#ifndef ED_SERVICE_H
#define ED_SERVICE_H

#include "server/budget.h"
#include "server/connections.h"
#include "server/guard.h"
#include "server/metrics.h"
#include "server/pipeline.h"
#include "server/refusals.h"
#include "server/server.h"

typedef enum ed_service_state {
    ED_SERVICE_LOADING,
    ED_SERVICE_READY,
    ED_SERVICE_DRAINING
} ed_service_state;

typedef struct ed_service {
    const ed_server_options *options;
    ed_guard guard;
    uint64_t began_ns;
    ed_connections *connections;
    ed_clients clients;
    ed_budget budget;
    ed_metrics metrics;
    ed_refusals refusals;
    atomic_int state; /* an ed_service_state; what follows is constant once it is not LOADING */
    ed_models *models;
    ed_pulls *pulls; /* NULL = clients may not have models downloaded */
    ed_file_roots *file_roots;
    ed_pipeline *pipeline;
} ed_service;

static inline ed_service_state ed_service_get_state(ed_service *service)
{
    return (ed_service_state)atomic_load(&service->state);
}

#endif
