"""HTTP tasks through the commands, against a real server that answers well and badly."""

import json
import os
import signal
import sqlite3
import subprocess
import unittest
import urllib.request

from support import DAG, ROOT, ProjectCase

SERVER = str(ROOT / "tests" / "http_server.py")


class HttpCase(ProjectCase):
    """With a server of its own; {{ params.url }} is its address."""

    def setUp(self):
        super().setUp()
        self.url = self.serve()
        self.failed = 0

    def serve(self, *words):
        server = subprocess.Popen([SERVER, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  text=True)
        self.addCleanup(server.communicate)
        return f"http://127.0.0.1:{server.stdout.readline().strip()}"

    def requests(self):
        with urllib.request.urlopen(f"{self.url}/log", timeout=60) as answer:
            return json.load(answer)

    def tasks(self, text, more=""):
        self.write("dags/h.yaml", f"dag_id: h\nparams: {{url: {self.url}}}\n{more}tasks:\n{text}")

    def run_h(self, status=0, date="2026-01-01"):
        return self.dag("run", "h", "--logical-date", date, status=status)

    def task(self, name="t"):
        return [row for row in self.json("status", "h", "latest") if row["task_id"] == name][0]

    def logs(self, name="t", *words):
        return self.dag("logs", "h", "latest", name, *words).stdout

    def xcom(self, name="t"):
        with sqlite3.connect(self.folder / ".dag" / "dag.db") as db:
            row = db.execute("select xcom from attempt where task_id = ? and xcom is not null"
                             " order by number desc", (name,)).fetchone()
        return json.loads(row[0])


class Requests(HttpCase):
    def test_what_is_sent_is_what_the_file_says(self):
        self.write("dag.yaml", "web: {listen: '127.0.0.1:0'}\n"
                   "variables: {token: {value: hunter2secret, secret: true}}\n")
        self.tasks("""  t:
    http:
      url: "{{ params.url }}/echo/{{ ds }}"
      method: put
      headers: {Authorization: "Bearer {{ var.value.token }}", X-Day: "{{ ds_nodash }}"}
      body: {day: "{{ ds }}", rows: [1, null, true, {"a/b": "{{ run_id }}"}], quote: '{{ "\\"" }}'}
      result: ""
  text: {http: "{{ params.url }}/echo", body: "day {{ ds }}", result: /method}
  plain: {http: "{{ params.url }}/echo", result: /method}
""")
        self.run_h()
        sent = self.xcom()
        self.assertEqual((sent["method"], sent["path"]), ("PUT", "/echo/2026-01-01"))
        self.assertEqual(sent["headers"]["Authorization"], "Bearer hunter2secret")
        self.assertEqual(sent["headers"]["X-Day"], "20260101")
        self.assertEqual(sent["headers"]["Content-Type"], "application/json")
        self.assertEqual(json.loads(sent["body"]), {
            "day": "2026-01-01", "quote": '"',
            "rows": [1, None, True, {"a/b": "manual__2026-01-01T00:00:00+00:00"}]})
        self.assertEqual(self.xcom("text"), "POST")
        self.assertEqual(self.xcom("plain"), "GET")
        text = [sent for sent in self.requests() if sent["body"] == "day 2026-01-01"][0]
        self.assertEqual(text["headers"]["Content-Type"], "text/plain; charset=utf-8")
        plain = [sent for sent in self.requests() if sent["method"] == "GET"][0]
        self.assertNotIn("Content-Type", plain["headers"])
        kept = "".join(path.read_text(errors="replace") for path in
                       (self.folder / ".dag" / "logs").rglob("*.*") if path.is_file())
        self.assertIn("Bearer ***", kept.replace('"Authorization": "***"', "Bearer ***"))
        self.assertNotIn("hunter2secret", kept)

    def test_the_answers_start_is_in_the_log_and_a_part_of_it_is_the_xcom(self):
        self.tasks("""  t: {http: "{{ params.url }}/ok", result: "/rows/0/a~1b"}
  text: {http: "{{ params.url }}/text"}
  gzip: {http: "{{ params.url }}/gzip", result: /packed}
  binary: {http: "{{ params.url }}/binary"}
  head: {http: {url: "{{ params.url }}/ok", method: HEAD}}
  next: {bash: "test '{{ ti.xcom_pull(task_ids='t') }}' = c", depends_on: t}
""")
        self.run_h()
        self.assertEqual(self.xcom(), "c")
        self.assertIs(self.xcom("gzip"), True)
        self.assertIn("answer: 200 OK", self.logs("text"))
        self.assertIn("out second line: grüße", self.logs("text"))
        self.assertIn("(it is no text)", self.logs("binary"))

    def fails(self, path, *words, retried=False, more="", url=None):
        """The message of a task that fails; what can pass is tried again."""
        self.tasks(f"  t: {{http: {{url: \"{url or '{{ params.url }}'}{path}\"{more}}}, "
                   "retries: 1, retry_delay: 1s}\n")
        self.failed += 1
        self.run_h(status=1, date=f"2026-02-{self.failed:02}")
        task = self.task()
        self.assertEqual(task["reason_code"], "retries_used_up" if retried else "not_retried")
        self.assertEqual(task["try_number"], 2 if retried else 1)
        text = self.logs()
        for word in words:
            self.assertIn(word, text)

    def test_an_answer_that_is_not_expected_fails_it_with_its_first_lines(self):
        self.fails("/status/404", "was answered 404 Not Found, expected: 2xx", "why 404",
                   "second line")
        self.fails("/ok", "was answered 200 OK, expected: 404, 3xx", more=", expect: [404, 3xx]")
        for status in (408, 429, 500, 503):
            self.fails(f"/status/{status}", f"was answered {status}", retried=True)
        self.tasks("  t: {http: \"{{ params.url }}/status/404\", expect: [2xx, 404]}\n")
        self.run_h()

    def test_what_goes_wrong_is_said(self):
        self.fails("/close", "closed the connection without an answer", retried=True)
        self.fails("/half", "the answer broke off in the middle", retried=True)
        self.fails("/noise", "does not answer in HTTP", retried=True)
        self.fails("/huge", "the answer is longer than 4 MiB")
        self.fails("/endless", "the answer is longer than 4 MiB")
        self.fails("/", "cannot be connected to", retried=True, url="http://127.0.0.1:1")
        self.fails("/", "name of the host cannot be resolved", retried=True,
                   url="http://no.such.host.invalid")
        self.fails("/ok", "nothing at `/rows/1`", more=", result: /rows/1")
        self.fails("/text", "the answer is no JSON", "first line", more=", result: ''")
        self.fails("", "`ftp://x` is no address of http or https", url="{{ 'ftp://x' }}")
        self.fails("/ok", "`X-A` has a line end", more=", headers: {X-A: \"{{ 'a\\\\nb' }}\"}")

    def test_redirects_of_a_get_are_followed_and_headers_stay_at_their_origin(self):
        other = self.serve()
        self.tasks(f"""  t: {{http: "{{{{ params.url }}}}/redirect/3", result: /state}}
  far:
    http: "{{{{ params.url }}}}/to?{other}/echo"
    headers: {{X-Token: hunter2secret}}
    result: /headers
  post: {{http: "{{{{ params.url }}}}/redirect/1", method: POST}}
  round: {{http: "{{{{ params.url }}}}/redirect/30"}}
  stay: {{http: "{{{{ params.url }}}}/redirect/1", expect: 302}}
""")
        self.run_h(status=1)
        self.assertEqual(self.xcom(), "done")
        self.assertNotIn("X-Token", self.xcom("far"))
        self.assertNotIn("Idempotency-Key", self.xcom("far"))
        self.assertIn("it leads to", self.logs("post"))
        self.assertIn("sent on too often", self.logs("round"))
        self.assertEqual(self.task("stay")["state"], "success")

    def test_retries_of_a_generation_share_a_key_and_retry_after_is_heeded(self):
        self.tasks("  t: {http: \"{{ params.url }}/flaky/a/1\", retries: 1, retry_delay: 10ms}\n"
                   "  other: {http: \"{{ params.url }}/ok\"}\n"
                   "  own: {http: \"{{ params.url }}/ok\", headers: {idempotency-key: mine}}\n")
        self.run_h()
        keys = {}
        for sent in self.requests():
            key = {name.lower(): value for name, value in sent["headers"].items()}
            keys.setdefault(sent["path"], []).append(key["idempotency-key"])
        self.assertEqual(len(keys["/flaky/a/1"]), 2)
        first = set(keys["/flaky/a/1"])
        self.assertEqual(len(first), 1)
        self.assertIn("mine", keys["/ok"])
        self.assertFalse(first & set(keys["/ok"]))
        with sqlite3.connect(self.folder / ".dag" / "dag.db") as db:
            started = [row[0] for row in db.execute(
                "select started_us from attempt where task_id = 't' order by number")]
        self.assertGreaterEqual(started[1] - started[0], 1_000_000)
        self.dag("clear", "h", "latest", "t", "--yes")
        self.run_h()
        self.assertNotIn(self.requests()[-1]["headers"]["Idempotency-Key"], first)

    def test_certificates_are_checked_against_those_that_are_trusted(self):
        port = self.serve("--tls", str(self.folder)).rsplit(":", 1)[1]
        self.tasks(f"  t: {{http: \"https://localhost:{port}/ok\", result: /state}}\n")
        self.run_h(status=1)
        self.assertIn("the server's certificate is not accepted", self.logs())
        self.assertIn("SSL_CERT_FILE", self.logs())
        os.environ["SSL_CERT_FILE"] = str(self.folder / "cert.pem")
        self.addCleanup(os.environ.pop, "SSL_CERT_FILE")
        self.dag("clear", "h", "latest", "--yes")
        self.run_h()
        self.assertEqual(self.xcom(), "done")
        self.tasks(f"  t: {{http: \"https://127.0.0.1:{port}/ok\"}}\n")
        self.dag("clear", "h", "latest", "--yes")
        self.run_h(status=1)
        self.assertIn("no alternative certificate subject name matches", self.logs())
        self.fails("/ok", "TLS cannot be agreed upon", retried=True,
                   url=self.url.replace("http:", "https:"))

    def test_mistakes_are_told_where_they_are(self):
        self.write("dags/bad.yaml", "dag_id: bad\ntasks:\n"
                   "  a: {http: {}}\n"
                   "  b: {http: {url: example.org}}\n"
                   "  c: {http: http://x/, expect: ok}\n"
                   "  d: {http: http://x/, method: FETCH}\n"
                   "  e: {http: http://x/, result: rows}\n"
                   "  f: {http: http://x/, headers: {'a b': c}}\n"
                   "  g: {http: {url: http://x/}, url: http://y/}\n"
                   "  h: {http: {endpoint: x}}\n"
                   "  i: {http: http://x/, headers: {A: b, a: c}}\n"
                   "  j: {http: http://x/, body: '{{ nothing }}'}\n")
        text = self.dag("lint", status=1).stdout
        for line, words in ((3, "does not say where it goes"), (4, "must begin with http://"),
                            (5, "`expect` takes statuses"), (6, "there is no such `method`"),
                            (7, "`result` is no JSON pointer"), (8, "`a b` is no name of a header"),
                            (9, "`url` is given in `http` and beside it"),
                            (10, "`endpoint` is not a key of a request"),
                            (11, "the header `a` is given twice")):
            self.assertRegex(text, rf"bad.yaml:{line}:\d+.*{words}")

    def test_it_can_be_rendered(self):
        self.tasks("  t: {http: {url: \"{{ params.url }}/{{ ds }}\", body: {day: '{{ ds }}'}}}\n")
        text = self.dag("render", "h", "t", "--logical-date", "2026-01-01").stdout
        self.assertEqual(text, f"{self.url}/2026-01-01\n2026-01-01\n")


class Sensors(HttpCase):
    """What a sensor asks."""

    def test_a_sensor_asks_until_it_is_answered_as_expected(self):
        self.tasks("""  flaky:
    wait_for: {http: "{{ params.url }}/flaky/s/2"}
    poke_interval: 1s
  state:
    wait_for: {http: {url: "{{ params.url }}/flaky/r/1", result: /tries}}
    poke_interval: 1s
""")
        self.run_h()
        log = self.logs("flaky")
        self.assertEqual(log.count("not yet: "), 2)
        self.assertIn("was answered 503", log)
        asked = [sent for sent in self.requests() if sent["path"] == "/flaky/s/2"]
        self.assertEqual(len(asked), 3)
        self.assertNotIn("Idempotency-Key", asked[0]["headers"])

    def test_what_does_not_come_by_waiting_fails_it_and_the_rest_waits(self):
        self.tasks("""  denied: {wait_for: {http: "{{ params.url }}/status/401"}, retries: 1}
  missing: {wait_for: {http: "{{ params.url }}/status/404"}, timeout: 1s, poke_interval: 1s}
  nobody: {wait_for: {http: "http://127.0.0.1:1/"}, timeout: 1s, poke_interval: 1s}
  soft:
    wait_for: {http: {url: "{{ params.url }}/ok", result: /no}}
    timeout: 1s
    poke_interval: 1s
    soft_fail: true
""")
        self.run_h(status=1)
        self.assertEqual(self.task("denied")["reason_code"], "not_retried")
        for name in ("missing", "nobody"):
            self.assertEqual(self.task(name)["reason_code"], "waited_too_long")
        self.assertEqual(self.task("soft")["state"], "skipped")
        self.assertIn("`/no` of the answer is `false`", self.logs("soft"))


class Ends(HttpCase):
    """Requests that do not end by themselves."""

    def start(self, more=""):
        self.tasks(f"  t: {{http: \"{{{{ params.url }}}}/hang\"{more}}}\n"
                   "  after: {bash: 'true', depends_on: t}\n")
        self.up()
        self.dag("trigger", "h", "--logical-date", "2026-01-01")
        self.wait_for(lambda: len(self.requests()) == 1)

    def test_execution_timeout_ends_it(self):
        self.tasks("  t: {http: \"{{ params.url }}/hang\", execution_timeout: 1s}\n"
                   "  drip: {http: \"{{ params.url }}/drip\", execution_timeout: 1s}\n")
        self.run_h(status=1)
        self.assertEqual(self.task()["reason_code"], "timed_out")
        self.assertEqual(self.task("drip")["reason_code"], "timed_out")

    def test_a_cancel_ends_it_at_once(self):
        self.start()
        self.dag("cancel", "h", "latest", "--yes")
        self.wait_for(lambda: self.task()["state"] == "failed")
        self.assertIn("what the server does with the request is not known", self.logs())

    def test_a_daemon_that_was_killed_sends_it_again_with_the_same_key(self):
        self.start()
        self.kill()
        self.up()
        self.wait_for(lambda: len(self.requests()) == 2)
        keys = {sent["headers"]["Idempotency-Key"] for sent in self.requests()}
        self.assertEqual(len(keys), 1)
        self.assertEqual(self.task()["try_number"], 1)
        self.dag("cancel", "h", "latest", "--yes")

    def test_ctrl_c_ends_a_run_in_the_foreground(self):
        self.tasks("  t: {http: \"{{ params.url }}/hang\"}\n")
        run = subprocess.Popen([DAG, "run", "h", "--logical-date", "2026-01-01"], cwd=self.folder,
                               env=self.environment(), stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
        self.addCleanup(run.communicate)
        self.addCleanup(run.kill)
        self.wait_for(lambda: len(self.requests()) == 1)
        run.send_signal(signal.SIGINT)
        self.assertNotEqual(run.wait(60), 0)


if __name__ == "__main__":
    unittest.main()
