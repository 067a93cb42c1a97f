"""What the tests of the status page share: a project with its daemon, and asking it by HTTP."""

import http.client
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))

from support import ProjectCase, ROOT  # noqa: E402

GEOLIFE = """\
dag_id: geolife
description: Is this trajectory a walk?
owner: data-science
schedule: "@daily"
timezone: Asia/Shanghai
start_date: 2030-01-01
tasks:
  fetch: {bash: 'echo fetched {{ ds }}'}
  clean:
    bash: |
      echo cleaning
      echo bad latitude for user 058 >&2
      exit 3
    depends_on: fetch
  merge: {bash: 'echo merged', depends_on: clean}
  alarm: {bash: 'echo alarm', depends_on: clean, trigger_rule: one_failed}
  celebrate: {bash: 'echo fine', depends_on: alarm, trigger_rule: all_failed}
"""
DATE = "2007-04-12"
RUN = f"/dags/geolife/runs/{DATE}"

# Runs until the file `go` is there.
WAITING = """\
dag_id: waiting
schedule: null
tasks:
  long:
    bash: |
      echo first line of the log
      while ! test -e go; do sleep 0.05; done
      echo last line of the log
  after: {bash: 'echo after', depends_on: long}
"""

BROKEN = """\
dag_id: broken
shedule: "@daily"
tasks:
  a: {bash: 'true', depends_on: nowhere}
"""


class Page(HTMLParser):
    """Tags of a page: what it links to, its ids, its text, and what a policy forbids."""

    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.text, self.forbidden = [], [], "", []
        self.source = text
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.ids += [values["id"]] if "id" in values else []
        self.links += [values[name] for name in ("href", "src") if name in values]
        self.forbidden += [f"{tag} {name}" for name in values if name.startswith("on")]
        self.forbidden += [f"{tag} style"] if "style" in values else []
        if tag == "style" or (tag == "script" and "src" not in values):
            self.forbidden.append(tag)

    def handle_data(self, data):
        self.text += data


class WebCase(ProjectCase):
    """A project whose daemon is asked by HTTP."""

    def open(self):
        self.up()
        self.wait_for(lambda: "status page: http" in self.log())
        address = re.findall(r"status page: http://([^/\s]+)/", self.log())[-1]
        self.host, self.port = address.rsplit(":", 1)

    def request(self, path, method="GET", headers=None, body=None):
        """The answer, and its body as text."""
        connection = http.client.HTTPConnection(self.host, int(self.port), timeout=30)
        self.addCleanup(connection.close)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer, answer.read().decode("utf-8")

    def page(self, path, status=200):
        answer, text = self.request(path)
        self.assertEqual(answer.status, status, f"{path}\n{text}\n{self.log()}")
        return Page(text)

    def get_json(self, path, status=200):
        answer, text = self.request(path)
        self.assertEqual(answer.status, status, text)
        return json.loads(text)

    def run_state(self, dag_id, run="latest"):
        rows = self.json("status", dag_id)
        return next((row["state"] for row in rows if run in ("latest", row["run_id"])), None)

    def failed_geolife(self):
        """A run of `geolife` on DATE that has failed."""
        self.write("dags/geolife.yaml", GEOLIFE)
        self.open()
        self.dag("trigger", "geolife", "--logical-date", DATE)
        self.wait_for(lambda: self.run_state("geolife") == "failed")

    def running(self):
        """A run of `waiting` whose task `long` runs; its run id."""
        self.write("dags/waiting.yaml", WAITING)
        if self.daemon is None:
            self.open()
        self.dag("trigger", "waiting")
        self.wait_for(lambda: self.states("waiting").get("long") == "running")
        return self.json("status", "waiting")[0]["run_id"]

    def go(self):
        self.write("go", "")
