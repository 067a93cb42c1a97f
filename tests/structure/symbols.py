"""What the objects of the build call: the undefined symbols that `nm` shows.

base/ban.h stops most of these calls when they are compiled; this looks at the result, and proves of
scheduler/ that it has no clock, random source, file, socket or database.
"""

import re
import subprocess
from pathlib import Path

from source import Problem

# Calls that are banned: where they may stand nevertheless.
CLOCK_DOORS = ("base/clock.c", "executor/supervisor/")
BANNED = {
    **dict.fromkeys(("strcpy", "stpcpy", "strcat", "strncpy", "strncat", "sprintf", "vsprintf",
                     "strtok", "atoi", "atol", "atoll", "atof", "localtime", "gmtime", "ctime",
                     "asctime", "system", "gets", "tmpnam", "setjmp", "_setjmp", "longjmp"), ()),
    **dict.fromkeys(("time", "clock_gettime", "gettimeofday", "timespec_get", "clock", "ftime",
                     "rand", "srand", "rand_r", "random", "srandom", "drand48", "lrand48",
                     "mrand48", "getrandom", "getentropy", "arc4random", "arc4random_buf",
                     "arc4random_uniform", "uv_hrtime", "uv_gettimeofday", "uv_random",
                     "uv_clock_gettime"), CLOCK_DOORS),
    # Threads of the executor and the command line may wait; the loop, stores and decisions may not.
    **dict.fromkeys(("sleep", "usleep", "nanosleep", "clock_nanosleep"), ("executor/", "cli/")),
    "exit": ("bench/", "cli/", "executor/supervisor/", "tests/"),
}

# What the scheduler may call of the C library, and of the compiler's own run time.
PURE_LIBRARY = {
    "memcpy", "memmove", "memset", "memcmp", "memchr", "strlen", "strnlen", "strcmp", "strncmp",
    "strchr", "strrchr", "strstr", "strspn", "strcspn", "qsort", "bsearch", "snprintf",
    "vsnprintf", "abort", "pow", "floor", "ceil", "fmod", "log", "exp", "log2", "exp2", "ldexp",
    "round", "llround", "isnan", "isinf", "bcmp", "__assert_fail", "__stack_chk_fail",
    "__ctype_b_loc", "_GLOBAL_OFFSET_TABLE_",
    # jansson's trees, which are memory only
    "json_delete", "json_object_get", "json_string_value", "json_array_size", "json_array_get",
}
RUN_TIME = re.compile(r"^(__(asan|ubsan|tsan|sanitizer)_|__(mem|str|snprintf|vsnprintf)\w*_chk$)")

# Of our own modules, what touches the world; the rest of base/ and timetable is pure.
IMPURE_OBJECTS = re.compile(r"/(base/(clock|file|path|log)|language/timetable/zone_load)\.c\.o$")


# What the simulation builds a second time, with the planted bugs in it.
SIMULATED = re.compile(r"/simulation\w*\.dir/(?!tests/)")


def objects(build):
    """{path of the source: path of its object} of a build folder; generated sources left out."""
    found = {}
    for path in Path(build, "CMakeFiles").glob("*.dir/**/*.c.o"):
        if SIMULATED.search(str(path)):
            continue
        source = str(path).split(".dir/", 1)[1].removesuffix(".o")
        found[source] = path
    return found


def nm(path, *options):
    answer = subprocess.run(["nm", "-P", *options, str(path)], capture_output=True, text=True,
                            check=True)
    return {line.split()[0].split("@")[0] for line in answer.stdout.splitlines() if line}


def undefined(path):
    return nm(path, "-u")


def defined(path):
    return nm(path, "--defined-only", "-g")


def plain(symbol):
    """The function behind the name that fortification gives it: __sprintf_chk is sprintf."""
    found = re.fullmatch(r"__(\w+)_chk", symbol)
    return found[1] if found else symbol


def check_banned(source, symbols):
    return [Problem(source, 1, f"calls {symbol}, which is banned (tests/structure/symbols.py)")
            for symbol in sorted(symbols)
            if plain(symbol) in BANNED and not source.startswith(BANNED[plain(symbol)] or ("\0",))]


def check_pure(source, symbols, ours):
    """`ours`: the pure symbols that our own modules define."""
    return [Problem(source, 1, f"calls {symbol}: the scheduler has no clock, random source, file, "
                               "socket or database")
            for symbol in sorted(symbols)
            if symbol not in PURE_LIBRARY and symbol not in ours and not RUN_TIME.match(symbol)]
