#include "language/sql/tree.h"

enum {
    /* Levels that are open at once; the parser's own ceiling on nesting is lower. */
    OPEN_MAX = 200 * 1000,
};

struct reading {
    struct tree *tree;
    const char *at;
    uint32_t *open; /* nodes that are open, the innermost last */
    size_t open_count, open_capacity;
};

static struct tree_node *add_node(struct tree *tree)
{
    if (tree->count == tree->capacity) {
        tree->capacity = tree->capacity * 2;
        tree->at = mem_realloc(tree->at, tree->capacity * sizeof(*tree->at));
    }
    return &tree->at[tree->count++];
}

static void open_node(struct reading *r, uint32_t node)
{
    if (r->open_count == r->open_capacity) {
        r->open_capacity = r->open_capacity ? 2 * r->open_capacity : 64;
        r->open = mem_realloc(r->open, r->open_capacity * sizeof(*r->open));
    }
    r->open[r->open_count++] = node;
}

/* The quote that ends the string whose first byte is at p; the text's end when there is none. */
static const char *string_end(const char *p)
{
    static const bool stops[256] = {['\0'] = true, ['"'] = true, ['\\'] = true};
    for (;; p++) {
        while (!stops[(unsigned char)*p])
            p++;
        if (*p != '\\' || !*++p)
            return p;
    }
}

static const char *scalar_end(const char *p)
{
    static const bool stops[256] = {['\0'] = true, [','] = true, ['}'] = true, [']'] = true};
    while (!stops[(unsigned char)*p])
        p++;
    return p;
}

/* What touches a table has one of these keys in it: every name of one does, and what is looked at
   besides. */
static bool is_marked(const char *key, size_t size)
{
    switch (size) {
    case 6: return memcmp(key, "DoStmt", 6) == 0;
    case 7: return memcmp(key, "relname", 7) == 0;
    case 8:
        return memcmp(key, "FuncCall", 8) == 0 || memcmp(key, "funccall", 8) == 0 ||
               memcmp(key, "DropStmt", 8) == 0;
    default: return false;
    }
}

/* Whether nobody asks for what is in the value of that key, of which there are many. */
static bool is_opaque(const char *key, size_t size)
{
    return (size == 9 && memcmp(key, "ColumnRef", 9) == 0) ||
           (size == 8 && (memcmp(key, "TypeName", 8) == 0 || memcmp(key, "typeName", 8) == 0));
}

/* Behind a list or object; the text's end when it is not closed. */
static const char *behind_value(const char *p)
{
    static const bool stops[256] = {
        ['\0'] = true, ['"'] = true, ['{'] = true, ['['] = true, ['}'] = true, [']'] = true};
    size_t depth = 0;
    do {
        while (!stops[(unsigned char)*p])
            p++;
        if (*p == '"')
            p = string_end(p + 1);
        else
            depth += *p == '{' || *p == '[' ? 1 : -1;
        p += *p != '\0';
    } while (*p && depth);
    return p;
}

/* Marks the innermost node that is open. */
static void mark(struct reading *r)
{
    if (r->open_count)
        r->tree->at[r->open[r->open_count - 1]].marked = true;
}

/* A value; a list or object is opened. */
static bool read_value(struct reading *r, struct slice key)
{
    const char *text = r->tree->text, *begin = r->at;
    uint32_t index = (uint32_t)r->tree->count;
    struct tree_node *node = add_node(r->tree);
    bool string = *begin == '"';
    *node = (struct tree_node){.key = (uint32_t)(key.p - text),
        .key_size = (uint32_t)key.size,
        .kind = string ? TREE_STRING : TREE_SCALAR,
        .marked = is_marked(key.p, key.size)};
    if (*begin == '{' && is_opaque(key.p, key.size)) {
        r->at = behind_value(begin);
        node->begin = (uint32_t)(begin - text);
        node->size = (uint32_t)(r->at - begin);
        node->next = index + 1;
        return r->at[-1] == '}';
    }
    if (*begin == '{' || *begin == '[') {
        node->kind = *begin == '{' ? TREE_OBJECT : TREE_LIST;
        node->begin = (uint32_t)(begin - text);
        r->at++;
        open_node(r, index);
        return r->open_count <= OPEN_MAX;
    }
    begin += string;
    const char *end = string ? string_end(begin) : scalar_end(begin);
    node->begin = (uint32_t)(begin - text);
    node->size = (uint32_t)(end - begin);
    node->next = index + 1;
    if (node->marked)
        mark(r);
    r->at = end + string;
    return string ? *end == '"' : end > begin;
}

static void close_node(struct reading *r)
{
    struct tree_node *node = &r->tree->at[r->open[--r->open_count]];
    r->at++;
    node->size = (uint32_t)(r->at - r->tree->text) - node->begin;
    node->next = (uint32_t)r->tree->count;
    if (node->marked)
        mark(r);
}

static bool read_item(struct reading *r)
{
    bool object = r->tree->at[r->open[r->open_count - 1]].kind == TREE_OBJECT;
    while (*r->at == ',' || *r->at == ' ')
        r->at++;
    if (*r->at == (object ? '}' : ']')) {
        close_node(r);
        return true;
    }
    if (!object)
        return read_value(r, slice_make(r->tree->text, 0));
    if (*r->at != '"')
        return false;
    const char *key = r->at + 1, *end = string_end(key);
    if (*end != '"' || end[1] != ':')
        return false;
    r->at = end + 2;
    return read_value(r, slice_make(key, (size_t)(end - key)));
}

bool tree_read(struct tree *tree, const char *text)
{
    enum { BYTES_OF_NODE = 12 }; /* about, what is passed over left out */
    size_t size = strlen(text), capacity = size / BYTES_OF_NODE + 1;
    *tree = (struct tree){.text = text, .capacity = capacity};
    if (size >= UINT32_MAX)
        return false;
    tree->at = mem_alloc(capacity * sizeof(*tree->at));
    struct reading r = {.tree = tree, .at = text};
    bool ok = read_value(&r, slice_make(text, 0));
    while (ok && r.open_count)
        ok = read_item(&r);
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
