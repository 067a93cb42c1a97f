#!/usr/bin/env python3
"""Makes character_names.h: python3 make_names.py > character_names.h

The names that \\N{…} in a string literal can use: letters, punctuation and signs of the blocks
below, of the roughly 34,000 that Unicode has.  All of them would be half of the template language.
"""
import unicodedata

BLOCKS = [(0x20, 0x7F), (0xA0, 0x180), (0x370, 0x3D0), (0x2010, 0x2040), (0x20AC, 0x20AD),
          (0x2116, 0x2117), (0x2122, 0x2123), (0x2190, 0x219A), (0x2200, 0x2234), (0x2248, 0x2249),
          (0x2260, 0x2266), (0x2500, 0x2501), (0x25A0, 0x25A2), (0x25CF, 0x25D0), (0x2605, 0x2607),
          (0x2611, 0x2613), (0x2713, 0x2715), (0xFEFF, 0xFF00), (0xFFFD, 0xFFFE)]

names = {}
for first, end in BLOCKS:
    for code in range(first, end):
        name = unicodedata.name(chr(code), None)
        if name:
            names[name] = code

print("/* Made by make_names.py from Unicode %s; in the order of strcmp. */" %
      unicodedata.unidata_version)
print("/* clang-format off */")
print("static const struct character_name character_names[] = {")
for name in sorted(names):
    print('    {"%s", 0x%X},' % (name, names[name]))
print("};")
print("/* clang-format on */")
