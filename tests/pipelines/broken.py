"""Broken copies of the Geolife project: one fault each, and what lint says of it.

How to add one: a row (file, what stands there once, what the fault makes of it, the finding as
"code file:line:column"); tests/pipelines/test_broken.py runs all of them.
"""

GEOLIFE = "dags/geolife.yaml"
TRAINING = "dags/geolife_model_training.yaml"
LOAD = "dags/initial_load.yaml"
SQL = "templates/geolife/"

BROKEN = {
    # ---- the file ----
    "a key that does not exist": (
        GEOLIFE, "owner: data-science", "ownr: data-science",
        "unknown-key dags/geolife.yaml:4:1"),
    "Airflow's spelling of a key": (
        GEOLIFE, "max_active_runs: 1", "max_active_runs: 1\ndagrun_timeout: 1h",
        "airflow-key dags/geolife.yaml:11:1"),
    "a value of another type": (
        GEOLIFE, "max_active_runs: 1", "max_active_runs: one",
        "value-type dags/geolife.yaml:10:18"),
    "a value that is none of those allowed": (
        GEOLIFE, "catchup: none", "catchup: never",
        "value-range dags/geolife.yaml:9:10"),
    "a duration without its unit": (
        GEOLIFE, "retry_delay: 30s", "retry_delay: 30",
        "value-type dags/geolife.yaml:15:16"),
    "a key twice": (
        GEOLIFE, "    depends_on: fetch_daily_label\n",
        "    depends_on: fetch_daily_label\n    doc: again\n",
        "duplicate dags/geolife.yaml:36:5"),
    "an indentation that is none": (
        GEOLIFE, "  clean_daily_label:\n", " clean_daily_label:\n",
        "yaml dags/geolife.yaml:32:2"),
    "an id with a blank": (
        LOAD, "  load_label_landing:", "  load label landing:",
        "bad-name dags/initial_load.yaml:18:3"),
    "a task that two names mean": (
        LOAD, "dag_id: initial_load", "dag_id: geolife",
        "duplicate dags/initial_load.yaml:1:1"),
    "a parameter whose default is below its minimum": (
        TRAINING, "default: 50, minimum: 20", "default: 5, minimum: 20",
        "param dags/geolife_model_training.yaml:14:38"),
    "a schedule that cannot be read": (
        GEOLIFE, '"@daily"', '"@dayly"',
        "schedule dags/geolife.yaml:5:11"),
    "a schedule that never fires": (
        TRAINING, '"0 0 1 * *"', '"0 0 2 6 *"',
        "schedule-never dags/geolife_model_training.yaml:1:1"),
    "a time zone that does not exist": (
        GEOLIFE, "timezone: UTC", "timezone: Europe/Berln",
        "time-zone dags/geolife.yaml:6:11"),
    "a task without anything to do": (
        GEOLIFE, "    sql: geolife/fetch_daily_label.sql\n", "",
        "key-missing dags/geolife.yaml:28:3"),
    # ---- the graph ----
    "a dependency on a task that does not exist": (
        GEOLIFE, "depends_on: merge_trajectory_label", "depends_on: merge_trajectory_labels",
        "unknown-reference dags/geolife.yaml:45:17"),
    "a circle": (
        GEOLIFE, "    sql: geolife/fetch_daily_trajectory.sql",
        "    sql: geolife/fetch_daily_trajectory.sql\n    depends_on: trajectory_speed_walk",
        "cycle dags/geolife.yaml:22:17"),
    "a pool that does not exist": (
        GEOLIFE, "retries: 2", "retries: 2\n  pool: featurs",
        "unknown-reference dags/geolife.yaml:15:9"),
    "a connection that does not exist": (
        GEOLIFE, "connection: greenplum", "connection: greenplumm",
        "unknown-reference dags/geolife.yaml:13:15"),
    "a connection of a process that does not exist": (
        LOAD, "--only, label]\n    connections: [greenplum]",
        "--only, label]\n    connections: [green]",
        "unknown-reference dags/initial_load.yaml:21:19"),
    "a rule that can never hold": (
        TRAINING, "    depends_on: split_features",
        "    depends_on: split_features\n    trigger_rule: all_skipped",
        "never-runs dags/geolife_model_training.yaml:43:1"),
    "a decision that decides nothing": (
        GEOLIFE, "tasks:\n", 'tasks:\n  newest:\n    latest_only: {}\n',
        "decides-nothing dags/geolife.yaml:19:1"),
    "a sensor for a DAG that there is not": (
        TRAINING, "tasks:\n",
        "tasks:\n  wait:\n    wait_for: {task: {dag: geolive}}\n    connection: null\n",
        "unknown-wait dags/geolife_model_training.yaml:40:28"),
    "a schedule on an asset that nobody makes": (
        LOAD, "schedule: null", "schedule: {assets: {all: [release]}}",
        "unknown-asset dags/initial_load.yaml:1:1"),
    # ---- templates ----
    "an expression that is not closed": (
        SQL + "fetch_daily_label.sql", "{{ ds | literal }}", "{{ ds | literal }",
        "template-syntax templates/geolife/fetch_daily_label.sql:8:41"),
    "a variable that does not exist": (
        SQL + "fetch_daily_label.sql", "{{ ds | literal }}", "{{ dss | literal }}",
        "template-undefined templates/geolife/fetch_daily_label.sql:8:28"),
    "a variable of Airflow 2": (
        SQL + "clean_daily_label.sql", "start_date = date {{ ds | literal }}",
        "start_date = date {{ yesterday_ds | literal }}",
        "template-undefined templates/geolife/clean_daily_label.sql:17:28"),
    "a filter that does not exist": (
        SQL + "fetch_daily_trajectory.sql", "{{ ds | literal }};", "{{ ds | litteral }};",
        "template-syntax templates/geolife/fetch_daily_trajectory.sql:9:28"),
    "a template that is not there": (
        GEOLIFE, "geolife/pivot_tsfresh_features.sql", "geolife/pivot_features.sql",
        "template-not-found dags/geolife.yaml:59:10"),
    "a macro file that is not there": (
        SQL + "clean_daily_label.sql", "macros/dialect.sql", "macros/dialects.sql",
        "template-not-found templates/geolife/clean_daily_label.sql:1:12"),
    "a macro that only Greenplum reaches and fails there": (
        "templates/macros/dialect.sql",
        '    perform setseed({{ seed | literal }}) from',
        '    perform setseed({{ seed | literl }}) from',
        "template-error templates/macros/dialect.sql:40:31"),
    "a variable that nobody declares": (
        LOAD, "{{ var.value.geolife_release }}\", --only, label",
        "{{ var.value.geolife_releas }}\", --only, label",
        "unknown-variable dags/initial_load.yaml:20:38"),
    "a parameter that is pasted": (
        SQL + "train_model.sql", "<> {{ feature | literal }}", "<> '{{ feature }}'",
        "untrusted-value templates/geolife/train_model.sql:40:59"),
    "a literal inside of quotes": (
        SQL + "fetch_daily_label.sql", "date {{ ds | literal }}", "date '{{ ds | literal }}'",
        "literal-in-quotes templates/geolife/fetch_daily_label.sql:8:29"),
    # ---- SQL ----
    "a comma too many": (
        SQL + "fetch_daily_label.sql", "end_time, mode\nfrom", "end_time, mode,\nfrom",
        "sql-syntax templates/geolife/fetch_daily_label.sql:7:1"),
    "a word that is misspelt": (
        SQL + "fetch_daily_trajectory.sql", "\nfrom geolife", "\nform geolife",
        "sql-syntax templates/geolife/fetch_daily_trajectory.sql:8:6"),
    "a verb that is misspelt": (
        SQL + "clean_daily_trajectory.sql", "insert into", "inser into",
        "sql-syntax templates/geolife/clean_daily_trajectory.sql:5:1"),
    "a bracket that is not closed": (
        SQL + "clean_daily_trajectory.sql", "latitude), 4326)", "latitude, 4326)",
        "sql-syntax templates/geolife/clean_daily_trajectory.sql:11:56"),
    "a condition that is empty": (
        SQL + "trajectory_speed_walk.sql",
        "\n    and speed <= case when mode = 'walk' then 15 else 150 end;",
        "\n    and;",
        "sql-syntax templates/geolife/trajectory_speed_walk.sql:19:8"),
    "a COMMIT in a task": (
        SQL + "trajectory_speed_walk.sql", "\ninsert into", "\ncommit;\ninsert into",
        "transaction-control templates/geolife/trajectory_speed_walk.sql:6:1"),
    # ---- reads and writes ----
    "a dependency that is left out": (
        GEOLIFE, "    depends_on: calculate_trajectory_speed\n", "",
        "read-before-write templates/geolife/trajectory_speed_walk.sql:17:6"),
    "a dependency that is turned round": (
        TRAINING, "sql: geolife/register_model.sql\n    depends_on: evaluate_model",
        "sql: geolife/register_model.sql\n    depends_on: train_model",
        "read-before-write templates/geolife/register_model.sql:27:53"),
    "two tasks that replace the same day": (
        SQL + "tsfresh_predict_features.sql",
        'replace_day_partition("geolife.tsfresh_predict_features", ds) }}',
        'replace_day_partition("geolife.tsfresh_predict_features", ds) }}\n'
        'delete from geolife.tsfresh_model_features where tdate = date {{ ds | literal }};',
        "unordered-writers templates/geolife/tsfresh_predict_features.sql:5:13"),
    "the day that another DAG writes is read without waiting for it": (
        SQL + "split_features.sql", "where tdate < date", "where tdate = date",
        "read-across-dags dags/geolife_model_training.yaml:39:1"),
    "the day before is replaced": (
        SQL + "clean_daily_label.sql", "\ninsert into",
        "\ndelete from geolife.geolife_label_clean\n"
        "where start_date = date {{ macros.ds_add(ds, -1) | literal }};\ninsert into",
        "other-day templates/geolife/clean_daily_label.sql:6:28"),
    "a fixed day is deleted": (
        SQL + "clean_daily_label.sql", "\ninsert into",
        "\ndelete from geolife.geolife_label_clean where start_date = date '2007-04-01';\n"
        "insert into",
        "other-day templates/geolife/clean_daily_label.sql:5:65"),
    "another day's partition is replaced": (
        SQL + "fetch_daily_label.sql",
        '{{ dialect.replace_day_partition("geolife.geolife_label", ds) }}',
        '{{ dialect.replace_day_partition("geolife.geolife_label", macros.ds_add(ds, 1)) }}',
        "other-day templates/macros/dialect.sql:8:4"),
    "rows that are added again": (
        SQL + "fetch_daily_label.sql",
        '{{ dialect.replace_day_partition("geolife.geolife_label", ds) }}', "",
        "not-repeatable templates/geolife/fetch_daily_label.sql:5:13"),
    "a table that is there the second time": (
        SQL + "evaluate_model.sql", "drop table if exists {{ auc }}, {{ confusion }};", "",
        "not-repeatable templates/geolife/evaluate_model.sql:16:12"),
    "a dependency without a reason": (
        GEOLIFE, "    sql: geolife/fetch_daily_label.sql",
        "    sql: geolife/fetch_daily_label.sql\n    depends_on: fetch_daily_trajectory",
        "edge-without-data dags/geolife.yaml:28:1"),
}
