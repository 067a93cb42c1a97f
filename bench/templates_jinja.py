"""Jinja2's side of bench/templates.py, run by the interpreter that has it: answers the requests
that templates.c describes, in the same way.

"cached": the template and all that it imports are compiled before the clock starts, and files are
not looked at again; "parsed": the environment keeps nothing, every rendering compiles anew.
"""

import json
import sys
import time

import jinja2

RENDERS_BETWEEN_LOOKS = 16


def literal(value):
    """What our filter does, for the values that the templates have."""
    if isinstance(value, str):
        text = value.replace("'", "''")
        return "E'" + text.replace("\\", "\\\\") + "'" if "\\" in value else "'" + text + "'"
    return str(value)


def environment(folders, cached):
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders), undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"],
        auto_reload=False, cache_size=400 if cached else 0)
    env.filters["literal"] = literal
    return env


def measure(render, seconds):
    render()
    renders = 0
    started = time.monotonic()
    while True:
        for _ in range(RENDERS_BETWEEN_LOOKS):
            render()
        renders += RENDERS_BETWEEN_LOOKS
        took = time.monotonic() - started
        if took >= seconds:
            return {"renders": renders, "seconds": took}


def answer(request, folders):
    cached = request["mode"] != "parsed"
    env = environment(folders, cached)
    name, context = request["template"], request["context"]
    template = env.get_template(name)
    if cached:
        def render():
            return template.render(context)
    else:
        def render():
            return env.get_template(name).render(context)
    if request["mode"] == "text":
        return {"out": render()}
    return measure(render, request["seconds"])


def main():
    if sys.argv[1:] == ["--version"]:
        print(jinja2.__version__)
        return
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line), sys.argv[1:])), flush=True)


if __name__ == "__main__":
    main()
