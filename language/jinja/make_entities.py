#!/usr/bin/env python3
"""Makes html_entities.h: python3 make_entities.py > html_entities.h

The table holds the named character references of HTML 5, in the order of their names' bytes.
"""
from html.entities import html5

print("/* Made by make_entities.py. */\n/* clang-format off */")
print("static const struct entity entities[] = {")
line = "   "
for name in sorted(html5):
    codes = ", ".join("0x%X" % ord(c) for c in html5[name])
    row = ' {"%s", {%s}},' % (name, codes)
    if len(line) + len(row) > 98:
        print(line)
        line = "   "
    line += row
print(line)
print("};")
