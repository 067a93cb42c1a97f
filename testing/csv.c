#include "testing/csv.h"
#include <string.h>

struct csv csv_open(const char *name, struct slice text, struct arena *arena)
{
    const char *end = memchr(text.p, '\n', text.size);
    struct slice line = slice_trim(slice_make(text.p, end ? (size_t)(end - text.p) : text.size));
    struct csv csv = {.name = name, .text = text};
    size_t room = 1;
    for (size_t i = 0; i < line.size; i++)
        room += line.p[i] == ',';
    csv.columns = arena_array(arena, struct slice, room);
    for (;;) {
        const char *comma = memchr(line.p, ',', line.size);
        size_t size = comma ? (size_t)(comma - line.p) : line.size;
        struct slice column = slice_trim(slice_make(line.p, size));
        if (column.size >= 2 && column.p[0] == '"' && column.p[column.size - 1] == '"')
            column = slice_make(column.p + 1, column.size - 2);
        csv.columns[csv.column_count++] = column;
        if (!comma)
            return csv;
        line = slice_make(comma + 1, line.size - size - 1);
    }
}

size_t csv_column_offset(const struct csv *csv, size_t column)
{
    return (size_t)(csv->columns[column].p - csv->text.p);
}

size_t csv_line_offset(const struct csv *csv, size_t line)
{
    size_t offset = 0;
    for (size_t at = 1; at < line; at++) {
        const char *end = memchr(csv->text.p + offset, '\n', csv->text.size - offset);
        if (!end || end + 1 == csv->text.p + csv->text.size)
            break;
        offset = (size_t)(end + 1 - csv->text.p);
    }
    return offset;
}

size_t csv_line_of_context(const char *context)
{
    static const char before[] = ", line ";
    const char *found = strstr(context, before);
    int64_t line = 0;
    if (!found)
        return 0;
    const char *digits = found + strlen(before);
    return parse_int64(slice_make(digits, strspn(digits, "0123456789")), &line) && line > 0
               ? (size_t)line
               : 0;
}
