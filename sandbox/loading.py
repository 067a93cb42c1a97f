"""What the loaders share: the database they write to, one transaction through psql, mistakes."""

import os
import re
import subprocess
import sys
from urllib.parse import unquote

ERRORS_MAX = 20  # more bad lines than this say nothing new


class LoadError(Exception):
    def __init__(self, message, status=1):
        super().__init__(message)
        self.status = status


class Mistakes:
    """Lines that cannot be read are collected, and reported all at once."""

    def __init__(self):
        self.found = []

    def add(self, name, number, mistake):
        self.found.append(f"{name}:{number}: {mistake}")
        if len(self.found) >= ERRORS_MAX:
            raise LoadError(f"more than {ERRORS_MAX - 1} lines cannot be read:\n"
                            + "\n".join(self.found))

    def check(self):
        if self.found:
            raise LoadError(f"{len(self.found)} lines cannot be read:\n" + "\n".join(self.found))


class Session:
    """A psql that is fed one transaction. It ends without COMMIT unless `commit` is called."""

    def __init__(self, uri, name):
        uri, password = split_password(uri)
        environment = dict(os.environ, PGAPPNAME=name, PGCLIENTENCODING="UTF8")
        if password is not None:
            environment["PGPASSWORD"] = password
        command = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", uri, "-f", "-"]
        try:
            self.process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE,
                                            stdout=subprocess.DEVNULL, encoding="utf-8")
        except FileNotFoundError:
            raise LoadError("psql is not installed", 4) from None
        self.send("begin;\n")

    def send(self, text):
        try:
            self.process.stdin.write(text)
            self.process.stdin.flush()
        except BrokenPipeError:
            self._fail()

    def commit(self):
        self.send("commit;\n")
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        if self.process.wait() != 0:
            self._fail()

    def abandon(self):
        """Ends psql in the middle of its transaction, which the server then rolls back."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def _fail(self):
        status = self.process.wait()
        # psql has said why on standard error; 2 says that the connection failed or broke.
        raise LoadError("nothing was loaded", 4 if status == 2 else 1)


def split_password(uri):
    """A URI without its password, and the password: command lines are public."""
    match = re.match(r"(postgres(?:ql)?://[^:@/?]*):([^@/?]*)(@.*)$", uri)
    if not match:
        return uri, None
    return match.group(1) + match.group(3), unquote(match.group(2))


def add_database_options(parser, schema):
    parser.add_argument("--uri", help="of the database: postgresql://…")
    parser.add_argument("--connection", metavar="NAME", help="of the connections passed by dag")
    parser.add_argument("--schema", default=schema, help=f"default: {schema}")


def check_schema(parser, options):
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_$]*", options.schema):
        parser.error(f"not a schema's name: {options.schema}")


def find_uri(options):
    """The database: --uri, else the connection that dag passes to the task, else SANDBOX_URI."""
    if options.uri:
        return options.uri
    if options.connection:
        name = f"DAG_CONN_{options.connection.upper()}"
        if name not in os.environ:
            raise LoadError(f"{name} is not set: give the task `connections: "
                            f"[{options.connection}]`", 2)
        return os.environ[name]
    passed = sorted(name for name in os.environ if name.startswith("DAG_CONN_"))
    if len(passed) > 1:
        raise LoadError(f"there are several connections ({', '.join(passed)}): "
                        "choose with --connection", 2)
    for name in passed + ["SANDBOX_URI"]:
        if name in os.environ:
            return os.environ[name]
    raise LoadError("no database: give --uri, or a connection to the task, or set SANDBOX_URI", 2)


def say(program, message):
    print(f"{program}: {message}", file=sys.stderr, flush=True)
