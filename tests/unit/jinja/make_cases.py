#!/usr/bin/env python3
"""Makes language_cases.json: what real Jinja2 makes of expressions.txt and templates.txt.

    python3 make_cases.py > language_cases.json

needs jinja2 3.1.6.  Both files have one case a line; \\n and \\r in templates stand for line ends.
An expression is rendered alone; a template as it is, strictly, with trim_blocks and lstrip_blocks,
and keeping the last newline.  Cases whose result Jinja2 does not determine (addresses of objects,
errors of the Python compiler that name no line) are left out.
"""
import copy
import json
import os
import re
import sys
import traceback

import jinja2

EXPRESSION_CONTEXT = {'xs': [3, 1, 2],
 'words': ['banana', 'apple', 'Cherry'],
 'd': {'b': 1, 'a': 2, 'C': 3},
 'rows': [{'k': 'a', 'v': 1, 'n': {'m': 5}},
          {'k': 'b', 'v': 2, 'n': {'m': 4}},
          {'k': 'a', 'v': 3, 'n': {'m': 6}}],
 's': 'Hello World',
 'n': 42,
 'f': 3.14159,
 't': True,
 'z': None,
 'e': [],
 'html': '<b>&"x\'</b>',
 'uni': 'Ünïcödé ß ǆ σς',
 'nested': [[1, 2], [3, [4, 5]]],
 'neg': -7,
 'big': 1099511627776,
 'text': 'one two\nthree four\n\nfive'}


TEMPLATE_CONTEXT = {'xs': [1, 2, 3],
 'd': {'b': 1, 'a': 2},
 'x': 'ctx',
 'y': 5,
 't': True,
 'rows': [{'k': 'a', 'v': 1}, {'k': 'b', 'v': 2}],
 'tree': [{'n': 'a', 'c': [{'n': 'b', 'c': []}, {'n': 'c', 'c': [{'n': 'd', 'c': []}]}]}],
 'html': '<b>',
 'cols': ['c1', 'c2']}

FILES = {'inc': 'inc[{{ x }}|{{ loc }}|{% set leaked = 1 %}]',
 'mac': "{% macro m(a,b=2) %}{{ a }}-{{ b }}-{{ x }}{% endmacro %}{% set v = 'V' %}{% set _p "
        '= 1 %}{% macro _h() %}h{% endmacro %}body',
 'ctxmac': '{% macro m() %}{{ x }}/{{ loc }}{% endmacro %}',
 'base': '<{% block a %}A{% endblock %}|{% block b %}B{% endblock %}|{{ title }}|{{ x }}>',
 'mid': "{% extends 'base' %}{% block a %}mid({{ super() }}){% endblock %}",
 'bad': 'l1\n{{ 1 + }}',
 'err': 'l1\n\n{{ nope.x }}',
 'macerr': '{% macro boom(a) %}\n\n{{ a.b.c }}\n{% endmacro %}',
 'req': '{% block r required %}{% endblock %}',
 'sc': '{% for i in [1,2] %}{% block s scoped %}{{ i }}{% endblock %}{% endfor %}',
 'rec': "{% include 'rec' %}",
 'state': '{% set ns = namespace(n=0) %}{% macro inc() %}{% set ns.n = ns.n + 1 %}{{ ns.n '
          '}}{% endmacro %}',
 'self': '{% block t %}T{{ x }}{% endblock %}{{ self.t() }}'}



class Loader(jinja2.DictLoader):
    """Names files as they are, so that tracebacks say which one it was."""

    def get_source(self, environment, template):
        source, _, uptodate = super().get_source(environment, template)
        return source, template, uptodate


def render(files, context, options):
    env = jinja2.Environment(
        extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"],
        loader=Loader(files),
        undefined=jinja2.StrictUndefined if "strict" in options else jinja2.Undefined,
        trim_blocks="trim" in options,
        lstrip_blocks="trim" in options,
        keep_trailing_newline="keep" in options,
    )
    try:
        return {"output": env.get_template("main").render(copy.deepcopy(context))}
    except jinja2.TemplateSyntaxError as e:
        return {"file": e.name, "line": e.lineno}
    except Exception as e:
        place = {}
        for frame in traceback.extract_tb(e.__traceback__):
            if frame.filename in files:
                place = {"file": frame.filename, "line": frame.lineno}
        return place or None


def read_lines(name):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), name)) as f:
        return f.read().strip("\n").split("\n")


def main():
    cases = []
    for expression in read_lines("expressions.txt"):
        add(cases, "{{ " + expression + " }}", "expression", ["", "strict"])
    for template in read_lines("templates.txt"):
        template = template.replace("\\n", "\n").replace("\\r", "\r")
        add(cases, template, "template", ["", "strict", "trim", "keep"])
    print(
        json.dumps(
            {
                "jinja2": jinja2.__version__,
                "contexts": {"expression": EXPRESSION_CONTEXT, "template": TEMPLATE_CONTEXT},
                "files": FILES,
                "cases": cases,
            },
            indent=0,
        )
    )


def add(cases, template, context, options):
    contexts = {"expression": EXPRESSION_CONTEXT, "template": TEMPLATE_CONTEXT}
    seen = []
    for option in options:
        result = render(dict(FILES, main=template), contexts[context], option)
        if result is None or re.search(r" at 0x[0-9a-f]+>", result.get("output", "")):
            continue
        if option and result in seen:
            continue
        seen.append(result)
        cases.append({"template": template, "context": context, "options": option, **result})


if __name__ == "__main__":
    sys.exit(main())
