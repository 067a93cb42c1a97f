"""The command `sandbox`: starting, stopping, and what may happen in between."""

import json
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import (LIMIT_SECONDS, ROOT, SANDBOX, Database, environment, run, succeed,
                      wait_until)

sys.path.insert(0, str(ROOT / "sandbox" / "server"))
import cluster  # noqa: E402
import main  # noqa: E402
import place  # noqa: E402


@pytest.fixture
def own(tmp_path):
    """The folder of a sandbox that this test alone uses; nothing of it is left afterwards."""
    folder = tmp_path / "own"
    yield folder
    succeed(SANDBOX, "destroy", "--dir", folder)


def start(folder, *options):
    done = run(SANDBOX, "start", "--fast", "--dir", folder, *options)
    assert done.returncode == 0, done.stderr
    return done.stderr


def uri(folder):
    return succeed(SANDBOX, "uri", "--dir", folder).strip()


def server_pid(folder):
    return cluster.Cluster(folder).pid()


def test_every_command_has_help_and_they_are_the_documented_ones():
    names = set(main.COMMANDS)
    assert names == {"install", "start", "stop", "status", "uri", "env", "destroy"}
    for name in names:
        assert f"sandbox {name}" in succeed(SANDBOX, name, "--help")
    assert "exit status" in succeed(SANDBOX, "--help")
    assert run(SANDBOX, "dance").returncode == 2


def test_install_twice_changes_nothing():
    first = run(SANDBOX, "install")
    assert first.returncode == 0, first.stderr
    assert "Debian packages: all there" in first.stderr
    assert "Python packages: all there" in first.stderr


def test_requirements_are_pinned_and_complete():
    files = [place.REQUIREMENTS]
    if place.tensorflow_marker().exists():
        files.append(place.TENSORFLOW)
    lines = [line for path in files for line in path.read_text().splitlines()
             if line and not line.startswith("#")]
    assert all(line.count("==") == 1 for line in lines)
    pinned = {tuple(line.split("==")) for line in lines}
    installed = json.loads(succeed(place.venv_directory() / "bin" / "python", "-m", "pip",
                                   "--disable-pip-version-check", "list", "--format", "json"))
    found = {(item["name"], item["version"]) for item in installed
             if item["name"] not in ("pip", "setuptools")}

    def folded(pairs):
        return {(name.lower().replace("_", "-"), version) for name, version in pairs}

    assert folded(found) == folded(pinned)


def test_what_is_in_the_database(database):
    assert database.query("select extname from pg_extension order by 1") == [
        ("plpgsql",), ("plpython3u",), ("postgis",)]
    assert database.query("select version() ~ '^PostgreSQL 15'") == [("t",)]
    database.execute("do language plpythonu $$ import tsfresh, sklearn, pandas $$")
    comment = database.query("select obj_description('madlib'::regnamespace, 'pg_namespace')")
    assert "This is not MADlib" in comment[0][0]
    assert "not MADlib" in database.query("select madlib.version()")[0][0]


def test_stumpy_is_loaded_when_it_is_used(database):
    database.execute("""do language plpythonu $$
import sys
from tsfresh.feature_extraction.feature_calculators import query_similarity_count
if "numba" in sys.modules:
    plpy.error("stumpy is loaded with tsfresh")
parameters = [{"query": [1.0, 2.0, 1.0, 3.0], "threshold": 0.5, "normalize": False}]
(_, count), = query_similarity_count([1.0, 2.0, 1.0, 3.0] * 3, parameters)
if count < 3 or "numba" not in sys.modules:
    plpy.error("stumpy did not work: %s" % count)
$$""")


def test_keras_loads_in_a_session_on_one_thread(database):
    database.execute("""do language plpython3u $$
import os
import sys
if "keras" in sys.modules or "jax" in sys.modules:
    plpy.error("a session that does not score has loaded Keras")
import keras
if keras.backend.backend() != os.environ["KERAS_BACKEND"]:
    plpy.error("the back end is %s" % keras.backend.backend())
if "intra_op_parallelism_threads=1" not in os.environ["XLA_FLAGS"]:
    plpy.error("threads are not bounded")
$$""")


def test_another_back_end_of_keras_is_refused_before_anything_starts(own):
    done = run(SANDBOX, "start", "--fast", "--dir", own, env=environment(KERAS_BACKEND="torch"))
    assert done.returncode == 2
    assert "the sandbox has jax and tensorflow" in done.stderr
    assert server_pid(own) is None


def test_task_python_has_the_packages_and_passes_arguments():
    python = ROOT / "sandbox" / "task_python"
    code = "import sys, numpy, os; print(sys.argv[1:], os.environ['XLA_FLAGS'])"
    said = succeed(python, "-c", code, "a", "b c", env=environment(XLA_FLAGS="mine"))
    assert said == "['a', 'b c'] mine\n"
    missing = run(python, "-c", "0", env=environment(SANDBOX_VENV="/nonexistent"))
    assert missing.returncode == 4 and "sandbox install" in missing.stderr


def test_the_server_can_read_what_is_published_to_its_models_folder(sandbox_dir):
    lines = succeed(SANDBOX, "env", "--dir", sandbox_dir)
    folder = dict(line.removeprefix("export ").split("=", 1)
                  for line in lines.splitlines())["SANDBOX_MODELS"].strip("'")
    path = Path(folder) / "published"
    path.write_text("a model\n")
    path.chmod(0o644)
    answer = Database(uri(sandbox_dir)).query(f"select pg_read_file('{path}')")
    path.unlink()
    assert answer == [("a model\n",)]


def test_it_listens_on_loopback_only_and_wants_the_password(sandbox_dir):
    state = json.loads((sandbox_dir / "state.json").read_text())
    answer = Database(uri(sandbox_dir)).query("show listen_addresses")
    assert answer == [("127.0.0.1",)]
    wrong = uri(sandbox_dir).replace(state["password"], "wrong")
    refused = run("psql", "-X", "-w", "-d", wrong, "-c", "select 1")
    assert "password authentication failed" in refused.stderr
    for name in ("state.json", "uri"):
        assert stat.S_IMODE((sandbox_dir / name).stat().st_mode) == 0o600


def test_the_server_is_not_root(sandbox_dir):
    owner = os.stat(f"/proc/{server_pid(sandbox_dir)}").st_uid
    assert owner != 0
    assert owner == place.server_account()[1]


def test_start_twice_says_it_is_running(own):
    assert "started" in start(own)
    pid = server_pid(own)
    assert "running already" in start(own)
    assert server_pid(own) == pid
    port = own / "port"
    start(own, "--port-file", port)
    assert f":{port.read_text().strip()}/" in uri(own)


def test_two_starts_at_once_make_one_server(own):
    command = [SANDBOX, "start", "--fast", "--dir", own]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = sorted(process.communicate(timeout=120)[1] for process in both)
    assert [process.returncode for process in both] == [0, 0], said
    assert sum("it is running already" in text for text in said) == 1


def test_status_uri_env_when_it_does_not_run(tmp_path):
    for command in ("status", "uri", "env"):
        done = run(SANDBOX, command, "--dir", tmp_path / "none")
        assert done.returncode == 4
        assert "sandbox start" in done.stderr
    assert not (tmp_path / "none").exists()
    assert "was not running" in run(SANDBOX, "stop", "--dir", tmp_path / "none").stderr


def test_env_is_for_a_shell(sandbox_dir):
    script = f'eval "$({SANDBOX} env --dir {sandbox_dir})"; psql -X -A -t -c "select 6 * 7"'
    assert succeed("bash", "-c", script).strip() == "42"
    script = script.replace("psql", 'psql -d "$SANDBOX_URI"')
    assert succeed("bash", "-c", script).strip() == "42"


def test_stop_ends_the_server_and_keeps_data_and_address(own):
    start(own)
    address = uri(own)
    Database(address).execute("create table kept (n integer); insert into kept values (7)")
    pid = server_pid(own)
    assert "stopped" in run(SANDBOX, "stop", "--dir", own).stderr
    assert not cluster._is_alive(pid)
    assert not (own / "uri").exists()
    start(own)
    assert uri(own) == address
    assert Database(address).query("select n from kept") == [("7",)]


def test_stop_does_not_wait_for_a_session_for_ever(own, monkeypatch):
    start(own)
    session = busy_session(uri(own))
    monkeypatch.setattr(cluster, "STOP_SECONDS", 1)
    assert cluster.Cluster(own).stop()
    assert session.wait(timeout=LIMIT_SECONDS) != 0
    assert server_pid(own) is None


def busy_session(address):
    """A session whose PL/Python function computes and ignores cancelling."""
    database = Database(address)
    database.execute("create table if not exists seen (pid integer)")
    process = subprocess.Popen(
        ["psql", "-X", "-q", "-d", address, "-c", "set application_name = 'busy'", "-c",
         "do language plpython3u 'while True: pass'"], stderr=subprocess.DEVNULL)
    wait_until(lambda: database.query("select count(*) from pg_stat_activity where "
                                      "application_name = 'busy' and query ~ '^do'") == [("1",)])
    return process


def test_a_killed_server_starts_again(own):
    start(own)
    pid = server_pid(own)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: server_pid(own) is None)
    assert run(SANDBOX, "status", "--dir", own).returncode == 4
    start(own)
    assert server_pid(own) not in (None, pid)
    assert Database(uri(own)).query("select 1") == [("1",)]


def test_sessions_that_outlive_a_killed_server_are_ended(own):
    start(own)
    session = busy_session(uri(own))
    os.kill(server_pid(own), signal.SIGKILL)
    wait_until(lambda: server_pid(own) is None)
    assert cluster.Cluster(own)._processes(), "the session should have outlived its server"
    assert "ending what is left of it" in start(own)
    assert session.wait(timeout=LIMIT_SECONDS) != 0
    assert Database(uri(own)).query("select 1") == [("1",)]


def test_a_stale_pid_file_of_another_process_is_no_obstacle(own):
    start(own)
    pid_file = cluster.Cluster(own).data / "postmaster.pid"
    text = pid_file.read_text()
    run(SANDBOX, "stop", "--dir", own)
    pid_file.write_text(text.replace(text.split("\n")[0], str(os.getpid()), 1))
    assert server_pid(own) is None
    start(own)
    assert server_pid(own) != os.getpid()


def test_a_taken_port_is_replaced(own):
    start(own)
    run(SANDBOX, "stop", "--dir", own)
    port = json.loads((own / "state.json").read_text())["port"]
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        start(own)
        assert json.loads((own / "state.json").read_text())["port"] != port
    assert Database(uri(own)).query("select 1") == [("1",)]


def test_a_removed_directory_gives_a_new_empty_server(own):
    start(own)
    address = uri(own)
    Database(address).execute("create table gone (n integer)")
    home = cluster.Cluster(own).home
    pid = server_pid(own)
    if place.is_root():
        shutil.rmtree(own)
        assert "removing the abandoned cluster" in start(own)
        assert not cluster._is_alive(pid)
    else:
        run(SANDBOX, "destroy", "--dir", own)
        start(own)
    assert home.exists()
    assert Database(uri(own)).query("select to_regclass('gone')") == [(None,)]


def test_destroy_leaves_nothing(own):
    start(own)
    home = cluster.Cluster(own).home
    assert "removed" in run(SANDBOX, "destroy", "--dir", own).stderr
    assert not home.exists()
    assert not own.exists()


def test_changed_functions_are_brought_up_to_date(own, monkeypatch):
    start(own)
    server = cluster.Cluster(own)
    (server.home / "functions").write_text("another version")
    Database(uri(own)).execute("drop function madlib.version()")
    assert "up to date" in start(own)
    assert "not MADlib" in Database(uri(own)).query("select madlib.version()")[0][0]
    refused = run("psql", "-X", "-d", uri(own).replace("/geolife", "/geolife_template"))
    assert "not currently accepting connections" in refused.stderr


def test_a_damaged_state_is_explained(own):
    own.mkdir()
    (own / "state.json").write_text("{")
    done = run(SANDBOX, "start", "--dir", own)
    assert done.returncode == 1
    assert "sandbox destroy" in done.stderr


def test_missing_python_packages_are_named(tmp_path):
    done = run(SANDBOX, "start", "--dir", tmp_path / "none",
               env=environment(SANDBOX_VENV=str(tmp_path / "no_venv")))
    assert done.returncode == 4
    assert "sandbox install" in done.stderr


@pytest.mark.skipif(not place.is_root(), reason="needs root, to become somebody else")
def test_an_ordinary_user_can_run_it(tmp_path_factory):
    """With everything below the sandbox's folder, even when its path is long."""
    somebody = pwd.getpwnam("nobody")
    folder = Path("/tmp") / f"sandbox-test-{os.getpid()}" / ("long" * 25)
    folder.mkdir(parents=True)
    os.chown(folder, somebody.pw_uid, somebody.pw_gid)
    who = {"user": somebody.pw_uid, "group": somebody.pw_gid, "extra_groups": [],
           "env": environment(SANDBOX_VENV=str(place.venv_directory()), HOME="/nonexistent")}
    try:
        own = folder / "own"
        done = run(SANDBOX, "start", "--fast", "--dir", own, **who)
        assert done.returncode == 0, done.stderr
        address = succeed(SANDBOX, "uri", "--dir", own, **who).strip()
        assert Database(address).query("select count(*) from madlib.version()") == [("1",)]
        assert (own / "cluster" / "data" / "PG_VERSION").exists()
        succeed(SANDBOX, "destroy", "--dir", own, **who)
        assert not own.exists()
    finally:
        shutil.rmtree(folder.parent)
