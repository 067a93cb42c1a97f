"""dag doctor: a line for each thing that a project needs, and what to do."""

import json
import os
import unittest

from support import ProjectCase

HELLO = "schedule: null\ntasks:\n  a: {bash: 'true'}\n"


class Doctor(ProjectCase):
    def look(self, status=0):
        """{what: (verdict, found, remedy)}"""
        text = self.dag("doctor", "--json", status=status).stdout
        rows = [json.loads(line) for line in text.splitlines()]
        return {row["what"]: (row["verdict"], row["found"], row["remedy"]) for row in rows}

    def test_a_project_that_is_well(self):
        self.write("dags/one.yaml", HELLO)
        found = self.look()
        self.assertEqual({verdict for verdict, _, _ in found.values()}, {"ok", "warn"})
        self.assertEqual(found["DAG files"][1], "1 DAGs, 0 files with mistakes")
        self.assertEqual(found["daemon"][0], "warn")
        self.assertEqual(found["daemon"][2], "start it: dag up")
        self.assertIn("ok    project: ", self.dag("doctor").stdout)

    def test_a_daemon_that_answers(self):
        self.write("dags/one.yaml", HELLO)
        self.up()
        self.dag("trigger", "one", "--wait")
        found = self.look()
        self.assertEqual(found["daemon"], ("ok", "it runs and answers", None))
        self.assertTrue(found["metadata"][1].endswith("dag.db"))

    def test_a_broken_file_a_dead_connection_and_open_state(self):
        self.write("dags/one.yaml", "tasks:\n  a: {bsah: 'true'}\n")
        self.write("dag.yaml", "connections:\n  db: {uri: 'postgresql://127.0.0.1:1/x'}\n")
        (self.folder / ".dag").mkdir(mode=0o755)
        os.chmod(self.folder / ".dag", 0o755)
        found = self.look(status=1)
        self.assertEqual(found["DAG files"][:2], ("bad", "0 DAGs, 1 files with mistakes"))
        self.assertEqual(found["connection `db`"][0], "bad")
        self.assertTrue(found["connection `db`"][2])
        self.assertEqual(found["state folder"][0], "warn")
        self.assertIn("chmod 700", found["state folder"][2])
        done = self.dag("doctor", status=1)
        self.assertIn("2 things are wrong", done.stderr)
        self.assertIn("one.yaml:2:", done.stderr)

    def test_damaged_metadata(self):
        self.write("dags/one.yaml", HELLO)
        self.dag("run", "one")
        path = self.folder / ".dag" / "dag.db"
        data = bytearray(path.read_bytes())
        data[4096:] = b"\xff" * (len(data) - 4096)
        path.write_bytes(data)
        for name in ("dag.db-wal", "dag.db-shm"):
            (self.folder / ".dag" / name).unlink(missing_ok=True)
        found = self.look(status=1)
        bad = [what for what, row in found.items() if row[0] == "bad"]
        self.assertTrue(bad and all(what.startswith("metadata") for what in bad), found)


if __name__ == "__main__":
    unittest.main()
