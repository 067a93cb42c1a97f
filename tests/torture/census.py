"""The count at the end. A row of CHECKS is what must hold and a function that gives what does not:
texts, each beginning with the key `dag date task` when it is about a task. Two kinds of truth are
held against each other: the rows that the tasks left, and the ledger and the metadata.
"""

import re

import project

DAYS = "to_char(logical_date at time zone 'UTC', 'YYYY-MM-DD')"
KEYS = f"dag_id, {DAYS} as day, task_id"
SANITIZERS = re.compile(r"ERROR: \w+Sanitizer|runtime error:|Assertion .* failed")


def lines(rows, text):
    return [" ".join(row[:3]) + ": " + text.format(*row[3:]) for row in rows]


# ---- SQL tasks: rows against the ledger ----------------------------------------------------------


def effects(world):
    """Each result has one row, of its own attempt and transaction, and each row its result."""
    return lines(world.rows(
        f"select {KEYS}, map_index, attempt, e.n, r.n"
        " from (select dag_id, logical_date, task_id, map_index, attempt, txid, count(*) n"
        "         from effect group by 1, 2, 3, 4, 5, 6) e"
        " full join (select dag_id, logical_date, task_id, map_index, attempt, txid, 1 n"
        "              from dag.result where dag_id <> 'plain') r"
        " using (dag_id, logical_date, task_id, map_index, attempt, txid)"
        " where coalesce(e.n, 0) <> 1 or r.n is null"),
        "map index {}: attempt {} left [{}] rows and [{}] results")


def once(world):
    """What nobody cleared, cancelled or marked is there once."""
    rows = world.rows(
        f"select {KEYS}, map_index, count(*) from effect group by 1, 2, 3, 4 having count(*) <> 1")
    return lines([row for row in rows if row[:2] not in world.touched], "map index {}: {} rows")


def claims(world):
    """A claim without result is void; only without a transaction it may stand alone."""
    return lines(world.rows(
        f"select {KEYS}, attempt from dag.claim c where not void and dag_id <> 'plain'"
        " and not exists (select from dag.result r where (r.metadata_id, r.dag_id, r.logical_date,"
        " r.task_id, r.map_index, r.generation) = (c.metadata_id, c.dag_id, c.logical_date,"
        " c.task_id, c.map_index, c.generation))"), "attempt {} claimed and left no result")


def counters(world):
    return lines(world.rows(
        "select 'counter', name, '', n, (select count(*) from dag.result where dag_id = 'update'"
        f" and substr(task_id, 2)::int % {project.COUNTERS} = substr(name, 2)::int) as wanted"
        " from counter where n <> (select count(*) from dag.result where dag_id = 'update'"
        f" and substr(task_id, 2)::int % {project.COUNTERS} = substr(name, 2)::int)"),
        "is {} after {} results")


def counted(world):
    """Each `last` counted all that comes before it."""
    wanted = ", ".join(f"('{name}', {count})" for name, count in project.COUNTS.items())
    return lines(world.rows(
        f"select {KEYS}, n from counted join (values {wanted}) w (name, number) on name = dag_id"
        " where n <> number"), "counted {}") + lines(world.rows(
            f"select {KEYS}, n, wanted from (select dag_id, logical_date, task_id, count(*) n from"
            " counted group by 1, 2, 3) c full join (select dag_id, logical_date, task_id, count(*)"
            " wanted from dag.result where task_id = 'last' group by 1, 2, 3) r"
            " using (dag_id, logical_date, task_id) where n is distinct from wanted"),
            "counted [{}] times with [{}] results")


def swapped(world):
    """Each partition has the rows of its newest result."""
    return lines(world.rows(
        f"select {KEYS}, n, transactions, s.txid, r.txid from (select part, count(*) n,"
        " count(distinct txid) transactions, max(txid) txid from swapped group by 1) s"
        " full join (select distinct on (dag_id, logical_date, task_id) *,"
        "   to_char(logical_date at time zone 'UTC', 'YYYYMMDD') || '_' || task_id as part"
        "   from dag.result where dag_id = 'swap' and task_id like 'w%'"
        "   order by dag_id, logical_date, task_id, committed_at desc) r using (part)"
        f" where n is distinct from {project.SWAPPED_ROWS} or transactions <> 1"
        " or s.txid is distinct from r.txid"),
        "{} rows of {} transactions, the last {}; the newest result is of {}")


def plain(world):
    """Without a transaction: a row for each result, and at most one for each claim."""
    return lines(world.rows(
        f"select {KEYS}, coalesce(p.n, 0), results, claims from (select dag_id, logical_date,"
        " task_id, count(*) n from plain group by 1, 2, 3) p full join"
        " (select c.dag_id, c.logical_date, c.task_id, count(*) claims, count(r.attempt) results"
        "    from dag.claim c left join dag.result r using (metadata_id, dag_id, logical_date,"
        "    task_id, map_index, generation) where not void and c.dag_id = 'plain'"
        "    group by 1, 2, 3) c using (dag_id, logical_date, task_id)"
        " where claims is null or coalesce(p.n, 0) not between results and claims"),
        "{} rows with {} results of {} claims")


# ---- the metadata --------------------------------------------------------------------------------


def instances(world):
    """(dag, day, task, map index, state, generation) of every one, from the metadata."""
    return world.metadata(
        "select run.dag_id, date(run.logical_us / 1000000, 'unixepoch'), t.task_id, t.map_index,"
        " t.state, t.generation from task_instance t join run on run.id = t.run")


def states(world):
    """`dag status` says success of every task, and the ledger of the same generation too."""
    wrong = []
    for day in map(world.logical_date, range(world.rounds)):
        shown = [(name, day, row["task_id"], row["state"], row["reason"])
                 for name in project.NAMES for row in world.json("status", name, day)]
        wrong += lines([row for row in shown if row[3] != "success"], "{}: {}")
        if sum(row[3] != "removed" for row in shown) != project.TASKS:
            wrong.append(f"round of {day}: {len(shown)} task instances")
    ledger = set(world.rows(f"select {KEYS}, map_index, generation from dag.result"))
    without = [(dag_id, day, task_id, str(index), str(generation))
               for dag_id, day, task_id, index, state, generation in instances(world)
               if state == "success" and dag_id != "process" and not task_id.startswith("see")]
    return wrong + lines([row for row in without if row not in ledger],
                         "map index {}: success without a result of generation {}")


def metadata(world):
    wrong = [f"metadata: {row[0]}" for row in world.metadata("pragma integrity_check")
             if row[0] != "ok"]
    return wrong + [f"{' '.join(row[:3])}: attempt {row[3]} never ended" for row in world.metadata(
        "select run.dag_id, date(run.logical_us / 1000000, 'unixepoch'), task_id, a.id"
        " from attempt a join run on run.id = a.run where a.ended_us is null")]


# ---- processes -----------------------------------------------------------------------------------


def processes(world):
    """No two of a task at once, none twice, and what succeeded has run to its end."""
    notes = {}
    for line in (world.folder / "work" / "processes").read_text().splitlines():
        attempt, word = line.split(" ")
        notes.setdefault(attempt, []).append(word)
    inserted = dict(world.rows("select attempt, count(*) from process_effect group by 1"))
    wrong = []
    for dag_id, day, task_id, attempt, outcome in world.metadata(
            "select run.dag_id, date(run.logical_us / 1000000, 'unixepoch'), task_id, a.id,"
            " coalesce(a.outcome, '') from attempt a join run on run.id = a.run"
            " where run.dag_id = 'process'"):
        said = notes.pop(attempt, [])
        number = int(task_id[1:])
        rows = int(inserted.pop(attempt, 0))
        inserts = number % 4 and number % 10 != 7
        right = said in ([], ["begin"], ["begin", "end"]) and rows <= 1
        if outcome == "success":
            right = said == ["begin", "end"] and rows == (1 if inserts else 0)
        if not right:
            wrong.append(f"{dag_id} {day} {task_id}: attempt {attempt} ({outcome}) noted {said},"
                         f" {rows} rows")
    return wrong + [f"an attempt that is not known ran: {attempt}" for attempt in notes]


# ---- what is left --------------------------------------------------------------------------------


def transactions(world):
    """Before the proxy lets go of the ends that it holds: none of them is in a transaction."""
    return [f"backend {' '.join(row)}" for row in world.rows(
        "select pid, state, application_name, query from pg_stat_activity where datname = 'torture'"
        " and pid <> pg_backend_pid() and (state <> 'idle' or xact_start is not null)")]


def sessions(world):
    """After the daemon's end: no session, lock, prepared transaction or process."""
    return (
        [f"session {' '.join(row)}" for row in world.rows(
            "select pid, state, application_name, query from pg_stat_activity"
            " where datname = 'torture' and pid <> pg_backend_pid()")] +
        [f"lock {' '.join(row)}" for row in world.rows(
            "select pid, locktype, mode, relation::regclass from pg_locks"
            " where pid is distinct from pg_backend_pid()")] +
        [f"prepared transaction {row[0]}" for row in world.rows(
            "select gid from pg_prepared_xacts")] +
        [f"process {pid}: {words}" for pid, words in world.processes().items()])


def sanitizers(world):
    return [f"the daemon's log: {found.group()}" for found in
            SANITIZERS.finditer(world.daemon_log())]


CHECKS = (
    ("every result has its row, every row its result", effects),
    ("untouched tasks have one row", once),
    ("no claim is left alone", claims),
    ("counters", counters),
    ("counts of what came before", counted),
    ("partitions", swapped),
    ("statements without a transaction", plain),
    ("states", states),
    ("the metadata", metadata),
    ("processes ran once an attempt", processes),
    ("no transaction is left", transactions),
    ("the daemon's log", sanitizers),
)


def take(world):
    """All that is wrong, while the daemon runs."""
    return [f"[{name}] {wrong}" for name, check in CHECKS for wrong in check(world)]


# ---- telling -------------------------------------------------------------------------------------


def story(world, dag_id, day, task_id):
    """What is known of a task."""
    told = [f"---- {dag_id} {day} {task_id}"]
    told += [f"instance: {row}" for row in world.metadata(
        "select t.* from task_instance t join run on run.id = t.run where run.dag_id = ?"
        " and date(run.logical_us / 1000000, 'unixepoch') = ? and task_id = ?",
        dag_id, day, task_id)]
    told += [f"attempt: {row}" for row in world.metadata(
        "select a.id, a.map_index, a.generation, a.number, a.state, a.outcome, a.message"
        " from attempt a join run on run.id = a.run where run.dag_id = ?"
        " and date(run.logical_us / 1000000, 'unixepoch') = ? and task_id = ?"
        " order by a.map_index, a.number", dag_id, day, task_id)]
    for table in ("claim", "result"):
        told += [f"{table}: {row}" for row in world.rows(
            f"select {'void, ' if table == 'claim' else ''}map_index, generation, attempt, txid"
            f" from dag.{table} where (dag_id, {DAYS}, task_id) = ('{dag_id}', '{day}',"
            f" '{task_id}')")]
    for log in sorted(world.disk.path().glob(f"logs/{dag_id}/*{day}*/{task_id}.*.log")):
        told.append(f"{log.parent.name}/{log.name}:\n{log.read_text(errors='replace')[-3000:]}")
    return "\n".join(told)


def report(world, wrong):
    """The faults, what is wrong, and the story of the first tasks that it names."""
    told = [*world.log, "", *wrong[:40], ""]
    keys = []
    for text in wrong:
        found = re.search(r"(\w+) (\d{4}-\d\d-\d\d) (\S+):", text)
        if found and found.groups() not in keys:
            keys.append(found.groups())
    told += [story(world, *key) for key in keys[:3]]
    told += ["---- the daemon's log", world.daemon_log()[-6000:]]
    return "\n".join(told)
