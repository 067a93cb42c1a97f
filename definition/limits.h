/*
 * The ceilings of definition/.  Above each is an error that names it.
 */
#ifndef DEFINITION_LIMITS_H
#define DEFINITION_LIMITS_H

enum {
    /* Bytes of one YAML file: a DAG of ten thousand tasks has less. */
    YAML_SIZE_MAX = 1024 * 1024,
    /* Nested collections: reading recurses, and people do not nest so deep. */
    YAML_DEPTH_MAX = 64,
    /* Nodes of one file, with every alias counted as a copy of what it stands for. */
    YAML_NODES_MAX = 200 * 1000,
    /* Documents of one file, and DAGs that one file may make. */
    DAGFILE_DAGS_MAX = 1000,
    /* Characters of a dag_id, and of a task_id with its groups, as in Airflow. */
    ID_LENGTH_MAX = 250,
    /* Tasks of one DAG. */
    DAG_TASKS_MAX = 20 * 1000,
    /* Names in one task's `expand`. */
    EXPAND_NAMES_MAX = 16,
    /* Checks of one task: each is a query of its own. */
    CHECKS_MAX = 100,
    /* Columns of one check, and values that one column may have: they stand in its query. */
    CHECK_COLUMNS_MAX = 100,
    CHECK_VALUES_MAX = 1000,
    /* Assets that one schedule, or one task, names. */
    ASSETS_MAX = 256,
    /* Direct dependencies of one DAG, after groups were resolved to their tasks. */
    DAG_EDGES_MAX = 200 * 1000,
    /* Tasks that follow short circuits, each counted for each circuit before it: what they may skip
       is kept as lists, 8 bytes each. */
    DAG_CIRCUIT_TASKS_MAX = 1000 * 1000,
    /* Bytes of one template, script or calendar that a DAG refers to. */
    SOURCE_SIZE_MAX = 16 * 1024 * 1024,
    /* Files that one DAG can reach. */
    MANIFEST_FILES_MAX = 10 * 1000,
    /* Bytes that `${file:…}` and `${cmd:…}` may give: they are passwords and addresses. */
    SETTING_VALUE_MAX = 64 * 1024,
    /* Seconds that a `${cmd:…}` may take: it may ask an agent for a password. */
    SETTING_COMMAND_TIMEOUT_S = 60,
    /* Bytes of an endpoint's query, and parameters that it may have. */
    ENDPOINT_SQL_MAX = 256 * 1024,
    ENDPOINT_PARAMS_MAX = 100,
    /* Milliseconds of an endpoint's `timeout`; seconds of its `cache`. */
    ENDPOINT_TIMEOUT_MAX_MS = 10 * 60 * 1000,
    ENDPOINT_CACHE_MAX_S = 24 * 60 * 60,
    /* Of an endpoint's keys: sessions that it may open, requests that may wait for one, bytes of a
       request and rows of an answer, which are made on the loop. */
    ENDPOINT_CONCURRENT_MAX = 64,
    ENDPOINT_WAITING_MAX = 200,
    ENDPOINT_BODY_MAX = 1024 * 1024,
    ENDPOINT_ROWS_MAX = 10 * 1000,
    /* Dimensions of a list that becomes an array of SQL, as in PostgreSQL. */
    ENDPOINT_ARRAY_DEPTH_MAX = 6,
    /* Retries of a task, `max_active_…` and slots: beyond is a typing error. */
    COUNT_VALUE_MAX = 1000 * 1000,
    /* Retries of one task: beyond is a typing error. */
    RETRIES_MAX = 10 * 1000,
    /* Milliseconds without change after which files are taken to be complete. */
    CATALOGUE_QUIET_MS = 500,
};

#endif
