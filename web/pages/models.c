/* Models: asks the registry's database on the loop, and answers when it has. */
#include "web/pages/models.h"

#include "base/json.h"
#include "base/log.h"
#include "executor/limits.h"
#include "executor/serving/serving.h"
#include "web/http_post.h"
#include "web/limits.h"
#include "web/pages/pages.h"

/* ---- what is asked --------------------------------------------------------------------------- */

enum part { PART_VERSIONS, PART_SCORED, PART_EVALUATION, PARTS };

struct model_queries {
    struct endpoint all, of_model, evaluation, scored;
};

static struct endpoint query(const char *name, const char *sql, size_t params, int max_rows)
{
    return (struct endpoint){.name = name,
        .sql = sql,
        .param_count = params,
        .timeout_us = MODELS_TIMEOUT_MS * US_PER_MS,
        .cache_us = MODELS_KEPT_MS * US_PER_MS,
        .max_concurrent = 1, /* a database that is silent holds few of the threads that connect */
        .max_waiting = MODELS_WAITING_MAX,
        .max_rows = max_rows};
}

struct model_queries *model_queries_new(const struct project *project)
{
    const struct registry *registry = project->registry;
    struct arena *arena = project->arena;
    if (!registry || !registry->table || !registry->evaluation)
        return NULL;
    struct model_queries *q = mem_alloc_zero(1, sizeof(*q));
    q->all = query("models", registry_models_sql(registry, arena), 0, MODEL_VERSIONS_MAX);
    q->of_model = query("models of a name",
        registry_versions_sql(registry, "$1", MODEL_VERSIONS_MAX, arena), 1, MODEL_VERSIONS_MAX);
    q->evaluation = query("models.evaluation", registry_evaluation_sql(registry, "$1", "$2", arena),
        2, MODEL_POINTS_MAX);
    if (registry->scored)
        q->scored = query("models.scored", registry->scored->sql, 0, MODEL_VERSIONS_MAX);
    return q;
}

/* One query of a page. */
struct part_asked {
    struct gathering *gathering;
    struct ask *ask; /* NULL: it is not under way */
    json_t *rows;
    bool failed;
    struct error error;
};

/* A page that waits for its rows. */
struct gathering {
    struct web *web;
    struct http_post *post;
    struct arena *arena;
    struct http_request request;
    const char *fragments, *name, *version; /* NULL: not asked for */
    bool for_programs;
    struct part_asked parts[PARTS];
    size_t under_way;
    struct model_facts facts;
};

static void go_on(struct gathering *g, enum part part);

static void gathering_free(struct gathering *g)
{
    for (int i = 0; i < PARTS; i++)
        json_decref(g->parts[i].rows);
    arena_free(g->arena);
    mem_free(g);
}

/* ---- answering ------------------------------------------------------------------------------- */

static void write_facts(const struct gathering *g, struct strbuf *out)
{
    const struct model_facts *facts = &g->facts;
    struct json_writer w = json_begin(out);
    json_object_begin(&w);
    if (g->name)
        json_kv_str(&w, "name", g->name);
    json_key(&w, g->name ? "versions" : "models");
    json_array_begin(&w);
    for (size_t i = 0; i < facts->versions.count; i++) {
        json_object_begin(&w);
        registry_describe(&facts->versions.at[i], &w);
        json_object_end(&w);
    }
    json_array_end(&w);
    if (facts->chosen) {
        json_kv_str(&w, "version", facts->chosen->version);
        json_key(&w, "evaluation");
        json_tree(&w, facts->evaluation);
    }
    json_kv_int(&w, "total_entries", (int64_t)facts->versions.count);
    json_object_end(&w);
}

static void answer_with(
    struct gathering *g, struct page *page, struct http_answer *answer, const struct error *why)
{
    if (why) {
        page_error(page, g->request.path, why, answer);
    } else if (g->for_programs) {
        answer->type = "application/json";
        write_facts(g, page->out);
    } else if (g->name) {
        show_model(page, &g->facts);
    } else {
        show_models(page, &g->facts);
    }
}

/* `why` NULL: with what was gathered. */
static void finish(struct gathering *g, const struct error *why)
{
    struct http_answer answer = {0};
    struct route_values values = {.name = g->name};
    struct page page = {.web = g->web,
        .request = &g->request,
        .values = &values,
        .arena = g->arena,
        .out = &answer.body,
        .now = clock_now(),
        .zone = zone_utc(),
        .fragments = g->fragments};
    for (int i = 0; i < PARTS; i++)
        if (g->parts[i].ask)
            serving_ask_cancel(g->parts[i].ask);
    answer_with(g, &page, &answer, why);
    http_post_answer(g->post, &answer);
    gathering_free(g);
}

/* ---- gathering ------------------------------------------------------------------------------- */

static void fail_part(struct part_asked *part, const struct error *err)
{
    part->failed = true;
    part->error = *err;
    registry_explain(part->gathering->facts.registry, &part->error);
}

static void take_rows(struct part_asked *part, const struct served_rows *rows)
{
    struct error err;
    if (json_parse(rows->json.p, rows->json.size, NULL, &part->rows, &err) != OK)
        fail_part(part, &err);
}

static void on_rows(void *user, const struct served_rows *rows, const struct error *err)
{
    struct part_asked *part = user;
    struct gathering *g = part->gathering;
    part->ask = NULL;
    g->under_way--;
    if (err)
        fail_part(part, err);
    else
        take_rows(part, rows);
    go_on(g, (enum part)(part - g->parts));
}

static void on_gone(void *user)
{
    struct gathering *g = user;
    for (int i = 0; i < PARTS; i++)
        if (g->parts[i].ask)
            serving_ask_cancel(g->parts[i].ask);
    gathering_free(g);
}

/* The connection as it is stored or declared now; NULL while the state is loaded again: it stays
   what it was. */
static enum status find_connection(
    struct web *web, const struct connection **ret, struct error *err)
{
    const struct engine *engine = daemon_engine(web->daemon);
    *ret = NULL;
    return engine ? registry_connection(engine_project(engine), ret, err) : OK;
}

/* Asks for a part, unless its answer is kept: then it is there at once. */
static void ask(struct gathering *g, enum part number, const struct endpoint *endpoint,
    const char *const *values)
{
    struct part_asked *part = &g->parts[number];
    struct ask_options options = {
        .endpoint = endpoint, .values = values, .user = part, .done = on_rows};
    struct served_rows rows;
    struct error err;
    part->gathering = g;
    if (serving_cached(g->web->serving, endpoint, values, &rows)) {
        take_rows(part, &rows);
        return;
    }
    enum status status = find_connection(g->web, &options.connection, &err);
    if (status == OK)
        status = serving_ask(g->web->serving, &options, &part->ask, &err);
    if (status == OK)
        g->under_way++;
    else
        fail_part(part, &err);
}

/* The version asked for, else the one that scores what is new, else the newest. */
static enum status choose(struct gathering *g, struct error *err)
{
    struct model_facts *facts = &g->facts;
    enum status status = registry_find(&facts->versions, g->name, g->version, &facts->chosen, err);
    for (size_t i = 0; status == OK && !g->version && i < facts->versions.count; i++)
        if (facts->versions.at[i].current)
            facts->chosen = &facts->versions.at[i];
    return status;
}

static bool take_versions(struct gathering *g, struct error *err)
{
    const struct part_asked *part = &g->parts[PART_VERSIONS];
    if (part->failed) {
        *err = part->error;
        return false;
    }
    registry_read_versions(part->rows, g->arena, &g->facts.versions);
    if (!g->name)
        return true;
    if (choose(g, err) != OK)
        return false;
    const char *const values[] = {g->name, g->facts.chosen->version};
    ask(g, PART_EVALUATION, &g->web->models->evaluation, values);
    return true;
}

static const char *trouble_of(const struct part_asked *part)
{
    return part->failed ? part->error.message : NULL;
}

/* A part has come; when it was the last one the page is there. */
static void go_on(struct gathering *g, enum part part)
{
    struct error err;
    if (part == PART_VERSIONS && !take_versions(g, &err)) {
        finish(g, &err);
        return;
    }
    if (g->under_way)
        return;
    g->facts.evaluation = g->parts[PART_EVALUATION].rows;
    g->facts.evaluation_trouble = trouble_of(&g->parts[PART_EVALUATION]);
    g->facts.scored_trouble = trouble_of(&g->parts[PART_SCORED]);
    registry_read_scored(g->parts[PART_SCORED].rows, &g->facts.versions);
    finish(g, NULL);
}

static enum status gather(struct page *page, struct http_post *post, const char *name)
{
    struct arena *arena = arena_new();
    struct gathering *g = mem_alloc_zero(1, sizeof(*g));
    const struct model_queries *queries = page->web->models;
    *g = (struct gathering){.web = page->web,
        .post = post,
        .arena = arena,
        .request = *page->request,
        .fragments = arena_strdup(arena, page->fragments),
        .name = arena_strdup(arena, name),
        .version = arena_strdup(arena, http_query(page->request, "version", page->arena)),
        .for_programs = str_starts(page->request->path, "/api/"),
        .facts = {.registry = daemon_project(page->web->daemon)->registry, .name = name}};
    g->request.path = arena_strdup(arena, page->request->path);
    g->facts.name = g->name;
    http_post_on_gone(post, on_gone, g);
    if (queries->scored.sql)
        ask(g, PART_SCORED, &queries->scored, NULL);
    ask(g, PART_VERSIONS, name ? &queries->of_model : &queries->all, &g->name);
    if (!g->parts[PART_VERSIONS].ask)
        go_on(g, PART_VERSIONS);
    return OK;
}

/* ---- addresses ------------------------------------------------------------------------------- */

enum status models_later(struct page *page, struct http_post *post, struct error *err)
{
    const struct connection *connection;
    if (page->web->models)
        return gather(page, post, page->values->name);
    return registry_connection(daemon_project(page->web->daemon), &connection, err);
}
