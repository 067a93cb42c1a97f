/* What a process is known by when its number may come again. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

/* When it started, in clock ticks since the machine's start (proc(5), field 22); 0 = there is no
   such process. */
unsigned long long process_started(pid_t pid);
/* Whether that one has ended, be it that its parent has not asked for its end yet. */
bool process_is_gone(pid_t pid, unsigned long long started);

#endif
