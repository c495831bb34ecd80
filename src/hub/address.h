/* Web addresses: whose they are, and how a message may show them. */
#ifndef ED_ADDRESS_H
#define ED_ADDRESS_H

#include <stdbool.h>

#define ED_ADDRESS_MAX 8192 /* bytes, the NUL included */

/* The same scheme, host and port. */
bool ed_address_same_origin(const char *a, const char *b);

/* The address as a message may show it: the user and password before '@' and what follows '?',
 * which can be a signature, are left out. Only printable ASCII stays. Returns `shown`. */
const char *ed_address_show(const char *address, char shown[ED_ADDRESS_MAX]);

#endif
