"""dag var: what is stored, what goes before it, and that secrets stay secret."""

import json
import os
import sqlite3
import subprocess
import unittest

from support import DAG, ProjectCase

SHOW = """tasks:
  show: {bash: "echo 'got {{ var.value.get('colour', 'none') }}' ; {{ extra }}true"}
"""


class Variables(ProjectCase):
    def setUp(self):
        super().setUp()
        self.write("dag.yaml", "web: {listen: '127.0.0.1:0'}\n"
                               "variables: {owned: file, sealed_here: {value: v, secret: true}}\n")
        self.extra = {}

    def environment(self):
        return dict(super().environment(), **getattr(self, "extra", {}))

    def values(self):
        return {row["name"]: row for row in self.json("var", "list")}

    def files_with(self, text):
        """The files of the state that hold the text."""
        return [path.name for path in (self.folder / ".dag").rglob("*")
                if path.is_file() and text in path.read_bytes()]

    def test_a_value_is_stored_changed_and_deleted(self):
        self.dag("var", "set", "colour", "red", "--description", "of the bike shed")
        row = self.values()["colour"]
        self.assertEqual((row["value"], row["origin"], row["description"]),
                         ("red", "stored", "of the bike shed"))
        self.dag("var", "set", "colour", "blue")
        self.assertEqual(self.dag("var", "get", "colour").stdout, "blue\n")
        self.assertEqual(self.values()["colour"]["description"], "of the bike shed")
        self.assertIn("nothing to do", self.dag("var", "set", "colour", "blue").stdout)
        self.dag("var", "delete", "colour")
        self.assertIn("no variable `colour`", self.dag("var", "get", "colour", status=3).stderr)
        self.assertEqual(self.dag("var", "get", "colour", "--default", "x").stdout, "x\n")
        self.assertIn("no stored variable `colour`",
                      self.dag("var", "delete", "colour", status=3).stderr)

    def test_what_goes_before_is_named(self):
        refused = self.dag("var", "set", "owned", "x", status=1).stderr
        self.assertIn("dag.yaml:2", refused)
        self.assertIn("dag.yaml:2", self.dag("var", "delete", "owned", status=1).stderr)
        self.dag("var", "set", "later", "stored")
        self.extra = {"DAG_VAR_LATER": "environment"}
        refused = self.dag("var", "set", "later", "x", status=1).stderr
        self.assertIn("DAG_VAR_LATER", refused)
        self.assertEqual(self.dag("var", "get", "later").stdout, "environment\n")
        self.assertIn("environment  DAG_VAR_LATER",
                      " ".join(self.dag("config", "--origin", "variables.later").stdout.split())
                      .replace("environment DAG_VAR", "environment  DAG_VAR"))
        self.extra = {}
        self.assertEqual(self.dag("var", "get", "later").stdout, "stored\n")

    def test_a_daemon_uses_it_at_once_and_keeps_it(self):
        self.write("dags/show.yaml", SHOW.replace("{{ extra }}", ""))
        self.up()
        self.dag("trigger", "show", "--logical-date", "2026-01-01", "--wait")
        self.assertIn("got none", self.dag("logs", "show", "2026-01-01", "show").stdout)
        self.dag("var", "set", "colour", "red")
        self.dag("trigger", "show", "--logical-date", "2026-01-02", "--wait")
        self.assertIn("got red", self.dag("logs", "show", "2026-01-02", "show").stdout)
        self.kill()
        self.up()
        self.dag("var", "set", "other", "1")
        self.dag("trigger", "show", "--logical-date", "2026-01-03", "--wait")
        self.assertIn("got red", self.dag("logs", "show", "2026-01-03", "show").stdout)
        self.dag("var", "delete", "colour")
        self.dag("trigger", "show", "--logical-date", "2026-01-04", "--wait")
        self.assertIn("got none", self.dag("logs", "show", "2026-01-04", "show").stdout)

    def test_commands_that_render_see_it(self):
        self.write("dags/show.yaml", SHOW.replace("{{ extra }}", ""))
        self.dag("var", "set", "colour", "red")
        self.assertIn("got red", self.dag("render", "show", "show").stdout)
        self.dag("run", "show")
        self.assertIn("got red", self.dag("logs", "show", "latest", "show").stdout)

    def test_a_secret_is_nowhere_in_clear(self):
        self.write("dags/show.yaml", SHOW.replace("{{ extra }}", "echo {{ var.value.api_key }}; "
                                                                 "echo {{ var.value.quiet }}; "))
        self.up()
        self.dag("var", "set", "api_key", "geheimnis-eins")
        self.dag("var", "set", "quiet", "geheimnis-zwei", "--secret")
        self.dag("trigger", "show", "--wait")
        shown = [self.dag("var", "list").stdout, self.dag("var", "list", "--json").stdout,
                 self.dag("config").stdout, self.dag("config", "--json").stdout,
                 self.dag("var", "get", "quiet").stdout, self.dag("var", "export", "-").stdout,
                 self.dag("render", "show", "show").stdout,
                 self.dag("logs", "show", "latest", "show").stdout, self.log()]
        for text in shown:
            self.assertNotIn("geheimnis", text)
        self.assertEqual(self.files_with(b"geheimnis"), [])
        self.assertEqual((self.folder / ".dag/key").stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.dag("var", "get", "quiet", "--secrets").stdout, "geheimnis-zwei\n")
        # once a secret, always one
        self.dag("var", "set", "quiet", "geheimnis-drei")
        self.assertEqual(self.files_with(b"geheimnis"), [])

    def test_a_value_comes_from_standard_input(self):
        done = subprocess.run([DAG, "var", "set", "token", "-"], cwd=self.folder, check=True,
                              env=self.environment(), input="from a pipe\n", text=True,
                              capture_output=True)
        self.assertNotIn("from a pipe", done.stdout + done.stderr)
        self.assertEqual(self.dag("var", "get", "token", "--secrets").stdout, "from a pipe\n")

    def test_files_of_airflow_are_brought_along_and_taken_away(self):
        self.write("airflow.json", json.dumps({
            "plain": "text", "number": 5, "nested": {"a": [1, 2]}, "owned": "file",
            "told": {"value": "v", "description": "what it is"}, "password_x": "geheim"}))
        self.dag("var", "import", "airflow.json", "--dry-run")
        self.assertNotIn("plain", self.values())
        self.assertIn("6 variables imported", self.dag("var", "import", "airflow.json").stdout)
        self.assertEqual(self.dag("var", "get", "nested").stdout, '{"a":[1,2]}\n')
        self.assertEqual(self.values()["told"]["description"], "what it is")
        self.dag("var", "export", "--secrets", "out.json")
        out = json.loads((self.folder / "out.json").read_text())
        self.assertEqual((self.folder / "out.json").stat().st_mode & 0o777, 0o600)
        self.assertEqual(out["number"], 5)
        self.assertEqual(out["nested"], {"a": [1, 2]})
        self.assertEqual(out["told"], {"value": "v", "description": "what it is"})
        self.assertEqual(out["password_x"], "geheim")
        self.assertEqual(out["sealed_here"], {"value": "v", "secret": True})
        without = json.loads(self.dag("var", "export").stdout)
        self.assertNotIn("password_x", without)
        self.assertIn("nothing to do", self.dag("var", "import", "out.json").stdout)
        self.write("clash.json", '{"owned": "other", "fresh": "1"}')
        self.assertIn("dag.yaml:2", self.dag("var", "import", "clash.json", status=1).stderr)
        self.assertNotIn("fresh", self.values())  # all or nothing

    def test_a_lost_key_is_told_with_what_to_do(self):
        self.write("dags/show.yaml", SHOW.replace("{{ extra }}", "echo {{ var.value.api_key }}; "))
        self.dag("var", "set", "api_key", "geheimnis")
        os.rename(self.folder / ".dag/key", self.folder / "key")
        for words in (("var", "get", "api_key"), ("render", "show", "show")):
            told = self.dag(*words, status=1).stderr
            self.assertIn("there is no", told)
            self.assertIn("put the key back", told)
        self.dag("var", "list")  # the rest goes on
        self.extra = {"DAG_KEY_FILE": str(self.folder / "key")}
        self.assertEqual(self.dag("var", "get", "api_key", "--secrets").stdout, "geheimnis\n")
        self.extra = {"DAG_KEY": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}
        self.assertIn("another key", self.dag("var", "get", "api_key", status=1).stderr)
        self.extra = {"DAG_KEY": "nonsense"}
        self.assertIn("DAG_KEY does not hold a key",
                      self.dag("var", "get", "api_key", status=1).stderr)
        self.extra = {}
        self.dag("var", "set", "api_key", "anew")
        self.assertEqual(self.dag("var", "get", "api_key", "--secrets").stdout, "anew\n")

    def test_a_key_is_changed_by_hand_too(self):
        old = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
        new = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
        self.extra = {"DAG_KEY": old}
        self.dag("var", "set", "api_key", "geheimnis")
        self.assertFalse((self.folder / ".dag/key").exists())
        told = self.dag("conn", "rotate-key", status=1).stderr
        self.assertIn("write the new key before the old one", told)
        self.extra = {"DAG_KEY": f"{new},{old}"}
        self.dag("conn", "rotate-key")
        self.extra = {"DAG_KEY": new}
        self.assertEqual(self.dag("var", "get", "api_key", "--secrets").stdout, "geheimnis\n")
        self.assertIn("all secrets are sealed", self.dag("conn", "rotate-key", status=1).stderr)

    def test_acts_are_in_the_audit_log_without_values(self):
        self.dag("var", "set", "colour", "red")
        self.dag("var", "delete", "colour")
        with sqlite3.connect(self.folder / ".dag/dag.db") as db:
            rows = db.execute("select request from request where kind = 'settings' "
                              "order by at_us").fetchall()
        self.assertEqual([json.loads(row[0]) for row in rows],
                         [{"set": ["variables.colour"]}, {"delete": ["variables.colour"]}])

    def test_wrong_words_are_explained(self):
        self.assertIn("did you mean `dag var list`?", self.dag("var", "lst", status=2).stderr)
        self.assertIn("did you mean `owned`?", self.dag("var", "get", "ownd", status=3).stderr)
        self.write("list.json", "[1, 2]")
        self.assertIn("not a mapping", self.dag("var", "import", "list.json", status=2).stderr)
        self.assertIn("cannot be the name",
                      self.dag("conn", "set", "with space", "host=h", status=2).stderr)


if __name__ == "__main__":
    unittest.main()
