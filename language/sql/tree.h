/*
 * The parser's tree, as libpg_query writes it (JSON), indexed in one pass over the text: no node is
 * allocated by itself.  Private to language/sql.
 */
#ifndef LANGUAGE_SQL_TREE_H
#define LANGUAGE_SQL_TREE_H

#include "base/string.h"

struct tree_node {
    uint32_t key, key_size; /* in the text, without quotes; size 0: an item of a list */
    uint32_t begin, size;   /* of the value, a string's without its quotes */
    uint32_t next;          /* index behind the value and all in it */
    enum {
        TREE_SCALAR,
        TREE_STRING,
        TREE_LIST,
        TREE_OBJECT
    } kind;      /* names of columns and types,
                   of which nobody asks what is
                   in them, are scalars */
    bool marked; /* what touches a table may be in it: see is_marked in tree.c */
};
struct tree {
    const char *text;
    struct tree_node *at; /* on the heap; at[0] is the root */
    size_t count, capacity;
};

/* False when it is no JSON.  The text must outlive the tree. */
bool tree_read(struct tree *tree, const char *text);
void tree_done(struct tree *tree);

/* Nodes are indexes; 0, the root, stands for "none" where one is looked for. */
enum { TREE_NONE = 0 };
/* The first child; the last one's sibling and an empty one's first are TREE_NONE. */
static inline uint32_t tree_first(const struct tree *tree, uint32_t node)
{
    return node + 1 < tree->at[node].next ? node + 1 : TREE_NONE;
}
static inline uint32_t tree_sibling(const struct tree *tree, uint32_t parent, uint32_t node)
{
    uint32_t next = tree->at[node].next;
    return next < tree->at[parent].next ? next : TREE_NONE;
}
static inline struct slice tree_key(const struct tree *tree, uint32_t node)
{
    return slice_make(tree->text + tree->at[node].key, tree->at[node].key_size);
}
/* The member of that name. */
uint32_t tree_member(const struct tree *tree, uint32_t node, const char *key);
/* The member's text as it stands, escapes included; empty when there is none. */
struct slice tree_text(const struct tree *tree, uint32_t node, const char *key);
/* Its number; -1 without. */
int64_t tree_number(const struct tree *tree, uint32_t node, const char *key);
/* Whether it is `true`. */
bool tree_flag(const struct tree *tree, uint32_t node, const char *key);

/* A string with its escapes undone, in the arena; NULL of an empty slice that has no place. */
char *tree_unescaped(struct slice text, struct arena *arena);

#endif
