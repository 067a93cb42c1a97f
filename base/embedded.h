/*
 * Files that are compiled into the program.  `dag_embed` in CMakeLists.txt makes a table of each
 * folder; the module that uses it declares it:
 *
 *     extern const struct embedded_file web_assets[];
 *     extern const size_t web_assets_count;
 *
 * Tables are sorted by name.
 */
#ifndef BASE_EMBEDDED_H
#define BASE_EMBEDDED_H

#include <stddef.h>

struct embedded_file {
    const char *name; /* relative to the folder: "css/page.css" */
    const char *data; /* followed by a NUL that `size` does not count */
    size_t size;      /* bytes */
};

/* The file of that name, NULL when there is none. */
const struct embedded_file *embedded_find(
    const struct embedded_file *files, size_t count, const char *name);

#endif
