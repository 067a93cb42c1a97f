/* `endpoints` and `models` of dag.yaml: queries with their parameters numbered, and the checks that
   need no server. */
#include "base/clock.h"
#include "definition/limits.h"
#include "definition/loading.h"
#include "definition/param.h"
#include "definition/report.h"
#include "definition/setting.h"
#include "language/sql/name.h"
#include "language/sql/parameters.h"
#include "language/sql/split.h"

/* One endpoint on the way to the model. */
struct endpoint_loading {
    struct settling *s;
    const struct yaml_node *node, *sql_node;
    struct endpoint *endpoint;
    const char *what;               /* "an endpoint" */
    const struct yaml_source *file; /* of the query; NULL: it stands in dag.yaml */
    char *text;                     /* of the query, in the project's arena */
    unsigned char *used;            /* by the parameter's number */
};

/* A mistake at a byte of the query. */
static struct diagnostic *mistake(
    const struct endpoint_loading *e, size_t offset, enum status status, const char *message)
{
    if (e->file)
        return report_offset(e->s->diagnostics, e->file, offset, status, "%s", message);
    return report(e->s->diagnostics, e->sql_node, status, "%s", message);
}

/* ---- the text -------------------------------------------------------------------------------- */

static bool read_query_file(struct endpoint_loading *e, const char *name)
{
    struct settling *s = e->s;
    struct slice text;
    struct error error;
    const char *path = path_join(s->scratch, s->project->templates, name);
    enum status status =
        path_is_inside(name)
            ? settling_file(s, path, ENDPOINT_SQL_MAX, &text, &error)
            : error_set(&error, ERR_INVALID, "`%s` is no path below the folder of templates", name);
    if (status == ERR_NOT_FOUND) {
        error_set(&error, ERR_UNKNOWN_REFERENCE, "there is no file `%s`", path);
        error_hint(&error, "the path is relative to the folder of templates");
    }
    if (status != OK) {
        report_hint(report_from(s->diagnostics, e->sql_node, &error, NULL), "%s", error.hint);
        return false;
    }
    if (memchr(text.p, '\0', text.size)) {
        report(s->diagnostics, e->sql_node, ERR_VALUE_RANGE, "`%s` has a NUL byte", path);
        return false;
    }
    struct yaml_source *file = arena_new_of(s->scratch, struct yaml_source);
    *file = (struct yaml_source){.file = arena_strdup(s->arena, path), .text = text};
    e->file = file;
    e->text = arena_strndup(s->arena, text.p, text.size);
    return true;
}

static bool read_query(struct endpoint_loading *e, const struct text *sql)
{
    if (!sql->value)
        return false; /* reported by the table of keys */
    if (loading_is_template_path(sql->value))
        return read_query_file(e, sql->value);
    e->text = arena_strdup(e->s->arena, sql->value);
    return true;
}

/* ---- the statement --------------------------------------------------------------------------- */

/* Leaves the one statement alone in the text, and gives where it began. */
static bool check_statement(struct endpoint_loading *e, size_t *ret_offset)
{
    struct sql_statements all;
    struct error error;
    size_t offset;
    if (sql_split(slice_of(e->text), e->s->scratch, &all, &offset, &error) != OK) {
        mistake(e, offset, ERR_VALUE_RANGE, error.message);
        return false;
    }
    if (all.count != 1) {
        const char *message =
            all.count ? arena_printf(
                            e->s->scratch, "%s has one query, this is a second statement", e->what)
                      : arena_printf(e->s->scratch, "the query of %s is empty", e->what);
        report_hint(mistake(e, all.count ? all.at[1].offset : 0, ERR_VALUE_RANGE, message),
            "write one SELECT; what takes several steps can be a function of the database");
        return false;
    }
    struct slice statement = slice_make(e->text + all.at[0].offset, all.at[0].size);
    struct sql_token word = sql_first_word(statement);
    bool reads = sql_token_is(statement, word, "select") || sql_token_is(statement, word, "with") ||
                 sql_token_is(statement, word, "values");
    if (!reads) {
        report_hint(mistake(e, all.at[0].offset, ERR_VALUE_RANGE,
                        arena_printf(e->s->scratch, "%s only reads", e->what)),
            "write a query that begins with SELECT, WITH or VALUES");
        return false;
    }
    *ret_offset = all.at[0].offset;
    e->text = arena_strndup(e->s->arena, statement.p, statement.size);
    return true;
}

/* ---- its parameters -------------------------------------------------------------------------- */

static size_t number_of_name(const struct endpoint *endpoint, struct slice name)
{
    for (size_t i = 0; i < endpoint->param_count; i++)
        if (slice_equal_str(name, endpoint->params[i].name))
            return i + 1;
    return 0;
}

static size_t number_of_digits(const struct endpoint *endpoint, struct slice digits)
{
    int64_t number;
    bool fits = parse_int64(digits, &number) && number >= 1 &&
                (uint64_t)number <= (uint64_t)endpoint->param_count;
    return fits ? (size_t)number : 0;
}

static void unknown_parameter(const struct endpoint_loading *e, size_t offset, struct slice name)
{
    const struct endpoint *endpoint = e->endpoint;
    const char **names = arena_array(e->s->scratch, const char *, endpoint->param_count);
    for (size_t i = 0; i < endpoint->param_count; i++)
        names[i] = endpoint->params[i].name;
    const char *word = arena_strndup(e->s->scratch, name.p, name.size);
    struct diagnostic *d = mistake(e, offset, ERR_UNKNOWN_REFERENCE,
        arena_printf(
            e->s->scratch, "the query names the parameter `%s`, which is not in `params`", word));
    report_hint(d, "declare it under `params`: `%s: {type: string}`", word);
    report_suggest(d, word, names, endpoint->param_count);
}

/* Writes `$n` over a placeholder, with blanks behind it so that the server's positions stay right.
   False: it does not fit. */
static bool write_number(char *at, size_t size, size_t number)
{
    char text[16];
    int length = snprintf(text, sizeof(text), "$%zu", number);
    if ((size_t)length > size)
        return false;
    memset(at, ' ', size);
    memcpy(at, text, (size_t)length);
    return true;
}

/* A placeholder at the token, if one is there; *position moves behind it. */
static void number_token(
    struct endpoint_loading *e, size_t start, struct sql_token token, size_t *position)
{
    struct slice text = slice_of(e->text), name;
    size_t number, size = token.size;
    char first = text.p[token.offset];
    if (token.kind == SQL_PARAMETER) {
        name = slice_make(text.p + token.offset + 1, token.size - 1);
        number = number_of_digits(e->endpoint, name);
    } else if (token.kind == SQL_OTHER && first == '%' &&
               (size = sql_named_parameter(text, token.offset, &name)) > 0) {
        number = number_of_name(e->endpoint, name);
    } else {
        bool opens = token.kind == SQL_OTHER && first == '{' && token.offset + 1 < text.size &&
                     strchr("{%#", text.p[token.offset + 1]);
        if (opens)
            report_hint(mistake(e, start + token.offset, ERR_VALUE_RANGE,
                            arena_printf(e->s->scratch, "the query of %s is no template", e->what)),
                "declare the value under `params` and write %%(name)s");
        return;
    }
    *position = token.offset + size;
    if (number == 0) {
        unknown_parameter(e, start + token.offset, name);
        return;
    }
    e->used[number - 1] = 1;
    if (!write_number(e->text + token.offset, size, number))
        mistake(e, start + token.offset, ERR_INTERNAL, "the parameter's number has no room");
}

static void number_parameters(struct endpoint_loading *e, size_t start)
{
    size_t position = 0;
    struct sql_token token;
    size_t count = e->endpoint->param_count;
    e->used = arena_alloc(e->s->scratch, count);
    while ((token = sql_lex(slice_of(e->text), &position)).kind != SQL_END)
        number_token(e, start, token, &position);
    const struct yaml_node *params = yaml_get(e->node, "params");
    for (size_t i = 0; i < count; i++)
        if (!e->used[i])
            report_hint(
                report(e->s->diagnostics, params->pairs[i].key, ERR_VALUE_RANGE,
                    "the query does not use the parameter `%s`", e->endpoint->params[i].name),
                "write %%(%s)s in it, or take the parameter out", e->endpoint->params[i].name);
}

/* ---- the keys -------------------------------------------------------------------------------- */

static void check_duration(const struct endpoint_loading *e, const char *key, int64_t value_us,
    int64_t min_us, int64_t max_us, const char *hint)
{
    const struct yaml_node *node = yaml_get(e->node, key);
    if (node && (value_us < min_us || value_us > max_us))
        report_hint(report(e->s->diagnostics, node, ERR_VALUE_RANGE, "`%s` is out of range", key),
            "%s", hint);
}

static void read_endpoint(struct settling *s, const struct yaml_pair *pair, struct endpoint *ret)
{
    struct endpoint_keys keys = {.endpoint = {.timeout_us = 5 * US_PER_SECOND,
                                     .max_concurrent = 4,
                                     .max_waiting = 32,
                                     .max_body_bytes = 64 * 1024,
                                     .max_rows = 1000}};
    struct keys_given given;
    struct keys_reader reader = {s->arena, s->diagnostics, 0, false};
    struct endpoint_loading e = {
        .s = s, .node = pair->value, .endpoint = ret, .what = "an endpoint"};
    size_t start;
    settling_check_name(s, pair->key, "endpoint");
    keys_read(&reader, &endpoint_level, pair->value, &keys, &given);
    *ret = keys.endpoint;
    ret->name = arena_strdup(s->arena, pair->key->value.p);
    ret->params = params_read(keys.params, s->arena, s->diagnostics, &ret->param_count);
    e.sql_node = keys_given_value(&given, &endpoint_level, "sql");
    if (ret->param_count > ENDPOINT_PARAMS_MAX)
        report(s->diagnostics, keys.params, ERR_LIMIT, "an endpoint has at most %d parameters",
            ENDPOINT_PARAMS_MAX);
    else if (read_query(&e, &keys.sql) && check_statement(&e, &start))
        number_parameters(&e, start);
    ret->sql = e.text;
    /* That it exists is lint's business: it may be stored by the very command that loads this. */
    if (!ret->connection && s->project->connection_count == 1)
        ret->connection = s->project->connections[0].name;
    check_duration(&e, "timeout", ret->timeout_us, US_PER_MS, ENDPOINT_TIMEOUT_MAX_MS * US_PER_MS,
        "give it 1ms to 10m");
    check_duration(
        &e, "cache", ret->cache_us, 0, ENDPOINT_CACHE_MAX_S * US_PER_SECOND, "give it 0s to 1d");
}

void settling_endpoints(struct settling *s, const struct yaml_node *node)
{
    size_t count = node ? node->count : 0;
    struct endpoint *all = arena_array(s->arena, struct endpoint, count);
    s->project->endpoints = all;
    for (size_t i = 0; i < count; i++) {
        read_endpoint(s, &node->pairs[i], &all[i]);
        s->project->endpoint_count = i + 1;
    }
}

/* ---- the registry of models ------------------------------------------------------------------ */

static void read_scored(struct settling *s, const struct yaml_node *node,
    const struct yaml_node *sql_node, const struct text *sql, struct registry *registry)
{
    struct endpoint *scored = arena_new_of(s->arena, struct endpoint);
    struct endpoint_loading e = {
        .s = s, .node = node, .sql_node = sql_node, .endpoint = scored, .what = "`scored`"};
    size_t start;
    if (!read_query(&e, sql) || !check_statement(&e, &start))
        return;
    number_parameters(&e, start);
    *scored = (struct endpoint){
        .name = "models.scored", .sql = e.text, .connection = registry->connection};
    registry->scored = scored;
}

/* A table's name, quoted. */
static const char *read_table(struct settling *s, const struct yaml_node *node, const char *name)
{
    const char *quoted = sql_name_quoted(slice_of(name), s->arena);
    if (!quoted && node)
        report_hint(
            report(s->diagnostics, node, ERR_BAD_NAME, "`%s` is not the name of a table", name),
            "write it as SQL does: models.registry");
    return quoted;
}

void settling_registry(struct settling *s, const struct yaml_node *node)
{
    struct registry_keys keys = {
        .registry = {.table = "models.registry", .evaluation = "models.evaluation"}};
    struct keys_given given;
    struct keys_reader reader = {s->arena, s->diagnostics, 0, false};
    if (!node)
        return;
    keys_read(&reader, &registry_level, node, &keys, &given);
    struct registry *registry = arena_new_of(s->arena, struct registry);
    *registry = keys.registry;
    if (!registry->connection && s->project->connection_count == 1)
        registry->connection = s->project->connections[0].name;
    const struct yaml_node *scored = keys_given_value(&given, &registry_level, "scored");
    registry->table =
        read_table(s, keys_given_value(&given, &registry_level, "table"), registry->table);
    registry->evaluation = read_table(
        s, keys_given_value(&given, &registry_level, "evaluation"), registry->evaluation);
    if (scored)
        read_scored(s, node, scored, &keys.scored, registry);
    s->project->registry = registry;
}
