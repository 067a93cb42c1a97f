"""What the tutorials show is what their commands print."""

import pytest

import tutorial

PAGES = [page for page in sorted((tutorial.ROOT / "docs").glob("tutorial-*.md"))
         if "```console" in page.read_text(encoding="utf-8")]


def test_lines_differ_in_form_and_not_in_numbers():
    assert tutorial.same(["3 runs in 2s", "…", "end 12:00"], ["40 runs in 310ms", "a", "end 1:30"])
    assert tutorial.same([], []) and tutorial.same(["…"], [])
    assert not tutorial.same(["3 runs"], ["3 tasks"])
    assert not tutorial.same(["3 runs"], ["3 runs", "more"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_print_what_the_page_shows(page):
    found = list(tutorial.differences(tutorial.run_page(page)))
    assert not found, "\n".join(found)
