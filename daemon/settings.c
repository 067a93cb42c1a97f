#include "daemon/settings.h"

#include "base/vec.h"
#include "daemon/key.h"
#include "daemon/limits.h"
#include "definition/limits.h"

/* ---- reading --------------------------------------------------------------------------------- */

static const char *explain_key(
    const struct key_ring *ring, const struct error *err, struct arena *arena)
{
    if (!ring->source || ring->keys.count || !ring->own)
        return arena_strdup(arena, err->message);
    return arena_printf(arena, "the key that sealed it is gone: there is no %s", ring->source);
}

/* Opens what is sealed; `ring` is loaded when the first such row comes. */
static struct stored_setting open_row(
    const struct setting_record *row, const char *state, struct key_ring *ring, struct arena *arena)
{
    struct stored_setting setting = {.name = row->name, .value = row->value, .secret = row->sealed};
    struct error err;
    if (!row->sealed)
        return setting;
    enum status status = ring->source ? OK : key_load(state, arena, ring, &err);
    if (status == OK)
        status = seal_open(&ring->keys, row->name, row->value, arena, &setting.value, &err);
    if (status != OK)
        setting.problem = explain_key(ring, &err, arena);
    return setting;
}

static struct stored_settings open_rows(
    const struct setting_rows *rows, const char *state, struct arena *arena)
{
    struct key_ring ring = {0};
    struct stored_setting *all = arena_array(arena, struct stored_setting, rows->count);
    for (size_t i = 0; i < rows->count; i++)
        all[i] = open_row(&rows->at[i], state, &ring, arena);
    return (struct stored_settings){all, rows->count};
}

enum status settings_stored(void *user, const char *state, struct arena *arena,
    struct stored_settings *ret, struct error *err)
{
    (void)user;
    struct setting_rows rows;
    enum status status =
        store_read_settings_of(path_join(arena, state, "dag.db"), arena, &rows, err);
    if (status == OK)
        *ret = open_rows(&rows, state, arena);
    return status;
}

static enum status given(void *user, const char *state, struct arena *arena,
    struct stored_settings *ret, struct error *err)
{
    (void)state, (void)arena, (void)err;
    *ret = *(const struct stored_settings *)user;
    return OK;
}

static enum status load_like(const struct project *like, project_stored *stored, void *user,
    struct arena *arena, struct project **ret, struct error *err)
{
    struct diagnostics mistakes;
    const struct project_options options = {.dir = like->root,
        .environment = like->environment,
        .bare = like->bare,
        .like = like,
        .stored = stored,
        .stored_user = user};
    diagnostics_init(&mistakes, arena);
    enum status status = project_load(&options, ret, &mistakes, err);
    if (status == ERR_DEFINITION && mistakes.first) {
        const struct error *first = &mistakes.first->error;
        error_set(err, ERR_INVALID, "%s", first->message);
        if (first->hint[0])
            error_hint(err, "%s", first->hint);
        return ERR_INVALID;
    }
    return status;
}

enum status settings_reload(const struct project *like, struct project **ret, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    return load_like(like, settings_stored, NULL, arena, ret, err);
}

const char *settings_value(const struct project *project, const char *name, struct arena *arena)
{
    const struct setting *setting = project_find_setting(project, name);
    if (!setting)
        return NULL;
    if (str_starts(name, "variables."))
        return project_find_variable(project, name + strlen("variables."))->value;
    const char *rest = str_starts(name, "connections.") ? name + strlen("connections.") : NULL;
    const char *key = rest ? strchr(rest, '.') : NULL;
    if (!key || setting->origin == ORIGIN_DEFAULT)
        return setting->value;
    const struct connection *connection =
        project_find_connection(project, arena_strndup(arena, rest, (size_t)(key - rest)));
    if (str_equal(key, ".uri"))
        return connection->uri;
    return str_equal(key, ".test_uri") ? connection->test_uri : setting->value;
}

const char *settings_place(const struct setting *setting, struct arena *arena)
{
    if (!setting->source)
        return "the default";
    if (setting->line)
        return arena_printf(arena, "%s:%u", setting->source, setting->line);
    return setting->source;
}

/* ---- an act ---------------------------------------------------------------------------------- */

/* A row as the act leaves it.  `record` is what is stored now, NULL = nothing is. */
struct row {
    struct stored_setting setting;
    const char *description;
    const struct setting_record *record;
    bool set, gone;
};

struct acting {
    const json_t *act;
    const struct project *project;
    struct arena *arena;
    struct setting_rows stored;
    VEC(struct row) rows;
    struct key_ring ring;
    bool dry_run;
};

static struct row *find_row(struct acting *a, const char *name)
{
    vec_each (row, &a->rows)
        if (str_equal(row->setting.name, name))
            return row;
    return NULL;
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static bool is_address(const char *name)
{
    return str_starts(name, "connections.") &&
           (str_ends(name, ".uri") || str_ends(name, ".test_uri"));
}

static bool is_secret(const char *name)
{
    return is_address(name) ||
           (str_starts(name, "variables.") && name_is_sensitive(name + strlen("variables.")));
}

static bool may_be_stored(const char *name)
{
    static const char *const parts[] = {"variables.", "pools.", "connections."};
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (str_starts(name, parts[i]) && name[strlen(parts[i])])
            return true;
    return false;
}

static enum status take_set(struct acting *a, const json_t *entry, struct error *err)
{
    const char *name = text_of(entry, "name"), *value = text_of(entry, "value");
    if (!name || !value || !may_be_stored(name))
        return error_set(err, ERR_INVALID,
            "a connection, a variable or a pool can be stored, "
            "with a `name` and a `value`");
    if (strlen(value) > SETTING_VALUE_MAX)
        return error_set(err, ERR_LIMIT, "the value of `%s` has %zu bytes; at most %d are stored",
            name, strlen(value), (int)SETTING_VALUE_MAX);
    struct row *row = find_row(a, name);
    bool was_secret = row && row->setting.secret;
    if (!row)
        row = vec_add(&a->rows);
    row->setting = (struct stored_setting){.name = name,
        .value = value,
        .secret = was_secret || is_secret(name) || json_is_true(json_object_get(entry, "secret"))};
    if (text_of(entry, "description"))
        row->description = text_of(entry, "description");
    row->set = true;
    row->gone = false;
    return OK;
}

static enum status owned(
    const struct setting *setting, const char *name, struct arena *arena, struct error *err)
{
    const char *place = settings_place(setting, arena);
    error_set(err, ERR_SETTING_OWNED, "`%s` is given by %s, which goes before what is stored", name,
        place);
    error_hint(err, "change it there, or take it out there first");
    return ERR_SETTING_OWNED;
}

/* A name that is not stored: because another source gives it, or nothing does. */
static enum status not_stored(struct acting *a, const char *name, struct error *err)
{
    size_t size = strlen(name);
    for (size_t i = 0; i < a->project->setting_count; i++) {
        const struct setting *setting = &a->project->settings[i];
        bool meant = name[size - 1] == '.' ? str_starts(setting->name, name)
                                           : str_equal(setting->name, name);
        if (meant && setting->origin != ORIGIN_STORED && setting->origin != ORIGIN_DEFAULT)
            return owned(setting, setting->name, a->arena, err);
    }
    const char *dot = strchr(name, '.') + 1;
    return error_set(err, ERR_NOT_FOUND, "there is no stored %.*s `%.*s`", (int)(dot - name - 2),
        name, (int)(size - (size_t)(dot - name) - (name[size - 1] == '.')), dot);
}

static enum status take_delete(struct acting *a, const char *name, struct error *err)
{
    bool found = false;
    if (!name || !may_be_stored(name))
        return error_set(err, ERR_INVALID, "`delete` is a list of names");
    if (str_equal(name, "pools.default_pool")) {
        error_set(
            err, ERR_CONFLICT, "`default_pool` cannot be deleted: tasks without a pool use it");
        error_hint(err, "to change its slots: dag pool set default_pool 128");
        return ERR_CONFLICT;
    }
    vec_each (row, &a->rows) {
        bool meant = str_ends(name, ".") ? str_starts(row->setting.name, name)
                                         : str_equal(row->setting.name, name);
        if (meant && row->record)
            found = row->gone = true;
    }
    return found ? OK : not_stored(a, name, err);
}

static enum status take_all(struct acting *a, struct error *err)
{
    const json_t *set = json_object_get(a->act, "set"), *gone = json_object_get(a->act, "delete");
    enum status status = OK;
    size_t i;
    json_t *entry;
    if (json_array_size(set) + json_array_size(gone) > SETTINGS_MAX)
        return error_set(err, ERR_LIMIT, "more than %d settings at once", (int)SETTINGS_MAX);
    json_array_foreach(gone, i, entry)
    {
        status = take_delete(a, json_string_value(entry), err);
        if (status != OK)
            return status;
    }
    json_array_foreach(set, i, entry)
    {
        status = take_set(a, entry, err);
        if (status != OK)
            return status;
    }
    if (a->rows.count > SETTINGS_MAX)
        return error_set(
            err, ERR_LIMIT, "more than %d settings would be stored", (int)SETTINGS_MAX);
    return status;
}

/* The project with the rows as they are now. */
static enum status try_rows(struct acting *a, struct project **ret, struct error *err)
{
    struct stored_setting *all = arena_array(a->arena, struct stored_setting, a->rows.count);
    struct stored_settings settings = {all, 0};
    vec_each (row, &a->rows)
        if (!row->gone)
            all[settings.count++] = row->setting;
    return load_like(a->project, given, &settings, a->arena, ret, err);
}

/* What is set must be what is in force then. */
static enum status check_owners(struct acting *a, const struct project *trial, struct error *err)
{
    bool lenient = json_is_true(json_object_get(a->act, "lenient"));
    vec_each (row, &a->rows) {
        const char *name = row->setting.name;
        const struct setting *setting = row->set ? project_find_setting(trial, name) : NULL;
        if (!row->set || (setting && setting->origin == ORIGIN_STORED))
            continue;
        if (!setting)
            return error_set(err, ERR_INVALID, "`%s` is not a setting that can be stored", name);
        if (!lenient || !str_equal(settings_value(trial, name, a->arena), row->setting.value))
            return owned(setting, name, a->arena, err);
        row->set = false;
        row->gone = row->record == NULL;
    }
    return OK;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? str_equal(a, b) : a == b;
}

/* Whether the row, to be set, is stored just so; `now` is what is stored in clear. */
static bool is_unchanged(const struct acting *a, const struct row *row)
{
    if (!row->record || row->record->sealed != row->setting.secret ||
        !same_text(row->record->description, row->description))
        return false;
    const char *value = row->record->value;
    struct error err;
    if (row->record->sealed &&
        seal_open(&a->ring.keys, row->setting.name, value, a->arena, &value, &err) != OK)
        return false;
    return str_equal(value, row->setting.value);
}

static enum status seal_row(
    struct acting *a, const struct row *row, struct setting_record *ret, struct error *err)
{
    *ret = (struct setting_record){.name = row->setting.name,
        .value = row->setting.value,
        .sealed = row->setting.secret,
        .description = row->description};
    if (!row->setting.secret || a->dry_run)
        return OK;
    if (!a->ring.keys.count) {
        enum status status = key_make(&a->ring, err);
        if (status != OK)
            return status;
    }
    ret->value = seal_text(&a->ring.keys, ret->name, slice_of(ret->value), a->arena);
    return OK;
}

static enum status make_records(struct acting *a, struct request *request, struct error *err)
{
    struct setting_record *records = arena_array(a->arena, struct setting_record, a->rows.count);
    size_t count = 0;
    request->settings = records;
    vec_each (row, &a->rows) {
        enum status status = OK;
        if (row->gone && row->record)
            records[count++] = (struct setting_record){.name = row->setting.name};
        else if (row->set && !row->gone && !is_unchanged(a, row))
            status = seal_row(a, row, &records[count++], err);
        if (status != OK)
            return status;
    }
    request->setting_count = count;
    return OK;
}

/* ---- a new key ------------------------------------------------------------------------------- */

static enum status check_rotation(struct acting *a, struct error *err)
{
    bool newest = true;
    size_t sealed = 0;
    vec_each (row, &a->rows) {
        if (row->setting.problem) {
            error_set(
                err, ERR_KEY, "`%s` cannot be opened: %s", row->setting.name, row->setting.problem);
            error_hint(err, "delete it or set it anew before the key is changed");
            return ERR_KEY;
        }
        if (row->setting.secret)
            newest &= seal_is_newest(&a->ring.keys, row->record->value);
        sealed += row->setting.secret;
    }
    if (!sealed)
        return error_set(err, ERR_NOT_FOUND, "nothing that is stored is sealed");
    if (a->ring.own || !newest)
        return OK;
    error_set(err, ERR_CONFLICT, "all secrets are sealed with the first key of %s already",
        a->ring.source);
    error_hint(err,
        "write the new key before the old one in %s, and try again; then take the old "
        "one out",
        a->ring.source);
    return ERR_CONFLICT;
}

static enum status rotate(struct acting *a, struct request *request, struct error *err)
{
    enum status status = check_rotation(a, err);
    if (status == OK && a->ring.own && !a->dry_run)
        status = key_make(&a->ring, err);
    struct setting_record *records = arena_array(a->arena, struct setting_record, a->rows.count);
    size_t count = 0;
    vec_each (row, &a->rows)
        if (status == OK && row->setting.secret)
            status = seal_row(a, row, &records[count++], err);
    request->settings = records;
    request->setting_count = count;
    return status;
}

enum status settings_rotated(const struct project *project, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct key_ring ring;
    enum status status = key_load(project->state, arena, &ring, err);
    return status == OK ? key_drop_old(&ring, err) : status;
}

/* ---- all ------------------------------------------------------------------------------------- */

static void add_stored(struct acting *a)
{
    struct stored_settings open = open_rows(&a->stored, a->project->state, a->arena);
    for (size_t i = 0; i < open.count; i++) {
        struct row row = {.setting = open.at[i],
            .description = a->stored.at[i].description,
            .record = &a->stored.at[i]};
        vec_push(&a->rows, row);
    }
}

static enum status carry_out(
    struct acting *a, struct request *request, struct project **ret, struct error *err)
{
    struct project *trial = NULL;
    bool rotation = json_is_true(json_object_get(a->act, "rotate"));
    enum status status = rotation ? rotate(a, request, err) : take_all(a, err);
    if (status == OK)
        status = try_rows(a, &trial, err);
    if (status == OK && !rotation)
        status = check_owners(a, trial, err);
    if (status == OK && !rotation)
        status = make_records(a, request, err);
    if (status == OK)
        *ret = trial;
    else
        project_free(trial);
    return status;
}

enum status settings_request(const json_t *act, const struct project *project, struct store *reader,
    struct arena *arena, struct request *request, struct project **ret, struct error *err)
{
    struct acting a = {.act = act,
        .project = project,
        .arena = arena,
        .dry_run = json_is_true(json_object_get(act, "dry_run"))};
    enum status status = store_read_settings(reader, arena, &a.stored, err);
    if (status == OK)
        status = key_load(project->state, arena, &a.ring, err);
    if (status == OK) {
        add_stored(&a);
        status = carry_out(&a, request, ret, err);
    }
    vec_done(&a.rows);
    return status;
}
