"""The pages of models: what the registry says, and what they say when it says nothing.

DAG_SCREENSHOTS=FOLDER keeps pictures of them.
"""

import json
import os
import shutil
import socket
import sys
import threading
import unittest
from pathlib import Path

from browser import CHROMIUM, Browser
from pages import ROOT, WebCase

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "torture"))

from server import Server  # noqa: E402  (found by the line above)

PROJECT = """\
web: {{listen: '127.0.0.1:0'}}
connections:
  greenplum: {{uri: '{uri}', settings: {{search_path: 'geolife, public'}}}}
models:
  connection: greenplum
  scored: select 'rf_walk' as name, version, 7 as scored, mdate::text as newest from scored
"""
ROWS = """
create table public.scored as select '2007-06-01'::text as version, date '2007-06-03' as mdate;
insert into models.registry (name, version, mdate, kind, place, metrics, features, dag_id, run_id,
    rows_train, rows_test, in_service, reason, decided_by, decided_at)
select 'rf_walk', to_char(d, 'YYYY-MM-DD'), d, 'madlib_forest', 'geolife.rf',
    json_build_object('auc', 0.8 + n * 0.005, 'recall', 0.7 + n * 0.008, 'threshold', 0.5,
        'confusion', 'words')::jsonb,
    'speed__mean,speed__maximum', 'geolife_model_training', 'manual__1', 100 + n, 25, n < 26,
    'AUC ' || (0.8 + n * 0.005), 'rule', now()
from (select n, (date '2005-05-01' + n * interval '1 month')::date as d
    from generate_series(0, 29) n) as months;
insert into models.registry (name, version, mdate, kind, place, reason)
values ('<b>evil</b> & "x"', '1/2', '2007-01-01', '<i>', '<script>', '<u>why</u>');
insert into models.evaluation (name, version, part, n, x, y, label)
select 'rf_walk', '2007-06-01', p, n, n / 50.0,
    case p when 'roc' then sqrt(n / 50.0) else 1 - power(n / 50.0, 3) / 2 end, 'x'
from generate_series(0, 50) n, (values ('roc'), ('precision_recall')) as parts (p);
insert into models.evaluation (name, version, part, n, series, x, y)
select 'rf_walk', '2007-06-01', 'loss', n + 20 * k, s, n, 1.0 / n + k * 0.1
from generate_series(1, 20) n, (values ('training, fold 1', 0), ('training, fold 2', 1),
    ('validation, fold 1', 2), ('validation, fold 2', 3)) as lines (s, k);
insert into models.evaluation (name, version, part, n, series, label, y) values
    ('rf_walk', '2007-06-01', 'confusion', 1, 'other', 'other', 30),
    ('rf_walk', '2007-06-01', 'confusion', 2, 'other', 'walk', 2),
    ('rf_walk', '2007-06-01', 'confusion', 3, 'walk', 'other', 1),
    ('rf_walk', '2007-06-01', 'confusion', 4, 'walk', 'walk', 40);
"""
MODEL = "/models/rf_walk"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


class ModelsCase(WebCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        cls.uri = cls.server.create("models")
        cls.migrated = False

    def setUp(self):
        super().setUp()
        shutil.copytree(ROOT / "migrations", self.folder / "migrations")
        self.write("dag.yaml", PROJECT.format(uri=self.uri))
        if not self.migrated:
            self.dag("migrate")
            self.sql(ROWS)
            type(self).migrated = True

    def sql(self, text):
        return self.server.sql(text, "models")


class Shown(ModelsCase):
    def setUp(self):
        super().setUp()
        self.open()

    def test_the_models_with_what_is_in_service(self):
        page = self.page("/models")
        for text in ("rf_walk", "2007-06-01", "auc\u00a00.925", "madlib_forest", "30", "none"):
            self.assertIn(text, page.text)
        self.assertIn(MODEL, page.links)
        self.assertIn(f"{MODEL}?version=2007-10-01", page.links)  # the newest
        self.assertIn("/models/%3Cb%3Eevil%3C%2Fb%3E%20%26%20%22x%22", page.links)
        self.assertIn("Models", self.page("/").text)  # the way there
        self.assertEqual(page.forbidden, [])

    def test_an_old_version_in_service_is_not_lost_behind_newer_ones(self):
        self.sql("insert into models.registry (name, version, mdate, kind, place, in_service)"
                 " select 'old', d::text, d::date, 'k', 'p', d < '2007-01-03'"
                 " from generate_series(date '2007-01-01', '2007-02-20', '1 day') as d")
        self.addCleanup(self.sql, "delete from models.registry where name = 'old'")
        self.wait_for(lambda: "old" in self.page("/models").text)
        rows = [m for m in self.get_json("/api/v2/models")["models"] if m["name"] == "old"]
        self.assertEqual(len(rows), 21)
        self.assertEqual([m["mdate"] for m in rows if m["current"]], ["2007-01-02"])
        self.assertIn("51", self.page("/models").text)

    def test_a_model_begins_with_the_version_in_service(self):
        page = self.page(MODEL)
        for text in ("2007-06-01", "in service", "AUC 0.925", "125, 25", "Confusion matrix",
                     "ROC curve", "Precision and recall", "Loss", "validation", "Versions",
                     "dag model retire rf_walk 2007-06-01", "until 2007-05-01"):
            self.assertIn(text, page.text)
        self.assertIn("/dags/geolife_model_training/runs/manual__1", page.links)
        self.assertEqual(page.forbidden, [])
        for count, tag in ((4, 'role="img"'), (1, 'class="chance"'), (2, "number wrong"),
                           (2, "number right")):
            self.assertEqual(page.source.count(tag), count, tag)
        # A mark a version and metric; what is no measure of quality has none.
        self.assertEqual(page.source.count("<circle"), 60)
        self.assertNotIn("threshold</bdi>", page.source)
        self.assertLess(len(page.source), 100 * 1000)

    def test_a_curve_is_drawn_where_its_points_are(self):
        source = self.page(MODEL).source
        drawn = source[source.index('aria-label="ROC curve"'):]
        points = drawn[drawn.index("<polyline"):].split('points="')[1].split('"')[0].split()
        self.assertEqual(len(points), 51)
        self.assertEqual(points[0], "44.0,212.0")    # nothing found, nothing wrong
        self.assertEqual(points[-1], "246.0,10.0")   # all
        across = [float(point.split(",")[0]) for point in points]
        self.assertEqual(across, sorted(across))

    def test_lines_of_one_kind_share_a_style_and_a_name(self):
        source = self.page(MODEL).source
        figure = source[source.index("<b>Loss</b>"):].split("</figure>")[0]
        self.assertEqual([figure.count(f'<polyline class="l{n}"') for n in (1, 2, 3)], [3, 3, 0])
        self.assertEqual(figure.count("<bdi>training</bdi>"), 1)
        self.assertEqual(figure.count("<bdi>validation</bdi>"), 1)

    def test_another_version_is_looked_at(self):
        page = self.page(f"{MODEL}?version=2007-10-01")
        for text in ("2007-10-01", "out of service", "Nothing was kept",
                     "dag model promote rf_walk 2007-10-01"):
            self.assertIn(text, page.text)
        older = self.page(f"{MODEL}?version=2007-05-01")
        self.assertIn("until 2007-06-01", older.text)
        self.assertIn("26\u201330 of 30", self.page(f"{MODEL}?from=25").text.replace("-", "\u2013"))

    def test_texts_of_the_registry_are_never_markup(self):
        for path in ("/models", "/models/%3Cb%3Eevil%3C%2Fb%3E%20%26%20%22x%22"):
            page = self.page(path)
            self.assertIn('<b>evil</b> & "x"', page.text)
            for tag in ("<b>evil", "<script>", "<i>", "<u>why"):
                self.assertNotIn(tag, page.source)

    def test_what_is_not_there(self):
        self.assertIn("there is no model `nothing`", self.page("/models/nothing", 404).text)
        self.assertIn("no version of `rf_walk`: `x`", self.page(f"{MODEL}?version=x", 404).text)
        answer, _ = self.request(MODEL, "POST", {"Content-Type": "application/json"}, "{}")
        self.assertEqual(answer.status, 405)
        answer, text = self.request(MODEL, "HEAD")
        self.assertEqual((answer.status, text), (200, ""))

    def test_a_fragment_is_a_section_alone(self):
        answer, text = self.request(f"{MODEL}?fragment=versions&version=2007-10-01")
        self.assertEqual(answer.status, 200)
        self.assertTrue(text.startswith('<section id="versions"'), text[:100])
        self.assertNotIn('id="metrics"', text)

    def test_programs_get_the_same_as_json(self):
        all_of_them = self.get_json("/api/v2/models")
        self.assertEqual(all_of_them["total_entries"], 21)  # the newest 20 of each
        one = self.get_json("/api/v2/models/rf_walk")
        self.assertEqual((one["name"], one["version"], len(one["versions"])),
                         ("rf_walk", "2007-06-01", 30))
        self.assertEqual(one["versions"][4]["scored"], 7)
        self.assertEqual(len([p for p in one["evaluation"] if p["part"] == "roc"]), 51)
        problem = self.get_json("/api/v2/models/nothing", 404)
        self.assertEqual(problem["code"], "NOT_FOUND")

    def test_a_promotion_shows(self):
        self.addCleanup(self.sql, "update models.registry set in_service = mdate < '2007-07-01'"
                                  " where name = 'rf_walk'")
        self.page(MODEL)
        self.dag("model", "promote", "rf_walk", "2007-10-01", "--note", "by the way")
        self.wait_for(lambda: "promoted by hand: by the way" in self.page(MODEL).text)

    def test_in_a_browser_with_and_without_scripts(self):
        self.assertIsNotNone(CHROMIUM, "chromium is not installed (packaging/packages.txt)")
        browser = Browser()
        self.addCleanup(browser.close)
        for scripts in (True, False):
            browser.scripts(scripts)
            for width in (360, 768, 1440):
                for dark in (False, True):
                    browser.look(width, dark=dark)
                    for path in ("/models", MODEL):
                        browser.open(f"http://{self.host}:{self.port}{path}")
                        self.assertLessEqual(browser.value(OVERFLOW), 0, f"{path} at {width}")
                        self.keep(browser, path, width, dark)
        # Lines are drawn in the page's colours: the policy lets the picture have them.
        self.assertNotIn(browser.value(
            "getComputedStyle(document.querySelector('polyline.l1')).stroke"), ("none", ""))

    @staticmethod
    def keep(browser, path, width, dark):
        folder = os.environ.get("DAG_SCREENSHOTS")
        if folder:
            name = path.strip("/").replace("/", "_")
            browser.screenshot(Path(folder) / f"{name}-{width}-{'dark' if dark else 'light'}.png")


class Silent:
    """A server that takes connections and never says anything."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.peers = []
        threading.Thread(target=self.take, daemon=True).start()

    def take(self):
        try:
            while True:
                self.peers.append(self.socket.accept()[0])
        except OSError:
            pass  # it is closed

    def close(self):
        self.socket.close()
        for peer in self.peers:
            peer.close()


class Trouble(ModelsCase):
    def test_a_database_that_is_away_is_said_and_holds_nobody_up(self):
        silent = Silent()
        self.addCleanup(silent.close)
        for uri, status, text in (
                ("postgresql://127.0.0.1:1/none", 503, "nothing listens"),
                (f"postgresql://127.0.0.1:{silent.port}/none", 503,
                 "did not answer in time")):
            self.write("dag.yaml", PROJECT.format(uri=uri))
            self.open()
            answers = []
            asks = [threading.Thread(target=lambda: answers.append(self.request("/models")))
                    for _ in range(3)]
            for ask in asks:
                ask.start()
            for _ in range(20):
                self.page("/queue")  # the loop goes on
            for ask in asks:
                ask.join()
            self.assertEqual([answer.status for answer, _ in answers], [status] * 3)
            self.assertIn(text, answers[0][1])
            problem = self.get_json("/api/v2/models", status)
            self.assertEqual(problem["status"], status)
            self.kill()
            (self.folder / "daemon.log").unlink()

    def test_a_reader_that_goes_and_a_daemon_that_ends_while_it_is_asked(self):
        silent = Silent()
        self.addCleanup(silent.close)
        self.write("dag.yaml", PROJECT.format(
            uri=f"postgresql://127.0.0.1:{silent.port}/none"))
        self.open()
        peers = [socket.create_connection((self.host, int(self.port))) for _ in range(4)]
        for peer in peers:
            self.addCleanup(peer.close)
            peer.sendall(f"GET /models HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n\r\n".encode())
        self.wait_for(lambda: silent.peers)
        for peer in peers[:2]:
            peer.close()
        self.page("/queue")
        self.dag("down")
        self.assertEqual(self.daemon.wait(60), 0, self.log())

    def test_tables_that_are_missing_ask_for_the_migrations(self):
        uri = self.server.create("bare")
        self.addCleanup(self.server.sql, "drop database bare with (force)", "postgres")
        self.write("dag.yaml", PROJECT.format(uri=uri))
        self.open()
        page = self.page("/models", 502)
        self.assertIn("`dag migrate` makes the registry's tables", page.text)
        self.dag("migrate")
        self.server.sql("create table public.scored (version text, mdate date)", "bare")
        self.wait_for(lambda: self.request("/models")[0].status == 200)
        self.assertIn("The registry has no model yet", self.page("/models").text)

    def test_a_query_of_what_was_scored_that_fails_leaves_the_rest(self):
        self.write("dag.yaml", PROJECT.format(uri=self.uri).replace("from scored", "from nobody"))
        self.open()
        for path in ("/models", MODEL):
            page = self.page(path)
            self.assertIn("2007-06-01", page.text)
            self.assertIn('relation "nobody" does not exist', page.text)

    def test_without_a_registry_it_says_where_to_declare_one(self):
        self.write("dag.yaml", "web: {listen: '127.0.0.1:0'}\n")
        self.open()
        self.assertIn("the project has no registry of models", self.page("/models", 404).text)
        self.assertNotIn("/models", self.page("/").links)
        self.assertEqual(json.loads(self.request("/api/v2/models")[1])["code"], "NOT_FOUND")


if __name__ == "__main__":
    unittest.main()
