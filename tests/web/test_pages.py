"""Every page says what a person needs, without any script."""

import re
import sqlite3
import unittest

from pages import BROKEN, DATE, GEOLIFE, ROOT, RUN, Page, WebCase

SCRIPT = "<script>alert(1)</script>"


class Home(WebCase):
    def test_a_failure_comes_first_with_reason_place_and_command(self):
        self.failed_geolife()
        home = self.page("/")
        needs = self.page("/?fragment=needs")
        self.assertLess(home.source.index('id="needs"'), home.source.index('id="dags"'))
        for text in ("clean", DATE, "exit code 3", "bad latitude for user 058",
                     f"dag clear geolife {DATE} --failed", "1 task behind it"):
            self.assertIn(text, needs.text)
        self.assertIn(f"{RUN}/tasks/clean", needs.links)

    def test_a_failure_in_a_run_that_goes_on_is_shown_at_once(self):
        self.write("dags/two.yaml", "dag_id: two\nschedule: null\ntasks:\n"
                   "  bad: {bash: 'exit 1'}\n"
                   "  long: {bash: 'while ! test -e go; do sleep 0.05; done'}\n")
        self.open()
        self.dag("trigger", "two")
        self.wait_for(lambda: self.states("two") == {"bad": "failed", "long": "running"})
        text = self.page("/?fragment=needs").text
        self.assertIn("bad", text)
        self.assertIn("the run goes on", text)
        self.go()

    def test_all_mistakes_of_a_broken_file_are_shown(self):
        self.write("dags/broken.yaml", BROKEN)
        self.open()
        text = self.page("/").text
        self.assertIn("dags/broken.yaml:2:1: error", text)
        self.assertIn("did you mean `schedule`?", text)
        self.assertIn("dags/broken.yaml:4:33: error", text)
        self.assertIn("nothing of it is scheduled", text)
        self.assertIn("dag lint dags/broken.yaml", text)

    def test_what_runs_and_who_holds_the_slots(self):
        self.write("dag.yaml", "web: {listen: '127.0.0.1:0'}\npools: {reports: 3}\n")
        self.running()
        running = self.page("/?fragment=running").text
        self.assertIn("waiting", running)
        self.assertIn("0 of 2", running)
        self.assertIn("long", running)
        slots = self.page("/?fragment=slots").text
        self.assertIn("1 of 128", slots)
        self.assertIn("0 of 3", slots)
        self.go()

    def test_an_empty_project_says_what_to_do(self):
        self.open()
        text = self.page("/").text
        self.assertIn("No DAG yet", text)
        self.assertIn("Nothing failed", text)

    def test_the_next_run_is_the_one_the_schedule_makes(self):
        self.write("dags/geolife.yaml", GEOLIFE)
        self.open()
        self.assertIn('datetime="2030-01-01T16:00:00+00:00"', self.page("/").source)


class Details(WebCase):
    def test_a_missed_deadline_and_what_a_dag_waits_for(self):
        self.write("dags/slow.yaml", "deadline: 1s\ntasks:\n  long:\n    deadline: 1s\n"
                   "    bash: 'while ! test -e go; do sleep 0.05; done'\n")
        self.write("dags/use.yaml", "schedule: {assets: {all: [points, labels]}}\n"
                   "tasks: {a: {bash: 'true', outlets: labels}}\n")
        self.dag("asset", "event", "points")
        self.open()
        self.assertIn("points: 1, labels: 0", self.page("/dags/use").text)
        self.dag("trigger", "slow")
        self.wait_for(lambda: self.log().count("missed its deadline") == 2)
        self.assertIn("missed its deadline", self.page("/dags/slow/runs/latest").text)
        self.assertIn("missed its deadline", self.page("/dags/slow/runs/latest/tasks/long").text)
        self.go()

    def test_the_grid_shows_every_task_in_the_order_of_the_graph(self):
        self.failed_geolife()
        grid = self.page("/dags/geolife?fragment=grid")
        order = [grid.source.index(f"<bdi>{task}</bdi>")
                 for task in ("fetch", "clean", "merge", "alarm", "celebrate")]
        self.assertEqual(order, sorted(order))
        for task, state in (("fetch", "success"), ("clean", "failed"),
                            ("merge", "upstream_failed"), ("alarm", "success"),
                            ("celebrate", "skipped")):
            self.assertRegex(grid.source,
                             rf'class="c s-{state}[^>]*href="{RUN}/tasks/{task}" title="{state}')

    def test_a_run_says_why_and_lists_its_tasks_with_reasons(self):
        self.failed_geolife()
        run = self.page(RUN)
        for text in ("failed", "exit code 3", "bad latitude for user 058", "Asia/Shanghai",
                     "manual__2007-04-11T16:00:00+00:00", f"dag clear geolife {DATE}",
                     "its rule all_failed is not met", "`clean` failed"):
            self.assertIn(text, run.text)

    def test_a_run_is_found_by_date_id_and_word(self):
        self.failed_geolife()
        texts = {self.page(f"/dags/geolife/runs/{word}?fragment=tasks").source for word in (
            DATE, "latest", "failed", "manual__2007-04-11T16:00:00+00:00",
            "2007-04-11T16:00:00+00:00", "manual__2007-04-11T16%3A00%3A00%2B00%3A00")}
        self.assertEqual(len(texts), 1)

    def test_a_failed_task_shows_why_log_tries_and_history(self):
        self.failed_geolife()
        task = self.page(f"{RUN}/tasks/clean")
        self.assertLess(task.source.index("bad latitude"), task.source.index('id="log"'))
        for text in ("exit code 3", f"dag clear geolife {DATE} clean", "dags/geolife.yaml",
                     "cleaning", "err bad latitude for user 058", "its slots were free"):
            self.assertIn(text, task.text)
        self.assertEqual(self.page(f"{RUN}/tasks/clean/tries/1?fragment=log").source,
                         self.page(f"{RUN}/tasks/clean?fragment=log").source)

    def test_a_mistake_in_a_template_shows_its_line(self):
        self.write("dags/sql.yaml", "dag_id: broken_sql\nschedule: null\ntasks:\n"
                   "  t: {bash: 'echo {{ yesterday_ds }}'}\n")
        self.open()
        self.dag("trigger", "broken_sql", "--logical-date", "2007-04-12")
        self.wait_for(lambda: self.run_state("broken_sql") == "failed")
        for path in ("/", "/dags/broken_sql/runs/2007-04-12/tasks/t"):
            text = self.page(path).text
            self.assertIn("yesterday_ds", text)
            self.assertIn("dags/sql.yaml:4", text)
            self.assertIn("t: {bash: 'echo {{ yesterday_ds }}'}", text)

    def test_the_whole_log_and_its_end_are_text(self):
        self.failed_geolife()
        answer, whole = self.request(f"{RUN}/tasks/clean/tries/1/log")
        self.assertEqual(answer.getheader("Content-Type"), "text/plain; charset=utf-8")
        self.assertIn(" out cleaning\n", whole)
        self.assertEqual(self.request(f"{RUN}/tasks/clean/tries/1/log?from=20")[1], whole[20:])
        self.assertEqual(self.request(f"{RUN}/tasks/clean/tries/1/log?from=999999")[1], "")

    def test_a_task_that_was_never_started_says_so(self):
        self.failed_geolife()
        task = self.page(f"{RUN}/tasks/merge")
        self.assertIn("never started", task.text)
        self.assertIn("`clean` failed", task.text)
        self.page(f"{RUN}/tasks/merge/tries/1", status=404)

    def test_the_queue_says_why_a_task_waits(self):
        self.write("dag.yaml", "web: {listen: '127.0.0.1:0'}\npools: {one: 1}\n")
        self.write("dags/q.yaml", "dag_id: q\nschedule: null\ntasks:\n" + "".join(
            f"  t{i}: {{bash: 'while ! test -e go; do sleep 0.05; done', pool: one}}\n"
            for i in (1, 2)))
        self.open()
        self.dag("trigger", "q")
        self.wait_for(lambda: "running" in self.states("q").values())
        text = self.page("/queue").text
        self.assertIn("waiting for a slot", text)
        self.assertRegex(text, r"t[12]")
        self.go()

    def test_the_audit_shows_who_asked_for_what(self):
        self.failed_geolife()
        self.dag("trigger", "geolife", "--logical-date", DATE, status=None)
        audit = self.page("/audit")
        self.assertIn("trigger", audit.text)
        self.assertIn("done", audit.text)
        self.assertIn("`geolife` has a run of 2007-04-11T16:00:00+00:00 already", audit.text)
        self.assertIn("/dags/geolife", audit.links)

    def test_a_dag_without_a_file_keeps_its_runs(self):
        self.failed_geolife()
        (self.folder / "dags" / "geolife.yaml").unlink()
        self.wait_for(lambda: "no file for this DAG" in self.page("/dags/geolife").text)
        self.assertIn("exit code 3", self.page("/dags/geolife/runs/failed/tasks/clean").text)


class Backfills(WebCase):
    def test_a_backfill_under_way_is_shown_with_how_far_it_is(self):
        self.write("dags/slow.yaml", "dag_id: slow\nschedule: '@daily'\nstart_date: 2030-01-01\n"
                   "max_active_runs: 1\ntasks:\n"
                   "  t: {bash: 'while ! test -e go; do sleep 0.05; done'}\n")
        self.open()
        self.assertNotIn("Backfills under way", self.page("/dags/slow").text)
        self.dag("backfill", "slow", "--from", "2030-01-02", "--to", "2030-01-04")
        text = self.page("/dags/slow?fragment=backfills").text
        self.assertIn("2030-01-02 to 2030-01-04", text)
        self.go()
        self.wait_for(lambda: "Backfills" not in self.page("/dags/slow").text)


class Everywhere(WebCase):
    def crawl(self):
        """Every page that can be reached from the first one: address → Page."""
        found, waiting = {}, ["/"]
        while waiting:
            path = waiting.pop()
            if path in found:
                continue
            answer, text = self.request(path)
            self.assertEqual(answer.status, 200, path)
            is_page = answer.getheader("Content-Type").startswith("text/html")
            found[path] = Page(text) if is_page else None
            links = found[path].links if is_page else []
            waiting += [link.split("#")[0] if not link.startswith("?")
                        else path.split("?")[0] + link.split("#")[0]
                        for link in links if not link.startswith("#")]
        return found

    def test_every_link_leads_somewhere_and_every_page_keeps_the_policy(self):
        self.write("dags/broken.yaml", BROKEN)
        self.failed_geolife()
        pages = self.crawl()
        self.assertGreater(len(pages), 15)
        for path, page in pages.items():
            if page is None:
                continue
            self.assertEqual(page.forbidden, [], path)
            self.assertEqual(len(page.ids), len(set(page.ids)), f"{path}: ids twice")
            self.assertEqual(page.source.count("<h1"), 1, path)
            self.assertRegex(page.source, r'(?s)<html lang="en">.*<title>[^<]+</title>')
            weight = len(page.source) + sum(
                len(self.request(link)[1]) for link in page.links if "/assets/" in link)
            self.assertLess(weight, 100_000, path)

    def test_headers_keep_the_pages_to_themselves(self):
        self.open()
        for path in ("/", "/health", "/nothing", "/assets/page.css"):
            headers = self.request(path)[0].headers
            self.assertTrue(headers["Content-Security-Policy"].startswith("default-src 'self';"))
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(headers["X-Frame-Options"], "DENY")
            self.assertNotIn("Access-Control-Allow-Origin", headers)
        self.assertEqual(self.request("/")[0].headers["Cache-Control"], "no-store")
        self.assertIn("immutable", self.request("/assets/page.css")[0].headers["Cache-Control"])

    def test_only_get_and_head_are_answered(self):
        self.open()
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            answer, text = self.request("/dags/geolife", method)
            self.assertEqual((answer.status, answer.getheader("Allow")), (405, "GET, HEAD"))
            self.assertIn("read-only", text)
        answer, text = self.request("/", "HEAD")
        self.assertEqual((answer.status, text), (200, ""))
        # The page's clock may be one digit longer or shorter.
        self.assertAlmostEqual(int(answer.getheader("Content-Length")),
                               len(self.request("/")[1].encode()), delta=16)

    def test_other_hosts_are_refused(self):
        self.open()
        for host in ("evil.example", "127.0.0.1.evil.example:80", "10.0.0.1"):
            answer, text = self.request("/", headers={"Host": host})
            self.assertEqual(answer.status, 421)
            self.assertNotIn("Needs you", text)
        for host in ("localhost:1234", "127.0.0.1", "[::1]:80"):
            self.assertEqual(self.request("/", headers={"Host": host})[0].status, 200)

    def test_what_is_not_there_says_what_to_do_next(self):
        self.failed_geolife()
        self.assertIn("did you mean `geolife`?", self.page("/dags/geolive", 404).text)
        self.assertIn("`dag status geolife` lists", self.page("/dags/geolife/runs/2007-04-13",
                                                               404).text)
        self.assertIn("did you mean `clean`?", self.page(f"{RUN}/tasks/claen", 404).text)
        for path in ("/nothing", "/dags/", "/assets/nothing.css", "/dags/%ff", "/dags/../x",
                     f"{RUN}/tasks/clean/tries/2", f"{RUN}/tasks/clean/tries/x/log",
                     f"{RUN}/tasks/x]", f"{RUN}/tasks/x[", f"{RUN}/tasks/["):
            self.assertIn("All DAGs", self.page(path, 404).text)

    def test_programs_get_problems(self):
        self.open()
        answer, _ = self.request("/api/nothing")
        self.assertEqual(answer.getheader("Content-Type"), "application/problem+json")
        problem = self.get_json("/api/nothing", 404)
        self.assertEqual((problem["status"], problem["code"]), (404, "NOT_FOUND"))
        self.assertEqual(self.get_json("/api/events?log=/dags/a/runs/b/tasks/c/tries/1",
                                       404)["code"], "NOT_FOUND")

    def test_health(self):
        self.write("dags/broken.yaml", BROKEN)
        self.open()
        health = self.get_json("/health")
        self.assertEqual((health["status"], health["broken_files"], health["dags"]),
                         ("healthy", 1, 0))

    def test_texts_of_users_are_never_markup(self):
        self.write("dags/odd.yaml", f"dag_id: odd\nschedule: null\nowner: '{SCRIPT}'\n"
                   f"description: 'שלום 🚶 {SCRIPT}'\ntags: ['{SCRIPT}']\ntasks:\n"
                   f"  t: {{bash: 'echo \"{SCRIPT}\"; echo \"{SCRIPT}\" >&2; exit 1',"
                   f" doc: '{SCRIPT}'}}\n")
        self.write("dags/bad.yaml", f"dag_id: bad\n'{SCRIPT}': 1\n")
        self.open()
        self.dag("trigger", "odd", "--logical-date", DATE, "--conf",
                 '{"x": "<script>alert(1)</script>"}')
        self.wait_for(lambda: self.run_state("odd") == "failed")
        shown = 0
        for path, page in self.crawl().items():
            if page:
                self.assertNotIn(SCRIPT, page.source, path)
                shown += SCRIPT in page.text
        self.assertGreater(shown, 5)
        self.assertIn("שלום 🚶", self.page("/dags/odd").text)

    def test_long_names(self):
        dag_id, task_id = "d" * 250, "t" * 250
        self.write("dags/long.yaml", f"dag_id: {dag_id}\nschedule: null\ntasks:\n"
                   f"  {task_id}: {{bash: 'exit 1'}}\n")
        self.open()
        self.dag("trigger", dag_id, "--logical-date", DATE)
        self.wait_for(lambda: self.run_state(dag_id) == "failed")
        page = self.page(f"/dags/{dag_id}/runs/{DATE}/tasks/{task_id}")
        self.assertIn("exit code 1", page.text)

    def test_every_route_is_described(self):
        manual = (ROOT / "docs" / "status-page.md").read_text(encoding="utf-8")
        source = (ROOT / "web" / "route.c").read_text(encoding="utf-8")
        routes = re.findall(r'^\s*\{"(/[^"]*)", \w+(?:, \w+)*\},$', source, re.MULTILINE)
        self.assertGreater(len(routes), 8)
        for route in routes:
            self.assertIn(f"`{route}`", manual)


class Listening(WebCase):
    def test_a_used_port_ends_the_daemon_with_what_to_do(self):
        self.open()
        used = f"127.0.0.1:{self.port}"
        self.write("other/dags/.keep", "")
        self.write("other/dag.yaml", f"web: {{listen: '{used}'}}\n")
        done = self.dag("up", cwd=self.folder / "other", status=4)
        self.assertIn(f"port {self.port}", done.stderr)
        self.assertIn("web: {listen: 127.0.0.1:0}", done.stderr)

    def test_an_address_beyond_this_machine_is_refused(self):
        for listen in ("0.0.0.0:8080", "[::]:8080", "example.org:80"):
            self.write("dag.yaml", f"web: {{listen: '{listen}'}}\n")
            self.assertIn("not supported yet", self.dag("up", status=4).stderr)


class Many(WebCase):
    def test_ten_thousand_runs(self):
        self.failed_geolife()
        self.dag("down")
        self.daemon.wait(timeout=30)
        day = 86_400_000_000
        with sqlite3.connect(self.folder / ".dag" / "dag.db") as db:
            columns = [row[1] for row in db.execute("pragma table_info(run)")]
            row = dict(zip(columns, db.execute("select * from run").fetchone()))
            for i in range(1, 10_001):
                new = dict(row, id=row["id"] + i, run_id=f"manual__{i}",
                           logical_us=row["logical_us"] - i * day)
                db.execute(f"insert into run ({', '.join(new)}) values"
                           f" ({', '.join('?' * len(new))})", list(new.values()))
        self.open()
        for path in ("/", "/dags/geolife", "/dags/geolife?state=failed"):
            self.assertLess(len(self.page(path).source), 100_000)
        dates = set()
        path = "/dags/geolife?fragment=runs"
        for _ in range(3):
            page = self.page(path)
            dates |= set(re.findall(r">(\d{4}-\d\d-\d\d)</a>", page.source))
            older = next(link for link in page.links if "before=" in link).split("#")[0]
            path = f"/dags/geolife{older}&fragment=runs"
        self.assertEqual(len(dates), 75)


class Mapped(WebCase):
    """Instances of a mapped task: a row each on the run's page, one cell in the grid."""

    def test_indexes_stand_for_the_task(self):
        self.write("dags/fan.yaml", "dag_id: fan\nschedule: null\ntasks:\n  load:\n"
                   "    expand: {n: [1, 2, 3]}\n"
                   "    bash: 'echo {{ mapped.n }}; test {{ mapped.n }} != 2'\n")
        self.open()
        self.dag("trigger", "fan", "--logical-date", "2030-01-01")
        self.wait_for(lambda: self.run_state("fan") == "failed")
        run = self.page("/dags/fan/runs/2030-01-01")
        for name in ("load[0]", "load[1]", "load[2]"):
            self.assertIn(name, run.text)
        self.assertNotIn("removed", run.text)
        self.assertIn("the worst of 3", self.page("/dags/fan").source)
        index = self.page("/dags/fan/runs/2030-01-01/tasks/load%5B1%5D")
        self.assertIn('mapped: {"n":2}', index.text)
        self.assertIn("dag clear fan 2030-01-01 'load[1]'", index.text)
        self.assertIn("expanded into 3 instances",
                      self.page("/dags/fan/runs/2030-01-01/tasks/load").text)
        self.page("/dags/fan/runs/2030-01-01/tasks/load%5B7%5D", status=404)


if __name__ == "__main__":
    unittest.main()
