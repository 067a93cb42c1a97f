/* All that an address can ask for; the routes are in web/route.c. */
#ifndef WEB_PAGES_PAGES_H
#define WEB_PAGES_PAGES_H

#include "web/facts.h"
#include "web/show.h"

/* ---- pages ---- */

enum status page_home(struct page *page, struct http_answer *ret, struct error *err) MUST_CHECK;
enum status page_dag(struct page *page, struct http_answer *ret, struct error *err) MUST_CHECK;
enum status page_run(struct page *page, struct http_answer *ret, struct error *err) MUST_CHECK;
/* A task in a run: its newest try, or the one that is asked for. */
enum status page_task(struct page *page, struct http_answer *ret, struct error *err) MUST_CHECK;
enum status page_queue(struct page *page, struct http_answer *ret, struct error *err) MUST_CHECK;
enum status page_audit(struct page *page, struct http_answer *ret, struct error *err) MUST_CHECK;

/* ---- files ---- */

/* The whole log, or with `?from=N` its bytes from there on, as text. */
enum status file_log(struct page *page, struct http_answer *ret, struct error *err) MUST_CHECK;
enum status file_sql(struct page *page, struct http_answer *ret, struct error *err) MUST_CHECK;
enum status file_asset(struct page *page, struct http_answer *ret, struct error *err) MUST_CHECK;

/* ---- for programs ---- */

enum status api_health(struct page *page, struct http_answer *ret, struct error *err) MUST_CHECK;
/* What the addresses of assets carry, so that a new program is not shown with old ones. */
void assets_version(char ret[17]);
enum status api_events(struct page *page, struct http_answer *ret, struct error *err) MUST_CHECK;

/* ---- predictions ---- */

/* The endpoints with their parameters, limits and counters: all, and one. */
enum status api_endpoints(struct page *page, struct http_answer *ret, struct error *err) MUST_CHECK;
enum status api_endpoint(struct page *page, struct http_answer *ret, struct error *err) MUST_CHECK;
enum status predict_accept(
    struct page *page, size_t size, size_t *ret_body_max, struct error *err) MUST_CHECK;
enum status predict_post(struct page *page, struct http_post *post, struct error *err) MUST_CHECK;

/* ---- models ---- */

/* The models, one of them, and the same for programs. */
enum status models_later(struct page *page, struct http_post *post, struct error *err) MUST_CHECK;
/* What is asked for them; NULL: the project has no registry. */
struct model_queries *model_queries_new(const struct project *project);

/* ---- parts that pages share ---- */

/* Runs as a table; `dag_id` NULL: of several DAGs. */
void show_runs(struct page *page, const struct run_rows *runs, const char *dag_id);
/* A failed run: what failed, why, where, and the command to go on.  A list item. */
enum status show_failed_run(
    struct page *page, const struct run_record *run, struct error *err) MUST_CHECK;
/* Why an attempt failed: message, SQLSTATE, place with the line, command. */
void show_why(struct page *page, const struct run_record *run, const struct task_record *task,
    const struct attempt_record *attempt);
/* Runs under way: how far they are, and what of them runs now. */
enum status show_live_runs(
    struct page *page, const struct run_rows *runs, struct error *err) MUST_CHECK;
/* Files with mistakes, as list items. */
void show_broken_files(struct page *page);
/* Runs across, tasks down. */
enum status show_grid(struct page *page, const struct dag_facts *dag, const struct run_rows *runs,
    struct error *err) MUST_CHECK;

/* The attempt that an address names (values: dag, run, task, number; without a number the last). */
struct attempt_facts {
    struct dag_facts dag;
    struct run_record run;
    struct task_record task;
    struct attempt_rows attempts;         /* all of this task and index, oldest first */
    const struct attempt_record *attempt; /* NULL: none was started */
    bool is_last;
    char *log_path; /* absolute; NULL without an attempt */
};
enum status read_attempt(struct page *page, const struct route_values *values,
    struct attempt_facts *ret, struct error *err) MUST_CHECK;
/* What its statements did; nothing for other tasks. */
void section_statements(
    struct page *page, struct about about, const struct attempt_record *attempt);
/* What its checks came to, and the tables that it touched beside those that its text names. */
void section_data(struct page *page, struct about about, const struct attempt_facts *facts);
/* The rendered text with the failing line marked; nothing for tasks without. */
void section_sql(
    struct page *page, struct about about, const struct attempt_facts *facts, const char *try_link);
/* The last `size_max` bytes of a file, and the offset that they start at. */
enum status read_file_end(struct page *page, const char *path, size_t size_max,
    struct slice *ret_text, uint64_t *ret_offset, struct error *err) MUST_CHECK;
/* A log's lines, each with its kind as its class. */
void show_log_lines(struct strbuf *out, struct slice text);

#endif
