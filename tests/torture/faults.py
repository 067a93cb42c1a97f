"""The faults. A row of FAULTS is a name and a function of (world, chance) that does it and tells
what it hit, or None when there was nothing to hit.

How to add one: a function, a row. tests/torture/test_torture.py demands that each row hits.
"""

import os
import signal
import time

from proxy import COMMIT_TRAPS

ATTEMPTS = ("(select pid from pg_stat_activity where datname = 'torture' and state <> 'idle'"
            " and pid <> pg_backend_pid() and application_name ~ '^[0-9a-f]{8}-') a")
# Tasks that nothing else in the project looks at: a mark leaves them without effect.
MARKED = ("update", "plpython", "retry")


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
        return True
    except ProcessLookupError:
        return False


def busy(world):
    return world.metadata("select count(*) from task_instance where state = 'running'")[0][0]


# ---- the daemon ----------------------------------------------------------------------------------


def daemon_killed(world, _chance):
    running = busy(world)
    world.kill()
    world.up()
    return f"{running} tasks running" if running else None


def daemon_killed_while_it_starts(world, chance):
    running = busy(world)
    world.kill()
    for _ in range(3):
        world.spawn()
        time.sleep(chance.uniform(0, 0.8))
        world.kill()
    world.up()
    return f"{running} tasks running" if running else None


def daemon_stopped_and_continued(world, chance):
    """Meanwhile no other may take its place."""
    os.kill(world.daemon_pid(), signal.SIGSTOP)
    try:
        done = world.dag("up")
        assert done.returncode == 4 and "another dag" in done.stderr, done
        time.sleep(chance.uniform(0, 3))
    finally:
        os.kill(world.daemon_pid(), signal.SIGCONT)
    return "a second one was refused"


def daemon_told_to_stop(world, chance):
    running = busy(world)
    number = chance.choice((signal.SIGTERM, signal.SIGINT))
    world.kill(number)
    world.up()
    return f"{signal.Signals(number).name}, {running} tasks running" if running else None


# ---- processes -----------------------------------------------------------------------------------


def supervisors(world):
    return [pid for pid, words in world.processes().items() if "/dag-exec" in words.split(" ")[0]]


def supervisor_killed(world, chance):
    there = supervisors(world)
    return f"process {there[0]}" if there and kill(chance.choice(there)) else None


def supervisors_and_daemon_killed(world, _chance):
    there = supervisors(world)
    world.kill()
    hit = sum(kill(pid) for pid in there)
    world.up()
    return f"{hit} supervisors" if hit else None


def child_killed(world, chance):
    minders = set(supervisors(world))
    there = [pid for pid in world.processes() if pid not in minders]
    return "a task's process" if there and kill(chance.choice(there)) else None


# ---- the server ----------------------------------------------------------------------------------


def backends(world):
    return int(world.sql(f"select count(*) from {ATTEMPTS}"))


def at_backend(world, chance, function):
    """Looks and acts at once: attempts are short."""
    number = chance.randrange(1000)
    pid = world.sql("select pid from (select (array_agg(pid order by pid))"
                    f"[1 + {number} % count(*)] pid from {ATTEMPTS}) b where {function}")
    return f"backend {pid}" if pid else None


def backend_terminated(world, chance):
    return at_backend(world, chance, "pg_terminate_backend(pid)")


def statement_cancelled(world, chance):
    return at_backend(world, chance, "pg_cancel_backend(pid)")


def backend_killed(world, chance):
    """The server ends all others and recovers."""
    found = at_backend(world, chance, "pid > 0")
    hit = found and kill(int(found.split()[1]))
    world.wait_for(lambda: answers(world), "the server has recovered")
    return found if hit else None


def answers(world):
    try:
        return world.sql("select 1")
    except AssertionError:
        return False


def server_restarted(world, _chance):
    hit = backends(world)
    world.server.restart("fast")
    return f"{hit} attempts" if hit else None


def server_crashed(world, chance):
    hit = backends(world)
    world.server.pg_ctl("stop", "-m", "immediate")
    time.sleep(chance.uniform(0, 2))
    world.server.pg_ctl("start")
    return f"{hit} attempts" if hit else None


# ---- the network ---------------------------------------------------------------------------------


def at_commit(name):
    def fault(world, _chance):
        world.proxy.release_stuck()
        trap = world.proxy.arm(name)
        hit = trap.hit.wait(20)
        world.proxy.disarm()
        return "a COMMIT" if hit else None
    return fault


def connections_cut(world, _chance):
    hit = world.proxy.cut_all()
    return f"{hit} connections" if hit else None


def connections_half_open(world, chance):
    """dag's ends are gone, the server does not notice for a while."""
    hit = world.proxy.cut_all(theirs=False)
    time.sleep(chance.uniform(0, 2))
    world.proxy.release_stuck()
    return f"{hit} connections" if hit else None


def network_silent(world, chance):
    hit = backends(world)
    world.proxy.flow(False)
    time.sleep(chance.uniform(0.2, 3))
    if chance.random() < 0.5:
        world.proxy.cut_all()
    world.proxy.flow(True)
    return f"{hit} attempts" if hit else None


def connections_refused(world, chance):
    world.proxy.refuse(True)
    hit = world.proxy.cut_all()
    time.sleep(chance.uniform(0.5, 3))
    world.proxy.refuse(False)
    return f"{hit} connections" if hit else None


# ---- the metadata --------------------------------------------------------------------------------


def disk_full(world, chance):
    """Until the daemon has noticed; when it has given up it is started again."""
    said = len(world.daemon_log())
    world.disk.fill(chance.choice((0, 0, 4096, 65536)))
    try:
        noticed = noticed_full(world, said)
        time.sleep(chance.uniform(0, 4))
    finally:
        world.disk.clear()
    if world.daemon.poll() is not None:
        world.up()
    world.wait_for(lambda: world.dag("queue").returncode == 0, "the daemon has loaded its state")
    return "the daemon noticed" if noticed else None


def noticed_full(world, said):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if "nothing is acted on" in world.daemon_log()[said:] or world.daemon.poll() is not None:
            return True
        time.sleep(0.05)
    return False


def metadata_locked(world, chance):
    """Another program begins to write and stops there."""
    world.metadata("hold")
    time.sleep(chance.uniform(0.5, 3))
    world.metadata("let go")
    return "held"


# ---- what people ask for -------------------------------------------------------------------------


def pick(world, chance, states, dags=None):
    """A task instance in one of the states: (dag, day, task)."""
    found = world.metadata(
        "select distinct run.dag_id, date(run.logical_us / 1000000, 'unixepoch'), task_id"
        " from task_instance t join run on run.id = t.run"
        f" where t.state in ({', '.join('?' * len(states))}) order by 1, 2, 3", *states)
    found = [row for row in found if not dags or row[0] in dags]
    return chance.choice(found) if found else None


def ask(world, found, *words):
    """Asks about a task; that it has ended meanwhile is an answer, too."""
    world.touched.add(found[:2])
    done = world.ask(*words)
    assert done.returncode in (0, 1), f"dag {words}: {done}"
    return f"{' '.join(words)}" if done.returncode == 0 else None


def cleared(world, chance):
    found = pick(world, chance, ("success", "failed", "running"))
    return found and ask(world, found, "clear", *found,
                         *(["--downstream"] if chance.random() < 0.3 else []))


def cancelled(world, chance):
    """And set on again, should it be over by then."""
    found = pick(world, chance, ("running",))
    if not found:
        return None
    said = ask(world, found, "cancel", *(found if chance.random() < 0.7 else found[:2]))
    time.sleep(chance.uniform(0, 1))
    ask(world, found, "clear", *found[:2], "--failed")
    return said


def marked(world, chance):
    found = pick(world, chance, ("running", "none", "success", "up_for_retry"), MARKED)
    if not found:
        return None
    world.marked.add(found)
    return ask(world, found, "mark", *found, chance.choice(("success", "failed", "skipped")))


FAULTS = (
    ("daemon killed", daemon_killed),
    ("daemon killed while it starts", daemon_killed_while_it_starts),
    ("daemon stopped and continued", daemon_stopped_and_continued),
    ("daemon told to stop", daemon_told_to_stop),
    ("supervisor killed", supervisor_killed),
    ("supervisors and daemon killed", supervisors_and_daemon_killed),
    ("child killed", child_killed),
    ("backend terminated", backend_terminated),
    ("statement cancelled", statement_cancelled),
    ("backend killed", backend_killed),
    ("server restarted", server_restarted),
    ("server crashed", server_crashed),
    *((f"COMMIT: {name}", at_commit(name)) for name in COMMIT_TRAPS),
    ("connections cut", connections_cut),
    ("connections half-open", connections_half_open),
    ("network silent", network_silent),
    ("connections refused", connections_refused),
    ("disk full", disk_full),
    ("metadata locked", metadata_locked),
    ("clear", cleared),
    ("cancel", cancelled),
    ("mark", marked),
)
# Those that need processes to be there.
OF_PROCESSES = ("supervisor killed", "supervisors and daemon killed", "child killed")
