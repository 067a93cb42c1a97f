"""The reference of commands is what the table of commands gives."""

import unittest

from support import ROOT, ProjectCase


class Reference(ProjectCase):
    def test_the_page_of_commands_is_that_of_the_table(self):
        page = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
        self.assertEqual(self.dag("docs").stdout, page,
                         "make it again: dag docs > docs/reference/commands.md")


if __name__ == "__main__":
    unittest.main()
