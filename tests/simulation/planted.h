/* Planted bugs (base/planted.h): which one, and what must find it. */
#ifndef TESTS_SIMULATION_PLANTED_H
#define TESTS_SIMULATION_PLANTED_H

#include <stdbool.h>
#include "base/planted.h"

/* Plants the bug of that name ("slot_leaked_on_cancel"); false when there is none. */
bool planted_choose(const char *name);
/* Whether the invariant is the one that has to find the planted bug; says which it was. */
bool planted_was_found(const char *invariant);

#endif
