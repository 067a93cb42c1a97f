/* `dag graph --tables`: a DAG's tasks between the tables that they read and write. */
#ifndef CLI_GRAPH_TABLES_H
#define CLI_GRAPH_TABLES_H

#include "cli/cli.h"

/* An edge of data: a table that a task reads, or one that it writes. */
struct table_edge {
    const struct task *task;
    const char *table; /* "schema.name" */
    bool writes;
};
struct table_edges {
    const struct table_edge *at; /* each once, by tasks in the file's order, reads first */
    size_t count;
};

/* As of a sample run; temporary tables, and those that a task makes and drops, are left out. */
enum status graph_find_tables(
    struct cli *cli, const struct dag *dag, struct table_edges *ret, struct error *err) MUST_CHECK;

/* By tables: who writes it, who reads it. */
void graph_print_tables(const struct table_edges *edges, struct arena *arena);
/* An edge a line. */
void graph_print_tables_json(const struct table_edges *edges);
/* DOT statements for the tables and their edges, to stand in the tasks' graph. */
void graph_tables_dot(const struct table_edges *edges, struct strbuf *out);
/* Text in double quotes, as DOT takes it. */
void dot_quoted(struct strbuf *out, const char *text);

#endif
