"""Lint of the shipped pipelines: nothing as they are, and exactly the fault of each broken copy."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from broken import BROKEN

ROOT = Path(os.environ.get("DAG_SOURCE_DIR") or Path(__file__).resolve().parents[2])
DAG = os.environ.get("DAG_BINARY") or str(ROOT / "build" / "dev" / "dag")


class Broken(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="dag-broken-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        for name in ("dags", "templates"):
            shutil.copytree(ROOT / name, self.folder / name)
        for path in ROOT.glob("dag*.yaml"):
            shutil.copy(path, self.folder)

    def findings(self, *words):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("DAG_")}
        done = subprocess.run([DAG, *words, "lint", "--json"], cwd=self.folder, env=environment,
                              capture_output=True, text=True, check=False, timeout=120)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_the_pipelines_have_no_findings_in_any_environment(self):
        for words in ((), ("--env", "greenplum6"), ("--env", "greenplum7")):
            self.assertEqual(self.findings(*words), [], words)

    def test_there_are_forty_broken_copies(self):
        self.assertGreaterEqual(len(BROKEN), 40)

    def test_each_fault_is_found_where_it_is_and_nothing_else(self):
        for name, (file, old, new, expected) in BROKEN.items():
            with self.subTest(fault=name):
                path = self.folder / file
                text = path.read_text(encoding="utf-8")
                self.assertEqual(text.count(old), 1, "the row's text must stand there once")
                path.write_text(text.replace(old, new), encoding="utf-8")
                found = self.findings()
                path.write_text(text, encoding="utf-8")
                self.assertEqual([f"{f['code']} {f['file']}:{f['line']}:{f['column']}"
                                  for f in found], [expected], found)


if __name__ == "__main__":
    unittest.main()
