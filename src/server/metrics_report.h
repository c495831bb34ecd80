/* GET /metrics: Prometheus' text format 0.0.4. */
#ifndef ED_METRICS_REPORT_H
#define ED_METRICS_REPORT_H

#include "server/routes.h"

unsigned ed_report_metrics(const ed_call *call);

#endif
