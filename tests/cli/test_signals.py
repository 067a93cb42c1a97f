"""How the daemon starts and stops: signals, the service manager, a stopped daemon, trouble with the
state folder at the start and while it runs."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import unittest
from contextlib import closing
from pathlib import Path

from support import DAG, ProjectCase

WAITS = """
schedule: null
tasks:
  wait: {bash: "echo begun; while [ ! -e go ]; do sleep 0.05; done; echo done"}
"""


class Stopped(ProjectCase):
    def test_commands_do_not_wait_for_a_stopped_daemon_and_nothing_is_done_later(self):
        self.write("dags/a.yaml", WAITS)
        self.up()
        self.daemon.send_signal(signal.SIGSTOP)
        for words in (("trigger", "a"), ("pause", "a"), ("queue",), ("down",), ("run", "a"),
                      ("reload",)):
            done = self.dag(*words, status=4)
            self.assertIn(f"process {self.daemon.pid}, is stopped", done.stderr)
            self.assertIn(f"kill -CONT {self.daemon.pid}", done.stderr)
        self.assertEqual(self.json("status", "a"), [])  # reading works
        self.daemon.send_signal(signal.SIGCONT)
        self.dag("trigger", "a", "--logical-date", "2026-01-01")
        self.assertEqual([run["logical_date"][:10] for run in self.json("status", "a")],
                         ["2026-01-01"])


class Ending(ProjectCase):
    def test_a_process_outlives_a_stop_by_signal(self):
        self.write("dags/a.yaml", WAITS)
        self.up()
        self.dag("trigger", "a")
        self.wait_for(lambda: "begun" in self.dag("logs", "a", "latest", "wait",
                                                  status=None).stdout)
        self.daemon.send_signal(signal.SIGTERM)
        self.assertEqual(self.daemon.wait(60), 0, self.log())
        self.assertFalse((self.folder / ".dag" / "socket").exists())
        self.write("go", "")
        self.up()
        self.wait_for(lambda: self.json("status", "a")[0]["state"] == "success")
        self.assertEqual(self.json("status", "a", "latest")[0]["try_number"], 1)

    def test_hangup_reads_the_definitions_again(self):
        self.write("dags/a.yaml", WAITS)
        self.up()
        self.daemon.send_signal(signal.SIGHUP)
        self.wait_for(lambda: "SIGHUP" in self.log())
        self.assertIsNone(self.daemon.poll())

    def test_wait_and_cancel_exclude_each_other(self):
        self.dag("down", "--wait", "--cancel", status=2)


class ServiceManager(ProjectCase):
    """What systemd is told: its side of sd_notify is a socket of ours."""

    def setUp(self):
        super().setUp()
        self.talk = tempfile.mkdtemp(prefix="dag-notify-")
        self.addCleanup(shutil.rmtree, self.talk)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.socket.close)
        self.socket.bind(f"{self.talk}/s")
        self.socket.settimeout(60)
        self.told = ""

    def environment(self):
        return dict(super().environment(), NOTIFY_SOCKET=f"{self.talk}/s", WATCHDOG_USEC="200000")

    def listen_for(self, text):
        while text not in self.told:
            self.told += self.socket.recv(4096).decode() + "\n"
        self.told = self.told[self.told.index(text) + len(text):]

    def test_each_step_is_told(self):
        self.write("dags/a.yaml", WAITS)
        with open(self.folder / "daemon.log", "a", encoding="utf-8") as log:
            self.daemon = subprocess.Popen([DAG, "up"], cwd=self.folder, stdout=log, stderr=log,
                                           env=self.environment())
        self.addCleanup(self.kill)
        self.listen_for("READY=1")
        self.listen_for("WATCHDOG=1")
        self.listen_for("WATCHDOG=1")
        self.daemon.send_signal(signal.SIGHUP)
        self.listen_for("RELOADING=1\nMONOTONIC_USEC=")
        self.listen_for("READY=1")
        self.daemon.send_signal(signal.SIGTERM)
        self.listen_for("STOPPING=1")
        self.listen_for("EXTEND_TIMEOUT_USEC=")
        self.assertEqual(self.daemon.wait(60), 0, self.log())

    def test_the_unit_leaves_processes_alone(self):
        unit = (Path(__file__).resolve().parents[2] / "packaging/dag@.service").read_text()
        for line in ("Type=notify", "KillMode=process", "WatchdogSec=30"):
            self.assertIn(line + "\n", unit)


class Beginning(ProjectCase):
    def setUp(self):
        super().setUp()
        self.write("dags/a.yaml", WAITS)

    def fails(self, *texts):
        done = self.dag("up", status=4)
        for text in texts:
            self.assertIn(text, done.stderr)
        return done.stderr

    def test_damaged_metadata_is_told_at_once(self):
        self.write(".dag/dag.db", "this is no database, whatever its name says. " * 100)
        told = self.fails("dag.db", "not a database", "dag db check", "backup")
        self.assertNotIn("giving up", told)

    def test_a_page_of_the_metadata_that_is_damaged_is_told_at_once(self):
        self.up()
        self.dag("down")
        self.daemon.wait(60)
        path = self.folder / ".dag" / "dag.db"
        content = bytearray(path.read_bytes())
        content[100:4096] = b"\xff" * 3996  # the schema's page
        path.write_bytes(content)
        told = self.fails("dag.db", "malformed", "dag db check")
        self.assertNotIn("giving up", told)

    def test_a_schema_of_a_newer_dag_is_refused(self):
        self.up()
        self.dag("down")
        self.daemon.wait(60)
        self.sql("pragma user_version = 1000")
        self.fails("schema 1000")
        self.assertIn("schema 1000", self.dag("status", "a", status=4).stderr)

    def test_reading_an_older_schema_names_the_daemon(self):
        self.up()
        self.dag("down")
        self.daemon.wait(60)
        self.sql("pragma user_version = 1")
        self.assertIn("start the daemon", self.dag("status", "a", status=4).stderr)

    def sql(self, text):
        with closing(sqlite3.connect(self.folder / ".dag" / "dag.db")) as db:
            db.execute(text)
            db.commit()

    def test_a_stale_socket_and_lock_do_not_matter(self):
        self.up()
        self.daemon.kill()
        self.daemon.wait(60)
        self.assertTrue((self.folder / ".dag" / "socket").exists())
        self.assertIn("dag up", self.dag("trigger", "a", status=4).stderr)
        self.up()
        self.dag("trigger", "a")

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere")
    def test_a_state_folder_that_cannot_be_written_is_told(self):
        (self.folder / ".dag").mkdir(mode=0o500)
        self.fails("leader.lock", "must be writable")

    def test_a_state_folder_that_is_a_file_is_told(self):
        self.write(".dag", "")
        self.fails(".dag")

    def test_a_port_in_use_is_told(self):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            self.write("dag.yaml", f"web: {{listen: '127.0.0.1:{port}'}}\n")
            self.fails(f"port {port}", "web: {listen:")
        self.assertFalse((self.folder / ".dag" / "socket").exists())


class Gone(ProjectCase):
    def test_folders_that_vanish_remove_no_dag(self):
        self.write("dags/a.yaml", WAITS)
        self.up()
        dags, away = self.folder / "dags", self.folder / "away"
        dags.rename(away)
        self.wait_for(lambda: "dags is gone" in self.log())
        self.dag("trigger", "a")
        away.rename(dags)
        self.write("dags/b.yaml", WAITS)
        self.wait_for(lambda: "DAG `b`" in self.log())
        self.assertEqual(self.log().count("dags is gone"), 1)
        self.assertNotIn("not scheduled any more", self.log())

    def test_a_state_folder_that_vanishes_ends_it_and_says_so(self):
        self.write("dags/a.yaml", WAITS)
        self.up()
        shutil.rmtree(self.folder / ".dag")
        self.daemon.send_signal(signal.SIGHUP)
        self.write("dags/b.yaml", WAITS)  # is to be recorded
        self.assertNotEqual(self.daemon.wait(60), 0)
        self.assertIn("the metadata is gone", self.log())


if __name__ == "__main__":
    unittest.main()
