/*
 * What the filters share.  Private to the module.
 *
 * How to add a filter: write its function in the file of its kind (text, html, list, pick, number,
 * sql), list it in the table at that file's end, describe it in docs/templates.md; tables_test.c
 * fails when a row has no line there.
 */
#ifndef LANGUAGE_JINJA_FILTERS_H
#define LANGUAGE_JINJA_FILTERS_H

#include "language/jinja/runtime.h"

typedef const struct jinja_call *call_t;

/* The first argument as text (a string itself, anything else by str()). */
static inline MUST_CHECK enum status jinja_filter_text(
    call_t call, struct jinja_value v, struct jinja_value *ret, struct error *err)
{
    *ret = v;
    return v.kind == JINJA_STRING ? OK : jinja_stringify(call->render, call->arena, v, ret, err);
}

/* links.c */
jinja_function jinja_filter_urlize;

/* "a.b.0": looks up parts one after the other. */
struct jinja_getter {
    struct jinja_value *parts;
    size_t count;
    bool fold;                 /* texts are compared in lower case */
    struct jinja_value absent; /* in place of undefined parts, unless absent itself */
};
void jinja_getter_init(struct arena *arena, struct jinja_value attribute, struct jinja_getter *ret);
enum status jinja_getter_apply(struct jinja_render *render, const struct jinja_getter *getter,
    struct jinja_value item, struct jinja_value *ret, struct error *err) MUST_CHECK;

#endif
