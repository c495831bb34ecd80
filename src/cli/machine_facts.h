/* What the system says about the machine. */
#ifndef ED_MACHINE_FACTS_H
#define ED_MACHINE_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "AMD EPYC 9554"; the architecture's name where the system does not tell. */
void ed_machine_cpu_name(char *out, size_t out_cap);
/* "Linux 6.1.0, x86_64" */
void ed_machine_system_name(char *out, size_t out_cap);
/* Bytes; `available` counts what the system can free. False if it does not tell. */
bool ed_machine_memory(uint64_t *total, uint64_t *available);
/* Of a process, by its number or these; both answers need a system that tells of others. */
#define ED_PROCESS_SELF    0L
#define ED_PROCESS_UNKNOWN (-1L)

/* The most that it held at once, in bytes; 0 = not known. */
uint64_t ed_machine_peak_memory(long pid);
/* Processor time of all its threads; -1 = not known. */
double ed_machine_cpu_seconds(long pid);
/* Whether a server could listen on this port of 127.0.0.1 now. */
bool ed_machine_port_is_free(unsigned port);

#endif
