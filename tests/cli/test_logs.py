"""dag logs: a task followed through its start, retries and end; mapped tasks; output that is too
much, binary, or secret."""

import signal
import unittest

from support import ProjectCase

RETRIES = """
schedule: null
tasks:
  before: {bash: "while [ ! -e begin ]; do sleep 0.05; done"}
  work:
    bash: 'echo "try $DAG_TRY_NUMBER"; while [ ! -e "end$DAG_TRY_NUMBER" ]; do sleep 0.05; done;
      echo "end of $DAG_TRY_NUMBER"; [ "$DAG_TRY_NUMBER" = 2 ]'
    retries: 1
    retry_delay: 1s
    depends_on: before
"""

MAPPED = """
schedule: null
tasks:
  work:
    bash: 'echo "value {{ mapped.v }}"'
    expand: {v: [a, b, c]}
"""


class Following(ProjectCase):
    def setUp(self):
        super().setUp()
        self.write("dags/a.yaml", RETRIES)
        self.up()
        self.dag("trigger", "a")
        self.wait_for(lambda: self.states("a").get("before") == "running")

    def read_until(self, process, text):
        for line in process.stdout:
            if text in line:
                return
        self.fail(f"no `{text}` came\n{process.stderr.read()}")

    def test_a_task_is_waited_for_and_followed_through_its_retry(self):
        follow = self.start("logs", "a", "latest", "work", "-f")
        self.assertIn("has not been started; waiting for it", follow.stderr.readline())
        self.write("begin", "")
        self.read_until(follow, "out try 1")
        self.write("end1", "")
        self.read_until(follow, "out end of 1")
        self.read_until(follow, "==> work, try 2 <==")
        self.read_until(follow, "out try 2")
        self.assertIsNone(follow.poll())
        self.write("end2", "")
        self.read_until(follow, "out end of 2")
        self.read_until(follow, "end: success")
        self.assertEqual(follow.wait(60), 0)

    def test_one_try_is_followed_to_its_own_end(self):
        follow = self.start("logs", "a", "latest", "work", "-f", "--try", "1")
        self.write("begin", "")
        self.read_until(follow, "out try 1")
        self.write("end1", "")
        rest = follow.stdout.read()
        self.assertIn("out end of 1", rest)
        self.assertNotIn("try 2", rest)
        self.write("end2", "")
        self.wait_for(lambda: self.states("a")["work"] == "success")
        first = self.dag("logs", "a", "latest", "work", "--try", "1").stdout
        self.assertIn("out try 1", first)
        self.assertNotIn("out try 2", first)
        last = self.dag("logs", "a", "latest", "work").stdout
        self.assertIn("out try 2", last)
        self.assertNotIn("out try 1", last)
        self.assertIn("no try 3 (it has 2)",
                      self.dag("logs", "a", "latest", "work", "--try", "3", status=3).stderr)

    def test_what_there_is_not_is_told_and_not_waited_for(self):
        self.assertIn("did you mean `work`?",
                      self.dag("logs", "a", "latest", "wokr", "-f", status=3).stderr)
        self.assertIn("was not expanded",
                      self.dag("logs", "a", "latest", "work[3]", "-f", status=3).stderr)
        self.assertIn("has not been started",
                      self.dag("logs", "a", "latest", "work", status=3).stderr)

    def test_an_interrupt_ends_the_following_alone(self):
        follow = self.start("logs", "a", "latest", "before", "-f")
        self.read_until(follow, " info ")
        follow.send_signal(signal.SIGINT)
        follow.communicate(timeout=60)
        self.assertNotEqual(follow.returncode, 0)
        self.assertEqual(self.states("a")["before"], "running")

    def test_a_reader_who_leaves_ends_it(self):
        follow = self.start("logs", "a", "latest", "work", "-f")
        self.write("begin", "")
        self.read_until(follow, "out try 1")
        follow.stdout.close()
        self.write("end1", "")
        follow.wait(60)
        self.assertNotEqual(self.states("a")["work"], "success")  # long before the task's end

    def test_without_a_daemon_the_wait_is_explained(self):
        follow = self.start("logs", "a", "latest", "work", "-f")
        self.daemon.kill()
        self.daemon.wait(60)
        for line in follow.stderr:
            if "`dag up` goes on with it" in line:
                break
        else:
            self.fail("it did not say that nothing runs")
        self.up()
        for name in ("begin", "end1", "end2"):
            self.write(name, "")
        self.read_until(follow, "end: success")


class Mapped(ProjectCase):
    def test_all_indexes_are_printed_each_under_its_name(self):
        self.write("dags/a.yaml", MAPPED)
        self.up()
        self.dag("trigger", "a", "--wait")
        text = self.dag("logs", "a", "latest", "work").stdout
        for index, value in enumerate("abc"):
            part = text.split(f"==> work[{index}], try 1 <==\n")[1].split("==>")[0]
            self.assertIn(f"out value {value}", part)
        followed = self.dag("logs", "a", "latest", "work", "-f").stdout
        self.assertEqual(followed, text)
        one = self.dag("logs", "a", "latest", "work[1]").stdout
        self.assertIn("out value b", one)
        self.assertNotIn("==>", one)
        attempts = self.json("logs", "a", "latest", "work")
        self.assertEqual([row["map_index"] for row in attempts if row["map_index"] >= 0],
                         [0, 1, 2])


class Output(ProjectCase):
    def log_of(self, script, settings=""):
        self.write("dag.yaml", "web: {listen: '127.0.0.1:0'}\n" + settings)
        self.write("task.py", script)
        self.write("dags/a.yaml", "schedule: null\ntasks:\n  t:\n    python: task.py\n"
                   "    env: {TOKEN: '{{ var.value.get(\"api_token\", \"\") }}'}\n")
        self.dag("run", "a", "--logical-date", "2026-01-01")
        return self.dag("logs", "a", "latest", "t").stdout

    def test_how_it_began_and_how_it_ended_stays(self):
        log = self.log_of("for i in range(600000): print(f'line {i:07d} {\"x\" * 40}')\n")
        self.assertLess(len(log), 16 * 1024 * 1024)
        self.assertIn("out line 0000000 ", log)
        self.assertIn("out line 0599999 ", log)
        self.assertIn("end: success", log)
        self.assertEqual(log.count("error left out here: "), 1)

    def test_binary_output_is_shown_safely(self):
        log = self.log_of("import sys\nsys.stdout.buffer.write(b'\\x00\\x1b]0;x\\x07\\xff\\xfe "
                          "\\x1b[31mred\\x1b[0m \\xc3\\xa9\\n10%\\r20%\\r\\n')\n")
        self.assertIn(r"out \x00\x1b]0;x\x07\xff\xfe red é" + "\n", log)
        self.assertRegex(log, r"out 10%\n\S+ out 20%\n")

    def test_a_secret_is_masked_also_over_two_writes_and_two_parts_of_a_line(self):
        log = self.log_of("""
import os, sys
token = os.environ["TOKEN"]
sys.stdout.write("first " + token[:5]); sys.stdout.flush()
sys.stdout.write(token[5:] + "\\n"); sys.stdout.flush()
for size in range(16370, 16390):
    os.write(1, (" " * size + token + "\\n").encode())
""", "variables: {api_token: {value: not-to-be-seen, secret: true}}\n")
        self.assertIn("out first ****", log)
        for piece in ("not-to-be-seen", "not-to", "to-be-seen", "be-seen"):
            self.assertNotIn(piece, log)


if __name__ == "__main__":
    unittest.main()
