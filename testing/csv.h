/* CSV files of tests, as COPY reads them; the first line names the columns. */
#ifndef TESTING_CSV_H
#define TESTING_CSV_H

#include "base/memory.h"
#include "base/string.h"

struct csv {
    const char *name;  /* of the file, as the test writes it */
    struct slice text; /* the whole file */
    struct slice *columns;
    size_t column_count;
};

/* `name` and `text` outlive it; a text without a line has one column without a name. */
struct csv csv_open(const char *name, struct slice text, struct arena *arena);

/* Places in the text, in bytes: of a column's name; of a line, counted from 1 (of the last one,
   where there are fewer). */
size_t csv_column_offset(const struct csv *csv, size_t column);
size_t csv_line_offset(const struct csv *csv, size_t line);

/* The line that an error's context names ("COPY t, line 2, column n: …"); 0 = none. */
size_t csv_line_of_context(const char *context);

#endif
