/* In: a header's value, or a number. Out: an id that may stand in a header and in a log line. Never
 * a byte that would end either. */
#include "server/request_id.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void ed_request_id_make(char out[ED_REQUEST_ID_MAX + 1], const char *given, uint64_t number)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:/+=@";
    size_t n = given ? strspn(given, allowed) : 0;
    if (n > 0 && n <= ED_REQUEST_ID_MAX && given[n] == '\0') {
        memcpy(out, given, n + 1);
        return;
    }
    /* Neighbours look unlike each other: a reader of logs tells them apart (splitmix64). */
    number += 0x9e3779b97f4a7c15;
    number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9;
    number = (number ^ number >> 27) * 0x94d049bb133111eb;
    snprintf(out, ED_REQUEST_ID_MAX + 1, "%016" PRIx64, number ^ number >> 31);
}
