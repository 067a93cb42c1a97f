"""Random templates from the grammar of the template language, and random contexts.

The grammar is typed (a hole of kind <int> gets an expression that is one), so that most templates
render; now and then a hole is filled with an expression of any kind, which makes the errors.
A kind's first list holds its leaves, the second what has holes of its own.
"""

import re
from collections import Counter

INT_NAMES, FLOAT_NAMES = ["i", "j", "k"], ["f", "g"]
TEXT_NAMES, LIST_NAMES, WORD_NAMES = ["s", "t", "u", "html"], ["xs", "ys"], ["words", "ws"]

EXPRESSIONS = {
    "nz": (["1", "2", "3", "7", "-2", "10"], []),
    "small": (["0", "1", "2", "3", "-1"], []),
    "width": (["1", "5", "8", "20", "30"], []),
    "key": (["'a'", "'b'", "'k'", "'v'", "'zz'"], []),
    "int": (
        INT_NAMES + ["0", "1", "2", "42", "-7", "1_000", "0x1f", "0b101", "0o17"],
        ["(<int> + <int>)", "(<int> - <int>)", "(<int> * <small>)", "(<int> // <nz>)",
         "(<int> % <nz>)", "(<nz> ** 2)", "-<int>", "+<int>", "<str>|length", "<any_list>|count",
         "<ints>|sum", "<ints>|sum(start=<int>)", "<ints>|max|default(0)", "<ints>|min|d(1)",
         "<rows>|sum(attribute='v')", "<int>|abs", "<num>|int", "<str>|int(<int>)",
         "'ff'|int(0, 16)", "'0b11'|int(base=2)", "<str>|wordcount", "<str>.find(<str>)",
         "<str>.count('a')", "<ints>.count(<int>)", "(<row>).v", "rows[0].v", "rows[0]['n']['m']",
         "d.a", "d['b']", "d.get(<key>, <int>)", "(<int> if <bool> else <int>)", "absent|d(<int>)",
         "dict(a=<int>).a", "namespace(v=<int>).v", "range(3)[<small>]", "[<int>]|random",
         "<ints>|first|d(0)", "<ints>|last|d(0)", "(<int>, <int>)[1]", "[<int>, <int>][-1]",
         "d|attr('a')|d(3)", "none|default(<int>, true)", "cycler(<int>, 2).next()",
         "{'a': <int>}['a']", "range(1, 9, 3).index(4)", "range(5).count(<small>)"]),
    "float": (
        FLOAT_NAMES + ["2.5", "0.1", "1e3", "-0.5", "2.675", "1.0", "1e20"],
        ["(<num> / <nz>)", "(<float> * <num>)", "(<float> + <num>)", "(<float> // <nz>)",
         "(<float> % <nz>)", "<num>|float", "<num>|round", "<num>|round(1)", "<float>|abs",
         "<num>|round(1, 'ceil')", "<num>|round(method='floor')", "'3.5'|float", "-<float>",
         "<str>|float(<float>)", "(<float> if <bool> else <float>)", "(2 ** -<nz>)"]),
    "num": (["i", "f", "3", "1.5"], ["<int>", "<float>"]),
    "str": (
        TEXT_NAMES + ["'a'", '"b c"', "'é'", "''", "'x\\ty'", "'<b>&\\'</b>'", "'AbC dE'",
                      "'one' 'two'"],
        ["(<str> ~ <any>)", "(<str> + <str>)", "(<str> * <small>)", "<any>|string", "<str>|upper",
         "<str>|lower", "<str>|title", "<str>|capitalize", "<str>|trim", "<str>|trim('a')",
         "<str>|center(<width>)", "<str>|replace('a', <str>)", "<str>|replace('l', 'L', 1)",
         "<str>|indent", "<str>|indent(2, true)", "<str>|indent(width='> ', blank=true)",
         "<str>|truncate(8)", "<str>|truncate(5, true, '~', 0)", "<str>|truncate(10, leeway=2)",
         "<str>|wordwrap(<width>)", "<str>|wordwrap(6, false)", "<str>|wordwrap(7, wrapstring='|')",
         "<str>|striptags", "<str>|urlencode", "<map>|urlencode", "<str>|e", "<str>|escape",
         "<str>|forceescape", "<str>|safe", "<any>|tojson", "<map>|tojson(indent=2)",
         "<any>|pprint", "<int>|filesizeformat", "<num>|filesizeformat(true)", "<map>|xmlattr",
         "<map>|xmlattr(false)", "<words>|join(', ')", "<ints>|join", "<rows>|join('-', 'k')",
         "<str>|urlize", "<link>|urlize", "<link>|urlize(12, true)", "<link>|urlize(target='_top')",
         "<str>|reverse", "<str>|first|string", "<str>|last|string", "'%s-%s'|format(<any>, <any>)",
         "'%05d|%.2f'|format(<int>, <num>)", "('%s' % <str>)", "('%x %5d' % (<int>|abs, <int>))",
         "'{} {}'.format(<any>, <any>)", "'{:>8}|{:<4}'.format(<str>, <int>)",
         "'{a:05.1f}{b!r}'.format(a=<num>, b=<str>)", "<str>.upper()", "<str>.strip()",
         "<str>.title()", "<str>.replace('o', <str>)", "<str>.center(12, '*')", "<str>.zfill(12)",
         "<str>.swapcase()", "'-'.join(<words>)", "<str>.ljust(9) ~ '|'", "<str>[<small>]",
         "<str>[1:]", "<str>[::-1]", "<str>[:<small>]", "<str>[-3:-1]", "(<row>).k",
         "(<str> if <bool> else <str>)", "(<str> if <bool>)", "<str>|default(<str>)",
         "absent|default(<str>)", "(<str> or <str>)", "[<str>]|random",
         "<ints>|sort|join(<str>)", "<str>|list|join('.')", "cycler('x', 'y').next()",
         "joiner('; ')()", "plain(<any>)", "both(<int>, b=<str>)", "<str>.partition(' ')[2]",
         "<str>.removeprefix('a')", "<str>.expandtabs(4)", "<str>.casefold()"]),
    "link": (
        ["'see https://example.org/a?b=c&d for more'", "'www.example.com, mail me@example.org.'",
         "'(http://localhost:8080/x) <http://a.b/c>'",
         "'mailto:a@b.de ftp://x.y no.where nope.com'",
         "s ~ ' https://example.org/' ~ i"], []),
    "bool": (
        ["true", "false", "b", "none is none"],
        ["(<num> < <num>)", "(<num> <= <num>)", "(<int> > <int>)", "(<num> >= <int>)",
         "(<any> == <any>)", "(<any> != <any>)", "(<str> < <str>)", "(1 < <int> < 20)",
         "(<int> in <ints>)", "(<str> not in <str>)", "(<key> in d)", "not <bool>",
         "(<bool> and <bool>)", "(<bool> or <bool>)", "(<any> is <test>)", "(<any> is not <test>)",
         "(<int> is <int_test>)", "(<str> is <str_test>)", "<str>.startswith('a')",
         "<str>.isdigit()", "<str>.endswith(<str>)", "(<ints> == <ints>)",
         "(<int> is <num_test>)"]),
    "test": (["defined", "undefined", "none", "string", "number", "integer", "float", "boolean",
              "mapping", "sequence", "iterable", "callable", "escaped", "true", "false",
              "sameas none", "sameas(true)", "eq(1)", "equalto 'a'", "ne(2)", "== 3", "!= i"],
             ["in <ints>", "in([<any>, 1])"]),
    "int_test": (["odd", "even", "divisibleby(3)", "divisibleby 2"], ["divisibleby(<nz>)"]),
    "num_test": (["gt 1", "lt(3)", "ge 2", "le 2", "greaterthan 0", "lessthan(5)"],
                 ["< <int>", "<= <int>", "> <int>", ">= <int>"]),
    "str_test": (["lower", "upper", "filter", "test"], []),
    "ints": (
        LIST_NAMES + ["[]", "[1, 2, 3]", "[3, 1, 2, 1]", "(1,)"],
        ["[<int>, <int>]", "range(<width>)|list", "range(1, 9, <nz>)|list", "<ints>|sort",
         "<ints>|sort(reverse=true)", "<ints>|unique|list", "<ints>|reverse|list", "<ints>[1:]",
         "<ints>[::-1]", "<ints>[:<small>]", "<words>|map('length')|list", "<ints>|map('abs')|list",
         "<rows>|map(attribute='v')|list", "<ints>|select('odd')|list",
         "<ints>|reject('even')|list",
         "<ints>|select('gt', <int>)|list", "d.values()|list", "<ints>|list",
         "<rows>|map(attribute='n.m')|list", "range(4)[1:]|list", "range(6)[::2]|list"]),
    "words": (
        WORD_NAMES + ["['x', 'Y']", "['b', 'A', 'c', 'a']"],
        ["<str>.split()", "<str>.split('a')", "[<str>, <str>]", "<words>|sort",
         "<words>|sort(case_sensitive=true)", "<words>|unique|list", "<words>|map('upper')|list",
         "<words>|map('replace', 'a', 'b')|list", "<rows>|map(attribute='k')|list", "<str>|list",
         "<words>|select('string')|list", "<words>|reject('in', ['a', <str>])|list", "<map>|list",
         "<rows>|map(attribute='zz', default='?')|list", "<str>.splitlines()",
         "<words>|unique(true)|list", "d.keys()|list", "<str>.rsplit(' ', 1)"]),
    "rows": (
        ["rows"],
        ["<rows>|sort(attribute='v')", "<rows>|sort(attribute='k,v')", "<rows>[1:]", "[<row>]",
         "<rows>|selectattr('v')|list", "<rows>|selectattr('v', 'gt', <int>)|list",
         "<rows>|rejectattr('k', 'eq', 'a')|list", "<rows>|rejectattr('v')|list",
         "<rows>|unique(attribute='k')|list", "<rows>|reverse|list"]),
    "row": (["row", "{'k': 'z', 'v': 3}"],
            ["{'k': <str>, 'v': <int>}", "dict(k=<str>, v=<int>)", "dict(row, v=<int>)"]),
    "map": (["d", "{}", "{'a': 1, 'b': [1, 2]}", "{1: 2, 'x y': none}"],
            ["{'k': <any>, 'c': <int>}", "dict(d, z=<any>)", "<row>", "<map>.copy()"]),
    "any_list": (["pairs", "[1, 'a', none]"],
                 ["<ints>", "<words>", "<rows>", "[<any>, <any>]", "<any_list>|batch(2)|list",
                  "<any_list>|batch(2, '-')|list", "<any_list>|slice(2)|list",
                  "<any_list>|slice(3, <str>)|list", "<map>|dictsort", "d|dictsort(by='value')",
                  "d|dictsort(true, reverse=true)", "<map>|items|list", "<map>.items()|list",
                  "<rows>|groupby('k')|list", "<rows>|groupby('v', default=1)|map('last')|list",
                  "<any_list>|select|list", "<any_list>|map('string')|list",
                  "<any_list>|map('default', 1)|list", "<any_list>|select('string')|list",
                  "<any_list>|reverse|list", "<any_list> + [<any>]", "<any_list>[<small>:]"]),
    "any": (["none", "absent", "b", "i", "f", "s"],
            ["<int>", "<float>", "<str>", "<bool>", "<ints>", "<words>", "<row>", "<map>",
             "<any_list>", "<str>", "<int>", "range(<width>)", "(<any>, <any>)", "row.absent"]),
}

WILD = ["<any>", "<any>.zz", "<any>[<any>]", "<any> + <any>", "<any>|sort", "<any>|join", "xs.zz.y",
        "<any>|float", "<any>|round", "<any>|first", "<any>|sum", "<any>|length", "<any>|list",
        "<any>()", "s.zz()", "<any>|map('upper')|list", "<any>|nofilter", "<any> is notest", "1 +",
        "i j", "(i", "<any>|groupby('k')", "<any>|tojson", "<any> < <any>", "-<any>", "xs[1:2:0]",
        "<any>|batch", "1 // 0", "5 % 0", "<any>|round(<any>)", "<any>|dictsort", "<any>[1:]"]

# Statements; <body> is text with statements of its own.  Loop variables keep the kinds of names.
STATEMENTS = [
    "{% if <bool> %}<body>{% endif %}",
    "{% if <any> %}<body>{% elif <bool> %}<body>{% else %}<body>{% endif %}",
    "{% for i in <ints> %}<body><loop>{% endfor %}",
    "{% for s in <words> %}<loop>{% else %}<body>{% endfor %}",
    "{%- for row in <rows> if row.v is odd %}{{ row.k }}<loop>{% else -%} none {%+ endfor +%}",
    "{% for i in <ints> if <bool> %}{{ loop.index }}/{{ loop.length }}{% endfor %}",
    "{% for s, i in d.items() %}{{ s }}={{ i }}{{ ', ' if not loop.last }}{% endfor %}",
    "{% for i, s in pairs %}<body>{% endfor %}",
    "{% for key, list in rows|groupby('k') %}{{ key }}{{ list|length }}<body>{% endfor %}",
    "{% for i in <ints> %}{% if i > 2 %}{% break %}{% endif %}<body>{% endfor %}",
    "{% for i in <ints> %}{% if i is odd %}{% continue %}{% endif %}<body>{% endfor %}",
    "{% for x in tree recursive %}{{ x.name }}{{ loop.depth }}({{ loop(x.kids) if x.kids }})"
    "{% endfor %}",
    "{% set i = <int> %}", "{% set s = <str> %}", "{% set i, s = <int>, <str> %}",
    "{% set s %}<body>{% endset %}", "{% set s | upper %}<body>{% endset %}",
    "{% set ns = namespace(v=<int>) %}{% for i in <ints> %}{% set ns.v = ns.v + i %}{% endfor %}"
    "{{ ns.v }}",
    "{% with %}{% set i = <int> %}{{ i }}{% endwith %}{{ i }}",
    "{% with i = <int>, s = <str> %}<body>{% endwith %}",
    "{% filter upper %}<body>{% endfilter %}", "{% filter indent(2)|trim %}<body>{% endfilter %}",
    "{% filter replace('a', <str>) %}<body>{% endfilter %}",
    "{% macro own(i, s=<str>) %}<body>{{ i }}{{ s }}{{ varargs }}{{ kwargs }}{% endmacro %}"
    "{{ own(<int>) }}{{ own(<int>, <str>, <any>, z=<any>) }}",
    "{% call plain(<any>) %}<body>{% endcall %}",
    "{% call(i) each(<ints>) %}<body>{{ i }}{% endcall %}",
    "{% include 'part' %}", "{% include ['no', 'part'] %}",
    "{% include 'part' without context %}",
    "{% include 'no' ignore missing %}",
    "{% include ('part' if <bool> else 'no') ignore missing %}",
    "{% import 'library' as lib %}{{ lib.plain(<any>) }}{{ lib.constant }}",
    "{% from 'library' import both as two, constant with context %}{{ two(<int>) }}",
    "{% raw %}{{ i }} {% if %}{% endraw %}", "{# <body> #}",
    # A loop over a list that grows in it ends when the list is long enough.
    "{% if xs|length < 9 %}{% do xs.append(<int>) %}{% endif %}{{ xs }}",
    "{% if words|length < 9 %}{% do words.insert(0, <str>) %}{% endif %}",
    "{% do rows[0].update(v=<int>) %}{% do d.update({<key>: <int>}) %}{{ d }}",
    "{% for key in d %}{% do d.update({key: <int>}) %}{{ d }}{% endfor %}",
    "{% do xs.sort() %}{% do words.reverse() %}{{ words.pop() }}{{ xs.pop(0) }}",
    "{% set l = [] %}{% do l.append(<int>) %}{{ l }}",
    "{% set m = {'a': 1} %}{% do m.update({'q': <any>}) %}{{ m }}",
    "{% autoescape true %}{{ html }}{{ words }}{% endautoescape %}",
    "{% autoescape b %}{{ html }}{{ html|safe }}{% endautoescape %}",
    "{% autoescape <any> %}<body>{% endautoescape %}", "{% autoescape true %}<body>{% endautoescape %}",
    "{% autoescape false %}<body>{{ '<' }}{% endautoescape %}",
    "{% set c = cycler('odd', 'even') %}{% for i in <ints> %}{{ c.next() }}{% endfor %}",
    "{% set sep = joiner(', ') %}{% for s in <words> %}{{ sep() }}{{ s }}{% endfor %}",
    "{% block <block> scoped %}<body>{% endblock %}",
]
LOOP = ["", "{{ loop.index0 }}", "{{ loop.revindex }}{{ loop.revindex0 }}", "{{ loop.first }}",
        "{{ loop.previtem }}|{{ loop.nextitem }}", "{{ loop.cycle('a', 'b') }}",
        "{{ loop.changed(s) }}", "{{ loop.depth0 }}{{ loop.last }}", "{{ loop }}", "{{ i }}{{ s }}"]
NOISE = [" text ", "\n", "  a\n", "-- é\n", "select ", "\n\n  ", "{{ i }}", "\tx"]
OUTPUT = ["{{ <any> }}", "{{ <str> }}", "{{- <int> }}", "{{ <num> -}}", "{{ <any_list> }}",
          "{{ <str> }}", "{{ <bool> }}", "{{ <ints> }}", "{{ <any> is <test> }}"]

LIBRARY = ("{% macro plain(x) %}<{{ x }}{{ caller() if caller }}>{% endmacro %}\n"
           "{% macro both(a, b='-') -%}\n{{ a }}:{{ b }}{% endmacro %}\n"
           "{% macro each(list) %}{% for x in list %}{{ caller(x) }}{% endfor %}{% endmacro %}\n"
           "{% set constant = 17 %}")
BASE = ("top <body>\n{% block head %}base head {{ i }}{% endblock %}\n"
        "{% block body scoped %}<body>{% endblock %}\n{{ self.head() }}")
BASE_REQUIRED = "top\n{% block head %}h{% endblock %}{% block body required %}{% endblock %} end"
PRELUDES = ["{% from 'library' import plain, both, each %}",
            "{% from 'library' import plain, both, each with context -%}\n", LIBRARY + "\n"]
CHILD = ("{% extends <base> %}<prelude>{% block head %}{{ super() }}<body>{% endblock %}\n"
         "{% block body %}<prelude><body>{% endblock %}ignored {{ i }}")

HOLE = re.compile(r"<(\w+)>")
HOLES = {*EXPRESSIONS, "body", "loop", "block", "base", "prelude"}


class Generator:
    def __init__(self, random):
        self.random = random
        self.blocks = 0
        self.used = Counter()

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
            return self.choose(LOOP)
        if kind == "prelude":
            return self.prelude
        if kind == "base":
            return self.random.choice(["'base'", "'base'", "'strict'", "['no', 'base']"])
        self.blocks += 1
        return f"b{self.blocks}"

    def expression(self, kind, depth):
        if self.random.random() < self.wild:
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
        files = {"library": LIBRARY, "strict": BASE_REQUIRED, "part": "[{{ i }}{{ s }}]"}
        self.wild = self.random.choice([0, 0, 0.01, 0.05])
        if self.random.random() < 0.15:
            files["part"] = self.prelude + self.body(2)
        files["base"] = self.prelude + self.fill(BASE, 2)
        if self.random.random() < 0.15:
            files["main"] = self.fill(CHILD, 1)
        else:
            files["main"] = self.prelude + self.body(0)
        return files

    def context(self):
        pick, number = self.random.choice, self.random.randint
        values = {name: number(-20, 200) for name in INT_NAMES}
        values |= {name: pick([2.5, -0.25, 1e-7, 3.14159, 100.0, 1e17]) for name in FLOAT_NAMES}
        texts = ["Hello World", "aa bb a", "", "the quick brown fox jumps over the lazy dog",
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
        return values

    def row(self):
        number = self.random.randint
        return {"k": self.random.choice("abc"), "v": number(0, 9), "n": {"m": number(0, 3)}}

    def case(self):
        self.blocks = 0
        case = {"files": self.files(), "context": self.context()}
        for option, share in (("strict", 0.15), ("autoescape", 0.15), ("trim", 0.2),
                              ("lstrip", 0.2), ("keep", 0.2)):
            if self.random.random() < share:
                case[option] = True
        return case
