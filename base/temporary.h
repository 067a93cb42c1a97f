/*
 * Temporary folders of a command: dag-<kind>-<process>-<its start>-XXXXXX in TMPDIR.  What a killed
 * one left behind is found by its process, which is gone; numbers of processes come again, with
 * another start.
 */
#ifndef BASE_TEMPORARY_H
#define BASE_TEMPORARY_H

#include "base/error.h"
#include "base/memory.h"

/* ERR_IO. */
enum status temporary_make(
    const char *kind, struct arena *arena, const char **ret, struct error *err) MUST_CHECK;
/* With all that is in it; NULL is fine. */
void temporary_remove(const char *path);
/* Those of that kind whose process is gone, of this user. */
size_t temporary_left(const char *kind, struct arena *arena, const char ***ret);

#endif
