/* Stored values, the environment and flags, laid under and over what the files say. */
#include <ctype.h>
#include <strings.h>
#include "definition/report.h"
#include "definition/setting.h"

enum origin settling_origin(const struct settling *s, const struct yaml_node *node)
{
    vec_each (source, &s->sources)
        if (&(*source)->source == node->source)
            return (*source)->origin;
    return ORIGIN_FILE;
}

static struct yaml_node *new_mapping(struct settling *s, const struct yaml_node *at)
{
    struct yaml_node *node = arena_new_of(s->scratch, struct yaml_node);
    if (at)
        *node = *at;
    node->kind = YAML_MAPPING;
    node->pairs = NULL;
    node->count = 0;
    return node;
}

/* A value from outside the files; `shown` is the flag or variable it came from. */
static struct yaml_node *new_value(
    struct settling *s, enum origin origin, const char *shown, const char *text, bool plain)
{
    struct setting_source *source = arena_new_of(s->scratch, struct setting_source);
    const char *copy = arena_strdup(s->scratch, text);
    source->origin = origin;
    source->source = (struct yaml_source){arena_strdup(s->arena, shown), slice_of(copy)};
    vec_push(&s->sources, source);
    struct yaml_node *node = arena_new_of(s->scratch, struct yaml_node);
    *node = (struct yaml_node){.style = plain ? YAML_PLAIN : YAML_DOUBLE,
        .source = &source->source,
        .line = 1,
        .column = 1,
        .value = slice_of(copy),
        .text = {.value = copy, .line = 1, .column = 1},
        .weight = 1};
    yaml_resolve(node);
    return node;
}

static struct yaml_pair *find_pair(struct yaml_node *mapping, const char *key)
{
    for (size_t i = 0; i < mapping->count; i++)
        if (slice_equal_str(mapping->pairs[i].key->value, key))
            return &mapping->pairs[i];
    return NULL;
}

static struct yaml_pair *add_pair(
    struct settling *s, struct yaml_node *mapping, const char *key, const struct yaml_node *value)
{
    struct yaml_pair *pairs = arena_array(s->scratch, struct yaml_pair, mapping->count + 1);
    if (mapping->count)
        memcpy(pairs, mapping->pairs, mapping->count * sizeof(*pairs));
    mapping->pairs = pairs;
    struct yaml_node *name = arena_memdup(s->scratch, value, sizeof(*value));
    name->kind = YAML_SCALAR;
    name->style = YAML_DOUBLE;
    name->type = YAML_TEXT;
    name->value = slice_of(arena_strdup(s->scratch, key));
    name->text = (struct text){.value = name->value.p, .line = 1, .column = 1};
    pairs[mapping->count] = (struct yaml_pair){.key = name};
    return &pairs[mapping->count++];
}

/* How many parts a dotted name has.  The last one may hold dots: names of variables do. */
static unsigned path_depth(const char *path)
{
    if (!str_starts(path, "connections."))
        return 2;
    const char *key = strchr(path + strlen("connections."), '.');
    return key && str_starts(key, ".settings.") ? 4 : 3;
}

/* Sets the value at a dotted name. */
static void set_path(
    struct settling *s, const char *path, struct yaml_node *value, bool only_if_absent)
{
    struct yaml_node *at = s->tree;
    unsigned depth_max = path_depth(path);
    for (unsigned depth = 1;; depth++) {
        const char *dot = depth < depth_max ? strchr(path, '.') : NULL;
        char *key = arena_strndup(s->scratch, path, dot ? (size_t)(dot - path) : strlen(path));
        struct yaml_pair *pair = find_pair(at, key);
        if (pair && !dot && only_if_absent)
            return;
        if (!pair)
            pair = add_pair(s, at, key, value);
        if (!dot) {
            pair->value = value;
            return;
        }
        if (!pair->value || pair->value->kind != YAML_MAPPING)
            pair->value = new_mapping(s, value);
        at = pair->value;
        path = dot + 1;
    }
}

/* The name in a mapping that an environment variable's end stands for: case and `-` are lost. */
static const char *declared_name(struct settling *s, const char *section, const char *tail)
{
    char *lower = arena_strdup(s->scratch, tail);
    for (char *p = lower; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    const struct yaml_node *mapping = yaml_get(s->tree, section);
    for (size_t i = 0; mapping && mapping->kind == YAML_MAPPING && i < mapping->count; i++) {
        const char *name = mapping->pairs[i].key->value.p;
        char *folded = arena_strdup(s->scratch, name);
        for (char *p = folded; *p; p++)
            *p = *p == '-' || *p == '.' ? '_' : *p;
        if (strcasecmp(folded, tail) == 0)
            return name;
    }
    return lower;
}

static void set_named(struct settling *s, const char *section, const char *variable,
    const char *tail, const char *text, const char *member)
{
    const char *name = declared_name(s, section, tail);
    bool variables = str_equal(section, "variables");
    struct yaml_node *value = new_value(s, ORIGIN_ENVIRONMENT, variable, text, false);
    /* A declaration {value, secret} keeps its secret. */
    struct yaml_node *declared = yaml_get(yaml_get(s->tree, section), name);
    if (variables && declared && declared->kind == YAML_MAPPING && yaml_get(declared, "secret")) {
        struct yaml_pair *pair = find_pair(declared, "value");
        if (!pair)
            pair = add_pair(s, declared, "value", value);
        pair->value = value;
        return;
    }
    set_path(s, arena_printf(s->scratch, "%s.%s%s", section, name, member), value, false);
}

static bool is_scalar_type(enum key_type type)
{
    return type == KEY_WORD || type == KEY_BOOL || type == KEY_INT || type == KEY_DURATION;
}

static void overlay_setting(struct settling *s, const char *name)
{
    char *variable = arena_printf(s->scratch, "DAG_%s", name);
    for (char *p = variable; *p; p++)
        *p = *p == '.' ? '_' : (char)toupper((unsigned char)*p);
    const char *text = settling_environment(s, variable);
    if (text && text[0])
        set_path(s, name, new_value(s, ORIGIN_ENVIRONMENT, variable, text, true), false);
}

static void overlay_environment(struct settling *s)
{
    for (size_t i = 0; i < project_level.count; i++)
        if (is_scalar_type(project_level.keys[i].type))
            overlay_setting(s, project_level.keys[i].name);
    overlay_setting(s, "web.listen");
    for (const char *const *at = s->environ; *at; at++) {
        const char *equals = strchr(*at, '=');
        if (!equals)
            continue;
        char *variable = arena_strndup(s->scratch, *at, (size_t)(equals - *at));
        if (str_starts(variable, "DAG_CONN_") && variable[9])
            set_named(s, "connections", variable, variable + 9, equals + 1, ".uri");
        else if (str_starts(variable, "DAG_VAR_") && variable[8])
            set_named(s, "variables", variable, variable + 8, equals + 1, "");
    }
}

static void overlay_flags(struct settling *s)
{
    for (size_t i = 0; i < s->options->override_count; i++) {
        const struct setting_override *flag = &s->options->overrides[i];
        set_path(s, flag->name, new_value(s, ORIGIN_FLAG, flag->flag, flag->value, true), false);
    }
}

static void overlay_stored_value(struct settling *s, const struct stored_setting *stored)
{
    /* Texts stay texts; what is a number or true is read as in the file. */
    bool plain =
        str_starts(stored->name, "pools.") ||
        (str_starts(stored->name, "connections.") &&
            (str_ends(stored->name, ".max_connections") || str_ends(stored->name, ".ledger")));
    struct yaml_node *value =
        new_value(s, ORIGIN_STORED, "stored", stored->problem ? "" : stored->value, plain);
    /* Of an address only the password is hidden; that is done wherever it shows. */
    if (stored->secret && !str_starts(stored->name, "connections."))
        vec_push(&s->hidden, value);
    if (stored->problem) {
        struct setting_problem *problem = vec_add(&s->problems);
        problem->node = value;
        problem->text = arena_strdup(s->arena, stored->problem);
    }
    set_path(s, stored->name, value, true);
}

/* Of the others only the state directory is needed, to know where the metadata is. */
static enum status overlay_stored(struct settling *s, struct error *err)
{
    struct stored_settings all = {0};
    if (!s->options->stored)
        return OK;
    const struct yaml_node *state = yaml_get(s->tree, "state");
    const char *dir =
        settling_state(s, state && state->kind == YAML_SCALAR ? state->value.p : ".dag");
    enum status status = s->options->stored(s->options->stored_user, dir, s->scratch, &all, err);
    for (size_t i = 0; status == OK && i < all.count; i++)
        overlay_stored_value(s, &all.at[i]);
    return status;
}

const char *settling_problem(const struct settling *s, const struct yaml_node *node)
{
    vec_each (problem, &s->problems)
        if (problem->node == node)
            return problem->text;
    return NULL;
}

enum status settling_overlay(struct settling *s, struct error *err)
{
    if (!s->tree)
        s->tree = new_value(s, ORIGIN_DEFAULT, "dag.yaml", "", true);
    s->tree = s->tree->kind == YAML_MAPPING ? s->tree : new_mapping(s, s->tree);
    overlay_setting(s, "state");
    overlay_flags(s);
    enum status status = overlay_stored(s, err);
    /* After what is stored: the names there are tell what DAG_VAR_<NAME> means. */
    overlay_environment(s);
    overlay_flags(s);
    return status;
}
