#include "language/sql/tree.h"

enum {
    /* Levels that are open at once; the parser's own ceiling on nesting is lower. */
    OPEN_MAX = 200 * 1000,
};

struct reading {
    struct tree *tree;
    size_t size, at;
    uint32_t *open; /* nodes that are open, the innermost last */
    size_t open_count, open_capacity;
};

static struct tree_node *add_node(struct tree *tree)
{
    if (tree->count == tree->capacity) {
        tree->capacity = tree->capacity ? 2 * tree->capacity : 1024;
        tree->at = mem_realloc(tree->at, tree->capacity * sizeof(*tree->at));
    }
    struct tree_node *node = &tree->at[tree->count++];
    *node = (struct tree_node){0};
    return node;
}

static void open_node(struct reading *r, uint32_t node)
{
    if (r->open_count == r->open_capacity) {
        r->open_capacity = r->open_capacity ? 2 * r->open_capacity : 64;
        r->open = mem_realloc(r->open, r->open_capacity * sizeof(*r->open));
    }
    r->open[r->open_count++] = node;
}

/* The end of a string whose first byte is at `at`; the text's size when it has none. */
static size_t string_end(const struct reading *r, size_t at)
{
    const char *text = r->tree->text;
    for (;;) {
        const char *quote = memchr(text + at, '"', r->size - at);
        if (!quote)
            return r->size;
        size_t end = (size_t)(quote - text), slashes = 0;
        while (end - slashes > at && text[end - slashes - 1] == '\\')
            slashes++;
        if (slashes % 2 == 0)
            return end;
        at = end + 1;
    }
}

static size_t scalar_end(const struct reading *r, size_t at)
{
    const char *text = r->tree->text;
    while (at < r->size && text[at] != ',' && text[at] != '}' && text[at] != ']')
        at++;
    return at;
}

/* A value; a list or object is opened. */
static bool read_value(struct reading *r, uint32_t key, uint32_t key_size)
{
    uint32_t index = (uint32_t)r->tree->count;
    struct tree_node *node = add_node(r->tree);
    char c = r->at < r->size ? r->tree->text[r->at] : '\0';
    node->key = key;
    node->key_size = key_size;
    node->begin = (uint32_t)r->at;
    if (c == '{' || c == '[') {
        node->kind = c == '{' ? TREE_OBJECT : TREE_LIST;
        r->at++;
        open_node(r, index);
        return r->open_count <= OPEN_MAX;
    }
    size_t end = c == '"' ? string_end(r, ++node->begin) : scalar_end(r, r->at);
    node->kind = c == '"' ? TREE_STRING : TREE_SCALAR;
    node->size = (uint32_t)end - node->begin;
    node->next = index + 1;
    r->at = end + (c == '"');
    return r->at <= r->size && (node->size || c == '"');
}

static void close_node(struct reading *r)
{
    struct tree_node *node = &r->tree->at[r->open[--r->open_count]];
    r->at++;
    node->size = (uint32_t)r->at - node->begin;
    node->next = (uint32_t)r->tree->count;
}

static bool read_item(struct reading *r)
{
    const char *text = r->tree->text;
    bool object = r->tree->at[r->open[r->open_count - 1]].kind == TREE_OBJECT;
    if (text[r->at] == ',' || text[r->at] == ' ') {
        r->at++;
        return true;
    }
    if (text[r->at] == (object ? '}' : ']')) {
        close_node(r);
        return true;
    }
    if (!object)
        return read_value(r, 0, 0);
    size_t key = r->at + 1, end = string_end(r, key);
    if (text[r->at] != '"' || end + 1 >= r->size || text[end + 1] != ':')
        return false;
    r->at = end + 2;
    return read_value(r, (uint32_t)key, (uint32_t)(end - key));
}

bool tree_read(struct tree *tree, const char *text, size_t size)
{
    *tree = (struct tree){.text = text};
    struct reading r = {.tree = tree, .size = size};
    bool ok = size < UINT32_MAX && read_value(&r, 0, 0);
    while (ok && r.open_count)
        ok = r.at < r.size && read_item(&r);
    mem_free(r.open);
    if (!ok)
        tree_done(tree);
    return ok;
}

void tree_done(struct tree *tree)
{
    mem_free(tree->at);
    *tree = (struct tree){0};
}

uint32_t tree_first(const struct tree *tree, uint32_t node)
{
    return node + 1 < tree->at[node].next ? node + 1 : TREE_NONE;
}

uint32_t tree_sibling(const struct tree *tree, uint32_t parent, uint32_t node)
{
    uint32_t next = tree->at[node].next;
    return next < tree->at[parent].next ? next : TREE_NONE;
}

struct slice tree_key(const struct tree *tree, uint32_t node)
{
    return slice_make(tree->text + tree->at[node].key, tree->at[node].key_size);
}

uint32_t tree_member(const struct tree *tree, uint32_t node, const char *key)
{
    struct slice wanted = slice_of(key);
    if (tree->at[node].kind != TREE_OBJECT)
        return TREE_NONE;
    for (uint32_t child = tree_first(tree, node); child; child = tree_sibling(tree, node, child))
        if (slice_equal(tree_key(tree, child), wanted))
            return child;
    return TREE_NONE;
}

struct slice tree_text(const struct tree *tree, uint32_t node, const char *key)
{
    uint32_t member = tree_member(tree, node, key);
    if (!member)
        return (struct slice){0};
    return slice_make(tree->text + tree->at[member].begin, tree->at[member].size);
}

int64_t tree_number(const struct tree *tree, uint32_t node, const char *key)
{
    int64_t number;
    return parse_int64(tree_text(tree, node, key), &number) ? number : -1;
}

bool tree_flag(const struct tree *tree, uint32_t node, const char *key)
{
    return slice_equal_str(tree_text(tree, node, key), "true");
}

/* Four digits of \uXXXX; 0 when they are none. */
static uint32_t code_unit(struct slice text, size_t at)
{
    uint32_t unit = 0;
    for (size_t i = at; i < at + 4; i++) {
        char c = i < text.size ? text.p[i] : '\0';
        bool digit = c >= '0' && c <= '9';
        char lower = (char)(c | 0x20);
        if (!digit && (lower < 'a' || lower > 'f'))
            return 0;
        unit = unit * 16 + (uint32_t)(digit ? c - '0' : lower - 'a' + 10);
    }
    return unit;
}

char *tree_unescaped(struct slice text, struct arena *arena)
{
    static const char escapes[] = "bfnrt", meant[] = "\b\f\n\r\t";
    if (!text.p)
        return NULL;
    struct strbuf out = {.arena = arena};
    strbuf_reserve(&out, text.size);
    for (size_t i = 0; i < text.size; i++) {
        if (text.p[i] != '\\' || i + 1 == text.size) {
            strbuf_add_char(&out, text.p[i]);
            continue;
        }
        char c = text.p[++i];
        const char *escape = strchr(escapes, c);
        if (c == 'u') {
            strbuf_add_utf8(&out, code_unit(text, i + 1));
            i += i + 4 < text.size ? 4 : text.size - 1 - i;
        } else {
            strbuf_add_char(&out, escape ? meant[escape - escapes] : c);
        }
    }
    return (char *)strbuf_finish(&out, arena).p;
}
