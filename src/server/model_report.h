/* The served model, as the lists of other programs show theirs. */
#ifndef ED_MODEL_REPORT_H
#define ED_MODEL_REPORT_H

#include "server/routes.h"

/* Ollama: GET /api/version, /api/tags, /api/ps; POST /api/show. */
unsigned ed_report_version(const ed_call *call);
unsigned ed_report_tags(const ed_call *call);
unsigned ed_report_running_models(const ed_call *call);
unsigned ed_report_show(const ed_call *call);

/* OpenAI: GET /v1/models and /v1/models/ID. */
unsigned ed_report_models(const ed_call *call);

#endif
