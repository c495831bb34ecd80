/* What the server says about itself. Cheap, and never behind a computation. */
#ifndef ED_STATUS_REPORT_H
#define ED_STATUS_REPORT_H

#include "server/routes.h"

/* GET /health: 200 if the next request for vectors will be worked on, else 503; a body in either
 * case. GET /info, with TEI's names beside our own. */
unsigned ed_report_health(const ed_call *call);
unsigned ed_report_info(const ed_call *call);

/* Memory of the process: now where the system tells it, else the most so far; 0 = unknown. */
size_t ed_report_resident_bytes(void);

/* GET / */
unsigned ed_report_running(const ed_call *call);

#endif
