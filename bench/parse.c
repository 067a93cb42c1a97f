/* The floor of bench/lint.py: libpg_query alone over the files named on standard input, one a line.
   Prints how many texts were refused. */
#include <pg_query.h>
#include <stdio.h>
#include "base/file.h"
#include "base/vec.h"

enum { FILE_MAX = 16 << 20 };

int main(void)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    VEC(struct slice) texts = {0};
    char path[4096];
    size_t refused = 0;
    while (fgets(path, sizeof(path), stdin)) {
        struct error error;
        path[strcspn(path, "\n")] = '\0';
        if (file_read(path, FILE_MAX, arena, vec_add(&texts), &error) != OK) {
            fprintf(stderr, "%s\n", error.message);
            return 1;
        }
    }
    for (size_t i = 0; i < texts.count; i++) {
        PgQueryParseResult result = pg_query_parse(texts.at[i].p);
        refused += result.error != NULL;
        pg_query_free_parse_result(result);
    }
    printf("%zu\n", refused);
    vec_done(&texts);
    return 0;
}
