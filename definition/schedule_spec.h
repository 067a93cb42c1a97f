/*
 * A schedule as JSON text, from which its timetable can be made without the DAG file.  Private to
 * definition/.
 */
#ifndef DEFINITION_SCHEDULE_SPEC_H
#define DEFINITION_SCHEDULE_SPEC_H

#include "language/timetable/timetable.h"

char *schedule_spec_write(const struct schedule_spec *spec, struct arena *arena);
/* What schedule_spec_write wrote; false of anything else. */
bool schedule_spec_read(const char *text, struct arena *arena, struct schedule_spec *ret);

#endif
