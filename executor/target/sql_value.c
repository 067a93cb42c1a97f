#include "executor/target/sql_value.h"

#include <string.h>

/* Types by their numbers in pg_type, which never change. */
enum {
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_OID = 26,
    OID_JSON = 114,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701,
    OID_NUMERIC = 1700,
    OID_JSONB = 3802
};

/* A number as JSON writes it; NaN and infinities are texts. */
static bool is_json_number(const char *text)
{
    return text[strspn(text, "+-0123456789.eE")] == '\0' && *text != '+';
}

/* Whether it can be read again: whole numbers have 64 bits, others are doubles, and a key of JSON
   stands once. */
static bool is_readable(const char *text)
{
    CLEANUP(json_decrefp) json_t *tree = NULL;
    return json_parse(text, strlen(text), NULL, &tree, NULL) == OK;
}

static bool is_safe_number(const char *text)
{
    enum { SURELY_SHORT = 18 }; /* characters */
    return is_json_number(text) && (strlen(text) <= SURELY_SHORT || is_readable(text));
}

void sql_value_json(struct json_writer *w, const char *text, unsigned type)
{
    if (!text) {
        json_null_value(w);
        return;
    }
    switch (type) {
    case SQL_TYPE_BOOL: json_bool(w, *text == 't'); break;
    case OID_JSON:
    case OID_JSONB:
        if (is_readable(text))
            json_raw(w, text);
        else
            json_str(w, text);
        break;
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
    case OID_OID:
    case OID_FLOAT4:
    case OID_FLOAT8:
    case OID_NUMERIC:
        if (is_safe_number(text))
            json_raw(w, text);
        else
            json_str(w, text);
        break;
    default: json_str(w, text); break;
    }
}

void sql_row_json(struct json_writer *w, const PGresult *result, int row)
{
    json_object_begin(w);
    for (int i = 0; i < PQnfields(result); i++) {
        json_key(w, PQfname(result, i));
        sql_value_json(w, PQgetisnull(result, row, i) ? NULL : PQgetvalue(result, row, i),
            (unsigned)PQftype(result, i));
    }
    json_object_end(w);
}
