"""The templates that are compared with Jinja2: the recorded ones, the vectors, and those of cases/.

A file of cases/ holds, all but the last two optional,

    context:      the variables of its templates
    files:        other templates that they include, import and extend, by name
    modes:        sets of options that each of them is rendered with, MODES by default
    expressions:  one a line, each printed alone; "#" begins a comment
    templates:    texts, or mappings with `template` and any of the above that differ
"""

import json
import os
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
TESTS = HERE.parent
OPTIONS = {"strict", "autoescape", "trim", "lstrip", "keep"}
MODES = ["", "strict", "autoescape", "trim lstrip keep"]


def case(name, template, files, context, modes):
    """The renderings of one template, one for each set of options."""
    return [{"name": f"{name} [{mode}]" if mode else name, "expression": False, "group": "",
             "files": {**files, "main": template}, "context": context,
             **{option: True for option in mode.split()}} for mode in modes]


def own():
    """Lists of the renderings of each template of cases/, by file."""
    found = {}
    for path in sorted(HERE.glob("cases/*.yaml")):
        group = yaml.safe_load(path.read_text(encoding="utf-8"))
        unknown = set(group) - {"context", "files", "modes", "expressions", "templates"}
        assert not unknown, f"{path.name}: {unknown}"
        lines = [line for line in group.get("expressions", "").splitlines()
                 if line and not line.startswith("#")]
        items = [{"template": "{{ " + line + " }}", "expression": True} for line in lines]
        items += [item if isinstance(item, dict) else {"template": item}
                  for item in group.get("templates", [])]
        found[path.stem] = [own_case(f"{path.name} {i + 1}", item, group)
                            for i, item in enumerate(items)]
    return found


def own_case(name, item, group):
    unknown = set(item) - {"template", "context", "files", "modes", "expression"}
    assert not unknown, f"{name}: {unknown}"
    modes = item.get("modes") or group.get("modes") or MODES
    assert all(set(mode.split()) <= OPTIONS for mode in modes), f"{name}: {modes}"
    made = case(name, item["template"], {**group.get("files", {}), **item.get("files", {})},
                {**group.get("context", {}), **item.get("context", {})}, modes)
    for one in made:
        one["group"] = name.partition(".")[0]
        one["expression"] = item.get("expression", False)
    return made


def recorded():
    """The cases of the unit tests, whose results were written down; `recorded` is that result."""
    path = TESTS / "unit/jinja/language_cases.json"
    known = json.loads(path.read_text(encoding="utf-8"))
    found = []
    for i, item in enumerate(known["cases"]):
        mode = "trim lstrip" if item["options"] == "trim" else item["options"]
        made = case(f"{path.name} {i + 1}", item["template"], known["files"],
                    known["contexts"][item["context"]], [mode])
        made[0]["recorded"] = {k: item[k] for k in ("output", "file", "line") if k in item}
        found.append(made)
    return found


def vectors():
    path = TESTS / "vectors/templates/sql_cases.json"
    found = []
    for item in json.loads(path.read_text(encoding="utf-8"))["cases"]:
        mode = " ".join(option for option, name in
                        (("strict", "strict"), ("keep", "keep_trailing_newline")) if item[name])
        made = case(item["id"], "", item["files"], item["context"], [mode])
        made[0]["files"] = item["files"]
        made[0]["main"] = item["main"]
        made[0]["recorded"] = {"output": item["output"]} if item["status"] == "ok" else {
            "file": item["error_file"], "line": item["error_line"]}
        found.append(made)
    return found
