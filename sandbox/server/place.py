"""Where the sandbox keeps things, and as whom its server runs.

The *directory* (`--dir`, by default `.dag/sandbox` of the project) holds what the user's tools
need: `state.json` and `uri`, mode 0600. The *cluster* (data, log, socket) is beside them when an
ordinary user runs the sandbox. PostgreSQL refuses to run as root, so for root it runs as
`postgres`, and the cluster is under /var/lib/dag/sandbox, because the project may lie where that
user may not look.

The Python packages are shared between projects and clones: one virtual environment for each content
of requirements.txt.
"""

import hashlib
import os
import pwd
from pathlib import Path

SANDBOX = Path(__file__).resolve().parent.parent
PROJECT = SANDBOX.parent
REQUIREMENTS = SANDBOX / "requirements.txt"
POSTGRES_BIN = Path("/usr/lib/postgresql/15/bin")
SERVER_USER = "postgres"  # used when we are root; made by Debian's postgresql-common
ROLE = "dag"
DATABASE = "geolife"
TEMPLATE = "geolife_template"


class SandboxError(Exception):
    """A failure to tell the user about; `status` is the command's exit status."""

    def __init__(self, message, status=1):
        super().__init__(message)
        self.status = status


def is_root():
    return os.geteuid() == 0


def server_account():
    """The account that the server runs as: (name, uid, gid)."""
    if not is_root():
        entry = pwd.getpwuid(os.geteuid())
        return entry.pw_name, entry.pw_uid, entry.pw_gid
    try:
        entry = pwd.getpwnam(SERVER_USER)
    except KeyError:
        raise SandboxError(f"there is no user `{SERVER_USER}`; run `sandbox install`", 4) from None
    return entry.pw_name, entry.pw_uid, entry.pw_gid


def default_directory():
    project = os.environ.get("DAG_PROJECT")
    return (Path(project) if project else PROJECT) / ".dag" / "sandbox"


def cluster_directory(directory):
    """Where the cluster of a sandbox directory is."""
    directory = Path(directory).absolute()
    if not is_root():
        return directory / "cluster"
    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:12]
    return Path("/var/lib/dag/sandbox") / digest


def venv_directory():
    override = os.environ.get("SANDBOX_VENV")
    if override:
        return Path(override)
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    if is_root():
        base = Path("/var/cache/dag")  # the server's user must be able to read it
    else:
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        base = Path(cache) / "dag"
    return base / f"sandbox-venv-{digest}"


def venv_packages():
    """The folder of Python packages that PL/Python sees."""
    return venv_directory() / "lib" / "python3.11" / "site-packages"


def venv_is_complete():
    return (venv_directory() / ".complete").exists()
