/* In: a status number. Out: its name and sentence, static memory. Never fails, whatever the number.
 */
#include "embedd.h"

const char *embedd_status_name(embedd_status status)
{
    switch (status) {
    case EMBEDD_OK:
        return "ok";
    case EMBEDD_ARGUMENT:
        return "argument";
    case EMBEDD_LIMIT:
        return "limit";
    case EMBEDD_UTF8:
        return "utf8";
    case EMBEDD_TOO_LONG:
        return "too_long";
    case EMBEDD_NOT_FOUND:
        return "not_found";
    case EMBEDD_IO:
        return "io";
    case EMBEDD_FORMAT:
        return "format";
    case EMBEDD_UNSUPPORTED:
        return "unsupported";
    case EMBEDD_MEMORY:
        return "memory";
    case EMBEDD_CPU:
        return "cpu";
    case EMBEDD_NONFINITE:
        return "nonfinite";
    case EMBEDD_NETWORK:
        return "network";
    case EMBEDD_CHECKSUM:
        return "checksum";
    }
    return "unknown";
}

const char *embedd_status_sentence(embedd_status status)
{
    switch (status) {
#define SENTENCE(name, number, sentence)                                                           \
    case EMBEDD_##name:                                                                            \
        return sentence;
        EMBEDD_STATUS_MAP(SENTENCE)
#undef SENTENCE
    }
    return "unknown status";
}

const char *embedd_version(void)
{
    return EMBEDD_VERSION;
}
