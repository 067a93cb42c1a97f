"""Endpoints: a query of dag.yaml, asked over HTTP, against a real PostgreSQL."""

import http.client
import json
import re
import shutil
import socket
import sys
import threading
import unittest
from pathlib import Path

from pages import ROOT, WebCase

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "torture"))

from server import Server  # noqa: E402

ENDPOINTS = """\
web: {{listen: '127.0.0.1:0'}}
connections:
  db: {{uri: '{uri}', settings: {{search_path: 'model, public'}}}}
endpoints:
  label:
    description: What is it?
    sql: label.sql
    params: {{id: {{type: string, maxLength: 20}}, least: {{type: number, default: 0}}}}
  kinds:
    sql: >
      select %(a)s::float8[] as list, %(j)s::jsonb as doc, 1::int8 as n, 0.25::float8 as f,
      true as yes, null::int as nothing, date '2007-04-12' as day, 12345678901234567890 as much
    params: {{a: {{type: array, items: {{type: number}}}}, j: {{type: object}}}}
  slow:
    sql: select pg_sleep(%(s)s), pg_backend_pid() as pid
    params: {{s: {{type: number}}}}
    max_concurrent: 2
    max_waiting: 1
    timeout: 60s
  short:
    sql: select pg_sleep(%(s)s)
    params: {{s: {{type: number}}}}
    timeout: 3s
  count:
    sql: select last_value + %(x)s as value from counter
    params: {{x: {{type: integer}}}}
    cache: 1h
  rows:
    sql: select i from generate_series(1, %(n)s) as i
    params: {{n: {{type: integer}}}}
    max_rows: 3
    max_body_bytes: 100
  twice: {{sql: 'select 1 as a, 2 as a'}}
  writes: {{sql: select write_it()}}
  broken: {{sql: select no_such_column from label}}
  divide: {{sql: 'select 1 / %(x)s::int', params: {{x: {{type: integer}}}}}}
"""
LABEL = "select id, p, p > 0.5 as walk from label where id = %(id)s and p >= %(least)s\n"
TABLES = """
create schema model;
create table model.label (id text primary key, p float8);
insert into model.label values ('a', 0.75), ('b', 0.25);
create sequence model.counter;
create table model.written (a int);
create function model.write_it() returns int language sql as
  'insert into model.written values (1) returning a';
"""
WAITS = ("select count(*) from pg_stat_activity "
         "where query like 'select pg_sleep%' and state = 'active'")


class Predict(WebCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        cls.uri = cls.server.create("predict")
        cls.server.sql(TABLES, "predict")

    def setUp(self):
        super().setUp()
        self.write("templates/label.sql", LABEL)
        self.write("dag.yaml", ENDPOINTS.format(uri=self.uri))
        self.open()

    def sql(self, text):
        return self.server.sql(text, "predict")

    def ask(self, name, body, status=200, headers=None, raw=False):
        connection = http.client.HTTPConnection(self.host, int(self.port), timeout=90)
        self.addCleanup(connection.close)
        text = body if raw else json.dumps(body)
        connection.request("POST", f"/api/v2/predict/{name}", text,
                           {"Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        said = answer.read().decode()
        self.assertEqual(answer.status, status, f"{said}\n{self.log()}")
        given = json.loads(said)
        if status != 200:
            self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
            self.assertEqual(given["status"], status)
        if status in (429, 503):
            self.assertEqual(answer.headers["Retry-After"], "1")
        return given

    def begin(self, name, body):
        """A request whose answer is not waited for; its socket."""
        text = json.dumps(body)
        peer = socket.create_connection((self.host, int(self.port)), timeout=90)
        self.addCleanup(peer.close)
        peer.sendall(f"POST /api/v2/predict/{name} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
                     f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
                     f"{text}".encode())
        return peer

    def about(self, name):
        return self.get_json(f"/api/v2/predict/{name}")

    def waits(self, count):
        self.wait_for(lambda: self.sql(WAITS) == str(count))


class Answers(Predict):
    def test_rows_are_typed_and_defaults_are_taken(self):
        given = self.ask("label", {"id": "a"})
        self.assertEqual(given["rows"], [{"id": "a", "p": 0.75, "walk": True}])
        self.assertEqual((given["row_count"], given["cached"]), (1, False))
        self.assertGreater(given["took_ms"], 0)
        self.assertEqual(self.ask("label", {"id": "b", "least": 0.5})["rows"], [])
        self.assertEqual(self.ask("label", {"id": "a' or true --"})["rows"], [])
        row = self.ask("kinds", {"a": [1, 2.5], "j": {"k": [1, None]}})["rows"][0]
        self.assertEqual(row, {"list": "{1,2.5}", "doc": {"k": [1, None]}, "n": 1, "f": 0.25,
                               "yes": True, "nothing": None, "day": "2007-04-12",
                               "much": "12345678901234567890"})

    def test_a_session_and_its_statement_are_used_again(self):
        pids = {self.ask("slow", {"s": 0})["rows"][0]["pid"] for _ in range(10)}
        self.assertEqual(len(pids), 1)
        about = self.about("slow")
        self.assertEqual((about["sessions"], about["busy"], about["waiting"]), (1, 0, 0))
        self.assertEqual(about["requests"]["answered"], 10)
        self.assertEqual(sum(about["latency_ms"]["counts"]), 10)
        listed = self.get_json("/api/v2/predict")
        self.assertEqual(listed["total_entries"], 10)
        self.assertEqual(listed["endpoints"][0]["params"]["id"],
                         {"type": "string", "maxLength": 20})

    def test_an_answer_is_kept_for_the_same_values(self):
        first = self.ask("count", {"x": 1})
        self.sql("select nextval('model.counter'), nextval('model.counter')")
        again, other = self.ask("count", {"x": 1}), self.ask("count", {"x": 2})
        self.assertTrue(again["cached"])
        self.assertEqual(again["rows"], first["rows"])
        self.assertFalse(other["cached"])
        self.assertGreater(other["rows"][0]["value"], first["rows"][0]["value"] + 1)
        about = self.about("count")
        self.assertEqual(about["kept_answers"], 2)
        self.assertEqual((about["requests"]["answered"], about["requests"]["cached"]), (2, 1))

    def test_pages_answer_while_queries_run(self):
        self.begin("slow", {"s": 60})
        self.waits(1)
        self.assertEqual(self.get_json("/health")["status"], "healthy")


class Refusals(Predict):
    def test_what_is_wrong_with_a_request_is_a_problem(self):
        for name, body, status, code, said in (
                ("label", '{"id": ', 400, "JSON", "line 1"),
                ("label", "[1]", 400, "INVALID", "not a JSON object"),
                ("label", '{"id": "a", "id": "b"}', 400, "JSON", "duplicate"),
                ("label", "", 400, "JSON", ""),
                ("label", '{"id": 1}', 422, "PARAM", "must be of type string, this is integer"),
                ("label", '{"id": null}', 422, "PARAM", "this is null"),
                ("label", "{}", 422, "PARAM", "`id` has no default"),
                ("label", '{"id": "a", "lest": 1}', 422, "PARAM", "no parameter `lest`"),
                ("label", '{"id": "%s"}' % ("x" * 21), 422, "PARAM", "length of at most 20"),
                ("nothing", "{}", 404, "NOT_FOUND", "there is no endpoint `nothing`"),
                ("rows", '{"n": 1}' + " " * 100, 413, "LIMIT", "more than 100 bytes"),
                ("rows", '{"n": 4}', 502, "ENDPOINT_ANSWER", "more than 3 rows"),
                ("twice", "{}", 502, "ENDPOINT_ANSWER", "two columns `a`"),
                ("writes", "{}", 502, "ENDPOINT_SQL", "SQLSTATE 25006"),
                ("broken", "{}", 502, "ENDPOINT_SQL", "SQLSTATE 42703"),
                ("divide", '{"x": 0}', 502, "ENDPOINT_SQL", "division by zero"),
                ("rows", '{"n": 99999999999}', 502, "ENDPOINT_SQL", "SQLSTATE 22003"),
                ("short", '{"s": 60}', 504, "TIMEOUT", "took longer than its `timeout`")):
            with self.subTest(name=name, body=body[:40]):
                given = self.ask(name, body, status, raw=True)
                self.assertEqual(given["code"], code)
                self.assertIn(said, given["detail"])
                self.assertTrue(given["hint"])
        self.assertEqual(self.ask("rows", {"n": 3})["row_count"], 3)
        self.assertEqual(self.ask("divide", {"x": 1})["row_count"], 1)
        self.assertEqual(self.sql("select count(*) from model.written"), "0")
        self.assertEqual(self.about("label")["requests"]["invalid"], 9)

    def test_a_body_of_unknown_length_is_bounded_too(self):
        connection = http.client.HTTPConnection(self.host, int(self.port), timeout=30)
        self.addCleanup(connection.close)
        connection.request("POST", "/api/v2/predict/rows", iter([b" " * 90] * 20),
                           {"Content-Type": "application/json"}, encode_chunked=True)
        self.assertEqual(connection.getresponse().status, 413)

    def test_other_types_sites_and_methods_are_refused(self):
        self.assertEqual(self.ask("label", {"id": "a"}, 415,
                                  {"Content-Type": "text/plain"})["code"], "HTTP_MEDIA")
        for origin in ("http://example.org", "null", "https://127.0.0.1"):
            self.assertEqual(self.ask("label", {"id": "a"}, 403, {"Origin": origin})["code"],
                             "HTTP_ORIGIN")
        self.ask("label", {"id": "a"}, headers={"Origin": f"http://{self.host}:{self.port}"})
        self.ask("label", {"id": "a"}, 421, {"Host": "example.org"})
        self.assertEqual(self.request("/queue", "POST")[0].status, 405)
        self.assertEqual(self.request("/api/v2/predict/label", "PUT")[0].status, 405)


class Bounds(Predict):
    def test_queries_at_once_and_requests_that_wait_are_bounded(self):
        peers = [self.begin("slow", {"s": 60}) for _ in range(3)]
        self.waits(2)
        self.wait_for(lambda: self.about("slow")["waiting"] == 1)
        given = self.ask("slow", {"s": 0}, 429)
        self.assertEqual(given["code"], "ENDPOINT_BUSY")
        self.assertEqual(self.sql(WAITS), "2")
        peers[0].close()
        peers[1].close()
        self.wait_for(lambda: self.about("slow")["requests"]["gone"] == 2)
        self.waits(1)  # the one that waited

    def test_many_at_once_are_all_answered(self):
        answers = []

        def ask():
            answers.append(self.ask("label", {"id": "a"})["rows"])

        threads = [threading.Thread(target=ask) for _ in range(30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(answers, [[{"id": "a", "p": 0.75, "walk": True}]] * 30)
        self.assertLessEqual(self.about("label")["sessions"], 4)

    def test_a_client_that_hangs_up_cancels_its_query(self):
        peer = self.begin("slow", {"s": 60})
        self.waits(1)
        peer.close()
        self.waits(0)
        half = self.begin("slow", {"s": 60})
        self.waits(1)
        half.shutdown(socket.SHUT_WR)
        self.waits(0)
        self.wait_for(lambda: self.about("slow")["busy"] == 0)
        self.assertEqual(self.ask("slow", {"s": 0})["row_count"], 1)

    def test_the_daemon_ends_while_queries_run(self):
        peer = self.begin("slow", {"s": 60})
        self.waits(1)
        self.dag("down")
        self.assertEqual(self.daemon.wait(timeout=60), 0)
        self.assertIn(peer.recv(4096)[:12], (b"", b"HTTP/1.1 503"))


class Restarts(Predict):
    def test_a_restart_of_the_database_is_not_noticed_or_is_a_503(self):
        self.assertEqual(self.ask("label", {"id": "a"})["row_count"], 1)
        self.server.restart()
        self.assertEqual(self.ask("label", {"id": "a"})["row_count"], 1)
        self.server.pg_ctl("stop", "-m", "fast")
        try:
            given = self.ask("label", {"id": "a"}, 503)
        finally:
            self.server.pg_ctl("start")
        self.assertEqual(given["code"], "CONNECT")
        password = re.search(r"://[^:]+:([^@]+)@", self.uri)
        self.assertNotIn(password[1] if password else self.uri, json.dumps(given))
        self.assertEqual(self.ask("label", {"id": "b"})["row_count"], 1)

    def test_a_table_that_changed_is_prepared_again(self):
        self.sql("create table model.shape (a int); insert into model.shape values (1)")
        self.addCleanup(self.sql, "drop table model.shape")
        self.write("dag.yaml", ENDPOINTS.format(uri=self.uri)
                   + "  shape: {sql: select * from shape}\n")
        self.dag("down")
        self.daemon.wait(timeout=60)
        self.open()
        self.assertEqual(self.ask("shape", {})["rows"], [{"a": 1}])
        self.sql("alter table model.shape add b text default 'x'")
        self.assertEqual(self.ask("shape", {})["rows"], [{"a": 1, "b": "x"}])


class Shipped(WebCase):
    """The endpoints of this repository's own dag.yaml, on its migrations."""

    def test_walk_tells_what_was_predicted_and_by_which_model(self):
        server = Server()
        self.addCleanup(server.close)
        uri = server.create("shipped")
        settings = (ROOT / "dag.yaml").read_text(encoding="utf-8")
        self.write("dag.yaml", f"web: {{listen: '127.0.0.1:0'}}\n"
                   f"connections: {{greenplum: {{uri: '{uri}'}}}}\n"
                   + settings[settings.index("endpoints:"):])
        for name in ("migrations", "templates"):
            shutil.copytree(ROOT / name, self.folder / name, dirs_exist_ok=True)
        self.dag("migrate")
        server.sql(
            "create table geolife.walk_prediction_results_day"
            " partition of geolife.walk_prediction_results"
            " for values in ('2007-05-01');"
            "insert into geolife.walk_prediction_results values"
            " ('a', true, '2007-05-01', '2007-04-29'), ('b', false, '2007-05-01', null),"
            " ('c', true, '2007-05-01', '2007-04-29');"
            "insert into models.registry (name, version, mdate, kind, place, in_service)"
            " select 'rf_walk', to_char(d, 'YYYY-MM-DD'), d, 'madlib_forest', 'm',"
            " d < '2007-05-01' or d > '2007-05-02'"
            " from generate_series(date '2007-04-29', '2007-05-03', '1 day') as d", "shipped")
        self.open()
        answer, text = self.request("/api/v2/predict/walk", "POST",
                                    {"Content-Type": "application/json"},
                                    '{"trajectory_ids": ["b", "a", "none"]}')
        self.assertEqual(answer.status, 200, f"{text}\n{self.log()}")
        # b is of before versions were recorded: the newest in service at the end of its day.
        self.assertEqual(json.loads(text)["rows"], [
            {"trajectory_id": "a", "walk": True, "tdate": "2007-05-01", "model_date": "2007-04-29"},
            {"trajectory_id": "b", "walk": False, "tdate": "2007-05-01",
             "model_date": "2007-04-30"}])


if __name__ == "__main__":
    unittest.main()
