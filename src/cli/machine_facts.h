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
/* The most that this process held at once, in bytes. */
uint64_t ed_machine_peak_memory(void);
/* Whether a server could listen on this port of 127.0.0.1 now. */
bool ed_machine_port_is_free(unsigned port);

#endif
