/* The X-Request-Id of a request: the client's if it sent one, else a new one. */
#ifndef ED_REQUEST_ID_H
#define ED_REQUEST_ID_H

#include <stdint.h>

#define ED_REQUEST_ID_MAX 64

/* `given` is the header's value or NULL; one that is empty, too long, or holds anything but
 * letters, digits and -_.:/+=@ is replaced. `number` is another one for each request. */
void ed_request_id_make(char out[ED_REQUEST_ID_MAX + 1], const char *given, uint64_t number);

#endif
