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

    def database_uri(self, name):
        parts = urllib.parse.urlsplit(self.uri)
        return urllib.parse.urlunsplit(parts._replace(path="/" + name))

    def create(self, name):
        self.sql(f"create database {name} template geolife_template", "postgres")
        return self.database_uri(name)

    def sql(self, text, database):
        return output("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d",
                      self.database_uri(database), "-c", text)

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
