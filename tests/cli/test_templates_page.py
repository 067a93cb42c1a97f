"""Every example of docs/templates.md renders to what stands beside it.

A fenced block `jinja` is followed by one of what it renders to, or by one `error` with the error's
first line; `jinja file=NAME` is a file for the next of them.  In text and tables it is
`TEMPLATE` → `RESULT`.  The block `json` has the variables.
"""
import re
import unittest

from support import ROOT, ProjectCase

PAGE = ROOT / "docs/templates.md"
FENCE = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`]*\{[{%][^`]*)` → `([^`]*)`")


class TemplatesPage(ProjectCase):
    def setUp(self):
        super().setUp()
        self.page = PAGE.read_text()
        blocks = FENCE.findall(self.page)
        self.blocks = [block for block in blocks if block[0] != "json"]
        (context,) = [text for kind, _, text in blocks if kind == "json"]
        self.write("context.json", context)

    def render(self, template):
        """What a template renders to, or the error."""
        self.write("main.sql", template)
        done = self.dag("render", "--template", "main.sql", "--context", "context.json", "--strict",
                        status=None)
        return done.stdout if done.returncode == 0 else done.stderr

    def test_the_blocks(self):
        wrong, shown, blocks = [], 0, iter(self.blocks)
        for kind, name, text in blocks:
            self.assertEqual(kind, "jinja", text)
            if name:
                self.write(name, text)
                continue
            kind, _, result = next(blocks)
            self.assertIn(kind, ("sql", "text", "error"), result)
            shown += 1
            rendered = self.render(text)
            if kind == "error":
                rendered = rendered.split("\n")[0]
            if rendered + "\n" != result:
                wrong.append(f"{text}--- renders to\n{rendered}\n--- not\n{result}")
        self.assertGreater(shown, 20)
        self.assertFalse(wrong, "\n".join(wrong))

    def test_the_examples_in_tables_and_text(self):
        examples = [(template.replace("\\|", "|"), result.replace("\\|", "|"))
                    for template, result in INLINE.findall(self.page)]
        self.assertGreater(len(examples), 70)
        self.assertEqual(self.page.count("` → `"), len(examples), "an arrow without an example")
        wrong = [f"{template} → {rendered}, not {result}" for template, result in examples
                 for rendered in [self.render(template)] if rendered != result]
        self.assertFalse(wrong, "\n".join(wrong))


if __name__ == "__main__":
    unittest.main()
