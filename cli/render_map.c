#include "cli/render.h"

static const struct {
    enum jinja_mark mark;
    const char *name;
} marks[] = {{JINJA_UNTRUSTED, "untrusted"}, {JINJA_SECRET, "secret"}, {JINJA_BOUND, "bound"}};

/* A place in the rendered text, moved forward as segments go by: lines from 1, columns in
   characters from 1. */
struct spot {
    size_t offset;
    unsigned line, column;
};

static void spot_move(struct spot *place, struct slice text, size_t to)
{
    for (; place->offset < to; place->offset++) {
        unsigned char c = (unsigned char)text.p[place->offset];
        if (c == '\n') {
            place->line++;
            place->column = 1;
        } else if ((c & 0xC0) != 0x80) {
            place->column++;
        }
    }
}

/* The last character's place: a stretch is never empty. */
static struct spot last_place(struct spot from, struct slice text, size_t end)
{
    size_t last = end - 1;
    while (last > from.offset && ((unsigned char)text.p[last] & 0xC0) == 0x80)
        last--;
    spot_move(&from, text, last);
    return from;
}

static void print_text(const struct jinja_segment *segment, struct spot from, struct spot to,
    const struct jinja_origin *origin)
{
    printf("%u:%u-", from.line, from.column);
    if (to.line != from.line)
        printf("%u:", to.line);
    printf("%u\t%s:%u:%u\t%s", to.column, origin->file, origin->line, origin->column,
        segment->verbatim ? "text" : "value");
    for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
        if (segment->marks & marks[i].mark)
            printf(" %s", marks[i].name);
    putchar('\n');
}

static void print_json(const char *field, const struct jinja_segment *segment, struct spot from,
    struct spot to, const struct jinja_origin *origin)
{
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    if (field)
        json_kv_str(&w, "field", field);
    json_kv_int(&w, "offset", segment->offset);
    json_kv_int(&w, "length", segment->length);
    json_kv_int(&w, "line", from.line);
    json_kv_int(&w, "column", from.column);
    json_kv_int(&w, "end_line", to.line);
    json_kv_int(&w, "end_column", to.column);
    json_kv_str(&w, "file", origin->file);
    json_kv_int(&w, "source_line", origin->line);
    json_kv_int(&w, "source_column", origin->column);
    json_kv_bool(&w, "verbatim", segment->verbatim);
    json_key(&w, "marks");
    json_array_begin(&w);
    for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
        if (segment->marks & marks[i].mark)
            json_str(&w, marks[i].name);
    json_array_end(&w);
    json_object_end(&w);
    puts(strbuf_text(&text));
    strbuf_done(&text);
}

void render_print_map(struct cli *cli, const char *field, const struct jinja_result *map)
{
    struct spot from = {0, 1, 1};
    struct jinja_origin origin;
    for (size_t i = 0; i < map->segment_count; i++) {
        const struct jinja_segment *segment = &map->segments[i];
        if (!segment->length || !jinja_map_find(map, segment->offset, &origin))
            continue;
        spot_move(&from, map->text, segment->offset);
        struct spot to = last_place(from, map->text, segment->offset + segment->length);
        if (cli->json)
            print_json(field, segment, from, to, &origin);
        else
            print_text(segment, from, to, &origin);
    }
}
