"""The sandbox's command line.

To add a command: a function `command_<name>(cluster, options)` and its row in COMMANDS;
tests/sandbox/test_server.py walks the table.
"""

import argparse
import fcntl
import sys
from pathlib import Path

import database
import packages
import place
from cluster import Cluster
from place import SandboxError

EXAMPLES = """examples:
  sandbox install                     packages and Python modules (once on a machine)
  sandbox start                       make and start the server
  psql "$(sandbox uri)"               a session in the database `geolife`
  eval "$(sandbox env)"               SANDBOX_URI and PGHOST, PGPORT … for this shell
  createdb -T geolife_template mine   a scratch copy (after `eval`)
  sandbox stop

exit status: 0 done; 1 it failed; 2 wrong use; 4 not running, or something is not installed
"""


def say(message):
    print(f"sandbox: {message}", file=sys.stderr)


def command_install(_cluster, options):
    packages.install(say, options.tensorflow)


def command_start(cluster, options):
    if not place.venv_is_complete():
        raise SandboxError("the Python packages are missing; run `sandbox install`", 4)
    started = cluster.start(say, options.fast)
    database.prepare(cluster, say)
    port = cluster.state()["port"]
    if options.port_file:
        Path(options.port_file).write_text(f"{port}\n")
    say(f"{'started' if started else 'it is running already'}: PostgreSQL on 127.0.0.1:{port}, "
        f"process {cluster.pid()}, database {place.DATABASE}")


def command_stop(cluster, _options):
    say("stopped" if cluster.stop() else "it was not running")


def command_destroy(cluster, _options):
    cluster.destroy()
    say("stopped and removed, with its data")


def command_status(cluster, _options):
    pid = cluster.pid()
    if pid is None:
        raise SandboxError(f"not running ({cluster.directory}); start it with `sandbox start`", 4)
    state = cluster.state()
    print(f"running: PostgreSQL on 127.0.0.1:{state['port']}, process {pid}"
          f"{', without fsync' if state['fast'] else ''}")
    print(f"databases: {place.DATABASE}, {place.TEMPLATE} (for `createdb -T`)")
    print(f"cluster:   {cluster.home}")
    print(f"log:       {cluster.log}")
    print(f"models:    {cluster.models}")
    print(f"packages:  {place.venv_directory()}")


def command_uri(cluster, options):
    _require_running(cluster)
    print(cluster.uri(options.database))


def command_env(cluster, _options):
    _require_running(cluster)
    state = cluster.state()
    values = {"SANDBOX_URI": cluster.uri(), "PGHOST": "127.0.0.1", "PGPORT": state["port"],
              "PGUSER": place.ROLE, "PGPASSWORD": state["password"], "PGDATABASE": place.DATABASE,
              "SANDBOX_MODELS": cluster.models, "SANDBOX_VENV": place.venv_directory()}
    for name, value in values.items():
        print(f"export {name}='{value}'")


def _require_running(cluster):
    if cluster.pid() is None:
        raise SandboxError(f"not running ({cluster.directory}); start it with `sandbox start`", 4)


TENSORFLOW = ("--tensorflow", {"action": "store_true",
                               "help": "TensorFlow as well, for KERAS_BACKEND=tensorflow"})
FAST = ("--fast", {"action": "store_true",
                   "help": "without fsync, for tests: a crash of the machine may lose the data"})
PORT_FILE = ("--port-file", {"metavar": "FILE", "help": "write the port's number there"})
DATABASE = ("--database", {"metavar": "NAME", "default": place.DATABASE,
                           "help": f"default: {place.DATABASE}"})

COMMANDS = {
    # name: (function, what it does, options, takes the lock)
    "install": (command_install, "install what is missing: Debian packages, Python modules",
                [TENSORFLOW], False),
    "start": (command_start, "start the server; make it first if need be", [FAST, PORT_FILE], True),
    "stop": (command_stop, "stop the server; its data stays", [], True),
    "status": (command_status, "say whether it runs, and where", [], False),
    "uri": (command_uri, "print the connection URI", [DATABASE], False),
    "env": (command_env, "print shell commands that set SANDBOX_URI and PG… variables", [], False),
    "destroy": (command_destroy, "stop the server and remove its data", [], True),
}


def _parser():
    parser = argparse.ArgumentParser(
        prog="sandbox", epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="A private PostgreSQL with PostGIS, PL/Python, tsfresh and stand-ins for "
                    "MADlib.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (_, summary, options, _) in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary)
        command.add_argument("--dir", metavar="DIR", default=place.default_directory(),
                             help="the sandbox's directory (default: .dag/sandbox of the project)")
        for flag, settings in options:
            command.add_argument(flag, **settings)
    return parser


def main():
    options = _parser().parse_args()
    function, _, _, locked = COMMANDS[options.command]
    cluster = Cluster(options.dir)
    try:
        if options.command == "start":
            cluster.directory.mkdir(parents=True, exist_ok=True)
        if not locked or not cluster.directory.exists():
            function(cluster, options)
            return 0
        with open(cluster.directory / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            function(cluster, options)
        return 0
    except SandboxError as error:
        say(error)
        return error.status
    except OSError as error:
        say(error)
        return 1


if __name__ == "__main__":
    sys.exit(main())
