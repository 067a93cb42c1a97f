/* What is made from the tables of keys: the reference.  JSON Schema is in schema.c. */
#include "definition/keys.h"

const struct level *const *definition_levels(size_t *ret_count)
{
    static const struct level *const levels[] = {&dag_level, &schedule_level, &dst_level,
        &deadline_level, &task_level, &ask_level, &check_level, &http_level, &trigger_level,
        &wait_level, &wait_task_level, &expand_level, &group_level, &project_level,
        &connection_level, &endpoint_level, &registry_level, &web_level, &variable_level,
        &function_level};
    *ret_count = ARRAY_SIZE(levels);
    return levels;
}

/* ---- the reference ---- */

static const char *const type_names[] = {
    [KEY_NODE] = "any",
    [KEY_MAPPING] = "mapping",
    [KEY_TEXT] = "text",
    [KEY_WORD] = "text",
    [KEY_BOOL] = "true, false",
    [KEY_INT] = "number",
    [KEY_NUMBER64] = "number",
    [KEY_DURATION] = "duration",
    [KEY_CHOICE] = "",
    [KEY_WORDS] = "text or list",
    [KEY_TEXTS] = "list",
    [KEY_PATHS] = "text or list",
    [KEY_TEXT_MAP] = "mapping",
};

static void add_type(const struct key *key, struct strbuf *out)
{
    strbuf_add_str(out, type_names[key->type]);
    for (size_t i = 0; key->choices && key->choices[i]; i++)
        strbuf_printf(out, "%s`%s`", i ? ", " : "", key->choices[i]);
}

void definition_key_notes(const struct key *key, struct strbuf *out)
{
    strbuf_add_str(out, key->doc);
    if (key->kinds && !(key->flags & KEY_KIND)) {
        strbuf_add_str(out, " (of");
        for (unsigned i = 0, first = 1; i < KIND_COUNT; i++)
            if (key->kinds & (1U << i)) {
                strbuf_printf(out, "%s%s", first ? " " : ", ", task_kind_name(i));
                first = 0;
            }
        strbuf_add_str(out, ")");
    }
    if (key->flags & KEY_TEMPLATED)
        strbuf_add_str(out, "; a template");
    if (key->flags & KEY_SECRET)
        strbuf_add_str(out, "; secret");
    if (key->flags & KEY_LATER)
        strbuf_add_str(out, "; *not supported yet*");
}

void definition_reference(const struct level *level, struct strbuf *out)
{
    strbuf_add_str(out, "| key | type | default | meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; i < level->count; i++) {
        const struct key *key = &level->keys[i];
        strbuf_printf(out, "| `%s` | ", key->name);
        add_type(key, out);
        strbuf_printf(out, " | %s | ", key->fallback ? key->fallback : "–");
        definition_key_notes(key, out);
        strbuf_add_str(out, " |\n");
    }
}
