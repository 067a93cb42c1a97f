/* The composer: libyaml's events to nodes. */
#include "definition/yaml.h"
#include <yaml.h>
#include "base/map.h"
#include "base/vec.h"
#include "definition/limits.h"
#include "definition/report.h"
#include "definition/yaml_internal.h"

struct composer {
    yaml_parser_t parser;
    struct arena *arena;
    struct diagnostics *diagnostics;
    const struct yaml_source *source;
    struct map *anchors; /* name → node; one that is still open has the weight 0 */
    unsigned depth;
    uint64_t nodes;                     /* made so far, aliases counted as copies */
    size_t cursor_index, cursor_offset; /* a character's index and its offset in bytes */
};

/* What libyaml says, in our words. */
static const struct {
    const char *problem, *message, *hint;
} problems[] = {
    {"mapping values are not allowed in this context", "a `:` is not expected here",
        "put text that holds `: ` in quotes; look for a wrong indentation on this line"},
    {"found character that cannot start any token", "this character cannot start a value",
        "indent with spaces, not tabs; put text that begins with @, % or ` in quotes"},
    {"did not find expected key", "a key is expected here",
        "look for a wrong indentation or an open quote above"},
    {"could not find expected ':'", "a `:` is expected here",
        "write `key: value`, with a space after the colon"},
    {"did not find expected '-' indicator", "a list item (`- …`) is expected here",
        "items of one list start in the same column"},
    {"did not find expected ',' or ']'", "a `,` or `]` is expected here",
        "look for the `[` that is not closed"},
    {"did not find expected ',' or '}'", "a `,` or `}` is expected here",
        "look for the `{` that is not closed; a text that begins with {{ needs quotes"},
    {"found unexpected end of stream", "the file ends inside a text in quotes", "close the quotes"},
    {"block sequence entries are not allowed in this context", "a list item cannot stand here",
        "start the list on a line of its own"},
    {"found unknown escape character", "this escape is not known",
        "use single quotes to take backslashes as they are"},
    {"control characters are not allowed", "a control character is not allowed", "remove it"},
};

static size_t offset_of(struct composer *c, yaml_mark_t mark)
{
    struct slice text = c->source->text;
    while (c->cursor_index < mark.index && c->cursor_offset < text.size) {
        do
            c->cursor_offset++;
        while (c->cursor_offset < text.size &&
               ((unsigned char)text.p[c->cursor_offset] & 0xC0) == 0x80);
        c->cursor_index++;
    }
    while (c->cursor_index > mark.index && c->cursor_offset > 0) {
        do
            c->cursor_offset--;
        while (c->cursor_offset > 0 && ((unsigned char)text.p[c->cursor_offset] & 0xC0) == 0x80);
        c->cursor_index--;
    }
    return c->cursor_offset;
}

static void report_problem(struct composer *c)
{
    const char *problem = c->parser.problem ? c->parser.problem : "the text is not YAML";
    const char *message = problem, *hint = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(problems); i++)
        if (str_equal(problems[i].problem, problem)) {
            message = problems[i].message;
            hint = problems[i].hint;
        }
    size_t offset = c->parser.error == YAML_READER_ERROR ? c->parser.problem_offset
                                                         : offset_of(c, c->parser.problem_mark);
    struct diagnostic *d =
        report_offset(c->diagnostics, c->source, offset, ERR_YAML, "%s", message);
    if (hint)
        report_hint(d, "%s", hint);
    else if (c->parser.context)
        report_hint(d, "%s", c->parser.context);
}

static bool next_event(struct composer *c, yaml_event_t *ret)
{
    if (yaml_parser_parse(&c->parser, ret))
        return true;
    report_problem(c);
    return false;
}

static struct yaml_node *new_node(
    struct composer *c, enum yaml_kind kind, const yaml_event_t *event)
{
    struct yaml_node *node = arena_new_of(c->arena, struct yaml_node);
    node->kind = kind;
    node->source = c->source;
    node->offset = offset_of(c, event->start_mark);
    node->end = offset_of(c, event->end_mark);
    node->line = (uint32_t)event->start_mark.line + 1;
    node->column = (uint32_t)event->start_mark.column + 1;
    return node;
}

/* Counts nodes against the budget. */
static bool spend(struct composer *c, const struct yaml_node *at, uint64_t nodes)
{
    c->nodes += nodes;
    if (c->nodes <= YAML_NODES_MAX)
        return true;
    report(c->diagnostics, at, ERR_LIMIT,
        "the file has more than %d values (aliases count as copies)", YAML_NODES_MAX);
    return false;
}

/* libyaml's mark of a node with an anchor or tag is that of the anchor or tag. */
static void skip_properties(struct yaml_node *node)
{
    struct slice text = node->source->text;
    size_t at = node->offset;
    while (at < node->end && (text.p[at] == '&' || text.p[at] == '!')) {
        at += strcspn(text.p + at, " \t\r\n");
        at += strspn(text.p + at, " \t\r\n");
    }
    struct text_position position = text_locate(text.p, text.size, at);
    node->offset = at;
    node->line = position.line;
    node->column = position.column;
}

static bool apply_tag(struct composer *c, struct yaml_node *node, const char *tag)
{
    static const struct {
        const char *tag;
        enum yaml_type type;
    } tags[] = {{YAML_STR_TAG, YAML_TEXT}, {"!", YAML_TEXT}, {YAML_INT_TAG, YAML_INT},
        {YAML_FLOAT_TAG, YAML_FLOAT}, {YAML_BOOL_TAG, YAML_BOOL}, {YAML_NULL_TAG, YAML_NULL}};
    for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
        if (!str_equal(tags[i].tag, tag))
            continue;
        enum yaml_style style = node->style;
        node->style = YAML_PLAIN;
        yaml_resolve(node);
        node->style = style;
        if (tags[i].type == YAML_TEXT)
            node->type = YAML_TEXT;
        if (tags[i].type == YAML_FLOAT && node->type == YAML_INT)
            node->type = YAML_FLOAT;
        if (node->type == tags[i].type)
            return true;
        report(c->diagnostics, node, ERR_YAML, "`%s` is not what its tag says", node->value.p);
        return false;
    }
    report_hint(report(c->diagnostics, node, ERR_YAML, "the tag `%s` is not known", tag),
        "leave it out: values have the types of YAML's core schema");
    return false;
}

static enum yaml_style style_of(yaml_scalar_style_t style)
{
    switch (style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE: return YAML_SINGLE;
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE: return YAML_DOUBLE;
    case YAML_LITERAL_SCALAR_STYLE: return YAML_LITERAL;
    case YAML_FOLDED_SCALAR_STYLE: return YAML_FOLDED;
    case YAML_ANY_SCALAR_STYLE:
    case YAML_PLAIN_SCALAR_STYLE: break;
    }
    return YAML_PLAIN;
}

static void keep_anchor(struct composer *c, const yaml_char_t *anchor, struct yaml_node *node)
{
    if (anchor)
        map_set(c->anchors, (const char *)anchor, node);
}

static bool compose_scalar(struct composer *c, const yaml_event_t *event, struct yaml_node **ret)
{
    struct yaml_node *node = new_node(c, YAML_SCALAR, event);
    const char *value = (const char *)event->data.scalar.value;
    size_t size = event->data.scalar.length;
    if (event->data.scalar.anchor || event->data.scalar.tag)
        skip_properties(node);
    node->style = style_of(event->data.scalar.style);
    node->value = slice_make(arena_strndup(c->arena, value, size), size);
    node->weight = 1;
    if (memchr(value, '\0', size)) {
        report(c->diagnostics, node, ERR_YAML, "a text cannot hold the character NUL");
        return false;
    }
    yaml_resolve(node);
    if (event->data.scalar.tag && !apply_tag(c, node, (const char *)event->data.scalar.tag))
        return false;
    yaml_place_text(node);
    keep_anchor(c, event->data.scalar.anchor, node);
    *ret = node;
    return spend(c, node, 1);
}

static bool compose_alias(struct composer *c, const yaml_event_t *event, struct yaml_node **ret)
{
    const char *name = (const char *)event->data.alias.anchor;
    struct yaml_node *node = map_get(c->anchors, name);
    size_t offset = offset_of(c, event->start_mark);
    if (!node) {
        report_offset(c->diagnostics, c->source, offset, ERR_YAML,
            "there is no anchor `&%s` above this alias", name);
        return false;
    }
    if (node->weight == 0) {
        report_offset(c->diagnostics, c->source, offset, ERR_YAML,
            "the alias `*%s` stands inside what it refers to", name);
        return false;
    }
    *ret = node;
    return spend(c, node, node->weight);
}

static bool compose_node(struct composer *c, yaml_event_t *event, struct yaml_node **ret);

/* The next node of a collection; *ret NULL at its end. */
static bool compose_next(struct composer *c, yaml_event_type_t end, struct yaml_node **ret)
{
    yaml_event_t event;
    *ret = NULL;
    if (!next_event(c, &event))
        return false;
    if (event.type == end) {
        yaml_event_delete(&event);
        return true;
    }
    return compose_node(c, &event, ret);
}

static bool compose_sequence(struct composer *c, struct yaml_node *node)
{
    VEC(struct yaml_node *) items = {0};
    struct yaml_node *item;
    uint32_t weight = 1;
    bool ok;
    while ((ok = compose_next(c, YAML_SEQUENCE_END_EVENT, &item)) && item) {
        vec_push(&items, item);
        weight += item->weight;
    }
    node->items = arena_memdup(c->arena, items.at, items.count * sizeof(*items.at));
    node->count = items.count;
    node->weight = weight;
    vec_done(&items);
    return ok;
}

static bool is_merge_key(const struct yaml_node *key)
{
    return key->style == YAML_PLAIN && slice_equal_str(key->value, "<<");
}

/* Keys are taken as they are written: 1 and "1" are the same key. */
static bool check_key(struct composer *c, const struct yaml_node *key)
{
    if (key->kind != YAML_SCALAR) {
        report_hint(report(c->diagnostics, key, ERR_YAML, "a key must be a simple text"),
            "a value that begins with {{ or [ needs quotes");
        return false;
    }
    if (key->type == YAML_NULL) {
        report(c->diagnostics, key, ERR_YAML, "a key is missing before the `:`");
        return false;
    }
    return true;
}

typedef VEC(struct yaml_pair) yaml_pairs;

static bool merge_mapping(struct composer *c, const struct yaml_node *from, yaml_pairs *pairs,
    struct map *keys, uint32_t *weight)
{
    for (size_t i = 0; i < from->count; i++) {
        struct yaml_pair pair = from->pairs[i];
        if (map_set_slice(keys, pair.key->value, pair.key)) {
            continue;
        }
        pair.merged = true;
        vec_push(pairs, pair);
        *weight += pair.value->weight + 1;
        if (!spend(c, from, pair.value->weight + 1))
            return false;
    }
    return true;
}

static bool merge_value(struct composer *c, const struct yaml_node *value, yaml_pairs *pairs,
    struct map *keys, uint32_t *weight)
{
    if (value->kind == YAML_MAPPING)
        return merge_mapping(c, value, pairs, keys, weight);
    bool ok = value->kind == YAML_SEQUENCE;
    for (size_t i = 0; ok && i < value->count; i++)
        ok = value->items[i]->kind == YAML_MAPPING;
    if (!ok) {
        report_hint(
            report(c->diagnostics, value, ERR_YAML, "`<<` merges a mapping or a list of mappings"),
            "write `<<: *name` where `&name` marks a mapping");
        return true;
    }
    for (size_t i = 0; i < value->count; i++)
        if (!merge_mapping(c, value->items[i], pairs, keys, weight))
            return false;
    return true;
}

static bool add_pair(struct composer *c, struct yaml_node *key, struct yaml_node *value,
    yaml_pairs *pairs, struct map *keys)
{
    const struct yaml_node *first = map_get_slice(keys, key->value);
    if (first) {
        report_hint(
            report(c->diagnostics, key, ERR_DUPLICATE, "the key `%s` is given twice", key->value.p),
            "the first one is on line %u", first->line);
        return true;
    }
    map_set_slice(keys, key->value, key);
    vec_push(pairs, ((struct yaml_pair){key, value, false}));
    return true;
}

/* Reads the pairs; the values of `<<` go to `merges`, to be applied when all own keys are known. */
static bool compose_pairs(
    struct composer *c, yaml_pairs *pairs, struct map *keys, yaml_pairs *merges, uint32_t *weight)
{
    struct yaml_node *key, *value;
    for (;;) {
        if (!compose_next(c, YAML_MAPPING_END_EVENT, &key))
            return false;
        if (!key)
            return true;
        if (!check_key(c, key) || !compose_next(c, YAML_NO_EVENT, &value))
            return false;
        *weight += key->weight + value->weight;
        if (is_merge_key(key))
            vec_push(merges, ((struct yaml_pair){key, value, true}));
        else if (!add_pair(c, key, value, pairs, keys))
            return false;
    }
}

static bool compose_mapping(struct composer *c, struct yaml_node *node)
{
    yaml_pairs pairs = {0}, merges = {0};
    CLEANUP(map_freep) struct map *keys = map_new();
    uint32_t weight = 1;
    bool ok = compose_pairs(c, &pairs, keys, &merges, &weight);
    for (size_t i = 0; ok && i < merges.count; i++)
        ok = merge_value(c, merges.at[i].value, &pairs, keys, &weight);
    node->pairs = arena_memdup(c->arena, pairs.at, pairs.count * sizeof(*pairs.at));
    node->count = pairs.count;
    node->weight = weight;
    vec_done(&pairs);
    vec_done(&merges);
    return ok;
}

static bool check_collection_tag(
    struct composer *c, const struct yaml_node *node, const yaml_char_t *tag)
{
    const char *wanted = node->kind == YAML_MAPPING ? YAML_MAP_TAG : YAML_SEQ_TAG;
    if (!tag || str_equal((const char *)tag, wanted))
        return true;
    report_hint(
        report(c->diagnostics, node, ERR_YAML, "the tag `%s` is not known", (const char *)tag),
        "leave it out: values have the types of YAML's core schema");
    return false;
}

static bool compose_collection(
    struct composer *c, const yaml_event_t *event, struct yaml_node **ret)
{
    bool mapping = event->type == YAML_MAPPING_START_EVENT;
    const yaml_char_t *anchor =
        mapping ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
    const yaml_char_t *tag =
        mapping ? event->data.mapping_start.tag : event->data.sequence_start.tag;
    struct yaml_node *node = new_node(c, mapping ? YAML_MAPPING : YAML_SEQUENCE, event);
    if (!spend(c, node, 1) || !check_collection_tag(c, node, tag))
        return false;
    if (c->depth == YAML_DEPTH_MAX) {
        report(c->diagnostics, node, ERR_LIMIT, "the file nests deeper than %d levels",
            YAML_DEPTH_MAX);
        return false;
    }
    keep_anchor(c, anchor, node);
    c->depth++;
    bool ok = mapping ? compose_mapping(c, node) : compose_sequence(c, node);
    c->depth--;
    node->end = c->cursor_offset > node->end ? c->cursor_offset : node->end;
    *ret = node;
    return ok;
}

/* Consumes the event. */
static bool compose_node(struct composer *c, yaml_event_t *event, struct yaml_node **ret)
{
    bool ok = false;
    *ret = NULL;
    if (event->type == YAML_ALIAS_EVENT)
        ok = compose_alias(c, event, ret);
    else if (event->type == YAML_SCALAR_EVENT)
        ok = compose_scalar(c, event, ret);
    else if (event->type == YAML_MAPPING_START_EVENT || event->type == YAML_SEQUENCE_START_EVENT)
        ok = compose_collection(c, event, ret);
    yaml_event_delete(event);
    return ok;
}

/* One document's node; *ret NULL at the end of the stream. */
static bool compose_document(struct composer *c, struct yaml_node **ret)
{
    yaml_event_t event;
    *ret = NULL;
    if (!next_event(c, &event))
        return false;
    bool ended = event.type == YAML_STREAM_END_EVENT;
    yaml_event_delete(&event); /* the document's start */
    if (ended)
        return true;
    map_clear(c->anchors);
    if (!compose_next(c, YAML_NO_EVENT, ret) || !next_event(c, &event))
        return false;
    yaml_event_delete(&event); /* the document's end */
    return true;
}

static void compose_documents(struct composer *c, struct yaml_file *ret)
{
    yaml_event_t event;
    if (!next_event(c, &event))
        return;
    yaml_event_delete(&event); /* the stream's start */
    VEC(struct yaml_node *) documents = {0};
    struct yaml_node *document;
    while (compose_document(c, &document) && document) {
        vec_push(&documents, document);
        if (documents.count > DAGFILE_DAGS_MAX) {
            report(c->diagnostics, document, ERR_LIMIT, "the file has more than %d documents",
                DAGFILE_DAGS_MAX);
            break;
        }
    }
    ret->documents = arena_memdup(c->arena, documents.at, documents.count * sizeof(*documents.at));
    ret->count = documents.count;
    vec_done(&documents);
}

static bool check_text(const struct yaml_source *source, struct diagnostics *diagnostics)
{
    size_t offset = 0;
    if (source->text.size > YAML_SIZE_MAX) {
        report_offset(
            diagnostics, source, 0, ERR_LIMIT, "the file is larger than %d bytes", YAML_SIZE_MAX);
        return false;
    }
    if (!utf8_valid(source->text.p, source->text.size, &offset)) {
        report_hint(report_offset(
                        diagnostics, source, offset, ERR_YAML, "the file is not valid UTF-8 here"),
            "save it as UTF-8");
        return false;
    }
    return true;
}

enum status yaml_read(const char *file, struct slice text, struct arena *arena,
    struct diagnostics *diagnostics, struct yaml_file *ret)
{
    static const char byte_order_mark[] = "\xEF\xBB\xBF";
    if (text.size >= 3 && memcmp(text.p, byte_order_mark, 3) == 0)
        text = slice_make(text.p + 3, text.size - 3);
    struct yaml_source *source = arena_new_of(arena, struct yaml_source);
    /* The composer looks for line ends with string functions. */
    const char *copy = arena_strndup(arena, text.size ? text.p : "", text.size);
    *source = (struct yaml_source){arena_strdup(arena, file), slice_make(copy, text.size)};
    *ret = (struct yaml_file){.source = *source};
    size_t errors = diagnostics->error_count;
    if (!check_text(source, diagnostics))
        return ERR_YAML;
    struct composer c = {
        .arena = arena, .diagnostics = diagnostics, .source = source, .anchors = map_new()};
    yaml_parser_initialize(&c.parser);
    yaml_parser_set_encoding(&c.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(
        &c.parser, (const unsigned char *)source->text.p, source->text.size);
    compose_documents(&c, ret);
    yaml_parser_delete(&c.parser);
    map_free(c.anchors);
    return diagnostics->error_count > errors ? ERR_YAML : OK;
}
