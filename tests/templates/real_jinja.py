"""Jinja2 as a program, run by the interpreter that has it: `real_jinja.py --names` writes the names
of its statements, filters, tests and globals, and otherwise it answers cases as render_many.c
does."""

import json
import sys
import traceback
import warnings

import jinja2
import jinja2.defaults
import jinja2.filters
import jinja2.parser
import jinja2.tests


EXTENSIONS = ["jinja2.ext.do", "jinja2.ext.loopcontrols"]


class Loader(jinja2.DictLoader):
    """Names templates in tracebacks as the case names them."""

    def get_source(self, environment, template):
        text, _, up_to_date = super().get_source(environment, template)
        return text, template, up_to_date


def environment(case):
    return jinja2.Environment(
        extensions=EXTENSIONS,
        loader=Loader(case["files"]),
        undefined=jinja2.StrictUndefined if case.get("strict") else jinja2.Undefined,
        keep_trailing_newline=bool(case.get("keep")),
        trim_blocks=bool(case.get("trim")),
        lstrip_blocks=bool(case.get("lstrip")),
        autoescape=bool(case.get("autoescape")))


def place(error, files):
    """The innermost template and line that an error comes from; None, None when it tells none."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        return error.filename or error.name, error.lineno
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename in files]
    return (frames[-1].filename, frames[-1].lineno) if frames else (None, None)


def answer(case):
    try:
        return {"out": environment(case).get_template(case.get("main", "main")).render(
            case["context"])}
    except Exception as error:
        file, line = place(error, case["files"])
        return {"error": f"{type(error).__name__}: {error}", "file": file, "line": line}


def names():
    tags = {tag for extension in jinja2.Environment(extensions=EXTENSIONS).extensions.values()
            for tag in extension.tags}
    return {"version": jinja2.__version__, "filters": sorted(jinja2.filters.FILTERS),
            "tests": sorted(jinja2.tests.TESTS),
            "globals": sorted(jinja2.defaults.DEFAULT_NAMESPACE),
            "statements": sorted(jinja2.parser._statement_keywords | tags | {"call", "filter"})}


def main():
    warnings.simplefilter("ignore")
    if "--names" in sys.argv:
        print(json.dumps(names()))
        return
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))))


if __name__ == "__main__":
    main()
