/*
 * YAML with positions.
 *
 * Reads YAML 1.2's core schema through libyaml's events: only `true` and `false` are booleans,
 * dates are text, `~`, `null` and nothing are null.  The composer is ours, so that every node knows
 * where it stands, depth and size are bounded, and mistakes that do not stop the reading (a key
 * given twice, a wrong merge) are collected.  Anchors and aliases work; an alias is the same node
 * again.
 * `<<` merges a mapping, or a list of mappings of which the first to have a key wins.
 */
#ifndef DEFINITION_YAML_H
#define DEFINITION_YAML_H

#include "base/error.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/string.h"
#include "definition/model/model.h"

enum yaml_kind { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };
enum yaml_type { YAML_NULL, YAML_BOOL, YAML_INT, YAML_FLOAT, YAML_TEXT };
enum yaml_style { YAML_PLAIN, YAML_SINGLE, YAML_DOUBLE, YAML_LITERAL, YAML_FOLDED };

/* A file as it was read.  The text belongs to the caller. */
struct yaml_source {
    const char *file; /* as people know it */
    struct slice text;
};

struct yaml_pair;

struct yaml_node {
    enum yaml_kind kind;
    enum yaml_type type;   /* of a scalar */
    enum yaml_style style; /* of a scalar */
    const struct yaml_source *source;
    size_t offset, end;    /* the span in the source, bytes; quotes and block indicators included */
    uint32_t line, column; /* of the span's start, from 1; columns count code points */

    /* scalars */
    struct slice value; /* NUL-terminated behind */
    bool boolean;       /* YAML_BOOL */
    int64_t integer;    /* YAML_INT */
    double real;        /* YAML_INT and YAML_FLOAT */
    struct text text;   /* the value with the place of its content (model.h) */

    /* collections */
    struct yaml_node **items; /* of a sequence */
    struct yaml_pair *pairs;  /* of a mapping, in the file's order; merged ones last */
    size_t count;

    uint32_t weight; /* nodes in it, aliases counted as copies */
};
/* Keys are scalars. */
struct yaml_pair {
    struct yaml_node *key, *value;
    bool merged; /* came from `<<` */
};

/* The documents of one file. */
struct yaml_file {
    struct yaml_source source;
    struct yaml_node **documents; /* an empty document is a null scalar */
    size_t count;
};

/* Reads all documents of a text; everything lives in `arena`, `text` must outlive it.  Mistakes are
   added to `diagnostics`; ERR_YAML when there were any. */
enum status yaml_read(const char *file, struct slice text, struct arena *arena,
    struct diagnostics *diagnostics, struct yaml_file *ret) MUST_CHECK;

/* The value of a key, or NULL. */
struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key);
bool yaml_is_text(const struct yaml_node *node, const char *text);
/* "a mapping", "a list", "text", "true or false", "a whole number" … for messages. */
const char *yaml_describe(const struct yaml_node *node);

/* Gives a plain scalar the type that the core schema has for its value; other styles are text. */
void yaml_resolve(struct yaml_node *node);
/* A scalar with another value at the same place; plain ones are resolved anew. */
struct yaml_node *yaml_with_value(
    struct arena *arena, const struct yaml_node *node, const char *value);
/* `over` laid over `base`: mappings are merged key by key, anything else is replaced.  Either may
   be NULL. */
struct yaml_node *yaml_merge(struct arena *arena, struct yaml_node *base, struct yaml_node *over);
/* As a JSON tree that the caller owns. */
json_t *yaml_to_json(const struct yaml_node *node);
/* The inverse, every node at the place of `at`. */
struct yaml_node *yaml_from_json(
    struct arena *arena, const json_t *json, const struct yaml_node *at);

#endif
