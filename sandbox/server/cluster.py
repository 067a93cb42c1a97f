"""The private PostgreSQL cluster: made, started, looked at, stopped.

What runs is found from the cluster itself (postmaster.pid, checked against /proc), never from what
we remember: a server that was killed, or a machine that was restarted, leaves nothing that
misleads.
"""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import place
from place import SandboxError

START_ATTEMPTS = 5  # another process may take the free port before the server does
STOP_SECONDS = 20  # a PL/Python function ignores a polite stop; after this it is stopped rudely
KILL_SECONDS = 10
SOCKET_BYTES_MAX = 90  # of its folder's path: the kernel allows 107 with the socket's name
LOG_BYTES_MAX = 16 << 20  # a larger log is set aside (one is kept) when the server starts

SETTINGS = {
    "listen_addresses": "'127.0.0.1'",
    "max_connections": "100",
    "shared_buffers": "'128MB'",
    "dynamic_shared_memory_type": "posix",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "'1GB'",
    "password_encryption": "'scram-sha-256'",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "lc_messages": "'C'",
    "log_line_prefix": "'%m [%p] %q%u@%d %a '",
    "jit": "off",
}
FAST_SETTINGS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class Cluster:
    """One sandbox: the user's directory and the cluster that belongs to it."""

    def __init__(self, directory):
        self.directory = Path(directory).absolute()
        self.home = place.cluster_directory(self.directory)
        self.data = self.home / "data"
        self.socket = self.home / "socket"
        self.python = self.home / "python"
        self.models = self.home / "models"
        self.log = self.home / "server.log"

    # What is there

    def state(self):
        """What was written at the last start: port, password, fast."""
        try:
            return json.loads((self.directory / "state.json").read_text())
        except FileNotFoundError:
            return {}
        except ValueError:
            raise SandboxError(f"{self.directory}/state.json is damaged; "
                               "`sandbox destroy` removes this sandbox") from None

    def pid(self):
        """The process id of the running server, or None."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None
        return pid if self._is_ours(pid) else None

    def uri(self, database=place.DATABASE):
        state = self.state()
        return (f"postgresql://{place.ROLE}:{state['password']}"
                f"@127.0.0.1:{state['port']}/{database}")

    def _is_ours(self, pid):
        try:
            program = os.readlink(f"/proc/{pid}/exe").removesuffix(" (deleted)")
            folder = os.readlink(f"/proc/{pid}/cwd")
            return (os.path.basename(program) == "postgres"
                    and os.path.realpath(folder) == os.path.realpath(self.data))
        except OSError:
            return False

    def _processes(self):
        return [int(p) for p in os.listdir("/proc") if p.isdigit() and self._is_ours(int(p))]

    # Making and starting

    def start(self, say, fast=False):
        """Starts the server, making the cluster first if there is none. False: it was running."""
        state = self.state()
        if not state:
            self._remove_abandoned(say)
        if self.pid():
            return False
        self._end_orphans(say)
        if not (self.data / "PG_VERSION").exists():
            say(f"making a database cluster in {self.home}")
            state = {"password": secrets.token_urlsafe(24), "port": None}
            self._make(state["password"], fast)
        self._make_models_folder()
        # No process is left, so these are of a killed one, whose number may be another's by now.
        for stale in [self.data / "postmaster.pid"] + list(self.socket.iterdir()):
            stale.unlink(missing_ok=True)
        state["fast"] = fast
        for _ in range(START_ATTEMPTS):
            state["port"] = _free_port(state.get("port"))
            self._write_settings(state["port"], fast)
            if self._run_server():
                break
            state["port"] = None
        else:
            raise SandboxError(f"the server did not start; its log ends:\n{self.log_tail()}")
        self._write_private("state.json", json.dumps(state) + "\n")
        self._write_private("uri", self.uri() + "\n")
        return True

    def _make(self, password, fast):
        shutil.rmtree(self.home, ignore_errors=True)
        self.directory.mkdir(parents=True, exist_ok=True)
        _, uid, gid = place.server_account()
        self.home.mkdir(parents=True, mode=0o755)
        for folder in (self.data, self.socket):
            folder.mkdir(mode=0o700)
        password_file = self.home / "password"
        with open(os.open(password_file, os.O_CREAT | os.O_WRONLY, 0o600), "w") as out:
            out.write(password)
        for path in (self.home, self.data, self.socket, password_file):
            os.chown(path, uid, gid)
            if path.is_dir():
                path.chmod(0o700)
        command = [place.POSTGRES_BIN / "initdb", "-D", self.data, "-U", place.ROLE, "-A",
                   "scram-sha-256", f"--pwfile={password_file}", "-E", "UTF8",
                   "--locale=C.UTF-8", "--data-checksums"]
        done = self._run(command + (["--no-sync"] if fast else []))
        password_file.unlink()
        if done.returncode != 0:
            shutil.rmtree(self.home, ignore_errors=True)
            raise SandboxError(f"initdb failed:\n{done.stdout}")
        (self.home / "of").write_text(f"{self.directory}\n")

    def _make_models_folder(self):
        """Where tasks publish model files; the server only reads them."""
        if not self.models.exists():
            self.models.mkdir()
            self.models.chmod(0o755)

    def _write_settings(self, port, fast):
        fits = len(os.fsencode(self.socket)) <= SOCKET_BYTES_MAX
        settings = dict(SETTINGS, port=str(port),
                        unix_socket_directories=f"'{self.socket if fits else ''}'")
        if fast:
            settings.update(FAST_SETTINGS)
        text = "".join(f"{name} = {value}\n" for name, value in settings.items())
        (self.data / "postgresql.auto.conf").write_text("")
        (self.data / "postgresql.conf").write_text(text)

    def _run_server(self):
        """True when the server runs; False when another process had the port."""
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES_MAX:
            self.log.replace(self.log.with_suffix(".log.1"))
        command = [place.POSTGRES_BIN / "pg_ctl", "start", "-D", self.data, "-l", self.log,
                   "-w", "-t", "60", "-s"]
        if self._run(command).returncode == 0:
            return True
        tail = self.log_tail()
        if "Address already in use" in tail:
            return False
        raise SandboxError(f"the server did not start; its log ends:\n{tail}")

    def _run(self, command):
        """Runs a program of PostgreSQL's as the server's account, in the server's environment."""
        name, uid, gid = place.server_account()
        who = {}
        if place.is_root():
            who = {"user": uid, "group": gid, "extra_groups": os.getgrouplist(name, gid)}
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": f"{self.python}:{place.venv_packages()}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "NUMBA_CACHE_DIR": str(self.home / "numba"),
            "TZ": "UTC",
            **place.computing_environment(self.home / "jax"),
        }
        return subprocess.run([str(word) for word in command], env=environment, umask=0o077,
                              cwd=self.home, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              start_new_session=True, check=False, **who)

    def _write_private(self, name, text):
        """Writes a file of mode 0600 so that a reader sees the old one or the new one."""
        path = self.directory / name
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with open(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as out:
            out.write(text)
        fresh.replace(path)

    def log_tail(self, lines=15):
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return "(no log)"

    # Ending

    def stop(self, politely=True):
        """Stops the server and waits until it is gone. False: it was not running."""
        pid = self.pid()
        if pid is None:
            orphans = self._end_orphans(lambda _: None)
            (self.directory / "uri").unlink(missing_ok=True)
            return orphans
        signals = [(signal.SIGINT, STOP_SECONDS)] if politely else []
        for number, seconds in signals + [(signal.SIGQUIT, KILL_SECONDS)]:
            _signal(pid, number)
            if _wait(lambda: not _is_alive(pid) and not self._processes(), seconds):
                break
        else:
            self._end_orphans(lambda _: None)
        (self.directory / "uri").unlink(missing_ok=True)
        return True

    def destroy(self):
        self.stop(politely=False)  # nothing is to be kept
        shutil.rmtree(self.home, ignore_errors=True)
        for name in ("state.json", "state.new", "uri", "uri.new", "lock"):
            (self.directory / name).unlink(missing_ok=True)
        try:
            self.directory.rmdir()
        except OSError:
            pass  # there is something else in it, which is not ours to remove

    def _end_orphans(self, say):
        """Ends sessions that outlived a killed server: they hold its shared memory."""
        if self.pid() or not self._processes():
            return False
        say("the last server was killed; ending what is left of it")
        for number in (signal.SIGQUIT, signal.SIGKILL):
            for pid in self._processes():
                _signal(pid, number)
            if _wait(lambda: not self._processes(), KILL_SECONDS):
                break
        return True

    def _remove_abandoned(self, say):
        """Removes a cluster whose directory the user removed: its password is lost."""
        if self.home.exists():
            say(f"removing the abandoned cluster {self.home}")
            self.stop()
            shutil.rmtree(self.home)


def _signal(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def _is_alive(pid):
    """Whether a process has not ended yet; one that only waits to be collected has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _wait(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _free_port(wanted):
    """The wanted port if it is free, so that addresses stay the same; else any free one."""
    for port in ([wanted] if wanted else []) + [0]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return probe.getsockname()[1]
    raise SandboxError("there is no free port on 127.0.0.1", 4)
