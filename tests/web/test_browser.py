"""The pages in a real browser.

DAG_SCREENSHOTS=FOLDER keeps pictures of every page at three widths, light and dark.
"""

import os
import unittest
from pathlib import Path

from browser import CHROMIUM, Browser
from pages import BROKEN, DATE, RUN, WebCase

PAGES = ("/", "/dags/geolife", RUN, f"{RUN}/tasks/clean", "/queue", "/audit", "/nothing")
DAYS = """\
dag_id: days
description: A month, so that strips and grids are full.
owner: data-science
schedule: "30 2 * * MON-SUN"
start_date: 2026-01-01
end_date: 2026-01-30
catchup: all
tasks:
  t: {bash: 'true'}
"""
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


class BrowserCase(WebCase):
    def setUp(self):
        super().setUp()
        self.assertIsNotNone(CHROMIUM, "chromium is not installed (packaging/packages.txt)")
        self.browser = Browser()
        self.addCleanup(self.browser.close)

    def visit(self, path):
        self.browser.open(f"http://{self.host}:{self.port}{path}")


class Live(BrowserCase):
    def test_a_page_follows_a_run_without_being_loaded_again(self):
        self.write("dags/waiting.yaml", "dag_id: waiting\nschedule: null\ntasks:\n"
                   "  long: {bash: 'while ! test -e go; do sleep 0.05; done'}\n")
        self.open()
        self.visit("/")
        self.browser.wait("document.querySelector('#alive').textContent === 'live'")
        self.browser.value("window.sameDocument = true")
        self.assertIn("No run is under way", self.browser.value("document.body.innerText"))
        self.dag("trigger", "waiting", "--logical-date", DATE)
        self.browser.wait("document.querySelector('#running').innerText.includes('long')")
        self.browser.wait("document.querySelector('#dags .c.s-running') !== null")
        self.go()
        self.browser.wait("document.querySelector('#dags .c.s-success') !== null")
        self.browser.wait("document.querySelector('#running').innerText.includes('No run')")
        self.assertTrue(self.browser.value("window.sameDocument"))

    def test_a_log_grows_while_it_is_written(self):
        run_id = self.running()
        self.visit(f"/dags/waiting/runs/{run_id}/tasks/long")
        self.browser.wait("document.querySelector('#alive').textContent === 'live'")
        self.browser.value("window.sameDocument = true")
        log = "document.querySelector('#log-text').innerText"
        self.browser.wait(f"{log}.includes('first line of the log')")
        self.assertFalse(self.browser.value(f"{log}.includes('last line of the log')"))
        self.go()
        self.browser.wait(f"{log}.includes('last line of the log')")
        self.browser.wait("document.querySelector('h1').innerText.includes('success')")
        self.assertEqual(self.browser.value(f"{log}.split('first line of the log').length"), 2)
        self.assertTrue(self.browser.value("window.sameDocument"))

    def test_a_daemon_that_is_gone_shows_and_comes_back(self):
        self.write("dag.yaml", "web: {listen: '127.0.0.1:0'}\n")
        self.open()
        self.visit("/")
        self.browser.wait("document.querySelector('#alive').textContent === 'live'")
        self.write("dag.yaml", f"web: {{listen: '127.0.0.1:{self.port}'}}\n")
        self.dag("down")
        self.daemon.wait(timeout=30)
        self.browser.wait("document.querySelector('#alive').classList.contains('off')")
        self.write("dags/new.yaml", "dag_id: new\nschedule: null\ntasks:\n  t: {bash: 'true'}\n")
        self.open()
        self.browser.wait("document.querySelector('#alive').textContent === 'live'")
        self.browser.wait("document.querySelector('#dags').innerText.includes('new')")

    def test_commands_have_a_button_and_focus_survives_an_update(self):
        self.failed_geolife()
        self.visit(RUN)
        self.browser.wait("document.querySelector('#alive').textContent === 'live'")
        self.assertEqual(
            self.browser.value("document.querySelectorAll('.command + .copy').length"),
            self.browser.value("document.querySelectorAll('.command').length"))
        link = "[...document.querySelectorAll('#tasks a')].find(a => a.href.endsWith('/merge'))"
        self.browser.value(f"{link}.focus()")
        self.dag("clear", "geolife", DATE, "--failed")
        self.wait_for(lambda: self.run_state("geolife") == "failed")
        self.browser.wait("document.querySelectorAll('#tasks a[href$=\"/tries/2\"]').length > 0")
        self.assertTrue(self.browser.value("document.activeElement.href.endsWith('/merge')"))


class Reading(BrowserCase):
    def test_everything_is_there_without_scripts(self):
        self.failed_geolife()
        self.browser.scripts(on=False)
        self.visit("/")
        text = self.browser.value("document.body.innerText")
        self.assertIn("bad latitude for user 058", text)
        self.assertIn(f"dag clear geolife {DATE} --failed", text)
        self.visit(f"{RUN}/tasks/clean")
        self.assertIn("err bad latitude", self.browser.value("document.body.innerText"))
        self.assertEqual(self.browser.value("document.querySelectorAll('.copy').length"), 0)

    def test_no_page_is_wider_than_its_window(self):
        self.write("dags/broken.yaml", BROKEN)
        long, task = "d" * 250, "t" * 250
        self.write("dags/long.yaml", f"dag_id: {long}\nschedule: null\nowner: {'o' * 250}\n"
                   f"description: 'שלום עולם 🚶 {'x' * 250}'\n"
                   f"tasks:\n  {task}: {{bash: 'exit 1'}}\n")
        self.failed_geolife()
        self.write("dags/days.yaml", DAYS)
        self.wait_for(lambda: self.days_done() == 30)
        self.dag("trigger", long, "--logical-date", DATE)
        self.wait_for(lambda: self.run_state(long) == "failed")
        run = f"/dags/{long}/runs/{DATE}"
        for width in (360, 768, 1000, 1440):
            for dark in (False, True):
                self.browser.look(width, dark=dark)
                for path in (*PAGES, "/dags/days", f"/dags/{long}", run, f"{run}/tasks/{task}"):
                    self.visit(path)
                    self.assertLessEqual(self.browser.value(OVERFLOW), 0, f"{path} at {width}")
                    self.keep(path, width, dark)

    def days_done(self):
        rows = self.json("status", "days", status=None)
        return len([row for row in rows if row.get("state") == "success"])

    def keep(self, path, width, dark):
        folder = os.environ.get("DAG_SCREENSHOTS")
        if folder:
            name = path.strip("/").replace("/", "_") or "home"
            name = f"{name[:60]}-{width}-{'dark' if dark else 'light'}.png"
            self.browser.screenshot(Path(folder) / name)

    def test_a_phone_shows_the_failure_without_scrolling(self):
        self.failed_geolife()
        self.browser.look(360, 800)
        for path in ("/", RUN, f"{RUN}/tasks/clean"):
            self.visit(path)
            bottom = self.browser.value(
                "document.querySelector('.message').getBoundingClientRect().bottom")
            self.assertLess(bottom, 800, path)
            command = self.browser.value(
                "document.querySelector('.command').getBoundingClientRect().bottom")
            self.assertLess(command, 800, path)

    def test_the_newest_run_of_a_grid_is_in_sight(self):
        self.write("dags/days.yaml", DAYS)
        self.open()
        self.wait_for(lambda: self.days_done() == 30)
        self.browser.look(360)
        self.visit("/dags/days")
        edge = self.browser.value("[...document.querySelectorAll('.grid .date')].at(-1)"
                                  ".getBoundingClientRect().right")
        self.assertLessEqual(edge, 360)

    def test_the_keyboard_reaches_everything_and_focus_is_visible(self):
        self.failed_geolife()
        self.visit("/")
        self.browser.wait("document.querySelector('#alive').textContent === 'live'")
        wanted = self.browser.value("document.querySelectorAll('a, button, summary').length")
        seen = set()
        for _ in range(wanted):
            self.browser.key("Tab")
            seen.add(self.browser.value(
                "[...document.querySelectorAll('*')].indexOf(document.activeElement)"))
            outline = self.browser.value("getComputedStyle(document.activeElement).outlineStyle")
            self.assertEqual(outline, "solid")
        self.assertEqual(len(seen), wanted)

    def test_a_page_is_painted_about_as_quickly_as_a_bare_text(self):
        """The second of both: style and script are kept by then."""
        self.failed_geolife()
        paints = {}
        for path in (f"{RUN}/tasks/clean/tries/1/log", "/dags/geolife"):
            for _ in range(2):
                self.visit("/health")
                self.visit(path)
            entry = "performance.getEntriesByName('first-contentful-paint')"
            self.browser.wait(f"{entry}.length > 0")
            paints[path] = self.browser.value(f"{entry}[0].startTime")
        bare, page = paints.values()
        self.assertLess(page, 10 * bare + 100, paints)
        print(f"first paint: {page:.0f} ms, of a bare text {bare:.0f} ms")


if __name__ == "__main__":
    unittest.main()
