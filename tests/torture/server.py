"""A sandbox server of the tests' own, and projects on it."""

import os
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))

from support import DAG, ROOT, ProjectCase  # noqa: E402,F401  (found by the line above)

sys.path.insert(0, str(ROOT / "sandbox" / "server"))

import cluster  # noqa: E402  (found by the line above)
import place  # noqa: E402

SANDBOX = str(ROOT / "sandbox" / "sandbox")


def output(*command, env=None):
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if done.returncode:
        raise AssertionError(f"{command[0]} ended with {done.returncode}\n{done.stderr}")
    return done.stdout.strip()


class Server:
    """Started without fsync in a temporary folder, destroyed by close()."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="dag-server-")
        output(SANDBOX, "start", "--fast", "--dir", self.folder)
        self.uri = output(SANDBOX, "uri", "--dir", self.folder)
        parts = urllib.parse.urlsplit(self.uri)
        self.host, self.port = parts.hostname, parts.port

    def database_uri(self, name):
        parts = urllib.parse.urlsplit(self.uri)
        return urllib.parse.urlunsplit(parts._replace(path="/" + name))

    def create(self, name):
        self.sql(f"create database {name} template geolife_template", "postgres")
        return self.database_uri(name)

    def sql(self, text, database):
        return output("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d",
                      self.database_uri(database), "-c", text)

    # ---- what the server's own account does

    def cluster(self):
        return cluster.Cluster(self.folder)

    def pg_ctl(self, *words):
        """As the server's account; the settings stay, of which the sandbox would make new ones."""
        name, uid, gid = place.server_account()
        who = {"user": uid, "group": gid, "extra_groups": []} if place.is_root() else {}
        server = self.cluster()
        done = subprocess.run(
            [place.POSTGRES_BIN / "pg_ctl", *words, "-D", server.data, "-l", server.log, "-ws"],
            env={"PATH": "/usr/bin:/bin", "HOME": str(server.home), "LC_ALL": "C.UTF-8"},
            cwd=server.home, umask=0o077, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, start_new_session=True, check=False, **who)
        if done.returncode:
            raise AssertionError(f"pg_ctl {words} as {name}: {done.stderr}\n{server.log_tail()}")

    def restart(self, mode="fast"):
        """`immediate` ends it as a crash would."""
        self.pg_ctl("restart", "-m", mode)

    def close(self):
        subprocess.run([SANDBOX, "destroy", "--dir", self.folder], check=False,
                       capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)


class DatabaseCase(ProjectCase):
    """A project whose connection `db` is a database of its own; one server a class."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.number = 0

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def setUp(self):
        super().setUp()
        type(self).number += 1
        self.database = f"case_{os.getpid()}_{self.number}"
        self.uri = self.server.create(self.database)
        self.write("dag.yaml", f"connections:\n  db: {{uri: '{self.uri}'}}\n"
                   "web: {listen: '127.0.0.1:0'}\n")

    def sql(self, text):
        return self.server.sql(text, self.database)

    def page(self, path):
        """A status page's text."""
        shown = self.dag("status").stdout
        address = next(line.split(", ")[1] for line in shown.splitlines()
                       if line.startswith("daemon: running, "))
        with urllib.request.urlopen(address.rstrip("/") + path, timeout=30) as answer:
            return answer.read().decode()
