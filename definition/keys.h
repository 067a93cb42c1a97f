/*
 * The keys of DAG files and of dag.yaml: one table a level, from which reading, checking, JSON
 * Schema and the reference in docs/ are made.
 *
 * How to add a key:
 *  1. add a row to its level in keys_dag.c, keys_task.c or keys_project.c;
 *  2. add the field that it fills to the level's struct below, or to the model;
 *  3. say in docs/ what it does: the tables there are made by definition_reference, and
 *     tests/unit/definition/keys_test.c fails until both agree;
 *  4. tests/unit/definition/contract_test.c lists every key of the contract;
 *  5. a KEY_NODE or KEY_MAPPING needs its form in schema_forms.c (schema_test.c names it).
 */
#ifndef DEFINITION_KEYS_H
#define DEFINITION_KEYS_H

#include "base/error.h"
#include "definition/model/model.h"
#include "definition/yaml.h"

enum key_type {
    KEY_NODE,     /* anything; const struct yaml_node * */
    KEY_MAPPING,  /* const struct yaml_node * */
    KEY_TEXT,     /* struct text; any scalar but null, as written */
    KEY_WORD,     /* const char *; any scalar but null */
    KEY_BOOL,     /* bool */
    KEY_INT,      /* int, from `min` to `max` */
    KEY_NUMBER64, /* int64_t, from `min` to `max` */
    KEY_DURATION, /* int64_t, microseconds */
    KEY_CHOICE,   /* an enum: the index in `choices` */
    KEY_WORDS,    /* struct names: a text or a list of texts */
    KEY_TEXTS,    /* struct texts: a list of texts */
    KEY_PATHS,    /* struct texts: a text or a list of texts */
    KEY_TEXT_MAP, /* struct named_texts: a mapping of texts */
};

enum key_flag {
    KEY_TEMPLATED = 1, /* rendered at each attempt */
    KEY_SECRET = 2,    /* never shown */
    KEY_LATER = 4,     /* known, but this version refuses it */
    KEY_REQUIRED = 8,
    KEY_KIND = 16, /* tells the kind of a task; `kinds` is that kind */
};

struct key {
    const char *name;
    enum key_type type;
    unsigned flags;
    size_t offset;              /* of the field in the level's struct */
    const char *fallback;       /* the default as people read it; NULL = none */
    const char *doc;            /* a phrase, for the reference and editors */
    const char *const *choices; /* KEY_CHOICE: ends with NULL */
    int64_t min, max;           /* KEY_INT, KEY_NUMBER64: both zero = 0 … COUNT_VALUE_MAX */
    unsigned kinds;             /* of tasks: a bit a kind; 0 = all */
};

/* Words of Airflow that people write for a key or a value: what to write instead. */
struct airflow_word {
    const char *theirs;
    const char *ours; /* the key or value; NULL: there is none */
    const char *hint; /* NULL: "write `ours`" */
};

struct level {
    const char *name; /* "a task" */
    const struct key *keys;
    size_t count;
    const struct airflow_word *airflow;
    size_t airflow_count;
};

enum { LEVEL_KEYS_MAX = 112 };

extern const struct level dag_level, task_level, ask_level, check_level, expand_level, group_level,
    schedule_level;
extern const struct level trigger_level, http_level, wait_level, wait_task_level, dst_level,
    deadline_level;
extern const struct level project_level, connection_level, endpoint_level, registry_level,
    web_level, variable_level, function_level;

/* What the tables' rows fill. */
struct dag_keys {
    const char *dag_id, *description, *owner, *timezone;
    struct names tags;
    const struct yaml_node *schedule, *start_date, *end_date, *catchup, *params, *default_args,
        *deadline;
    const struct yaml_node *tasks, *groups, *foreach, *later;
    int max_active_runs, max_active_tasks, max_consecutive_failed_runs;
    int64_t priority, run_timeout_us;
    bool fail_fast, paused;
};
struct http_keys {
    struct text url;
    const char *method, *result;
    struct named_texts headers;
    const struct yaml_node *body, *expect;
};
struct trigger_keys {
    struct text dag_id, logical_date;
    const struct yaml_node *conf;
    bool wait;
};
struct task_keys {
    struct task task;
    struct task_parts parts;
    struct http_keys http;
    struct trigger_keys trigger;
    struct names depends_on;
    const struct yaml_node *kind, *params, *parameters, *retry_exponential_backoff, *deadline,
        *checks, *later;
    struct texts argv;
    struct text value; /* of sql, bash, python */
    const struct yaml_node *expand;
    int expand_mode;
    bool ignore_downstream_trigger_rules;
};
struct ask_keys {
    struct text sql;
};
struct check_keys {
    struct text table, where, row_count, sql;
    int severity; /* 0 = error, 1 = warn */
    struct names not_null, unique;
    const struct yaml_node *accepted_values;
};
struct wait_keys {
    struct text sql, file, time, asset;
    const struct yaml_node *task, *http;
};
struct wait_task_keys {
    struct text dag, task;
    int failed; /* 0 = fail, 1 = wait */
};
struct expand_keys {
    const char *task, *connection;
    struct text sql;
};
struct group_keys {
    struct names depends_on;
    const struct yaml_node *tasks, *groups, *default_args;
    const char *doc;
};
struct schedule_keys {
    const struct yaml_node *cron, *dst, *dates, *calendar, *assets;
    bool interval;
    int on_holiday;
};
struct dst_keys {
    int gap, overlap;
};
struct deadline_keys {
    int from; /* 0 = start, 1 = logical_date */
    int64_t after_us;
    const struct yaml_node *typical;
};
struct connection_keys {
    struct connection connection;
};
struct endpoint_keys {
    struct endpoint endpoint;
    struct text sql;
    const struct yaml_node *params;
};
struct registry_keys {
    struct registry registry;
    struct text scored;
};
struct project_keys {
    struct project project;
    const struct yaml_node *connections, *pools, *variables, *functions, *endpoints, *models, *web,
        *later;
    const char *state;
};
struct web_keys {
    const char *listen;
};
struct variable_keys {
    const struct yaml_node *value;
    bool secret;
};
struct function_keys {
    struct names reads, writes;
};

/* Which keys a mapping gave, by the row's number; NULL where it gave none. */
struct keys_given {
    const struct yaml_node *key[LEVEL_KEYS_MAX], *value[LEVEL_KEYS_MAX];
};
struct keys_reader {
    struct arena *arena; /* what the fields point to lives here */
    struct diagnostics *diagnostics;
    unsigned kind; /* of a task: a bit; rows of other kinds are refused; 0 = do not look */
    bool lenient;  /* rows of other kinds are passed over: default_args */
};

/* Reads a mapping into a level's struct, that holds the defaults; every mistake is reported.
   `ret_given` may be NULL. */
void keys_read(const struct keys_reader *reader, const struct level *level,
    const struct yaml_node *mapping, void *into, struct keys_given *ret_given);
/* Reads one value. */
bool keys_read_value(const struct keys_reader *reader, const struct key *key,
    const struct yaml_node *node, void *field);
/* The row of that name, or NULL.  Kinds of tasks may have a key of the same name each: the first.
 */
const struct key *level_find(const struct level *level, struct slice name);
/* The same for tasks of a kind (a bit): its own row, else the first. */
const struct key *level_find_for(const struct level *level, struct slice name, unsigned kind);
/* What was given of a key, NULL when it was not. */
const struct yaml_node *keys_given_value(
    const struct keys_given *given, const struct level *level, const char *name);

/* What a key means, of which kinds of tasks it is, whether it is a template. */
void definition_key_notes(const struct key *key, struct strbuf *out);
/* The reference in Markdown: a table of a level's keys. */
void definition_reference(const struct level *level, struct strbuf *out);
const struct level *const *definition_levels(size_t *ret_count);

#endif
