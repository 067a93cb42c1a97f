#include "definition/yaml.h"
#include "definition/limits.h"
#include "tests/unit/test.h"

struct reading {
    struct arena *arena;
    struct diagnostics diagnostics;
    struct yaml_file file;
    enum status status;
};

static void read_text(struct reading *r, const char *text, size_t size)
{
    r->arena = arena_new();
    diagnostics_init(&r->diagnostics, r->arena);
    r->status = yaml_read("x.yaml", slice_make(text, size), r->arena, &r->diagnostics, &r->file);
}

/* The first document. */
static struct yaml_node *parse(struct reading *r, const char *text)
{
    read_text(r, text, strlen(text));
    if (r->status != OK || r->file.count == 0) {
        printf("%s\n", r->diagnostics.first ? r->diagnostics.first->error.message : "no document");
        REQUIRE(false);
    }
    return r->file.documents[0];
}

static const char *mistake(struct reading *r, const char *text)
{
    read_text(r, text, strlen(text));
    CHECK(r->status == ERR_YAML);
    if (!r->diagnostics.first)
        return "";
    const struct error *error = &r->diagnostics.first->error;
    return arena_printf(r->arena, "%u:%u %s; %s", error->place.line, error->place.column,
        error->message, error->hint);
}

static void done(struct reading *r)
{
    arena_free(r->arena);
}

TEST(scalars_have_the_types_of_the_core_schema)
{
    static const struct {
        const char *text;
        enum yaml_type type;
    } rows[] = {{"true", YAML_BOOL}, {"false", YAML_BOOL}, {"yes", YAML_TEXT}, {"no", YAML_TEXT},
        {"on", YAML_TEXT}, {"off", YAML_TEXT}, {"y", YAML_TEXT}, {"2007-04-12", YAML_TEXT},
        {"12:30:45", YAML_TEXT}, {"~", YAML_NULL}, {"null", YAML_NULL}, {"", YAML_NULL},
        {"12", YAML_INT}, {"-12", YAML_INT}, {"+12", YAML_INT}, {"012", YAML_INT},
        {"0x1F", YAML_INT}, {"0o17", YAML_INT}, {"0b1", YAML_TEXT}, {"1_000", YAML_TEXT},
        {"1.5", YAML_FLOAT}, {".5", YAML_FLOAT}, {"1e3", YAML_FLOAT}, {"-1.5E-3", YAML_FLOAT},
        {".inf", YAML_FLOAT}, {".nan", YAML_FLOAT}, {"1.2.3", YAML_TEXT}, {"5m", YAML_TEXT},
        {"99999999999999999999", YAML_FLOAT}, {"'12'", YAML_TEXT}, {"\"true\"", YAML_TEXT},
        {"!!str 12", YAML_TEXT}, {"=", YAML_TEXT}, {"e5", YAML_TEXT}, {"1e", YAML_TEXT}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct reading r;
        char text[64];
        snprintf(text, sizeof(text), "a: %s\n", rows[i].text);
        struct yaml_node *node = yaml_get(parse(&r, text), "a");
        if (!CHECK_INT(node->type, rows[i].type))
            printf("  of %s\n", rows[i].text);
        done(&r);
    }
}

TEST(numbers_have_their_values)
{
    struct reading r;
    struct yaml_node *root = parse(&r, "[0x1F, 0o17, +7, -9223372036854775808, 1.5e2, 012]");
    CHECK_INT(root->items[0]->integer, 31);
    CHECK_INT(root->items[1]->integer, 15);
    CHECK_INT(root->items[2]->integer, 7);
    CHECK(root->items[3]->integer == INT64_MIN);
    CHECK(root->items[4]->real == 150.0);
    CHECK_INT(root->items[5]->integer, 12);
    done(&r);
}

TEST(nodes_know_where_they_stand)
{
    struct reading r;
    struct yaml_node *root = parse(&r, "a: x\nä: [1,  zwei]\n\"q\": 'it''s'\n");
    CHECK_INT(yaml_get(root, "a")->line, 1);
    CHECK_INT(yaml_get(root, "a")->column, 4);
    const struct yaml_node *two = yaml_get(root, "ä")->items[1];
    CHECK_INT(two->line, 2);
    CHECK_INT(two->column, 9);
    CHECK(memcmp(two->source->text.p + two->offset, "zwei", 4) == 0);
    CHECK(two->text.exact);
    const struct yaml_node *quoted = yaml_get(root, "q");
    CHECK_INT(quoted->text.column, 7);
    CHECK(!quoted->text.exact);
    CHECK_STR(quoted->value.p, "it's");
    done(&r);
}

TEST(the_content_of_a_block_scalar_is_placed)
{
    struct reading r;
    struct yaml_node *root = parse(&r,
        "t:\n  sql: |\n    select\n      1\n  folded: >-\n     a\n     b\n  x: |2\n\n      y\n");
    const struct yaml_node *sql = yaml_get(yaml_get(root, "t"), "sql");
    CHECK_STR(sql->value.p, "select\n  1\n");
    CHECK_INT(sql->text.line, 3);
    CHECK_INT(sql->text.column, 5);
    CHECK_INT(sql->text.indent, 4);
    CHECK(sql->text.exact);
    const struct yaml_node *folded = yaml_get(yaml_get(root, "t"), "folded");
    CHECK_INT(folded->text.line, 6);
    CHECK_INT(folded->text.indent, 5);
    CHECK(!folded->text.exact);
    const struct yaml_node *indented = yaml_get(yaml_get(root, "t"), "x");
    CHECK_STR(indented->value.p, "\n  y\n");
    CHECK_INT(indented->text.line, 9);
    CHECK_INT(indented->text.indent, 4);
    done(&r);
}

TEST(a_scalar_behind_an_anchor_or_tag_is_placed_at_its_text)
{
    struct reading r;
    struct yaml_node *root = parse(&r, "a: &x  hello\nb: !!str 12\n");
    CHECK_INT(yaml_get(root, "a")->column, 8);
    CHECK_INT(yaml_get(root, "b")->column, 10);
    CHECK(yaml_get(root, "a")->text.exact);
    done(&r);
}

TEST(merge_keys_and_aliases_work)
{
    struct reading r;
    struct yaml_node *root =
        parse(&r, "base: &base {x: 1, y: 2}\nother: &other {y: 3, z: 4}\n"
                  "one:\n  <<: *base\n  y: 9\ntwo:\n  <<: [*base, *other]\nthree: *base\n");
    CHECK_INT(yaml_get(yaml_get(root, "one"), "x")->integer, 1);
    CHECK_INT(yaml_get(yaml_get(root, "one"), "y")->integer, 9);
    CHECK_INT(yaml_get(yaml_get(root, "two"), "y")->integer, 2);
    CHECK_INT(yaml_get(yaml_get(root, "two"), "z")->integer, 4);
    CHECK(yaml_get(root, "three") == yaml_get(root, "base"));
    done(&r);
}

TEST(several_documents_are_read)
{
    struct reading r;
    static const char text[] = "a: 1\n---\nb: 2\n...\n---\n";
    read_text(&r, text, sizeof(text) - 1);
    CHECK(r.status == OK);
    CHECK_INT(r.file.count, 3);
    CHECK_INT(yaml_get(r.file.documents[1], "b")->integer, 2);
    CHECK_INT(r.file.documents[2]->type, YAML_NULL);
    done(&r);
}

TEST(mistakes_have_place_message_and_remedy)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"a: 1\nb: 2\na: 3\n", "3:1 the key `a` is given twice; the first one is on line 1"},
        {"a: b: c\n", "1:5 a `:` is not expected here; put text that holds `: ` in quotes; look "
                      "for a wrong indentation on this line"},
        {"a:\n\tb: 1\n", "2:1 this character cannot start a value; indent with spaces, not tabs; "
                         "put text that begins with @, % or ` in quotes"},
        {"schedule: @daily\n", "1:11 this character cannot start a value; indent with spaces, not "
                               "tabs; put text that begins with @, % or ` in quotes"},
        {"a: [1, 2\nb: 3\n", "2:2 a `,` or `]` is expected here; look for the `[` that is not "
                             "closed"},
        {"a: \"x\n", "2:1 the file ends inside a text in quotes; close the quotes"},
        {"a: {{ ds }}\n", "1:5 a key must be a simple text; a value that begins with {{ or [ "
                          "needs quotes"},
        {"a: *nothing\n", "1:4 there is no anchor `&nothing` above this alias; "},
        {"a: &x [*x]\n", "1:8 the alias `*x` stands inside what it refers to; "},
        {"a: !thing 1\n", "1:11 the tag `!thing` is not known; leave it out: values have the types "
                          "of YAML's core schema"},
        {"a: !!int x\n", "1:10 `x` is not what its tag says; "},
        {"a: {<<: 3}\n", "1:9 `<<` merges a mapping or a list of mappings; write `<<: *name` where "
                         "`&name` marks a mapping"},
        {"a: \x01\n", "1:4 a control character is not allowed; remove it"},
        {"{~: 1}\n", "1:2 a key is missing before the `:`; "},
        {"- a\nb: 1\n", "2:1 a list item (`- …`) is expected here; items of one list start in the "
                        "same column"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct reading r;
        CHECK_STR(mistake(&r, rows[i].text), rows[i].message);
        CHECK(r.diagnostics.first && str_equal(r.diagnostics.first->error.place.file, "x.yaml"));
        done(&r);
    }
}

TEST(text_that_is_no_utf8_is_refused_at_its_place)
{
    struct reading r;
    CHECK_STR(
        mistake(&r, "a: 1\nb: \xff\n"), "2:4 the file is not valid UTF-8 here; save it as UTF-8");
    done(&r);
}

TEST(a_byte_order_mark_is_passed_over)
{
    struct reading r;
    CHECK_INT(yaml_get(parse(&r, "\xEF\xBB\xBF"
                                 "a: 1\n"),
                  "a")
                  ->integer,
        1);
    done(&r);
}

TEST(windows_line_ends_are_read)
{
    struct reading r;
    struct yaml_node *root = parse(&r, "a: 1\r\nb: |\r\n  x\r\n  y\r\n");
    CHECK_STR(yaml_get(root, "b")->value.p, "x\ny\n");
    CHECK_INT(yaml_get(root, "b")->text.line, 3);
    done(&r);
}

TEST(depth_is_bounded_and_quick)
{
    struct strbuf text = {0};
    strbuf_add_str(&text, "a: ");
    strbuf_add_repeat(&text, '[', 200 * 1000);
    struct reading r;
    CHECK_STR(mistake(&r, text.text), "1:67 the file nests deeper than 64 levels; ");
    done(&r);
    strbuf_done(&text);
}

TEST(aliases_that_multiply_are_bounded)
{
    struct strbuf text = {0};
    strbuf_add_str(&text, "a: &a [x, x, x, x, x, x, x, x, x, x]\n");
    for (char c = 'b'; c < 'j'; c++)
        strbuf_printf(&text, "%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", c, c,
            c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1);
    struct reading r;
    read_text(&r, text.text, text.size);
    CHECK(r.status == ERR_YAML);
    CHECK_STR(r.diagnostics.first->error.message,
        "the file has more than 200000 values (aliases count as copies)");
    done(&r);
    strbuf_done(&text);
}

TEST(merges_that_multiply_are_bounded)
{
    struct strbuf text = {0};
    strbuf_add_str(&text, "a: &a {k: [1, 2, 3, 4, 5, 6, 7, 8]}\n");
    for (int i = 0; i < 30 * 1000; i++)
        strbuf_printf(&text, "k%d: {<<: *a}\n", i);
    struct reading r;
    read_text(&r, text.text, text.size);
    CHECK(r.status == ERR_YAML);
    CHECK_INT(r.diagnostics.first->error.status, ERR_LIMIT);
    done(&r);
    strbuf_done(&text);
}

TEST(a_file_above_a_megabyte_is_refused)
{
    struct strbuf text = {0};
    strbuf_add_repeat(&text, ' ', YAML_SIZE_MAX + 1);
    struct reading r;
    CHECK_STR(mistake(&r, text.text), "1:1 the file is larger than 1048576 bytes; ");
    done(&r);
    strbuf_done(&text);
}

TEST(trees_become_json_and_come_back)
{
    struct reading r;
    struct yaml_node *root = parse(&r, "{a: [1, 2.5, true, null, x, .inf], b: {c: '1'}}");
    CLEANUP(json_decrefp) json_t *json = yaml_to_json(root);
    char *text = json_dumps(json, JSON_COMPACT);
    CHECK_STR(text, "{\"a\":[1,2.5,true,null,\"x\",\".inf\"],\"b\":{\"c\":\"1\"}}");
    struct yaml_node *back = yaml_from_json(r.arena, json, root);
    CLEANUP(json_decrefp) json_t *again = yaml_to_json(back);
    CHECK(json_equal(json, again));
    free(text);
    done(&r);
}

TEST(a_mapping_is_laid_over_another)
{
    struct reading a, b;
    struct yaml_node *base = parse(&a, "{x: {p: 1, q: 2}, y: [1], z: 1}");
    struct yaml_node *over = parse(&b, "{x: {q: 3, r: 4}, y: [2]}");
    CLEANUP(json_decrefp) json_t *json = yaml_to_json(yaml_merge(a.arena, base, over));
    char *text = json_dumps(json, JSON_COMPACT);
    CHECK_STR(text, "{\"x\":{\"p\":1,\"q\":3,\"r\":4},\"y\":[2],\"z\":1}");
    free(text);
    done(&a);
    done(&b);
}

/* Whatever happens to a file, the reader ends with nodes or with mistakes. */
static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return *state >> 33;
}

static const char sample[] =
    "dag_id: x\nschedule: \"@daily\" # c\ndefaults: &d {retries: 2, retry_delay: 5m}\ntasks:\n"
    "  a: {<<: *d, sql: 'select 1'}\n  b:\n    sql: |2-\n      select\n        2\n"
    "    depends_on: [a, ä]\n  c: !!str 12\n---\n- >+\n  folded\n\n- ? k\n  : v\n- "
    "\"\\u00e9\\n\"\n";

TEST(mutated_files_never_break_the_reader)
{
    static const char special[] = "[]{}:,-?&*!|>'\"%@`#\n \t\r\xff\xc3\0";
    uint64_t state = 42;
    size_t ok = 0, refused = 0;
    for (int round = 0; round < 4000; round++) {
        char text[sizeof(sample) * 2];
        size_t size = sizeof(sample) - 1;
        memcpy(text, sample, size);
        for (uint64_t edits = 1 + next_random(&state) % 6; edits > 0; edits--) {
            size_t at = next_random(&state) % size;
            uint64_t act = next_random(&state) % 3;
            if (act == 0) {
                text[at] = special[next_random(&state) % (sizeof(special) - 1)];
            } else if (act == 1 && size > 1) {
                size_t cut = next_random(&state) % (size - at < 8 ? size - at : 8);
                memmove(text + at, text + at + cut, size - at - cut);
                size -= cut;
            } else if (size + 16 < sizeof(text)) {
                size_t from = next_random(&state) % (size < 16 ? 1 : size - 15);
                char piece[16];
                memcpy(piece, text + from, size < 16 ? 1 : 15);
                memmove(text + at + 15, text + at, size - at);
                memcpy(text + at, piece, 15);
                size += 15;
            }
        }
        struct reading r;
        read_text(&r, text, size);
        CHECK((r.status == OK) == (r.diagnostics.error_count == 0));
        *(r.status == OK ? &ok : &refused) += 1;
        done(&r);
    }
    CHECK(ok > 100);
    CHECK(refused > 100);
}
