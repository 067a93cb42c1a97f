"""The databases in the cluster: a template with everything in it, and `geolife` made from it."""

import compileall
import hashlib
import os
import shutil
import subprocess

import place
from place import SandboxError


def prepare(cluster, say):
    """Makes what is missing; brings the functions up to date when their files have changed."""
    sources = sorted((place.SANDBOX / "madlib").glob("*.sql"))
    modules = sorted((place.SANDBOX / "madlib" / "dag_madlib").glob("*.py"))
    start = place.SANDBOX / "python" / "sitecustomize.py"
    files = sources + modules + [start]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    marker = cluster.home / "functions"
    if not marker.exists() or marker.read_text() != digest:
        _install_modules(cluster, modules, start)
    databases = _query(cluster, "select datname from pg_database", "postgres").split("\n")
    if place.TEMPLATE not in databases:
        say("making the databases")
        # The default looks into a schema of the role's name first, which is the ledger's.
        _query(cluster, f"alter role {place.ROLE} set search_path = public", "postgres")
        _query(cluster, f"create database {place.TEMPLATE}", "postgres")
        _load_template(cluster, sources)
    elif not marker.exists() or marker.read_text() != digest:
        say("bringing the functions up to date")
        _allow_connections(cluster, True)
        _load_template(cluster, sources)
        for database in databases:
            if database not in ("postgres", "template0", "template1", place.TEMPLATE, ""):
                _load(cluster, sources, database)
    if place.DATABASE not in databases:
        _query(cluster, f"create database {place.DATABASE} template {place.TEMPLATE}", "postgres")
    marker.write_text(digest)


def _install_modules(cluster, modules, start):
    """Copies the functions' Python modules, and what Python does at its start, to where the server
    looks for them.

    The server's user may not be able to read the project. Sessions that are open keep what they
    have imported.
    """
    folder = cluster.python / "dag_madlib"
    fresh = cluster.python / "dag_madlib.new"
    for stale in (fresh, folder):
        shutil.rmtree(stale, ignore_errors=True)
    fresh.mkdir(parents=True)
    for path in modules:
        shutil.copyfile(path, fresh / path.name)
    # The server may not write there, and every session would compile them again.
    compileall.compile_dir(fresh, ddir=str(folder), quiet=1)
    fresh.rename(folder)
    shutil.copyfile(start, cluster.python / start.name)
    compileall.compile_file(cluster.python / start.name, quiet=1)
    for path in [cluster.python] + list(cluster.python.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _load_template(cluster, sources):
    _load(cluster, sources, place.TEMPLATE)
    _query(cluster, f"alter database {place.TEMPLATE} is_template true", "postgres")
    # createdb -T fails while anybody is connected to the template: nobody may be.
    _allow_connections(cluster, False)


def _allow_connections(cluster, allowed):
    _query(cluster, f"alter database {place.TEMPLATE} allow_connections {str(allowed).lower()}",
           "postgres")


def _load(cluster, sources, database):
    arguments = ["-1"]
    for path in sources:
        arguments += ["-f", str(path)]
    _psql(cluster, arguments, database)


def _query(cluster, sql, database):
    return _psql(cluster, ["-c", sql], database)


def _psql(cluster, arguments, database):
    state = cluster.state()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    environment.update(PGHOST="127.0.0.1", PGPORT=str(state["port"]), PGUSER=place.ROLE,
                       PGPASSWORD=state["password"], PGDATABASE=database,
                       PGOPTIONS="-c client_min_messages=warning")
    command = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"] + arguments
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        raise SandboxError(f"psql failed in database {database}: {done.stderr.strip()}")
    return done.stdout
