/* Numbers that an option holds as text. */
#ifndef ED_NUMBER_LIST_H
#define ED_NUMBER_LIST_H

#include "embedd.h"

#define ED_NUMBERS_MAX 16

typedef struct ed_number_list {
    size_t numbers[ED_NUMBERS_MAX];
    size_t n_numbers;
} ed_number_list;

/* "1,2,8": each from 1 to `max`. ARGUMENT names the option. */
embedd_status ed_read_number_list(const char *text, const char *option, size_t max,
                                  ed_number_list *out, embedd_error *err);
/* "0.999": above 0, at most `max`. */
embedd_status ed_read_decimal(const char *text, const char *option, double max, double *out,
                              embedd_error *err);

#endif
