#!/usr/bin/env python3
"""Makes language_cases.json: what real Jinja2 makes of the templates below.

    python3 make_cases.py > language_cases.json

needs jinja2 3.1.6.  Each expression is rendered alone; each template as it is, strictly and with
trim_blocks and lstrip_blocks.  Cases whose result Jinja2 does not determine (addresses of objects,
errors of the Python compiler that name no line) are left out.
"""
import copy
import json
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

# One a line.
EXPRESSIONS = r'''
1+2*3
2**3**2
-2**2
2**-1
7//2, -7//2, 7%3, -7%3, 7%-3
7.5//2, -7.5%2, 7.5%-2
1/3
10/2
1e3, 1.5e-7, 1e16, 1e22, 123456789012345678
0.1+0.2
n/7
1_000+1
0xff + 0b11 + 0o17
"a" "b" 'c'
"a\tb\n\x41\u00e9\101"
[1,2.0,"x'y",'q"r',none,true,(1,),{'a':1}]
'a\\b'
[uni, '\x00\x1f\x7f\xa0']
1 < 2 < 3, 1 < 3 < 2
1 == 1.0, true == 1, 'a' == 'a', [1]==[1.0], none == none
'a' < 'b', [1,2]<[1,3], (1,)<(1,2)
not true, not 0, not not 1
1 and 2, 0 or 3, '' or 'x', none and 1
1 in xs, 9 not in xs, 'ell' in s, 'a' in d
1 if t else 2, 1 if not t
xs[0], xs[-1], xs[5], xs['a'], d['b'], d.b, d.zz, s[0], s[-1], s[100]
xs[1:], xs[:1], xs[::-1], xs[-2:], s[1:4], s[::-1], s[::2], s[10:0:-3], xs[5:], xs[:-1]
uni[2:5], uni|length, uni|upper, uni|lower, uni|title, uni|capitalize, uni|reverse
'ß'|upper, 'ŉ'|title, 'İ'|lower, 'ΑΣ'|lower, 'ﬁx'|capitalize
rows[0].k, rows[0]['k'], rows.0.k, rows[0].n.m
(1,2)+(3,), [1]+[2], 'a'*3, 3*'a', [0]*2, 'a'*-1
'a' ~ 1 ~ none ~ 1.5 ~ [1]
'%s %r %d %5.2f %x %o %e %g %c %%' % ('a','b',3,4.567,255,8,12345.678,0.0001,65)
'%(a)s-%(b)05d' % {'a':1,'b':42}
'%-5s|%5s|%05d|%+d|% d|%#x|%.3s' % ('a','b',42,42,42,255,'abcdef')
'{} {} {0}'.format(1,2)
'{} {}'.format(1,2)
'{0} {1} {0}'.format('a','b')
'{a} {b:>5} {c:<5}| {d:^7} {e:05d} {f:.2f} {g:,} {h:+} {i:x} {j:#b} {k:%}'.format(a=1,b='x',c='y',d='z',e=42,f=3.14159,g=1234567,h=5,i=255,j=5,k=0.25)
'{!r} {!s} {:*^10} {:_}'.format('a','b','c',1234567)
'{0[a]} {0[b]}'.format({'a':1,'b':[2]})
'{:e} {:g} {:n} {:.3} {:10.3f}|{:<10}|{:>10}'.format(12345.678, 0.00001, 5, 3.14159, 2.5, 1.5, True)
'{{}}'.format()
'{:{}}|{:{w}.{p}f}'.format('a',5,3.14159,w=8,p=2)
s.upper(), s.lower(), s.title(), s.swapcase(), s.split(), s.split('o'), s.split('o',1), s.rsplit('o',1), s.replace('l','L'), s.replace('l','L',1), s.find('o'), s.rfind('o'), s.find('zz'), s.index('W'), s.count('l'), s.startswith('He'), s.endswith(('x','ld')), s.isalpha(), s.partition(' '), s.rpartition('o'), s.center(21,'*'), s.ljust(13,'-'), s.rjust(13), s.zfill(15), s.strip('Hd'), s.lstrip('H'), s.rstrip('d')
'  a b  c '.split(), 'a,b,,c'.split(','), 'a b c d'.rsplit(none,2), ' a  b '.split(' '), 'a b c'.split(maxsplit=1)
'a\nb\r\nc\rd'.splitlines(), 'a\nb\n'.splitlines(true)
','.join(['a','b']), ''.join([]), '-'.join('abc')
'abc'.isupper(), 'ABC'.isupper(), '12'.isdigit(), '½'.isnumeric(), 'a1'.isalnum(), ' '.isspace(), 'Ab Cd'.istitle(), 'abc'.isidentifier(), '1a'.isidentifier()
'-42'.zfill(6), '+1'.zfill(4), 'abc'.removeprefix('a'), 'abc'.removesuffix('c'), 'a\tb'.expandtabs(4), 'x'.casefold(), 'ß'.casefold()
d.items(), d.keys(), d.values(), d.items()|list, d.get('b'), d.get('q'), d.get('q',5), d|length, d|list
d.copy(), dict(d, x=1), dict(a=1), dict([('a',1)]), dict(), {'a':1,**{}} 
{1:2,'a':{'b':[1,2]},none:true,(1,2):3,1.5:4}
range(5)|list, range(1,10,3)|list, range(5,0,-2)|list, range(3), range(1,7,2), range(10)[3], range(10)|length, range(0)|list
xs.append(4), xs, xs.pop(), xs.index(1), xs.count(1), xs.insert(0,9), xs, xs.extend([7,8]), xs, xs.remove(7), xs, xs.reverse(), xs, xs.sort(), xs, xs.copy(), xs.clear(), xs
namespace(a=1).a, namespace(a=1), namespace({'b':2}).b
cycler('a','b').next(), joiner('x')()
'a' is string, 1 is number, 1.0 is float, 1 is integer, true is integer, true is number, none is none, xs is iterable, xs is sequence, d is mapping, 1 is odd, 2 is even, 4 is divisibleby 2, 4 is divisibleby(3), 'a' is lower, 'A' is upper, 1 is eq 1, 1 is == 1, 2 is gt 1, 2 is ge 2, 1 is lt 2, 1 is le 1, 1 is ne 2, 1 is in [1], 'abs' is filter, 'xyz' is filter, 'odd' is test, range is callable, 1 is sameas 1, true is true, false is false, 1 is true, true is boolean, q is defined, q is undefined, n is defined, 'x' is escaped
not 1 is odd, 1 is not odd, q is not defined
xs|first, xs|last, e|first, e|last, xs|max, xs|min, e|max, words|max, words|min, words|max(case_sensitive=true), rows|max(attribute='v'), xs|sum, rows|sum(attribute='v'), xs|sum(start=10), nested|sum(start=[])
xs|sort, xs|sort(reverse=true), words|sort, words|sort(case_sensitive=true), rows|sort(attribute='k,v')|map(attribute='v')|list, rows|sort(attribute='n.m')|map(attribute='v')|list, d|dictsort, d|dictsort(true), d|dictsort(by='value'), d|dictsort(reverse=true)
words|map('upper')|list, words|map('length')|list, rows|map(attribute='n.m')|list, rows|map(attribute='zz',default='q')|list, words|map('replace','a','o')|join(','), nested|map('first')|list, nested|map(attribute=0)|list, nested|map(attribute='1')|list
xs|select('odd')|list, xs|reject('odd')|list, xs|select|list, [0,1,'',none]|select|list, rows|selectattr('v','gt',1)|map(attribute='v')|list, rows|rejectattr('k','eq','a')|list, rows|selectattr('zz')|list, rows|selectattr('v','in',[1,3])|list|length, xs|select('>',1)|list
words|unique|list, ['a','A','b']|unique|list, [1,1.0,2]|unique|list, rows|unique(attribute='k')|map(attribute='v')|list
xs|batch(2)|list, xs|batch(2,'x')|list, range(7)|batch(3)|list, range(7)|slice(3)|list, range(7)|slice(3,'x')|list
rows|groupby('k'), (rows|groupby('k'))[0].grouper, (rows|groupby('k'))[0][1]|length, rows|groupby('k')|map('first')|list, (rows|groupby('k')|first).list|length
xs|join, xs|join(','), rows|join('-',attribute='k'), words|join(', '), 'abc'|join('-'), d|join
xs|reverse|list, s|reverse, d|reverse|list, range(3)|reverse|list
xs|list, 'abc'|list, d|list, (1,2)|list, range(2)|list
xs|length, s|count, d|length, (1,2)|length
q|default('x'), ''|default('x'), ''|default('x',true), z|default('x'), z|default('x',true), 0|d(5,boolean=true), q|default, d.zz|default(7)
s|upper|lower|title|capitalize|trim|length
'  x '|trim, 'xxaxx'|trim('x'), s|center(20), s|replace('o','0'), s|replace('o','0',1), 'aaa'|replace('','-')
s|wordcount, text|wordcount, 'a-b c_d'|wordcount
text|indent, text|indent(2,true), text|indent(2,blank=true), text|indent('> '), ''|indent, 'a\n'|indent, text|indent(width=1,first=true,blank=true)
'foo bar baz qux'|truncate(9), 'foo bar baz qux'|truncate(9,true), 'foo bar baz qux'|truncate(11), 'foo bar baz qux'|truncate(9,false,'..',0), 'foo bar'|truncate(5,leeway=0), 'joel is a slug'|truncate(7, true)
html|escape, html|e, html|forceescape, html|e|e, html|e|forceescape, html|striptags, html|safe, html|string, html|e ~ '<', (html|e) + '<', (html|e)|upper, '%s'|e % '<x>', html|urlencode, {'a b':'c&d','e':1}|urlencode, [('a',1)]|urlencode, 'a/b c?d=é'|urlencode, '<a href="x">y</a> <!-- z --> w &amp; &lt;'|striptags
{'b':1,'a':[1,2.5,none,true,'x<>&\'"é\n']}|tojson, xs|tojson(indent=2), {}|tojson(2), []|tojson(indent=1), {'a':{}}|tojson(indent=2), 'é😀'|tojson, 1.0|tojson, none|tojson
{'class':'a b','id':none,'x':1,'y':q,'z':'<"'}|xmlattr, {'a':1}|xmlattr(false), {}|xmlattr
n|float, f|int, '42'|int, '0x1f'|int(base=16), '1f'|int(0,16), 'x'|int, 'x'|int(7), '3.9'|int, none|int, xs|int(5), '1_000'|int, ' 12 '|int, '1e3'|int, '1e3'|float, '1'|float, 'abc'|float(2.5), true|int, '0b101'|int(base=2), '12'|int(base=3)
f|round, f|round(2), f|round(2,'ceil'), f|round(2,'floor'), 2.5|round, 3.5|round, -2.5|round, 42|round, 1234|round(-2), 1250|round(-2), 1350|round(-2), 15|round(-1), 25|round(-1), 42.55|round(1), 0.5|round, 1.5|round, 1e20|round(2), 2.675|round(2), 42|round(1,'ceil'), 1234.5678|round(-2), 1250.5|round(-2)
neg|abs, -2.5|abs, true|abs
100|filesizeformat, 1000|filesizeformat, 1024|filesizeformat(true), 1500000|filesizeformat, 1|filesizeformat, '12345'|filesizeformat, 1e30|filesizeformat, 999.5|filesizeformat, 0|filesizeformat
"%s=%s"|format(1,2), "%(a)s"|format(a=1), "%d%%"|format(5)
d|items|list, q|items|list, d|attr('b'), d|attr('items') is callable, s|attr('upper')()
'a b c d e f g'|wordwrap(5), 'abcdefghijkl mno'|wordwrap(5), 'abcdefghijkl mno'|wordwrap(5,false), 'one-two three'|wordwrap(6), 'one-two three'|wordwrap(6,break_on_hyphens=false), text|wordwrap(4,wrapstring='|'), '  lead  space here'|wordwrap(8), 'a  b   c'|wordwrap(4), 'hello--world foo'|wordwrap(7)
(1,2,3)|string, [1]|string, z|string, 1.0|string
1.0, 100.0, 1e100, 1.5e300, 1e-5, 0.0001, 123456.789, -0.0, 1e15, 1e16, 12345678901234567890.0
9223372036854775807, -9223372036854775807
5 // 0.3, 5 % 0.3, -5 // 0.3, 2**0.5, 2**62, (-8)**3, 0**0, 2.0**3
true + true, true * 3, true / 2, -true, +true
'abc' 'def'|upper
(xs|length > 2) and (s is string)
{'a':1}['a'], {'a':1}.a, [1,2][0], (1,2)[1], 'abc'[1]
'a.b.c'.split('.')|last|upper ~ '!'
xs|map('string')|join('+')
[1,2,3]|sum / [1,2,3]|length
'é' < 'z', 'Z' < 'a', 'a' < 'ab'
[[1,'a'],[1,'b']]|sort, [(2,'x'),(1,'y')]|sort|first
d.items()|sort|list, d.values()|sum, d.keys()|join(',')
dict(a=1).update(b=2), {'a':1}.pop('a'), {'a':1}.setdefault('b',2)
'%s' % none, '%s' % [1,2], '%s' % ((1,2),), '%r' % 'x', '%s %s' % (1,'a')
'%5.1f|%-8s|%08.3f|%+.2e' % (3.14159,'ab',3.14159,12345.6789)
'%*d|%-*d|%.*f' % (5,42,5,42,2,3.14159)
'%i %u' % (3.9, 4), '%c' % 'x', '%a' % 'é', '%x' % 255, '%X' % 255, '%#o' % 8
'abc'|first, 'abc'|last, 'cab'|sort, 'cab'|sort|join, 'aab'|unique|join
[3,1,2]|sort|reverse|list
"tojson: " ~ ({'a':1}|tojson)
range(3)|map('string')|list, range(10)|select('divisibleby',3)|list
none|default(1), undefined_thing|default(none)
range is defined
7 is divisibleby(7) and 'x' or 'y'
1 if q else 2 if t else 3
[1,2] == [1,2] == [1,2]
'x' in ['x'] and 'y' not in ['x']
"a" if "a" is in ["a","b"] else "c"
-1|abs, -n|abs, (-n)|abs, - 5|abs
n.bit_length(), f.is_integer(), 4.0.is_integer()
'a,b;c'.replace(',',';').split(';')
'Hello'[1:3] ~ 'x'*2
'title case-test (here) [x] {y} <z> o\'neil'|title
"x".join(["1","2"])|int + 3
(d|dictsort|first)[0]
[1,2,3,4]|batch(2)|map('sum')|list
['a','b']|map('upper')|map('lower')|list
[{'a':{'b':1}},{'a':{'b':2}}]|map(attribute='a.b')|sum
words|sort(attribute=0)
[none, 1]|map('default',5)|list
rows|map(attribute='k')|unique|list
{'a':[1,2]}.a.1
'😀a'|length, '😀a'[1], '😀a'|reverse, '😀'|center(5)|length
0.1, 1/3, 2/3, 1e-7, 5e-324, 1.7976931348623157e308
xs is sameas xs, [] is sameas [], none is sameas none
(1,2) is sequence, {} is sequence, range(3) is sequence, (xs|map('int')) is sequence, (xs|map('int')) is iterable
loop is defined
1 is number and 'a' is not number
'a' < 'b' < 'c', 3 > 2 >= 2 != 1
d == {'a':2,'b':1,'C':3}
'x' * n|length
xs|select('equalto',1)|list, xs|select('in',[1,2])|list, xs|reject('lt',2)|list, ['a',1]|select('string')|list
'{}'.format(1.0), '{}'.format(none), '{:>8}'.format('é'), '{:.1f}'.format(0.25), '{:.0f}'.format(2.5), '{:5}|{:5}'.format(1,'a'), '{:,.2f}'.format(1234567.891), '{:010.2f}'.format(-3.14159), '{:=+8}'.format(5), '{:08,}'.format(1234), '{:g}'.format(1e20), '{:.3g}'.format(1234.5), '{:c}'.format(65), '{:b}'.format(-5), '{:#X}'.format(255), '{:.2%}'.format(0.12345)
'{0.a} {0[x]}'.format(namespace(a=1)) if false else 'ok'
'%.0f %.10g %G' % (0.5, 1/3, 1e-10)
'a|b'|replace('|','/'), 'a' ~ ('b' if t) ~ ('c' if not t) ~ 'd'
1.__class__ if false, 'x'.y, n.foo, xs.foo is defined
'\N' if false else 1
"it's", 'say "hi"', "both ' and \""
["it's", 'say "hi"', "both ' and \""]
'a\
b'
'\q\8'
'''

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

# One a line; \\n and \\r stand for line ends.
TEMPLATES = r'''
{% for x in xs %}{{ x }}{% endfor %}{{ x }}
{% for i in xs %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{{ loop.depth0 }}{{ loop.previtem }}{{ loop.nextitem }};{% endfor %}
{% for i in xs if i > 1 %}{{ loop.index }}/{{ loop.length }}:{{ i }} {% else %}none{% endfor %}
{% for i in [] %}a{% else %}b{{ x }}{% endfor %}
{% for i in xs %}{% if i == 2 %}{% continue %}{% endif %}{{ i }}{% else %}E{% endfor %}
{% for i in xs %}{% if i == 2 %}{% break %}{% endif %}{{ i }}{% endfor %}
{% for i in xs %}{% break %}{% else %}E{% endfor %}
{% for i in xs %}{% continue %}{% else %}E{% endfor %}
{% for n in tree recursive %}{{ n.n }}{% if n.c %}({{ loop(n.c) }}){% endif %}{{ loop.depth }}{% endfor %}
{% for k, v in d.items() %}{{ k }}={{ v }},{% endfor %}
{% for k in d %}{{ k }}{% endfor %}{% for c in 'aéb' %}{{ c }}.{% endfor %}
{% for (a, b), c in [((1,2),3)] %}{{ a }}{{ b }}{{ c }}{% endfor %}
{% for i in xs %}{% for j in xs %}{{ loop.index }}{% endfor %}{{ loop.index }};{% endfor %}
{% for i in xs %}{{ loop.cycle('a','b') }}{{ loop.changed(i // 2) }}{% endfor %}
{% for i in xs %}{% set x = i %}{{ x }}{% endfor %}{{ x }}
{% for i in xs %}{{ x }}{% set x = i %}{{ x }} {% endfor %}{{ x }}
{% if t %}{% set x = 1 %}{% endif %}{{ x }}
{% if not t %}{% set x = 1 %}{% endif %}{{ x }}
{% if not t %}{% set q = 1 %}{% endif %}[{{ q }}]
{% for i in [1] %}{{ x }}{% endfor %}{% set x = 1 %}{{ x }}
{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% set x = 1 %}{{ m() }}
{% macro m() %}{{ z }}{% endmacro %}{% set z = 1 %}{{ m() }}
{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set (a, b) = b, a %}{{ a }}{{ b }}
{% set a = 1, %}{{ a }}
{% set a %}x{{ x }}{% endset %}[{{ a }}]{% set b | upper | replace('A','_') %}abc{% endset %}{{ b }}
{% set ns = namespace(a=1) %}{% for i in xs %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a }}{% set ns.b %}blk{% endset %}{{ ns.b }}
{% set ns = namespace() %}{% set ns.a, ns.b = 1, 2 %}{{ ns.a }}{{ ns.b }}
a\n\n{% set d.x = 1 %}
a\n{{ x }}\n\n{% set d.x = 1 %}
{% with a = 1, b = x %}{{ a }}{{ b }}{% set a = 2 %}{{ a }}{% endwith %}[{{ a }}]
{% with a = 1, b = a %}[{{ b }}]{% endwith %}
{% with %}{% set x = 1 %}{{ x }}{% endwith %}{{ x }}
{% with a, b = 1, 2 %}{{ a }}{% endwith %}
{% macro m(a, b=2, c=b) %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ m(1) }} {{ m(1,3) }} {{ m(1,c=4) }} {{ m(b=1,a=2) }} {{ m() }}
{% macro m(a) %}{{ a }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1,2,3,x=4) }}
{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}body{{ x }}{% endcall %}
{% macro m() %}{{ caller(1, b=2) }}{% endmacro %}{% call(a, b=0) m() %}{{ a }}{{ b }}{% endcall %}
{% macro m(caller=none) %}{{ caller is none }}{% endmacro %}{{ m() }}
{% macro m() %}{{ caller is defined }}{% endmacro %}{{ m() }}
{% macro m(a) %}{{ m.name }}{{ m.arguments }}{{ m.catch_kwargs }}{{ m.caller }}{% endmacro %}{{ m(1) }}{{ m }}
{% macro outer() %}{% macro inner(z) %}{{ z }}{{ x }}{% endmacro %}{{ inner(3) }}{% endmacro %}{{ outer() }}
{% macro fib(n) %}{{ n if n < 2 else (fib(n-1)|int + fib(n-2)|int) }}{% endmacro %}{{ fib(10) }}
{{ m() }}{% macro m() %}1{% endmacro %}
{% macro m(a) %}{{ a }}{% endmacro %}\n{{ m(1,2) }}
{% macro m(a) %}{{ a }}{% endmacro %}\n\n{{ m(z=2) }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(*[1]) }}{{ m(**{'a': 2}) }}
{% filter upper %}a{{ x }}{% endfilter %}{% filter replace('a','b')|upper %}aaa{% endfilter %}
{% raw %}{{ x }}{% if %}{% endraw %} {%- raw -%} a {%- endraw -%} b
{# comment {{ x }} #}a{#- c -#} b {#+ c +#} c
a {{- x -}} b {%- if t -%} c {%- endif -%} d
{% include 'inc' %}{% set loc = 1 %}{% include 'inc' %}{% include 'inc' without context %}[{{ leaked }}]
{% for loc in xs %}{% include 'inc' %}{% endfor %}
{% include 'nope' ignore missing %}ok{% include ['nope','inc'] %}{% include ['a','b'] ignore missing %}
a\n{% include 'nope' %}
a\n{% include ['nope'] %}
{% include q %}
{% include q ignore missing %}
a\n{% include 'bad' %}
a\n{% include 'err' %}
{% import 'mac' as m %}{{ m.m(1) }}{{ m.v }}[{{ m._p }}]{{ m }}
{% from 'mac' import m, v as w %}{{ m(1,b=3) }}{{ w }}
{% from 'mac' import nope %}[{{ nope }}]{{ nope is defined }}
{% from 'mac' import nope %}\n{{ nope() }}
{% from 'mac' import _h %}
{% set loc = 'L' %}{% import 'ctxmac' as c with context %}{{ c.m() }}{% import 'ctxmac' as c2 %}{{ c2.m() }}
{% from 'macerr' import boom %}\n{{ boom(1) }}
{% import 'nope' as m %}
{% from 'state' import inc %}{{ inc() }}{{ inc() }}{% from 'state' import inc as i2 %}{{ i2() }}
{% extends 'base' %}{% block a %}x{{ super() }}{% endblock %}ignored{% set title = 'T' %}
{% extends 'mid' %}{% block a %}leaf({{ super() }}){% endblock %}{% block b %}{{ self.a() }}{% endblock %}
pre{% extends 'base' %}post
{% if t %}{% extends 'base' %}{% endif %}{% block a %}z{% endblock %}
{% if not t %}{% extends 'base' %}{% endif %}{% block a %}z{% endblock %}tail
{% extends 'base' %}{% extends 'base' %}
{% extends 'nope' %}
{% extends x %}
{% extends 'req' %}
{% extends 'req' %}{% block r %}ok{% endblock %}
{% include 'req' %}
{% extends 'sc' %}{% block s %}[{{ i }}{{ loop.index }}]{% endblock %}
{% block a %}{{ x }}{% set x = 2 %}{{ x }}{% endblock %}{{ x }}{{ self.a() }}
{% set x = 9 %}{% block a %}{{ x }}{% endblock %}
{% block a %}{{ super() }}{% endblock %}
{% block a %}1{% endblock %}{% block a %}2{% endblock %}
{% block a %}{% block b %}n{% endblock %}{% endblock b %}
{% include 'self' %}
{% block a %}x{% endblock %}{{ self.a }}|
{% do xs.append(4) %}{{ xs }}
{% autoescape true %}{{ html }}{{ html|safe }}{{ '<i>'|e }}{% endautoescape %}{{ html }}
{% autoescape true %}{% macro m(a) %}<{{ a }}>{% endmacro %}{{ m(html) }}{% set z %}<{{ html }}>{% endset %}{{ z }}{{ z ~ html }}{{ [html, '<a>'|safe]|join('<') }}{% endautoescape %}
{% print x, 1 %}{% print %}
{% if x %}a{% elif y %}b{% else %}c{% endif %}{% if q %}a{% elif y %}b{% endif %}{% if q %}{% else %}c{% endif %}
{{ x|nofilter }}
a\n{% if false %}{{ x|nofilter }}{% endif %}ok
a\n{% if true %}\n{{ x|nofilter }}{% endif %}ok
{% if false %}{% for i in xs %}{{ i|nofilter }}{% endfor %}{% endif %}
{{ 1 if t else x|nofilter }}
{{ x is notest }}
a\n{{ x\n+ 1\n+ missing.y }}
{{ foo(\n1,\nmissing.z) }}
a\n{% for i in 5 %}{% endfor %}
{% for i in xs %}\n{{ i.a.b }}\n{% endfor %}
{% for i in xs\n if i.a.b %}{% endfor %}
{% for a, b in xs %}{% endfor %}
{% for a in q %}x{% endfor %}ok
{{ q.a }}
{{ q.a.b }}
{{ 1 + q }}
{{ q + 1 }}
{{ q < 1 }}
{{ q == 1 }}{{ q == q2 }}{{ q }}{{ q|list }}{{ q|length }}{{ not q }}{{ q ~ 'a' }}
{{ q() }}
{{ 1() }}
{{ 1/0 }}
{{ 1//0 }}
{{ 'a' + 1 }}
{{ [] + () }}
{{ 'a' < 1 }}
{{ {[]:1} }}
{{ xs|sort(attribute='z') }}
{{ '%d' % 'a' }}
{{ '%s %s' % (1,) }}
{{ '%s' % (1,2) }}
{{ 'a'.index('z') }}
{{ [].pop() }}
{{ {}.pop('a') }}
{{ 'a'.nope() }}
{{ xs.nope }}
{{ loop.index }}
{% set loop = 1 %}{{ loop }}
{% for i in xs %}{% set loop = 1 %}{% endfor %}
{% for loop in xs %}{{ loop }}{% endfor %}
{% break %}
{% for i in xs %}{% macro m() %}{% break %}{% endmacro %}{% endfor %}
{% endif %}
{% if x %}
{% if x %}{% endfor %}
{% foo %}
{% for %}{% endfor %}
{% for i xs %}{% endfor %}
{{ }}
{{ 1 2 }}
{{ 'abc }}
{{ a b
{{ [1,2 }}
{{ (1 }}
{{ 1) }}
{{ ] }}
{{ a. }}
{{ a[ }}
{{ |x }}
{{ x| }}
{{ x is }}
{{ 1 is odd is even }}
{{ @ }}
{{ $x }}
{% set 1 = 2 %}
{% set x %}
{% macro %}{% endmacro %}
{% macro m(a, a) %}{% endmacro %}
{% macro m(a=1, b) %}{% endmacro %}
{% block %}{% endblock %}
{% block a-b %}{% endblock %}
{% call x %}{% endcall %}
{% include %}
{% import 'a' %}
{% from 'a' import %}
{# unclosed
{% raw %}unclosed
{% raw %}
{#
{{
{%
{
a{b}c{ {x} }
{{ '}}' }}{{ "{%" }}{{ {'a':{'b':1}}['a']['b'] }}{{ {'a':{}} }}
{{ x if }}
{{ not }}
{{ f(a=1, 2) }}
{{ f(**a, *b) }}
{{ f(a=1, a=2) }}
{{ none.x }}{{ true.x }}{{ 1.x }}
{{ 1.5.x }}
{{ x.0 }}{{ 'a'.0 }}{{ xs.1 }}
{{ - 1 }}{{ +1 }}{{ --1 }}{{ not - 1 }}
{{ 1 if 2 if 3 else 4 else 5 }}
{{ 1 not in xs }}{{ not 1 in xs }}{{ 1 in xs in [true] }}
{{ x is string and y is number or z }}
{{ xs|map('nope')|list }}
{{ xs|select('nope')|list }}
{{ xs|map }}
{{ xs|map()|list }}
{% for i in xs|map('upper') %}{{ i }}{% endfor %}
{% if xs|select('nope') %}yes{% endif %}
{% for x in xs %}{% include 'inc' %}{% endfor %}{{ x }}
{% set x = 1 %}{% for i in xs %}{% if i == 2 %}{% set x = i %}{% endif %}{{ x }}{% endfor %}{{ x }}
{% for i in xs %}{% if i == 2 %}{% set x = i %}{% endif %}{{ x }}{% endfor %}{{ x }}
{% set f %}{% for i in xs %}{{ i }}{% if i == 2 %}{% break %}{% endif %}{% endfor %}{% endset %}{{ f }}
{% for i in xs %}{% filter upper %}a{% if i == 2 %}{% break %}{% endif %}{% endfilter %}{% endfor %}
{% for i in xs recursive %}{{ i }}{% if i < 3 %}{{ loop([i + 1]) }}{% endif %};{% else %}e{% endfor %}
{% for i in xs %}{{ loop([1]) }}{% endfor %}
{% for i in xs %}{{ loop }}{% endfor %}
{% for i in xs %}{{ loop|length }}{% endfor %}
{% for i in xs|select('odd') %}{{ loop.length }}{{ loop.revindex }}{{ loop.last }}{% endfor %}
{% set l = [1] %}{% for i in l %}{{ i }}{% if i < 4 %}{% do l.append(i + 1) %}{% endif %}{% endfor %}
{% for k in d %}{% do d.pop(k) %}{% endfor %}
{% macro m(x) %}{% if x > 0 %}{{ x }}{{ m(x - 1) }}{% endif %}{% endmacro %}{{ m(5) }}
{% macro a() %}{{ caller() }}{% endmacro %}{% macro b() %}{% call a() %}[{{ caller() }}]{% endcall %}{% endmacro %}{% call b() %}in{% endcall %}
{% set x = x %}{{ x }}{% set y = y + 1 %}{{ y }}
{% set g = range %}{{ g(3)|list }}{% set range = 5 %}{{ range }}
{% with x = 1 %}{% include 'inc' %}{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% endwith %}
{% for i in xs %}{% with j = i %}{{ j }}{{ loop.index }}{% endwith %}{% endfor %}
a\n\n{% with q = missing.x.y %}{% endwith %}
{{ x }}\n\n{% with q = missing.x.y %}{% endwith %}
\n{% autoescape missing.x.y %}{% endautoescape %}
{{ dict(xs) }}
{{ range() }}{{ range(1,2,0) }}
{{ cycler() }}
{{ x|join(1,2,3,4) }}
{{ x|upper(1) }}
{{ x|default(1,2,3,4) }}
{{ x|replace }}
{{ x is divisibleby }}
{{ d['a'] }}{{ d['zz'] }}{{ d[1] }}{{ xs['a'] }}
{{ d.items }}|
{{ "a" "b" }}{{ 'a' 'b'.upper() }}
{{ (1) }}{{ (1,) }}{{ () }}{{ 1, }}{{ 1, 2 }}
{{ {'a':1,}['a'] }}{{ [1,] }}
{% for i in 1, 2 %}{{ i }}{% endfor %}
{% if 1, %}t{% endif %}
{% do 1, 2 %}
{% set x = 1 if t %}{{ x }}
{% set x = q if q %}{{ x is defined }}
{{ (q if q).x }}
{{ x.upper().lower()|upper }}
{% for a in xs -%}\n   {{ a }}   \n{%- endfor %}
   {%- set x = 1 -%}   \n  b
{%+ if t +%} x {%+ endif +%}
\r\na\rb\n{{ x }}\r\n
'''


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


def main():
    cases = []
    for expression in EXPRESSIONS.strip().split("\n"):
        add(cases, "{{ " + expression + " }}", "expression", ["", "strict"])
    for template in TEMPLATES.strip("\n").split("\n"):
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
