/*
 * JSON.  In: jansson's tree (json_t, reference counted), read strictly: duplicate keys, invalid
 * UTF-8 and trailing text are errors.  Out: a streaming writer that keeps the commas right.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>
#include "base/error.h"
#include "base/string.h"

/* Parses `size` bytes; the caller owns *ret (json_decref).  Errors carry line and column; `file`
   names the source in them and may be NULL. */
enum status json_parse(
    const char *text, size_t size, const char *file, json_t **ret, struct error *err) MUST_CHECK;

/* What an RFC 6901 pointer ("", "/data/0/id") leads to in a tree; NULL: nothing. */
const json_t *json_at(const json_t *tree, const char *pointer);

/* For local trees: CLEANUP(json_decrefp) json_t *tree = NULL; (json_decrefp is jansson's). */

/* The writer appends to a strbuf.  Values inside an object are preceded by json_key. */
enum { JSON_DEPTH_MAX = 64 };
struct json_writer {
    struct strbuf *out;
    unsigned depth;
    bool comma[JSON_DEPTH_MAX]; /* whether the next item on this level needs one */
    bool after_key;
};
struct json_writer json_begin(struct strbuf *out);
void json_object_begin(struct json_writer *w);
void json_object_end(struct json_writer *w);
void json_array_begin(struct json_writer *w);
void json_array_end(struct json_writer *w);
void json_key(struct json_writer *w, const char *key);
void json_str(struct json_writer *w, const char *s); /* NULL writes null; invalid UTF-8 → U+FFFD */
void json_strn(struct json_writer *w, const char *s, size_t size);
void json_int(struct json_writer *w, int64_t v);
void json_double(struct json_writer *w, double v); /* infinities and NaN write null */
void json_bool(struct json_writer *w, bool v);
void json_null_value(struct json_writer *w);
void json_raw(struct json_writer *w, const char *json); /* text that is JSON already */
void json_time(struct json_writer *w, int64_t wall_us); /* ISO text; INT64_MIN writes null */
void json_tree(struct json_writer *w, const json_t *tree);
/* key and value at once */
void json_kv_str(struct json_writer *w, const char *key, const char *s);
void json_kv_int(struct json_writer *w, const char *key, int64_t v);
void json_kv_bool(struct json_writer *w, const char *key, bool v);
void json_kv_time(struct json_writer *w, const char *key, int64_t wall_us);

#endif
