/* Log lines on standard error: text or JSON, one line each, never a text's content. A parent that
 * does not read them must not stop the server: what does not fit is dropped and counted. */
#ifndef ED_LOG_H
#define ED_LOG_H

#include <stdbool.h>

typedef enum ed_log_level { ED_LOG_INFO, ED_LOG_WARNING, ED_LOG_ERROR } ed_log_level;

void ed_log_init(bool json);
void ed_log(ed_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
