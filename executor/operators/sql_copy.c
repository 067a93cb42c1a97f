/*
 * COPY with a file on our side.
 *
 * FROM STDIN: a chunk is read by a thread, put, and the next one read when it is on its way; so one
 * chunk is in memory, and the server's pace is the file's.  TO STDOUT: rows are gathered, and while
 * a chunk is written nothing more is taken from the server.  What was written is on the disk before
 * COMMIT is sent, as a part (copy_file.h), and takes its file's place behind it.
 */
#include "base/file.h"
#include "executor/limits.h"
#include "executor/operators/sql_attempt.h"

static struct sql_copy *copy_at(const struct sql_attempt *s, size_t statement)
{
    for (size_t i = 0; i < s->copy_count; i++)
        if (s->copies[i].statement == statement)
            return &s->copies[i];
    return NULL;
}

const struct copy_file *sql_copy_file(const struct sql_attempt *s)
{
    const struct sql_copy *copy = copy_at(s, s->at);
    return copy ? copy->file : NULL;
}

/* ---- which file for which statement ---------------------------------------------------------- */

static bool refuse(struct sql_attempt *s, size_t offset, const char *sqlstate, const char *message)
{
    struct attempt_result failure = sql_report_refusal(s, sqlstate, offset, message);
    sql_end(s, &failure);
    return false;
}

static struct slice statement_text(const struct sql_attempt *s, size_t statement)
{
    const struct sql_statement *at = &s->statements.at[statement];
    return slice_make(s->sql->text.p + at->offset, at->size);
}

static size_t files_named(const struct sql_attempt *s, enum sql_copy_way way)
{
    if (s->reader)
        return 0;
    return way == SQL_COPY_FROM ? s->task->copy_from.count : s->task->copy_to.count;
}

/* The file of the statement that is the `n`th of its way. */
static struct copy_file *file_of(struct sql_attempt *s, enum sql_copy_way way, size_t n)
{
    struct arena *arena = s->attempt->arena;
    const struct rendered *field = rendered_find(
        &s->attempt->rendered, arena_printf(arena, "%s[%zu]", sql_copy_ways[way].key, n));
    const char *shown = field ? arena_strndup(arena, field->text.p, field->text.size) : "";
    if (way == SQL_COPY_FROM)
        return copy_file_new(sql_copy_ways[way].key, shown,
            path_join(arena, s->attempt->project->root, shown), NULL);
    const char *path = attempt_written(s->attempt, shown);
    const char *part = copy_part(arena, path, s->attempt->effect.attempt.text);
    return copy_file_new(sql_copy_ways[way].key, shown, path, part);
}

static const char *no_file(struct sql_attempt *s, enum sql_copy_way way)
{
    if (s->reader)
        return arena_printf(s->attempt->arena,
            "%s is for tasks of the kind `sql`: only those have `%s`", sql_copy_ways[way].words,
            sql_copy_ways[way].key);
    size_t named = files_named(s, way);
    return arena_printf(s->attempt->arena,
        named ? "there is no file for this %s: `%s` names only %zu"
              : "there is no file for this %s: name it in `%s`",
        sql_copy_ways[way].words, sql_copy_ways[way].key, named);
}

/* Fills the copies; *ret_found: how many of each way. */
static bool find_copies(struct sql_attempt *s, size_t ret_found[3])
{
    for (size_t i = 0; i < s->statements.count; i++) {
        enum sql_copy_way way = sql_copy_of(statement_text(s, i));
        if (!way)
            continue;
        if (ret_found[way] == files_named(s, way))
            return refuse(s, s->statements.at[i].offset, "42601", no_file(s, way));
        s->copies[s->copy_count++] = (struct sql_copy){way, i, file_of(s, way, ret_found[way]++)};
        s->copies[s->copy_count - 1].file->user = s;
    }
    return true;
}

/* Two statements cannot write one file: the second would take the place of the first. */
static bool check_names(struct sql_attempt *s)
{
    for (size_t i = 0; i < s->copy_count; i++) {
        const struct copy_file *file = s->copies[i].file;
        size_t offset = s->statements.at[s->copies[i].statement].offset;
        if (slice_trim(slice_of(file->shown)).size == 0)
            return refuse(s, offset, "42601",
                arena_printf(s->attempt->arena, "`%s` gives an empty path", file->key));
        for (size_t k = 0; k < i && file->part; k++)
            if (s->copies[k].file->part && str_equal(s->copies[k].file->path, file->path))
                return refuse(s, offset, "42601",
                    arena_printf(s->attempt->arena, "`copy_to` names `%s` twice", file->shown));
    }
    return true;
}

bool sql_copies_prepare(struct sql_attempt *s)
{
    size_t found[3] = {0};
    s->copies = arena_array(s->attempt->arena, struct sql_copy, s->statements.count);
    if (!find_copies(s, found))
        return false;
    for (enum sql_copy_way way = SQL_COPY_FROM; way <= SQL_COPY_TO; way++) {
        size_t named = files_named(s, way);
        if (found[way] < named)
            return refuse(s, 0, "42601",
                arena_printf(s->attempt->arena,
                    "`%s` names %zu file%s, but the text has %zu statement%s %s",
                    sql_copy_ways[way].key, named, named == 1 ? "" : "s", found[way],
                    found[way] == 1 ? "" : "s", sql_copy_ways[way].words));
    }
    return check_names(s);
}

/* ---- before anything is sent ----------------------------------------------------------------- */

static void on_step(struct copy_file *file);

static void check_next(struct sql_attempt *s)
{
    if (s->copies_checked == s->copy_count) {
        sql_act(s);
        return;
    }
    struct copy_file *file = s->copies[s->copies_checked++].file;
    file->done = on_step;
    copy_file_do(attempt_copies(s->attempt), file, COPY_CHECK);
}

bool sql_copies_check(struct sql_attempt *s)
{
    if (s->copy_count)
        check_next(s);
    return s->copy_count > 0;
}

static const char *sqlstate_of(bool missing)
{
    return missing ? "58P01" : "58030";
}

static void checked(struct sql_attempt *s, const struct copy_file *file)
{
    const struct sql_copy *copy = &s->copies[s->copies_checked - 1];
    if (s->attempt->cancelled) {
        struct attempt_result result = sql_cancelled_result(s);
        sql_end(s, &result);
    } else if (file->status) {
        refuse(s, s->statements.at[copy->statement].offset,
            sqlstate_of(file->status == ERR_NOT_FOUND),
            arena_printf(s->attempt->arena, "%s; nothing was sent", file->err.message));
    } else {
        check_next(s);
    }
}

/* ---- under way ------------------------------------------------------------------------------- */

/* Parts that earlier attempts left: our claim is in, so that none of them can commit. */
static void find_old_parts(struct sql_attempt *s, struct copy_file *file)
{
    struct attempt *attempt = s->attempt;
    const char *const *ids;
    size_t count =
        attempt_memo_earlier(attempt->log_file, attempt->effect.number, attempt->arena, &ids);
    const char **old = arena_array(file->arena, const char *, count);
    for (size_t i = 0; i < count; i++)
        old[i] = copy_part(file->arena, file->path, ids[i]);
    file->old = old;
    file->old_count = count;
}

static void step(struct sql_attempt *s, enum copy_step what)
{
    copy_file_do(attempt_copies(s->attempt), s->copy->file, what);
}

bool sql_copy_begin(void *user, bool in)
{
    struct sql_attempt *s = user;
    struct sql_copy *copy = s->step == SQL_STEP_STATEMENT ? copy_at(s, s->at) : NULL;
    if (!copy || (copy->way == SQL_COPY_FROM) != in || s->attempt->cancelled || s->cancelling)
        return false;
    s->copy = copy;
    s->copy_ended = false;
    if (!in) {
        find_old_parts(s, copy->file);
        session_copy_hold(s->session);
    }
    step(s, COPY_OPEN);
    return true;
}

void sql_copy_ready(void *user)
{
    struct sql_attempt *s = user;
    if (s->copy)
        step(s, COPY_TRANSFER);
}

void sql_copy_data(void *user, const char *data, size_t size)
{
    struct sql_attempt *s = user;
    if (!s->copy)
        return;
    struct copy_file *file = s->copy->file;
    if (data)
        copy_file_add(file, data, size);
    else
        s->copy_ended = true;
    if (data && file->size < COPY_CHUNK)
        return;
    session_copy_hold(s->session);
    step(s, file->size ? COPY_TRANSFER : COPY_CLOSE);
}

void sql_copy_stop(struct sql_attempt *s, const char *why)
{
    const struct sql_copy *copy = take(s->copy);
    if (!copy)
        return;
    if (copy->way == SQL_COPY_FROM)
        session_copy_end(s->session, why);
    else
        session_copy_go_on(s->session); /* what still comes is dropped */
}

static void step_failed(struct sql_attempt *s, const struct copy_file *file)
{
    bool rest = file->part && !s->copy_ended;
    s->copy_failed = arena_strdup(s->attempt->arena, file->err.message);
    s->copy_missing = file->status == ERR_NOT_FOUND;
    sql_copy_stop(s, "its file cannot be read");
    if (rest)
        sql_cancel_statement(s);
}

static void have_read(struct sql_attempt *s, const struct copy_file *file)
{
    if (file->step == COPY_OPEN) {
        step(s, COPY_TRANSFER);
    } else if (file->size) {
        session_copy_put(s->session, file->buffer, file->size);
    } else {
        s->copy = NULL;
        session_copy_end(s->session, NULL);
    }
}

static void have_written(struct sql_attempt *s, const struct copy_file *file)
{
    if (s->copy_ended && file->step == COPY_TRANSFER) {
        step(s, COPY_CLOSE);
        return;
    }
    if (file->step == COPY_CLOSE)
        s->copy = NULL;
    session_copy_go_on(s->session);
}

static void on_step(struct copy_file *file)
{
    struct sql_attempt *s = file->user;
    if (file->step == COPY_CHECK)
        checked(s, file);
    else if (!s->copy || s->copy->file != file)
        return; /* it was called off */
    else if (file->status)
        step_failed(s, file);
    else
        (file->part ? have_written : have_read)(s, file);
}

/* ---- the end --------------------------------------------------------------------------------- */

bool sql_copy_is_done(const struct copy_file *file)
{
    return file->step == (file->part ? COPY_CLOSE : COPY_TRANSFER) && !file->busy &&
           !file->status && !file->size;
}

static bool is_written(const struct sql_copy *copy)
{
    return copy->file->part && sql_copy_is_done(copy->file);
}

static struct copy_places own_places(const struct sql_attempt *s)
{
    struct copy_place *at = arena_array(s->attempt->arena, struct copy_place, s->copy_count);
    struct copy_places places = {at, 0};
    for (size_t i = 0; i < s->copy_count; i++) {
        const struct copy_file *file = s->copies[i].file;
        if (is_written(&s->copies[i]))
            at[places.count++] =
                (struct copy_place){file->path, file->part, file->bytes, file->inode};
    }
    return places;
}

void sql_copies_json(const struct sql_attempt *s, struct json_writer *w)
{
    struct copy_places places = own_places(s);
    copy_places_json(&places, w);
}

struct place_job {
    struct offload_job job;
    struct arena *arena;
    struct sql_attempt *owner; /* NULL: nobody cares any more */
    struct copy_places places;
    struct attempt_result result; /* what the attempt ends with when they are in place */
    enum status status;
    struct error err;
};

static void on_place(struct offload_job *base)
{
    struct place_job *job = CONTAINER_OF(base, struct place_job, job);
    job->status = copy_places_put(&job->places, &job->err);
}

static void on_place_discard(struct offload_job *base)
{
    struct place_job *job = CONTAINER_OF(base, struct place_job, job);
    arena_free(job->arena);
}

static void finish_unplaced(struct sql_attempt *s, const char *why)
{
    const char *message = arena_printf(s->attempt->arena,
        "%s; put it there by hand and `dag mark` the task a success, or clear it", why);
    attempt_say(s->attempt, LOG_KIND_ERROR, "%s", message);
    attempt_finish(s->attempt, &(struct attempt_result){.outcome = OUTCOME_PARTLY,
                                   .error_class = CLASS_OTHER,
                                   .exit_code = -1,
                                   .message = message});
}

static void on_placed(struct offload_job *base)
{
    struct place_job *job = CONTAINER_OF(base, struct place_job, job);
    struct sql_attempt *s = job->owner;
    if (s) {
        s->placing = NULL;
        for (size_t i = 0; i < job->places.count && job->status == OK; i++)
            attempt_say(s->attempt, LOG_KIND_INFO, "`%s` is in its place, %lld bytes",
                job->places.at[i].path, (long long)job->places.at[i].bytes);
        if (job->status)
            finish_unplaced(s, job->err.message);
        else
            attempt_finish(s->attempt, &job->result);
    }
    on_place_discard(base);
}

static void start_placing(
    struct sql_attempt *s, const struct copy_places *places, const struct attempt_result *result)
{
    struct arena *arena = arena_new();
    struct place_job *job = arena_new_of(arena, struct place_job);
    struct copy_place *at = arena_memdup(arena, places->at, places->count * sizeof(*places->at));
    for (size_t i = 0; i < places->count; i++) {
        at[i].path = arena_strdup(arena, at[i].path);
        at[i].part = arena_strdup(arena, at[i].part);
    }
    job->job =
        (struct offload_job){.work = on_place, .done = on_placed, .discard = on_place_discard};
    job->arena = arena;
    job->owner = s;
    job->places = (struct copy_places){at, places->count};
    job->result = *result;
    s->placing = job;
    offload_run(attempt_copies(s->attempt), &job->job);
}

/* It may have committed: what was written stays where it is, for whoever finds that out. */
static void keep_parts(struct sql_attempt *s)
{
    for (size_t i = 0; i < s->copy_count; i++)
        if (is_written(&s->copies[i]))
            attempt_say(s->attempt, LOG_KIND_INFO, "what was written for `%s` is in `%s`",
                s->copies[i].file->shown, s->copies[i].file->part);
}

static void drop_parts(struct sql_attempt *s)
{
    for (size_t i = 0; i < s->copy_count; i++)
        copy_file_drop(take(s->copies[i].file));
    s->copy_count = 0;
}

bool sql_copies_end(struct sql_attempt *s, const struct attempt_result *result)
{
    struct copy_places places = {0};
    if (result->outcome == OUTCOME_SUCCESS) {
        places = own_places(s);
        /* Of an attempt before, the ledger knows them. */
        if (!places.count && (result->committed_before || s->attempt->recovering))
            places = copy_places_read(result->detail, s->attempt->arena);
    } else if (result->outcome == OUTCOME_LOST || result->outcome == OUTCOME_PARTLY ||
               result->may_commit) {
        keep_parts(s);
    } else {
        drop_parts(s);
    }
    if (places.count)
        start_placing(s, &places, result);
    return places.count > 0;
}

void sql_copies_force(struct sql_attempt *s)
{
    s->placing->owner = NULL;
    s->placing = NULL;
    finish_unplaced(s, "committed, but what was written may not have taken its file's place");
}

void sql_copies_release(struct sql_attempt *s)
{
    if (s->placing)
        s->placing->owner = NULL;
    s->placing = NULL;
    for (size_t i = 0; i < s->copy_count; i++)
        copy_file_free(take(s->copies[i].file));
    s->copy_count = 0;
}
