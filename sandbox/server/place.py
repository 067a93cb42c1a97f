"""Where the sandbox keeps things, and as whom its server runs.

The *directory* (`--dir`, by default `.dag/sandbox` of the project) holds what the user's tools
need: `state.json` and `uri`, mode 0600. The *cluster* (data, log, socket) is beside them when an
ordinary user runs the sandbox. PostgreSQL refuses to run as root, so for root it runs as
`postgres`, and the cluster is under /var/lib/dag/sandbox, because the project may lie where that
user may not look.

The Python packages are shared between projects and clones: one virtual environment for each content
of requirements.txt. TensorFlow comes on top of it where it is asked for.
"""

import hashlib
import os
import pwd
from pathlib import Path

SANDBOX = Path(__file__).resolve().parent.parent
PROJECT = SANDBOX.parent
REQUIREMENTS = SANDBOX / "requirements.txt"
TENSORFLOW = SANDBOX / "requirements-tensorflow.txt"
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


def tensorflow_marker():
    """The file that says that TensorFlow, as it is pinned now, is installed too."""
    digest = hashlib.sha256(TENSORFLOW.read_bytes()).hexdigest()[:12]
    return venv_directory() / f".tensorflow-{digest}"


def keras_backend():
    """What Keras computes with: KERAS_BACKEND, else JAX."""
    backend = os.environ.get("KERAS_BACKEND") or "jax"
    if backend not in ("jax", "tensorflow"):
        raise SandboxError(f"KERAS_BACKEND is {backend!r}; the sandbox has jax and tensorflow", 2)
    if backend == "tensorflow" and not tensorflow_marker().exists():
        raise SandboxError("TensorFlow is not installed; run `sandbox install --tensorflow`", 4)
    return backend


def computing_environment(cache):
    """Variables that keep a process of ours to one thread: there are many, on few cores. What JAX
    has compiled is kept in the folder `cache`: loading a model takes half a second then, not five.
    """
    return {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "NUMBA_NUM_THREADS": "1",
        "KERAS_BACKEND": keras_backend(),
        "JAX_PLATFORMS": "cpu",
        "JAX_COMPILATION_CACHE_DIR": str(cache),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
    }
