/*
 * JSON Schema (draft 2020-12) from the tables of keys: for editors that complete and document keys,
 * and for whatever else checks YAML.  It refuses what the loader refuses key by key; what has to be
 * looked up (a task's name, a template, a zone) is the loader's.
 *
 * How to add a key whose value the tables cannot describe (KEY_NODE, KEY_MAPPING): a row in the
 * schema's forms, beside its definition; tests/unit/definition/schema_test.c names a key without.
 */
#ifndef DEFINITION_SCHEMA_H
#define DEFINITION_SCHEMA_H

#include "definition/keys.h"

/* What a key's value looks like.  `json`: members of a schema, without the braces, with ' for ". */
struct schema_form {
    const struct level *level;
    const char *key; /* NULL: of the level itself, what must hold between its keys */
    const char *json;
};

/* A level, or a form, that others name: "#/$defs/<name>". */
struct schema_definition {
    const char *name;
    const struct level *level; /* NULL: `json` */
    const char *json;
    bool partial; /* keys of any kind, none that tells a kind, and none that is required */
};

struct schema {
    const char *name;  /* "dag" */
    const char *title; /* "a DAG file of dag" */
    const struct level *root;
    const struct schema_definition *definitions;
    size_t definition_count;
    const struct schema_form *forms;
    size_t form_count;
    /* A pattern of texts that stand for a value of any type (`${NAME}`); NULL = none. */
    const char *stands_for;
};

extern const struct schema dag_schema, project_schema;

/* The row for a key, NULL when there is none. */
const struct schema_form *schema_form_find(
    const struct schema *schema, const struct level *level, const char *key);
/* The schema as a JSON text in the arena. */
char *schema_write(const struct schema *schema, struct arena *arena);

#endif
