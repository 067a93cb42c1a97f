"""A project of 300 tasks whose effects can be counted, and the tables they go to.

Each SQL task appends a row to `effect` with its key, its attempt and its transaction, so that the
ledger can be held against it row by row. What else a kind does is told with its DAG.
"""

import random

START = "2030-01-01"  # the logical date of the first round; one a day
TASKS = 300  # of a round
INDEXES = 12  # of each mapped task
COUNTERS = 8
SWAPPED_ROWS = 50

SCHEMA = f"""
create table effect (dag_id text, logical_date timestamptz, task_id text, map_index int,
                     attempt text, txid bigint);
create table plain (dag_id text, logical_date timestamptz, task_id text, n int);
create table counter (name text primary key, n int not null);
insert into counter select 'c' || n, 0 from generate_series(0, {COUNTERS - 1}) n;
create table counted (dag_id text, logical_date timestamptz, task_id text, n int);
create table swapped (part text, n int, txid bigint) partition by list (part);
create table process_effect (attempt text, task_id text);
create extension if not exists plpython3u;
create function append_effect(dag_id text, logical_date text, task_id text, map_index int,
                              pause float8) returns void language plpython3u as $$
import time
plan = plpy.prepare("insert into effect values ($1, $2::timestamptz, $3, $4,"
                    " current_setting('application_name'), txid_current())",
                    ["text", "text", "text", "int"])
time.sleep(pause)
plpy.execute(plan, [dag_id, logical_date, task_id, map_index])
$$;
"""

# The key of a task, as values of the tables above.
KEY = "{{ dag.dag_id | literal }}, {{ ts | literal }}, {{ task.task_id | literal }}"
MACROS = """{%% macro append() %%}
insert into effect values (%s, {{ ti.map_index }}, current_setting('application_name'),
                           txid_current());
{%% endmacro %%}
{%% macro count(dag_id) %%}
insert into counted select %s, count(distinct (task_id, map_index)) from effect
 where dag_id = {{ dag_id | literal }} and logical_date = {{ ts | literal }} and task_id like 'w%%';
{%% endmacro %%}
""" % (KEY, KEY)
IMPORT = '{% from "torture.sql" import append, count with context %}'

# A process notes its beginning and its end; the lock tells when two of a task are there at once.
PROCESS = """exec 9>"work/$DAG_DAG_ID.$DAG_DS.$DAG_TASK_ID.lock"
flock -n 9 || echo "$DAG_ATTEMPT_ID overlap" >>work/processes
echo "$DAG_ATTEMPT_ID begin" >>work/processes
sleep {pause}
{work} || exit 1
echo "$DAG_ATTEMPT_ID end" >>work/processes
echo '"'"$DAG_ATTEMPT_ID"'"' >"$DAG_XCOM"
"""
# The server of the tests has synchronous_commit off: a crash of it would lose what was committed.
INSERTING = ("PGOPTIONS='-c synchronous_commit=on' psql -X -q -v ON_ERROR_STOP=1 \"$DAG_CONN_DB\""
             " -c \"insert into process_effect values ('$DAG_ATTEMPT_ID', '$DAG_TASK_ID')\"")
PYTHON = """import os, time
def note(word):
    with open("work/processes", "a") as out:
        out.write(f"{os.environ['DAG_ATTEMPT_ID']} {word}\\n")
note("begin")
time.sleep(0.3)
note("end")
"""

HEAD = """dag_id: {name}
schedule: null
max_active_runs: 16
default_args: {{connection: db, retries: 60, retry_delay: 1s}}
tasks:
"""


class Dag:
    """A DAG file while it is being written."""

    def __init__(self, name, chance):
        self.name, self.chance = name, chance
        self.lines = [HEAD.format(name=name)]
        self.templates = {}
        self.count = 0  # of task instances

    def pause(self, most=1.0):
        return round(self.chance.uniform(0, most), 2)

    def task(self, task_id, body, after=(), instances=1):
        after = f", depends_on: [{', '.join(after)}]" if after else ""
        self.lines.append(f"  {task_id}: {{{body}{after}}}\n")
        self.count += instances

    def sql(self, task_id, text, after=(), more="", instances=1):
        path = f"{self.name}_{task_id}.sql"
        self.templates[path] = f"{IMPORT}\n{text}\n"
        self.task(task_id, f"sql: {path}{more}", after, instances)

    def sleep(self, most=1.0):
        return f"select pg_sleep({self.pause(most)});\n"


def chain(dag):
    """One after the other; each sees the row of the one before."""
    for n in range(40):
        seen = (f"do $$ begin if not exists (select from effect where dag_id = 'chain' and"
                f" logical_date = {{{{ ts | literal }}}} and task_id = 'w{n - 1}')"
                f" then raise 'w{n - 1} left no row' using errcode = '22000'; end if; end $$;\n")
        dag.sql(f"w{n}", (seen if n else "") + "{{ append() }}" + dag.sleep(0.2),
                [f"w{n - 1}"] if n else [])


def fan(dag):
    """One to many to one, which counts them."""
    dag.sql("first", "{{ append() }}")
    for n in range(48):
        dag.sql(f"w{n}", dag.sleep() + "{{ append() }}" + dag.sleep(), ["first"])
    dag.sql("last", "{{ count('fan') }}{{ append() }}", [f"w{n}" for n in range(48)])


def update(dag):
    """Counters that many add to."""
    for n in range(40):
        dag.sql(f"w{n}", f"update counter set n = n + 1 where name = 'c{n % COUNTERS}';\n"
                "{{ append() }}" + dag.sleep(0.3))


REPLACE = """drop table if exists {table};
create table {table} partition of swapped for values in ({part});
insert into {table} select {part}, n, txid_current() from generate_series(1, {rows}) n;
"""
ATTACH = """create table {table}_new (like swapped);
insert into {table}_new select {part}, n, txid_current() from generate_series(1, {rows}) n;
do $$ begin if to_regclass('{table}') is not null
 then alter table swapped detach partition {table}; drop table {table}; end if; end $$;
alter table {table}_new rename to {table};
alter table swapped attach partition {table} for values in ({part});
"""


def swap(dag):
    """A partition each, replaced as the pipelines do, or filled beside and attached."""
    for n in range(24):
        text = (REPLACE if n % 2 else ATTACH).format(
            table=f"swapped_{{{{ ds_nodash }}}}_w{n}", part=f"'{{{{ ds_nodash }}}}_w{n}'",
            rows=SWAPPED_ROWS)
        dag.sql(f"w{n}", dag.sleep() + "{{ append() }}" + text)
    dag.sql("last", "{{ count('swap') }}{{ append() }}", [f"w{n}" for n in range(24)])


def plpython(dag):
    """Rows that a function in the server's Python appends; it hears no cancel while it sleeps."""
    for n in range(25):
        dag.sql(f"w{n}", f"select append_effect({KEY}, {{{{ ti.map_index }}}}, {dag.pause(0.8)});",
                [f"w{n - 5}"] if n >= 5 else [])


def process(dag):
    """Processes of each kind; some write to the database by themselves."""
    for n in range(40):
        after = [f"w{n - 4}"] if n >= 4 else []
        path = f"process_w{n}.sh"
        work = INSERTING if n % 4 else "true"
        dag.templates[path] = PROCESS.format(pause=dag.pause(5), work=work)
        if n % 10 == 7:
            dag.task(f"w{n}", "python: work.py", after)
        elif n % 10 == 3:
            dag.task(f"w{n}", f"exec: [bash, templates/{path}], connections: [db]", after)
        else:
            dag.task(f"w{n}", f"bash: bash templates/{path}, connections: [db]", after)


def plain(dag):
    """Without a transaction: one statement, which is in or is not."""
    for n in range(20):
        dag.sql(f"w{n}", f"insert into plain select {KEY}, 1 from pg_sleep({dag.pause(0.5)});",
                [f"w{n - 4}"] if n >= 4 else [], ", transaction: false")


def mapped(dag):
    """Over a list, over a query's rows, over another task's result."""
    dag.sql("list", "{{ append() }}select n from generate_series(1, %d) n;" % INDEXES,
            more=", result: rows")
    sources = (f"{{n: {list(range(INDEXES))}}}",
               f"{{n: {{sql: 'select n from generate_series(1, {INDEXES}) n'}}}}",
               "{n: {task: list}}")
    for n, source in enumerate(sources):
        dag.sql(f"w{n}", dag.sleep(0.8) + "{{ append() }}", ["list"], f", expand: {source}",
                INDEXES)
    dag.sql("last", "{{ count('mapped') }}{{ append() }}", ["w0", "w1", "w2"])


def sensor(dag):
    """Looks until the row of the task before, of another branch, is there."""
    for n in range(6):
        query = (f"select count(*) > 0 from effect where dag_id = 'sensor' and task_id = 'w{n}'"
                 " and logical_date = {{ ts | literal }}")
        dag.task(f"see{n}", f"wait_for: {{sql: \"{query}\"}}, poke_interval: 1s")
        dag.sql(f"w{n}", dag.sleep() + "{{ append() }}", [f"see{n - 1}"] if n else [])


def retry(dag):
    """Fails in its first attempts, of its own accord."""
    for n in range(10):
        dag.sql(f"w{n}", "{{ append() }}{% if ti.try_number <= " + str(1 + n % 2) +
                " %}do $$ begin raise 'not yet'; end $$;{% endif %}")


SHAPES = (chain, fan, update, swap, plpython, process, plain, mapped, sensor, retry)
NAMES = tuple(shape.__name__ for shape in SHAPES)
# Upstreams that the tasks named `last` count.
COUNTS = {"fan": 48, "swap": 24, "mapped": 3 * INDEXES}


def files(seed):
    """The project's files by name. The seed makes the pauses."""
    chance = random.Random(seed)
    found = {"templates/torture.sql": MACROS, "work.py": PYTHON}
    total = 0
    for shape in SHAPES:
        dag = Dag(shape.__name__, chance)
        shape(dag)
        total += dag.count
        found[f"dags/{dag.name}.yaml"] = "".join(dag.lines)
        found.update((f"templates/{path}", text) for path, text in dag.templates.items())
    assert total == TASKS, total
    return found
