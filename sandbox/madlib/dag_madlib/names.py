"""Names and expressions as MADlib takes them: text that the user could have written in SQL."""

import plpy

IDENTIFIER_BYTES_MAX = 63  # PostgreSQL's NAMEDATALEN - 1; a longer name would be cut silently


def parse(name):
    """The parts of a possibly qualified, possibly quoted name, folded as SQL folds them."""
    plan = plpy.prepare("select parse_ident($1) as parts", ["text"])
    try:
        return list(plpy.execute(plan, [(name or "").strip()])[0]["parts"])
    except plpy.SPIError:
        return None


def quote(parts):
    return ".".join(plpy.quote_ident(part) for part in parts)


class Table:
    """A table's name; `sql` is how to write it in a statement, `given` how the user wrote it."""

    def __init__(self, given, suffix=""):
        self.given = (given or "").strip() + suffix
        self.parts = parse(given)
        if self.parts:
            self.parts[-1] += suffix
        self.sql = quote(self.parts) if self.parts else None

    def exists(self):
        if not self.parts:
            return False
        plan = plpy.prepare("select to_regclass($1) is not null as found", ["text"])
        return plpy.execute(plan, [self.sql])[0]["found"]

    def is_empty(self):
        return len(plpy.execute(f"select 1 from {self.sql} limit 1")) == 0

    def is_usable_as_output(self):
        return bool(self.parts) and len(self.parts[-1].encode()) <= IDENTIFIER_BYTES_MAX

    def with_suffix(self, suffix):
        """The table beside this one; a quoted name keeps its quotes."""
        table = Table(self.given)
        table.parts[-1] += suffix
        table.sql = quote(table.parts)
        table.given = self.given[:-1] + suffix + '"' if self.given.endswith('"') else (
            self.given + suffix)
        return table

    def columns(self):
        """Names and types in the table's order."""
        plan = plpy.prepare(
            "select attname::text as name, format_type(atttypid, atttypmod) as type"
            "  from pg_attribute"
            " where attrelid = to_regclass($1) and attnum > 0 and not attisdropped"
            " order by attnum", ["text"])
        return [(row["name"], row["type"]) for row in plpy.execute(plan, [self.sql])]


def split_list(text):
    """Splits a list at its outermost commas: `a, f(b, c), "d,e"` has three items."""
    items, depth, quoted, start = [], 0, None, 0
    text = text or ""
    for position, char in enumerate(text):
        if quoted:
            quoted = None if char == quoted else quoted
        elif char in "\"'":
            quoted = char
        elif char in "([":
            depth += 1
        elif char in ")]":
            depth -= 1
        elif char == "," and depth == 0:
            items.append(text[start:position].strip())
            start = position + 1
    items.append(text[start:].strip())
    return [item for item in items if item]


def column_name(expression):
    """The name of a plain column, folded as SQL folds it; None for any other expression."""
    parts = parse(expression)
    return parts[0] if parts and len(parts) == 1 else None


def expression_types(table, expressions):
    """The types of expressions over a table, or None when they are not valid there."""
    listed = ", ".join(f"({item}) as c{number}" for number, item in enumerate(expressions))
    try:
        result = plpy.execute(f"select {listed} from {table.sql} limit 0")
        oids = list(result.coltypes())
    except plpy.SPIError:
        return None
    plan = plpy.prepare("select format_type(t, null) as type from unnest($1) with ordinality"
                        " as u(t, n) order by n", ["oid[]"])
    return [row["type"] for row in plpy.execute(plan, [oids])]


def missing_columns(table, names):
    """Those of the named columns (as the user wrote them) that the table lacks."""
    present = {name for name, _ in table.columns()}
    return [name for name in names if column_name(name) not in present]
