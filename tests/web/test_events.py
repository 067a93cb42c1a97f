"""The event stream names what changed, and a running log is followed."""

import http.client
import json
import unittest

from pages import WebCase


class Stream:
    """Server-sent events, one at a time."""

    def __init__(self, host, port, path="/api/events"):
        self.connection = http.client.HTTPConnection(host, int(port), timeout=30)
        self.connection.request("GET", path)
        self.answer = self.connection.getresponse()

    def next(self):
        """(event, data) of the next event; comments are passed over."""
        event = data = None
        while True:
            line = self.answer.readline().decode("utf-8").rstrip("\n")
            if line.startswith("event: "):
                event = line[7:]
            elif line.startswith("data: "):
                data = json.loads(line[6:])
            elif line == "" and event:
                return event, data

    def until(self, condition, most=200):
        for _ in range(most):
            event, data = self.next()
            if condition(event, data):
                return data
        raise AssertionError("the event did not come")

    def close(self):
        self.answer.close()
        self.connection.close()


class Events(WebCase):
    def stream(self, path="/api/events"):
        stream = Stream(self.host, self.port, path)
        self.addCleanup(stream.close)
        return stream

    def test_a_run_and_its_tasks_are_named(self):
        self.write("dags/one.yaml",
                   "dag_id: one\nschedule: null\ntasks:\n  t: {bash: 'echo x'}\n")
        self.open()
        stream = self.stream()
        self.assertEqual(stream.answer.getheader("Content-Type"), "text/event-stream")
        event, hello = stream.next()
        self.assertEqual(event, "hello")
        page = self.page("/")
        self.assertIn(f'data-revision="{hello["revision"]}"', page.source)
        self.dag("trigger", "one", "--logical-date", "2007-04-12")
        run_id = "manual__2007-04-12T00:00:00+00:00"
        change = stream.until(lambda event, data: ["one", run_id, "t"] in data.get("tasks", []))
        self.assertGreater(change["revision"], hello["revision"])
        self.wait_for(lambda: self.run_state("one") == "success")

    def test_a_run_from_before_the_start_is_named_too(self):
        run_id = self.running()
        self.dag("down")
        self.daemon.wait(timeout=30)
        self.open()
        stream = self.stream()
        self.go()
        stream.until(lambda event, data: ["waiting", run_id, "after"] in data.get("tasks", []))

    def test_new_definitions_are_everything(self):
        self.open()
        stream = self.stream()
        self.write("dags/new.yaml", "dag_id: new\nschedule: null\ntasks:\n  t: {bash: 'true'}\n")
        stream.until(lambda event, data: event == "change" and data.get("all"))
        self.assertIn("new", self.page("/?fragment=dags").text)

    def test_a_growing_log_is_told_with_its_size(self):
        run_id = self.running()
        log = f"/dags/waiting/runs/{run_id}/tasks/long/tries/1"
        stream = self.stream(f"/api/events?log={log.replace('+', '%2B')}")
        before = stream.until(lambda event, data: event == "log")
        self.assertIn("first line of the log", self.request(f"{log}/log")[1])
        self.go()
        after = stream.until(lambda event, data: event == "log" and data > before)
        text = self.request(f"{log}/log?from={before}")[1]
        self.assertNotIn("first line of the log", text)
        self.wait_for(lambda: "last line of the log"
                      in self.request(f"{log}/log?from={before}")[1])
        self.assertGreater(after, before)

    def test_there_is_a_ceiling_and_gone_pages_free_their_place(self):
        self.open()
        streams = [self.stream() for _ in range(64)]
        self.assertEqual({stream.answer.status for stream in streams}, {200})
        self.assertEqual(self.get_json("/api/events", 503)["code"], "HTTP_STREAMS")
        self.assertEqual(self.request("/")[0].status, 200)
        for stream in streams:
            stream.close()
        # A gone peer shows at the next write: each definition that is adopted is one.
        counter = iter(range(1000))

        def is_free():
            self.write("dags/new.yaml", f"dag_id: new{next(counter)}\nschedule: null\n"
                       "tasks:\n  t: {bash: 'true'}\n")
            stream = self.stream()
            if stream.answer.status == 200:
                return True
            stream.close()  # else the refused ones take all connections
            return False
        self.wait_for(is_free)

    def test_the_daemon_ends_with_pages_open(self):
        self.running()
        stream = self.stream()
        self.assertEqual(stream.next()[0], "hello")
        self.go()
        self.wait_for(lambda: self.run_state("waiting") == "success")
        self.dag("down")
        self.assertEqual(self.daemon.wait(timeout=30), 0)


if __name__ == "__main__":
    unittest.main()
