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

void sql_value_json(struct json_writer *w, const char *text, unsigned type)
{
    if (!text) {
        json_null_value(w);
        return;
    }
    switch (type) {
    case SQL_TYPE_BOOL: json_bool(w, *text == 't'); break;
    case OID_JSON:
    case OID_JSONB: json_raw(w, text); break;
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
    case OID_OID:
    case OID_FLOAT4:
    case OID_FLOAT8:
    case OID_NUMERIC:
        if (is_json_number(text))
            json_raw(w, text);
        else
            json_str(w, text);
        break;
    default: json_str(w, text); break;
    }
}
