#!/usr/bin/env python3
"""Makes unicode_table.h: python3 make_unicode.py > unicode_table.h

The tables hold what Python's own str methods answer (isalpha, upper, isprintable …), because
templates are rendered as Python would; the Unicode version is the running Python's.
"""
import sys
import unicodedata

CODES = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]


def ranges(test):
    out = []
    for c in CODES:
        if test(chr(c)):
            if out and out[-1][1] == c - 1:
                out[-1][1] = c
            else:
                out.append([c, c])
    return out


def print_rows(head, rows):
    print(head)
    line = "   "
    for row in rows:
        if len(line) + len(row) + 2 > 98:
            print(line)
            line = "   "
        line += " " + row + ","
    print(line)
    print("};")


def print_ranges(name, test):
    rows = ["{0x%X, 0x%X}" % (a, b) for a, b in ranges(test)]
    print_rows("static const struct unicode_range %s[] = {" % name, rows)


def print_cases(name, mapping):
    """Runs {first, last, step, delta} of simple mappings; then those to several code points."""
    runs, many = [], []
    for c in CODES:
        to = mapping(chr(c))
        if to == chr(c):
            continue
        if len(to) > 1:
            many.append((c, [ord(x) for x in to]))
            continue
        delta = ord(to) - c
        last = runs[-1] if runs else None
        if last and last[3] == delta and c - last[1] in (1, 2) and (
            last[2] in (0, c - last[1])):
            last[2], last[1] = c - last[1], c
        else:
            runs.append([c, c, 0, delta])
    rows = ["{0x%X, 0x%X, %d, %d}" % (a, b, s or 1, d) for a, b, s, d in runs]
    print_rows("static const struct unicode_run %s_runs[] = {" % name, rows)
    rows = ["{0x%X, {%s}}" % (c, ", ".join("0x%X" % x for x in to)) for c, to in many]
    print_rows("static const struct unicode_many %s_many[] = {" % name, rows)


print("/* Made by make_unicode.py from Unicode %s. */" % unicodedata.unidata_version)
print("/* clang-format off */")
print_ranges("unicode_alpha", str.isalpha)
print_ranges("unicode_decimal", str.isdecimal)
print_ranges("unicode_digit", str.isdigit)
print_ranges("unicode_numeric", str.isnumeric)
print_ranges("unicode_lower", str.islower)
print_ranges("unicode_upper", str.isupper)
print_ranges("unicode_title", lambda c: unicodedata.category(c) == "Lt")
print_ranges("unicode_unprintable", lambda c: not c.isprintable())
print_ranges("unicode_case_ignorable", lambda c: ("A" + c + "Σ").lower()[-1] == "ς" and
             ("A" + c).lower() != c and ("." + c + "Σ").lower()[-1] != "ς")
print_cases("unicode_to_lower", str.lower)
print_cases("unicode_to_upper", str.upper)
print_cases("unicode_to_title", str.title)
print_cases("unicode_to_fold", str.casefold)
print("/* clang-format on */")
