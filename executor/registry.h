/*
 * The registry of models on a target database: `models` of dag.yaml, docs/models.md.
 *
 * Trainings write it, in SQL (templates/macros/models.sql).  Here it is read, and a version is put
 * in or out of service by hand.  Several versions of a model may be in service: the newest of a
 * date before what is scored scores it, so that an old day that is run again gives its old answer.
 *
 * Texts of queries are made here for whoever asks: the status page on the loop (serving.h), a
 * command through the functions below that block.
 */
#ifndef EXECUTOR_REGISTRY_H
#define EXECUTOR_REGISTRY_H

#include "base/error.h"
#include "base/json.h"
#include "definition/model/model.h"
#include "executor/target/connect.h"

struct model_version {
    const char *name, *version, *mdate, *kind, *place;
    const char *features, *dag_id, *run_id, *reason, *decided_by; /* NULL: not recorded */
    const json_t *metrics;                                        /* an object */
    int64_t rows_train, rows_test;                                /* -1 = not recorded */
    int64_t decided_us, trained_us;                               /* TIME_NONE = not recorded */
    bool in_service;                                              /* entered service */
    bool current;              /* the newest that did: it scores what is new */
    const char *until;         /* in service and not current: the mdate of the next one */
    int64_t versions;          /* of the model, where all models were asked for */
    int64_t scored;            /* rows it scored; -1 = not told */
    const char *scored_newest; /* the newest date of these; NULL: not told */
};
/* By name, newest first. */
struct model_versions {
    struct model_version *at;
    size_t count;
};

/* ---- queries --------------------------------------------------------------------------------- */

/* The newest versions of every model, MODEL_NEWEST_MAX of each at most, and the one that is in
   service. */
char *registry_models_sql(const struct registry *registry, struct arena *arena);
/* `name` and `version` are SQL: a literal, or `$1` and `$2`.  At most so many, the newest. */
char *registry_versions_sql(
    const struct registry *registry, const char *name, int most, struct arena *arena);
char *registry_evaluation_sql(
    const struct registry *registry, const char *name, const char *version, struct arena *arena);

/* Takes the rows of these queries, which stay the caller's and must outlive *ret. */
void registry_read_versions(const json_t *rows, struct arena *arena, struct model_versions *ret);
/* Adds to the versions what they scored: rows of `models.scored`.  It stays -1 for models of which
   there is no row. */
void registry_read_scored(const json_t *rows, struct model_versions *versions);
/* The version, or the newest of the model without one.  ERR_NOT_FOUND with the nearest name. */
enum status registry_find(const struct model_versions *versions, const char *name,
    const char *version, const struct model_version **ret, struct error *err) MUST_CHECK;

/* ERR_NOT_FOUND unless the project has a registry, ERR_CONNECT unless its connection is there. */
enum status registry_connection(
    const struct project *project, const struct connection **ret, struct error *err) MUST_CHECK;
/* What became of a query of the registry: of a table that is not there, that it is to be made. */
enum status registry_explain(const struct registry *registry, struct error *err);

/* One version as members of the JSON object that is open. */
void registry_describe(const struct model_version *version, struct json_writer *w);

/* ---- blocking -------------------------------------------------------------------------------- */

struct registry_session {
    const struct registry *registry;
    struct connected connected;
    struct arena *arena; /* what is read lives here, and in `rows` */
    json_t *rows;
};
enum status registry_open(const struct project *project, struct arena *arena,
    struct registry_session *ret, struct error *err) MUST_CHECK;
void registry_close(struct registry_session *session);

/* Runs one query; its rows live as long as the session. */
enum status registry_rows(struct registry_session *session, const char *sql, const json_t **ret,
    struct error *err) MUST_CHECK;
/* The versions of a model, or the newest of all (`name` NULL); and the one that is asked for
   (`version` may be NULL), as registry_find gives it. */
enum status registry_load(struct registry_session *session, const char *name, const char *version,
    struct model_versions *ret, const struct model_version **ret_version,
    struct error *err) MUST_CHECK;

/* The points of a version's curves, and the cells of its confusion matrix. */
enum status registry_evaluation(struct registry_session *session,
    const struct model_version *version, const json_t **ret, struct error *err) MUST_CHECK;

struct registry_change {
    const char *name, *version;
    const char *by, *note; /* `note` may be NULL */
    bool promote;          /* else retire */
    bool dry_run;          /* look what it would do */
};
/* What a change does; texts in the session's arena. */
struct registry_changed {
    const char **retired; /* versions that are out of service now */
    size_t retired_count;
    const char *current; /* the newest in service now; NULL: none */
};
/*
 * Puts a version in service and every newer one out, or puts it out, in one transaction.
 * ERR_NOT_FOUND; ERR_CONFLICT for a version that is so already, or that was never trained.
 */
enum status registry_change(struct registry_session *session, const struct registry_change *change,
    struct registry_changed *ret, struct error *err) MUST_CHECK;

#endif
