/* What a check found: lines that are ok, or warnings with what to do. */
#ifndef ED_FINDINGS_H
#define ED_FINDINGS_H

#include "base/memory.h"

typedef struct ed_findings {
    ed_buf lines; /* for a person */
    ed_buf json;  /* the same for a program, without brackets */
    size_t n_findings;
    size_t n_warnings;
} ed_findings;

void ed_findings_init(ed_findings *findings);
void ed_findings_clear(ed_findings *findings);
void ed_findings_ok(ed_findings *findings, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void ed_findings_warn(ed_findings *findings, const char *name, const char *advice,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));
/* On standard output; false if memory ran out before. */
bool ed_findings_print(const ed_findings *findings, bool as_json);

#endif
