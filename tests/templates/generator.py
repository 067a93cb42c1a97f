"""Random templates from the grammar of the template language (grammar.py), and random contexts."""

import re
from collections import Counter
from itertools import cycle

from grammar import (BASE, BASE_REQUIRED, BLOC, CHILDREN, EXPRESSIONS, FLOAT_NAMES, INT_NAMES,
                     LIBRARY, LIST_NAMES, LOOP, MIDDLE, NOISE, OUTPUT, PRELUDES, STATEMENTS,
                     TEXT_NAMES, WILD, WORD_NAMES)

HOLE = re.compile(r"<(\w+)>")
TAG = re.compile(r"(\{[{%#])( .*?[ ])([}%#]\})", re.DOTALL)
# How the tests, which are no expressions of their own, are used.
TESTS = {"test": "{{ <any> is %s }}", "int_test": "{{ <int> is %s }}",
         "num_test": "{{ <num> is %s }}", "str_test": "{{ <str> is %s }}"}
HOLES = {*EXPRESSIONS, "body", "loop", "block", "base", "prelude"}


class Generator:
    def __init__(self, random):
        self.random = random
        self.blocks = 0
        self.used = Counter()
        self.due = cycle(STATEMENTS + [TESTS.get(kind, "{{ %s }}").replace("%s", pattern)
                                       for kind, lists in EXPRESSIONS.items()
                                       for pattern in lists[0] + lists[1]])

    def choose(self, patterns):
        """Any of them, now and then the one used least, so that each one occurs."""
        rarest = self.random.random() < 0.3
        found = min(patterns, key=self.used.__getitem__) if rarest else self.random.choice(patterns)
        self.used[found] += 1
        return found

    def fill(self, pattern, depth):
        """The pattern with its holes filled; what looks like a hole and is none is text."""
        return HOLE.sub(lambda hole: self.hole(hole[1], depth) if hole[1] in HOLES else hole[0],
                        pattern)

    def hole(self, kind, depth):
        if kind in EXPRESSIONS:
            return self.expression(kind, depth)
        if kind == "body":
            return self.body(depth)
        if kind == "loop":
            return self.fill(self.choose(LOOP), depth)
        if kind == "prelude":
            return self.prelude
        if kind == "base":
            return self.random.choice(["'base'"] * 8 + ["'strict'", "'strict'", "['no', 'base']"])
        self.blocks += 1
        return f"b{self.blocks}"

    def expression(self, kind, depth):
        if self.random.random() < self.wild and kind not in TESTS:
            return self.fill(f"({self.choose(WILD)})", depth + 1)
        leaves, deep = EXPRESSIONS[kind]
        if not deep or depth >= 5 or self.random.random() < 0.12 + 0.14 * depth:
            return self.choose(leaves)
        # A fold of signs would read as a comment or as a power of something else: "-" keeps apart.
        text = self.fill(self.choose(deep), depth + 1)
        return f"({text})" if "|" in text or text[0] in "-+n" else text

    def body(self, depth):
        parts = []
        for _ in range(self.random.randint(1, 3 if depth else 5)):
            roll = self.random.random()
            if roll < 0.3 or depth > 3:
                parts.append(self.random.choice(NOISE))
            elif roll < 0.65:
                parts.append(self.fill(self.choose(OUTPUT), depth))
            else:
                parts.append(self.fill(self.choose(STATEMENTS), depth + 1))
        return "".join(parts)

    def files(self):
        """Templates by name: `main` and what it includes, imports and extends."""
        self.prelude = self.random.choice(PRELUDES)
        self.wild = 0
        files = {"library": LIBRARY, "strict": BASE_REQUIRED, "bloc": BLOC,
                 "part": "[{{ i }}{{ s }}]"}
        self.wild = self.random.choice([0, 0, 0, 0, 0.01, 0.03])
        if self.random.random() < 0.15:
            files["part"] = self.prelude + self.body(2)
        files["base"] = self.prelude + self.fill(BASE, 2)
        files["middle"] = self.fill(MIDDLE, 3)
        if self.random.random() < 0.2:
            files["main"] = self.fill(self.random.choice(CHILDREN[:4] * 5 + CHILDREN), 1)
        else:
            files["main"] = self.prelude + self.body(0) + self.fill(next(self.due), 1)
        return {name: self.spaced(text) for name, text in files.items()}

    def spaced(self, text):
        """Now and then signs for white space at tags, and line ends inside of them."""
        signs = self.random.choice([0, 0, 0.1, 0.4])
        lines = self.random.choice([0, 0, 0.05])

        def tag(found):
            begin, inside, end = found[1], found[2], found[3]
            if self.random.random() < signs and begin != "{{" and inside[0] == " ":
                begin += self.random.choice("-+" if begin == "{%" else "-")
            if self.random.random() < signs and inside[-1] == " ":
                end = self.random.choice("-+" if end == "%}" else "-") + end
            words = inside.split(" ")
            joined = words[0]
            for word in words[1:]:
                joined += ("\n" if self.random.random() < lines else " ") + word
            return begin + joined + end

        return TAG.sub(tag, text)

    def context(self):
        pick, number = self.random.choice, self.random.randint
        values = {name: number(-20, 200) for name in INT_NAMES}
        floats = [2.5, -0.25, 1e-7, 3.14159, 100.0, 1e17, -0.0]
        values |= {name: pick(floats) for name in FLOAT_NAMES}
        texts = ["Hello World", "don't STOP o'clock", "<a href='x'>y</a> &amp; z", "a\r\nb\rc",
                 "1.5", "  pad  ", "ΑΣ ǅungla ﬁ", "x-y--z a_b", "aa bb a", "",
                 "the quick brown fox jumps over the lazy dog",
                 "Ünï çödé ß", "line\nline two\n\n  last", "12", "x' or \"y\" \\ z", "a\tb %s {}"]
        values |= {name: pick(texts) for name in TEXT_NAMES}
        values["html"] = pick(["<b>bold & \"x\"</b>", "<!-- c --> a <i>  b</i>", "plain"])
        values |= {n: [number(-9, 30) for _ in range(number(1, 5))] for n in LIST_NAMES}
        values |= {n: [pick(["banana", "Apple", "cherry", "a", "A", "é"])
                       for _ in range(number(1, 4))] for n in WORD_NAMES}
        values["rows"] = [self.row() for _ in range(number(1, 4))]
        values["row"] = self.row()
        values["d"] = {"b": number(0, 9), "a": number(0, 9), "C": number(0, 9)}
        values["pairs"] = [[number(0, 5), pick("xyz")] for _ in range(number(0, 3))]
        values["tree"] = [{"name": "r", "kids": [{"name": "l", "kids": []}, {"name": "m"}]}]
        values["b"] = pick([True, False])
        values["big"] = pick([2**40, -2**33, 10**15])
        values |= {"empty": [], "nested": [[1, [2, 3]], [], ["x", {"y": None}]],
                   "mixed": [1, "a", None, 2.5, True, "<i>"]}
        return values

    def row(self):
        number = self.random.randint
        return {"k": self.random.choice("abc"), "v": number(0, 9), "n": {"m": number(0, 3)}}

    def case(self):
        self.blocks = 0
        case = {"files": self.files(), "context": self.context()}
        for option, share in (("strict", 0.08), ("autoescape", 0.15), ("trim", 0.2),
                              ("lstrip", 0.2), ("keep", 0.2)):
            if self.random.random() < share:
                case[option] = True
        return case
