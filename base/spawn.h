/* Running another program and reading what it says.  Blocks: for commands and loading. */
#ifndef BASE_SPAWN_H
#define BASE_SPAWN_H

#include "base/string.h"

/* Runs argv[0] (looked for in PATH) in `dir` (NULL: here) and adds its standard output to `out`;
   its errors go where ours go.  It is ended when it says nothing for `quiet_s` seconds, or more
   than `size_max` bytes.  *ret_exit: its exit status, -1 when it was ended by a signal.  NULL, or
   why there is no exit status. */
const char *spawn_output(const char *const *argv, const char *dir, int quiet_s, size_t size_max,
    struct strbuf *out, int *ret_exit);

#endif
