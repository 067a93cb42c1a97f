"""What the style promises: every pair of colours reads at 4.5:1, light and dark."""

import re
import unittest

from pages import ROOT

STYLE = (ROOT / "web" / "assets" / "page.css").read_text(encoding="utf-8")


def tokens(block):
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))


def luminance(colour):
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
                        for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


class Contrast(unittest.TestCase):
    def schemes(self):
        light, dark = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
        return {"light": tokens(light), "dark": tokens(dark)}

    def test_both_schemes_have_the_same_tokens(self):
        schemes = self.schemes()
        self.assertGreater(len(schemes["light"]), 25)
        self.assertEqual(set(schemes["light"]), set(schemes["dark"]))

    def test_every_pair_reads(self):
        surfaces = ("bg", "panel", "hover", "code-bg")
        for name, scheme in self.schemes().items():
            pairs = [(state[:-3], state) for state in scheme
                     if state.endswith("-bg") and state != "code-bg"]
            pairs += [(ink, surface) for ink in ("ink", "soft", "link") for surface in surfaces]
            pairs += [("code", "code-bg"), ("ink", "failed-bg"), ("failed", "panel")]
            # The kinds of a log's lines.
            pairs += [(kind, "code-bg") for kind in ("soft", "running", "up_for_retry",
                                                      "upstream_failed", "failed")]
            for ink, surface in pairs:
                self.assertGreaterEqual(contrast(scheme[ink], scheme[surface]), 4.5,
                                        f"{name}: {ink} on {surface}")

    def test_every_state_has_its_colours(self):
        states = (ROOT / "definition" / "model" / "state.h").read_text(encoding="utf-8")
        table = states[states.index("TASK_STATES"):states.index("enum task_state")]
        names = re.findall(r'ROW\(\w+, "(\w+)"', table)
        self.assertEqual(len(names), 13)
        for name in names:
            self.assertRegex(STYLE, rf"\.s-{name}\b")


if __name__ == "__main__":
    unittest.main()
