/* Numbers from text, whatever the program's locale is. */
#ifndef ED_NUMBER_H
#define ED_NUMBER_H

/* strtod as in the C locale: the decimal point is '.'. `text` ends in a byte that is no part of a
 * number. */
double ed_parse_double(const char *text);

#endif
