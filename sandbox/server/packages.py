"""The virtual environment with the Python packages that PL/Python functions use."""

import fcntl
import os
import shutil
import subprocess
import sys

import place


def install(say, tensorflow=False):
    """Makes the virtual environment unless it is there; safe to run twice, or twice at once."""
    folder = place.venv_directory()
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    with open(folder.parent / f"{folder.name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.umask(0o022)  # the server's user must be able to read it
        if place.venv_is_complete():
            say(f"Python packages: all there ({folder})")
        else:
            say(f"installing Python packages into {folder} (about 1.1 GB)")
            shutil.rmtree(folder, ignore_errors=True)
            _run(["/usr/bin/python3", "-m", "venv", str(folder)])
            _add(folder, place.REQUIREMENTS)
            (folder / ".complete").touch()
        marker = place.tensorflow_marker()
        if not tensorflow:
            return
        if marker.exists():
            say("TensorFlow: there")
        else:
            say("installing TensorFlow (about 900 MB)")
            _add(folder, place.TENSORFLOW)
            marker.touch()


def _add(folder, requirements):
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    # The file pins the whole closure: nothing else is to be resolved or installed.
    _run(pip + ["install", "--quiet", "--no-deps", "-r", str(requirements)])
    _run(pip + ["check"])


def _run(command):
    done = subprocess.run(command, stdout=sys.stderr, check=False)
    if done.returncode != 0:
        raise place.SandboxError(f"`{' '.join(command)}` failed", 4)
