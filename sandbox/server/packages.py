"""The virtual environment with the Python packages that PL/Python functions use."""

import fcntl
import os
import shutil
import subprocess
import sys

import place


def install(say):
    """Makes the virtual environment unless it is there; safe to run twice, or twice at once."""
    folder = place.venv_directory()
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    with open(folder.parent / f"{folder.name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if place.venv_is_complete():
            say(f"Python packages: all there ({folder})")
            return
        say(f"installing Python packages into {folder} (about 700 MB)")
        shutil.rmtree(folder, ignore_errors=True)
        _make(folder)
        (folder / ".complete").touch()


def _make(folder):
    os.umask(0o022)  # the server's user must be able to read it
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    steps = [
        ["/usr/bin/python3", "-m", "venv", str(folder)],
        # The file pins the whole closure: nothing else is to be resolved or installed.
        pip + ["install", "--quiet", "--no-deps", "-r", str(place.REQUIREMENTS)],
        pip + ["check"],
    ]
    for step in steps:
        done = subprocess.run(step, stdout=sys.stderr, check=False)
        if done.returncode != 0:
            raise place.SandboxError(f"`{' '.join(step)}` failed", 4)
