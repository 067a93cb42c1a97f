"""Files that appear as a whole or not at all: written beside, synced, renamed."""

import hashlib
import os
import shutil
from pathlib import Path


def sync(path):
    """Has the file or folder on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def publish(folder, version, write):
    """Makes `folder`/`version`-<digest> of the files that `write(path)` puts into a folder.

    Whoever reads it, as another user too, sees all files or none; an earlier one of the same
    version stays, because the registry may still name it. What a killed training left is removed.
    Two trainings of one version never run at once. Gives the folder.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    partial = folder / f".partial-{version}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    write(partial)
    digest = hashlib.sha256()
    for path in sorted(partial.iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
        path.chmod(0o644)
        sync(path)
    partial.chmod(0o755)
    sync(partial)
    final = folder / f"{version}-{digest.hexdigest()[:12]}"
    if final.exists():  # the same bytes
        shutil.rmtree(partial)
    else:
        partial.rename(final)
    sync(folder)
    return final
