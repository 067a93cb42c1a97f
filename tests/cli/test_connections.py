"""dag conn: what is stored, sealed, brought along and taken away."""

import json
import unittest

from support import ProjectCase

AIRFLOW = {
    "pg": {"conn_type": "postgres", "description": "", "login": "etl", "password": "p@ss/wörd",
           "host": "db.example", "port": 5433, "schema": "dwh",
           "extra": '{"sslmode": "require", "cursor": "dictcursor"}'},
    "uri": "postgres://u:geheim@h/d?connect_timeout=5",
    "list": {"conn_type": "postgres", "login": None, "password": None, "host": "a,b",
             "port": 6000, "schema": "x", "extra": {"target_session_attrs": "read-write"}},
}


class Connections(ProjectCase):
    def setUp(self):
        super().setUp()
        self.write("dag.yaml", "web: {listen: '127.0.0.1:0'}\nconnections:\n"
                               "  given: {uri: 'host=given password=geheim'}\n"
                               "  partly: {dialect: greenplum6}\n")
        self.extra = {}

    def environment(self):
        return dict(super().environment(), **getattr(self, "extra", {}))

    def connections(self, *words):
        return {row["name"]: row for row in self.json("conn", "list", *words)}

    def test_an_address_is_stored_sealed_and_shown_without_its_password(self):
        for name, uri, shown in (
                ("a", "postgresql://u:geheim@h:5/d?sslmode=require",
                 "postgresql://u:***@h:5/d?sslmode=require"),
                ("b", "host=h password='ge\\'heim x' user=u", "host=h password=*** user=u"),
                ("c", "postgresql://h/d?user=u&password=geheim",
                 "postgresql://h/d?user=u&password=***")):
            self.dag("conn", "set", name, uri)
            self.assertEqual(self.connections()[name]["uri"], shown)
            self.assertEqual(self.connections("--secrets")[name]["uri"], uri)
        for path in (self.folder / ".dag").rglob("*"):
            self.assertNotIn(b"heim", path.read_bytes() if path.is_file() else b"", path)
        self.assertNotIn("heim", self.dag("config", "--origin").stdout)
        self.dag("conn", "delete", "a", "b")
        self.assertNotIn("a", self.connections())

    def test_keys_count_one_by_one(self):
        told = self.dag("conn", "set", "given", "host=other", status=1).stderr
        self.assertIn("`connections.given.uri` is given by dag.yaml:3", told)
        self.dag("conn", "set", "given", "--max-connections", "2")
        self.assertEqual(self.connections()["given"]["max_connections"], 2)
        self.dag("conn", "set", "partly", "host=x password=geheim")
        row = self.connections("--secrets")["partly"]
        self.assertEqual((row["uri"], row["dialect"], row["origin"]),
                         ("host=x password=geheim", "greenplum6", "stored"))
        told = self.dag("conn", "set", "partly", "--dialect", "postgresql", status=1).stderr
        self.assertIn("dag.yaml:4", told)
        self.extra = {"DAG_CONN_PARTLY": "host=environment"}
        self.assertIn("DAG_CONN_PARTLY",
                      self.dag("conn", "set", "partly", "host=y", status=1).stderr)
        self.assertEqual(self.connections()["partly"]["uri"], "host=environment")
        self.extra = {}
        self.assertIn("dag.yaml", self.dag("conn", "delete", "given", "given", status=None).stderr
                      + self.dag("conn", "delete", "given", status=1).stderr)

    def test_all_options_are_kept(self):
        self.dag("conn", "set", "x", "host=h", "--dialect", "greenplum7", "--max-connections", "3",
                 "--setting", "search_path=a,b", "--setting", "statement_mem=2GB",
                 "--ledger", "false", "--ledger-schema", "other")
        row = self.connections()["x"]
        self.assertEqual((row["dialect"], row["max_connections"], row["ledger"],
                          row["ledger_schema"], row["settings"]),
                         ("greenplum7", 3, False, "other",
                          {"search_path": "a,b", "statement_mem": "2GB"}))
        self.assertIn("search_path = a,b", self.dag("conn", "get", "x").stdout)
        for option, value in (("--dialect", "oracle"), ("--ledger", "perhaps")):
            self.dag("conn", "set", "x", option, value, status=2)

    def test_an_address_that_libpq_cannot_read_is_refused(self):
        for uri in ("postgresql://[h/d", "host=h nonsense=1", "localhost"):
            told = self.dag("conn", "set", "x", uri, status=2).stderr
            self.assertIn("cannot be read", told)
        told = self.dag("conn", "set", "x", "postgresql://u:geheim@[h/d", status=2).stderr
        self.assertNotIn("geheim", told)

    def test_files_of_airflow_are_brought_along_and_taken_away(self):
        self.write("airflow.json", json.dumps(AIRFLOW))
        self.dag("conn", "import", "airflow.json")
        stored = self.connections("--secrets")
        self.assertEqual(stored["pg"]["uri"], "postgresql://etl:p%40ss%2Fw%C3%B6rd@db.example:5433/"
                                              "dwh?sslmode=require")
        self.assertEqual(stored["uri"]["uri"], "postgresql://u:geheim@h/d?connect_timeout=5")
        self.assertEqual(stored["list"]["uri"], "postgresql://a:6000,b:6000/x"
                                                "?target_session_attrs=read-write")
        without = json.loads(self.dag("conn", "export").stdout)
        self.assertIsNone(without["pg"]["password"])
        out = json.loads(self.dag("conn", "export", "--secrets").stdout)
        self.assertEqual({key: out["pg"][key] for key in ("conn_type", "login", "password", "host",
                                                          "port", "schema")},
                         {key: AIRFLOW["pg"][key] for key in ("conn_type", "login", "password",
                                                              "host", "port", "schema")})
        self.assertEqual(json.loads(out["pg"]["extra"]), {"sslmode": "require"})
        self.assertEqual(out["partly"]["dialect"], "greenplum6")
        self.write("again.json", json.dumps({key: out[key] for key in ("pg", "uri")}))
        self.dag("conn", "delete", "pg", "uri")
        self.dag("conn", "import", "again.json")
        self.assertEqual(self.connections("--secrets")["pg"]["uri"], stored["pg"]["uri"])

    def test_other_forms_of_files(self):
        self.write("c.env", "# ours\nAIRFLOW_CONN_DWH=postgresql://u:geheim@h/d\n"
                            'plain={"conn_type": "postgres", "host": "h2"}\n')
        self.dag("conn", "import", "c.env")
        self.write("c.yaml", "y:\n  conn_type: postgres\n  host: h3\n  port: 99\n")
        self.dag("conn", "import", "c.yaml")
        stored = self.connections("--secrets")
        self.assertEqual(stored["dwh"]["uri"], "postgresql://u:geheim@h/d")
        self.assertEqual(stored["plain"]["uri"], "postgresql://h2/")
        self.assertEqual(stored["y"]["uri"], "postgresql://h3:99/")
        self.write("http.json", '{"web": {"conn_type": "http", "host": "h"}}')
        told = self.dag("conn", "import", "http.json", status=2).stderr
        self.assertIn("connection `web` is of type `http`", told)

    def test_templates_see_it_and_a_changed_key_loses_nothing(self):
        self.write("dags/d.yaml", 'tasks: {a: {bash: "echo {{ conn.pg.host }}"}}\n')
        self.dag("conn", "set", "pg", "postgresql://u:geheim@stored-host/d")
        before = (self.folder / ".dag/key").read_text()
        self.dag("conn", "rotate-key")
        after = (self.folder / ".dag/key").read_text()
        self.assertNotEqual(before, after)
        self.assertEqual(len(after.split()), 1)
        self.assertEqual((self.folder / ".dag/key").stat().st_mode & 0o777, 0o600)
        self.assertIn("stored-host", self.dag("render", "d", "a").stdout)
        self.up()
        self.dag("conn", "rotate-key")
        self.dag("trigger", "d", "--wait")
        self.assertIn("stored-host", self.dag("logs", "d", "latest", "a").stdout)


if __name__ == "__main__":
    unittest.main()
