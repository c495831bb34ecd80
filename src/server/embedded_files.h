/* Files of this folder that the program carries; the build makes them arrays. */
#ifndef ED_EMBEDDED_FILES_H
#define ED_EMBEDDED_FILES_H

#include "server/routes.h"

extern const unsigned char ed_page_html[];
extern const size_t ed_page_html_bytes;
extern const unsigned char ed_openapi_json[];
extern const size_t ed_openapi_json_bytes;

/* GET / of a browser: page.html. GET /openapi.json. */
unsigned ed_report_page(const ed_call *call);
unsigned ed_report_openapi(const ed_call *call);

#endif
