/* GET /health and GET /info. Cheap, and never behind a computation. */
#ifndef ED_STATUS_REPORT_H
#define ED_STATUS_REPORT_H

#include "server/service.h"

/* 200 if the next request for vectors will be worked on, else 503; a body in either case. */
unsigned ed_report_health(ed_service *service, ed_buf *reply, ed_problem *problem);
unsigned ed_report_info(ed_service *service, ed_buf *reply, ed_problem *problem);

#endif
