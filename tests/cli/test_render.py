"""`dag render --template`: what a template may take and read, and how its errors are told."""

import unittest

from support import ProjectCase

SECRET = "not for templates"


class Ceilings(ProjectCase):
    """Each has an error of its own, at the place that went too far."""

    def refused(self, template, place, words):
        self.write("a.sql", template)
        done = self.dag("render", "--template", "a.sql", status=1)
        self.assertEqual(done.stdout, "")
        first = done.stderr.splitlines()[0]
        self.assertTrue(first.startswith(f"a.sql:{place}: error: "), first)
        self.assertIn(words, first)
        return done.stderr

    def test_the_size_of_the_text(self):
        self.refused("\n{% for i in range(1000000) %}{{ 'x' * 100 }}{% endfor %}", "2:33",
                     "the rendered text is larger than 67108864 bytes")

    def test_the_size_of_values(self):
        self.refused("{% set x = 'x' * 1000000000 %}", "1:12",
                     "the values of the template take more than 268435456 bytes")

    def test_macros_that_call_themselves(self):
        text = self.refused("{% macro m() %}\n{{ m() }}{% endmacro %}{{ m() }}", "2:5",
                            "nested more than 200 levels deep")
        self.assertIn("in macro `m` called at a.sql:2:5", text)

    def test_files_that_include_themselves(self):
        text = self.refused("{% include 'a.sql' %}", "1:4", "nested more than 200 levels deep")
        self.assertIn("included from a.sql:1:4", text)

    def test_rounds_of_loops(self):
        self.refused("{% for i in range(4000000) %}{% for j in [1, 2, 3] %}{% endfor %}"
                     "{% endfor %}", "1:8", "loops took more than 10000000 rounds")

    def test_work_and_time(self):
        self.refused("{{ range(1000000000) | sum }}", "1:24", "the template took ")


class Files(ProjectCase):
    def setUp(self):
        super().setUp()
        self.write("secret.sql", SECRET)
        self.write("project/parts/a.sql", "a of {{ name }}")
        (self.folder / "project/link.sql").symlink_to(self.folder / "secret.sql")
        (self.folder / "project/outside").symlink_to(self.folder)
        (self.folder / "project/inside.sql").symlink_to("parts/a.sql")
        self.project = self.folder / "project"

    def render(self, template, *words, status=0):
        self.write("project/main.sql", template)
        return self.dag("render", "--template", "main.sql", *words, status=status,
                        cwd=self.project)

    def test_nothing_outside_of_the_search_path(self):
        names = ["../secret.sql", "parts/../../secret.sql", "link.sql", "outside/secret.sql",
                 str(self.folder / "secret.sql"), "/etc/passwd", "", ".", "..", "parts",
                 "parts/../parts/a.sql", "parts\\u0000/a.sql", "outside/project/parts/a.sql/x"]
        for name in names:
            for tag in ("include '{}'", "include ['{}']", "import '{}' as x", "extends '{}'",
                        "from '{}' import x", "set n = '{}' %}}{{% include n"):
                text = "{% " + tag.format(name) + " %}"
                done = self.render(text, status=1)
                self.assertIn(" found", done.stderr.splitlines()[0], text)
                self.assertTrue(done.stderr.startswith("main.sql:1:"), done.stderr)
                self.assertNotIn(SECRET, done.stdout + done.stderr, text)
            done = self.render("{% include '" + name + "' ignore missing %}ok")
            self.assertEqual(done.stdout, "ok")

    def test_what_is_inside_is_found(self):
        self.write("project/context.json", '{"name": "x"}')
        for name in ("parts/a.sql", "./parts/a.sql", "inside.sql"):
            done = self.render("{% include '" + name + "' %}", "--context", "context.json")
            self.assertEqual(done.stdout, "a of x")
        done = self.render("{% include 'a.sql' %}", "--searchpath", "parts")
        self.assertEqual(done.stdout, "a of ")
        self.render("{% include 'parts/a.sql' %}", "--searchpath", "parts", status=1)


class Errors(ProjectCase):
    def test_the_way_through_files_and_macros(self):
        self.write("parts/lib.sql", "{% macro rate(a) %}\n  {{ a / 0 }}\n{% endmacro %}")
        self.write("parts/day.sql", "{% from 'lib.sql' import rate %}\n\n {{ rate(1) }}")
        self.write("main.sql", "select\n  {% include 'day.sql' %}")
        done = self.dag("render", "--template", "main.sql", "--searchpath", "parts", status=1)
        self.assertEqual(done.stderr.splitlines()[:5], [
            "parts/lib.sql:2:6: error: division by zero",
            "    2 |   {{ a / 0 }}",
            "      |      ^",
            "  in macro `rate` called at parts/day.sql:3:9",
            "  included from main.sql:2:6"])

    def test_a_parent_and_its_blocks(self):
        self.write("base.sql", "top\n{% block b %}\n{{ nope.x }}{% endblock %}")
        self.write("main.sql", "{% extends 'base.sql' %}{% block b %}\n{{ super() }}{% endblock %}")
        lines = self.dag("render", "--template", "main.sql", status=1).stderr.splitlines()
        self.assertEqual(lines[0], "base.sql:3:9: error: 'nope' is undefined")
        self.assertEqual(lines[3:5], ["  in block `b` called at main.sql:2:9",
                                      "  extended by main.sql"])


class Repeated(ProjectCase):
    def test_every_rendering_is_the_same(self):
        self.write("context.json", '{"d": {"b": 1, "a": 2, "C": 3}, "xs": [3, 1, 2]}')
        self.write("main.sql", "{{ d }} {{ d.items() | list }} {% for k in d %}{{ k }}{% endfor %} "
                   "{{ range(1000) | random }} {{ xs | random }} {{ xs | map('abs') }} {{ d.get }}")
        found = {self.dag("render", "--template", "main.sql", "--context", "context.json").stdout
                 for _ in range(5)}
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found.pop().startswith(
            "{'b': 1, 'a': 2, 'C': 3} [('b', 1), ('a', 2), ('C', 3)] baC "))


if __name__ == "__main__":
    unittest.main()
