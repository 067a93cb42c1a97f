/* Reads mappings by the tables of keys. */
#include "definition/keys.h"
#include <ctype.h>
#include "base/clock.h"
#include "base/vec.h"
#include "definition/limits.h"
#include "definition/report.h"

const struct key *level_find(const struct level *level, struct slice name)
{
    for (size_t i = 0; i < level->count; i++)
        if (slice_equal_str(name, level->keys[i].name))
            return &level->keys[i];
    return NULL;
}

const struct key *level_find_for(const struct level *level, struct slice name, unsigned kind)
{
    for (size_t i = 0; i < level->count; i++)
        if ((level->keys[i].kinds & kind) && slice_equal_str(name, level->keys[i].name))
            return &level->keys[i];
    return level_find(level, name);
}

const struct yaml_node *keys_given_value(
    const struct keys_given *given, const struct level *level, const char *name)
{
    for (size_t i = 0; i < level->count; i++)
        if (given->value[i] && str_equal(level->keys[i].name, name))
            return given->value[i];
    return NULL;
}

/* ---- values, one function a type ---- */

static bool wrong_type(const struct keys_reader *r, const struct key *key,
    const struct yaml_node *node, const char *wanted, const char *hint)
{
    struct diagnostic *d = report(r->diagnostics, node, ERR_VALUE_TYPE, "`%s` takes %s, this is %s",
        key->name, wanted, yaml_describe(node));
    if (hint)
        report_hint(d, "%s", hint);
    return false;
}

static bool is_scalar(const struct yaml_node *node)
{
    return node->kind == YAML_SCALAR && node->type != YAML_NULL;
}

static bool read_node(
    const struct keys_reader *r, const struct key *key, const struct yaml_node *node, void *field)
{
    (void)r, (void)key;
    *(const struct yaml_node **)field = node;
    return true;
}

static bool read_mapping(
    const struct keys_reader *r, const struct key *key, const struct yaml_node *node, void *field)
{
    if (node->kind != YAML_MAPPING)
        return wrong_type(r, key, node, "a mapping", NULL);
    return read_node(r, key, node, field);
}

static bool read_text(
    const struct keys_reader *r, const struct key *key, const struct yaml_node *node, void *field)
{
    if (!is_scalar(node))
        return wrong_type(r, key, node, "text", NULL);
    struct text text = node->text;
    text.value = arena_strndup(r->arena, node->value.p, node->value.size);
    *(struct text *)field = text;
    return true;
}

static bool read_word(
    const struct keys_reader *r, const struct key *key, const struct yaml_node *node, void *field)
{
    if (!is_scalar(node))
        return wrong_type(r, key, node, "text", NULL);
    *(const char **)field = arena_strndup(r->arena, node->value.p, node->value.size);
    return true;
}

static bool read_bool(
    const struct keys_reader *r, const struct key *key, const struct yaml_node *node, void *field)
{
    if (node->kind != YAML_SCALAR || node->type != YAML_BOOL)
        return wrong_type(r, key, node, "true or false", "only `true` and `false` are read so");
    *(bool *)field = node->boolean;
    return true;
}

static bool read_integer(
    const struct keys_reader *r, const struct key *key, const struct yaml_node *node, int64_t *ret)
{
    int64_t max = key->min || key->max ? key->max : COUNT_VALUE_MAX;
    int64_t min = key->min || key->max ? key->min : 0;
    if (node->kind != YAML_SCALAR || node->type != YAML_INT)
        return wrong_type(r, key, node, "a whole number", NULL);
    if (node->integer < min || node->integer > max) {
        report(r->diagnostics, node, ERR_VALUE_RANGE, "`%s` must be from %lld to %lld", key->name,
            (long long)min, (long long)max);
        return false;
    }
    *ret = node->integer;
    return true;
}

static bool read_int(
    const struct keys_reader *r, const struct key *key, const struct yaml_node *node, void *field)
{
    int64_t value;
    if (!read_integer(r, key, node, &value))
        return false;
    *(int *)field = (int)value;
    return true;
}

static bool read_number64(
    const struct keys_reader *r, const struct key *key, const struct yaml_node *node, void *field)
{
    return read_integer(r, key, node, field);
}

static bool read_duration(
    const struct keys_reader *r, const struct key *key, const struct yaml_node *node, void *field)
{
    struct error error;
    int64_t us;
    if (!is_scalar(node) || node->type == YAML_BOOL)
        return wrong_type(r, key, node, "a duration", "write 90s, 5m, 1h30m, 2d or 1w");
    if (duration_parse(node->value, &us, &error) == OK) {
        *(int64_t *)field = us;
        return true;
    }
    char hint[ERROR_HINT_SIZE];
    memcpy(hint, error.hint, sizeof(hint));
    error.status = ERR_VALUE_TYPE;
    struct diagnostic *d = report_from(r->diagnostics, node, &error, key->name);
    if (node->type == YAML_INT)
        report_hint(d, "a duration needs its unit: write %lds", (long)node->integer);
    else if (hint[0])
        report_hint(d, "%s", hint);
    return false;
}

/* What Airflow calls, or called, some of our values. */
static const char *airflow_value(const char *value)
{
    static const struct {
        const char *theirs, *ours;
    } words[] = {{"dummy", "always"}, {"none_failed_or_skipped", "none_failed_min_one_success"},
        {"one_finished", "one_done"}, {"all_finished", "all_done"}, {"total", "downstream"}};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (str_equal(words[i].theirs, value))
            return words[i].ours;
    return NULL;
}

/* "TriggerRule.ALL_DONE" → "all_done" */
static void fold_choice(const char *value, char ret[64])
{
    const char *dot = strrchr(value, '.');
    value = dot ? dot + 1 : value;
    size_t i = 0;
    for (; value[i] && i < 63; i++)
        ret[i] = (char)tolower((unsigned char)value[i]);
    ret[i] = '\0';
}

static int find_choice(const struct key *key, const char *value)
{
    for (int i = 0; key->choices[i]; i++)
        if (str_equal(key->choices[i], value))
            return i;
    return -1;
}

static void report_choice(
    const struct keys_reader *r, const struct key *key, const struct yaml_node *node)
{
    char folded[64];
    fold_choice(node->value.p, folded);
    const char *ours = find_choice(key, folded) >= 0 ? folded : airflow_value(folded);
    if (ours) {
        report_hint(report(r->diagnostics, node, ERR_AIRFLOW_KEY, "`%s` is not spelled so in `%s`",
                        node->value.p, key->name),
            "write `%s`", ours);
        return;
    }
    struct strbuf list = {0};
    size_t count = 0;
    for (; key->choices[count]; count++)
        strbuf_printf(&list, "%s%s", count ? ", " : "", key->choices[count]);
    struct diagnostic *d = report(r->diagnostics, node, ERR_VALUE_RANGE, "`%s` is no value of `%s`",
        node->value.p, key->name);
    const char *near = suggest(node->value.p, key->choices, count);
    if (near)
        report_hint(d, "did you mean `%s`?", near);
    else
        report_hint(d, "use one of %s", list.text);
    strbuf_done(&list);
}

static bool read_choice(
    const struct keys_reader *r, const struct key *key, const struct yaml_node *node, void *field)
{
    if (!is_scalar(node))
        return wrong_type(r, key, node, "one of its words", NULL);
    int choice = find_choice(key, node->value.p);
    if (choice < 0) {
        report_choice(r, key, node);
        return false;
    }
    *(int *)field = choice;
    return true;
}

static bool read_words(
    const struct keys_reader *r, const struct key *key, const struct yaml_node *node, void *field)
{
    bool list = node->kind == YAML_SEQUENCE;
    if (!list && !is_scalar(node))
        return wrong_type(r, key, node, "a text or a list of texts", NULL);
    size_t count = list ? node->count : 1;
    const char **words = arena_array(r->arena, const char *, count);
    bool ok = true;
    for (size_t i = 0; i < count; i++)
        ok &= read_word(r, key, list ? node->items[i] : node, &words[i]);
    if (ok)
        *(struct names *)field = (struct names){words, count};
    return ok;
}

static bool read_texts(
    const struct keys_reader *r, const struct key *key, const struct yaml_node *node, void *field)
{
    if (node->kind != YAML_SEQUENCE)
        return key->type == KEY_PATHS
                   ? wrong_type(r, key, node, "a path or a list of paths", NULL)
                   : wrong_type(r, key, node, "a list of texts", "write [program, argument, …]");
    struct text *texts = arena_array(r->arena, struct text, node->count);
    bool ok = true;
    for (size_t i = 0; i < node->count; i++)
        ok &= read_text(r, key, node->items[i], &texts[i]);
    if (ok)
        *(struct texts *)field = (struct texts){texts, node->count};
    return ok;
}

static bool read_paths(
    const struct keys_reader *r, const struct key *key, const struct yaml_node *node, void *field)
{
    if (!is_scalar(node))
        return read_texts(r, key, node, field);
    struct text *text = arena_array(r->arena, struct text, 1);
    *(struct texts *)field = (struct texts){text, 1};
    return read_text(r, key, node, text);
}

static bool read_text_map(
    const struct keys_reader *r, const struct key *key, const struct yaml_node *node, void *field)
{
    if (node->kind != YAML_MAPPING)
        return wrong_type(r, key, node, "a mapping of texts", NULL);
    struct named_text *texts = arena_array(r->arena, struct named_text, node->count);
    bool ok = true;
    for (size_t i = 0; i < node->count; i++) {
        ok &= read_word(r, key, node->pairs[i].key, &texts[i].name);
        ok &= read_text(r, key, node->pairs[i].value, &texts[i].text);
    }
    if (ok)
        *(struct named_texts *)field = (struct named_texts){texts, node->count};
    return ok;
}

bool keys_read_value(const struct keys_reader *reader, const struct key *key,
    const struct yaml_node *node, void *field)
{
    static bool (*const readers[])(
        const struct keys_reader *, const struct key *, const struct yaml_node *, void *) = {
        [KEY_NODE] = read_node,
        [KEY_MAPPING] = read_mapping,
        [KEY_TEXT] = read_text,
        [KEY_WORD] = read_word,
        [KEY_BOOL] = read_bool,
        [KEY_INT] = read_int,
        [KEY_NUMBER64] = read_number64,
        [KEY_DURATION] = read_duration,
        [KEY_CHOICE] = read_choice,
        [KEY_WORDS] = read_words,
        [KEY_TEXTS] = read_texts,
        [KEY_PATHS] = read_paths,
        [KEY_TEXT_MAP] = read_text_map,
    };
    return readers[key->type](reader, key, node, field);
}

/* ---- keys that are not there, not yet, or not here ---- */

static bool report_airflow(
    const struct keys_reader *r, const struct level *level, const struct yaml_node *key)
{
    for (size_t i = 0; i < level->airflow_count; i++) {
        const struct airflow_word *word = &level->airflow[i];
        if (!slice_equal_str(key->value, word->theirs))
            continue;
        struct diagnostic *d = report(r->diagnostics, key, ERR_AIRFLOW_KEY,
            "`%s` is not a key of %s here", word->theirs, level->name);
        if (word->ours && word->hint)
            report_hint(d, "the key is `%s`: %s", word->ours, word->hint);
        else if (word->ours)
            report_hint(d, "write `%s`", word->ours);
        else
            report_hint(d, "%s", word->hint);
        return true;
    }
    return false;
}

static void report_unknown(
    const struct keys_reader *r, const struct level *level, const struct yaml_node *key)
{
    if (report_airflow(r, level, key))
        return;
    const char *names[LEVEL_KEYS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < level->count; i++)
        if (!level->keys[i].kinds || !r->kind || (level->keys[i].kinds & r->kind))
            names[count++] = level->keys[i].name;
    struct diagnostic *d = report(
        r->diagnostics, key, ERR_UNKNOWN_KEY, "%s has no key `%s`", level->name, key->value.p);
    report_suggest(d, key->value.p, names, count);
}

static bool is_empty(const struct yaml_node *node)
{
    return node->kind == YAML_SCALAR ? node->type == YAML_NULL : node->count == 0;
}

/* A key whose behaviour this version lacks is never silently ignored. */
static void report_later(
    const struct keys_reader *r, const struct key *key, const struct yaml_node *node)
{
    report_hint(
        report(r->diagnostics, node, ERR_NOT_SUPPORTED_YET, "`%s` is not supported yet", key->name),
        "leave it out until a version of dag supports it");
}

static void report_kind(
    const struct keys_reader *r, const struct key *key, const struct yaml_node *node)
{
    struct strbuf kinds = {0};
    for (unsigned i = 0; i < KIND_COUNT; i++)
        if (key->kinds & (1U << i))
            strbuf_printf(&kinds, "%s%s", kinds.size ? ", " : "", task_kind_name(i));
    report_hint(report(r->diagnostics, node, ERR_UNKNOWN_KEY,
                    "`%s` does not belong to a task of this kind", key->name),
        "it is a key of these kinds: %s", kinds.text);
    strbuf_done(&kinds);
}

static void read_pair(const struct keys_reader *r, const struct level *level,
    const struct yaml_pair *pair, char *into, struct keys_given *given)
{
    const struct key *key = level_find_for(level, pair->key->value, r->kind);
    if (!key) {
        report_unknown(r, level, pair->key);
        return;
    }
    if (key->kinds && r->kind && !(key->kinds & r->kind)) {
        if (!r->lenient && !(key->flags & KEY_KIND))
            report_kind(r, key, pair->key);
        return;
    }
    given->key[key - level->keys] = pair->key;
    given->value[key - level->keys] = pair->value;
    if (key->flags & KEY_LATER) {
        if ((key->flags & KEY_KIND) || !is_empty(pair->value))
            report_later(r, key, pair->key);
        return;
    }
    bool null = pair->value->kind == YAML_SCALAR && pair->value->type == YAML_NULL;
    /* `key:` with nothing behind is the default, as if it were not there. */
    if (!null || key->type == KEY_NODE || (key->flags & (KEY_REQUIRED | KEY_KIND)))
        keys_read_value(r, key, pair->value, into + key->offset);
}

void keys_read(const struct keys_reader *reader, const struct level *level,
    const struct yaml_node *mapping, void *into, struct keys_given *ret_given)
{
    struct keys_given given = {0};
    if (mapping->kind != YAML_MAPPING) {
        report(reader->diagnostics, mapping, ERR_VALUE_TYPE, "%s is a mapping, this is %s",
            level->name, yaml_describe(mapping));
        if (ret_given)
            *ret_given = given;
        return;
    }
    for (size_t i = 0; i < mapping->count; i++)
        read_pair(reader, level, &mapping->pairs[i], into, &given);
    for (size_t i = 0; i < level->count; i++)
        if ((level->keys[i].flags & KEY_REQUIRED) && !given.key[i])
            report(reader->diagnostics, mapping, ERR_KEY_MISSING, "%s needs the key `%s`",
                level->name, level->keys[i].name);
    if (ret_given)
        *ret_given = given;
}
