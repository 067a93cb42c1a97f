/* Pieces that pages are made of: states, times, durations, addresses, commands. */
#ifndef WEB_SHOW_H
#define WEB_SHOW_H

#include "scheduler/plan.h"
#include "web/page.h"

/* ---- addresses (in the arena, ready for html_attr) ------------------------------------------- */

char *link_dag(struct page *page, const char *dag_id);
/* By logical date in the DAG's zone. */
char *link_run(struct page *page, const char *dag_id, const struct zone *zone, int64_t logical_us);
char *link_task(struct page *page, const char *run_link, const char *task_id, int32_t map_index);
char *link_try(struct page *page, const char *task_link, int32_t number);

/* A run's word: "2007-04-12", with a time when it is not midnight; what `dag` commands and
   addresses take.  Reads back as the same instant. */
char *run_word(struct arena *arena, const struct zone *zone, int64_t logical_us);
/* The same for reading only: "2026-11-20 12:27:55". */
char *run_label(struct arena *arena, const struct zone *zone, int64_t logical_us);

/* ---- states ---------------------------------------------------------------------------------- */

/* "✓" and the like, by the state's name; every state has one. */
const char *state_glyph(const char *state);
/* Glyph and word. */
void show_state(struct page *page, const char *state);
/* The glyph alone, as a link: for grids and strips.  `title` says the rest. */
void show_cell(struct page *page, const char *state, const char *address, const char *title,
    const char *more_class);

/* ---- times ----------------------------------------------------------------------------------- */

enum show_time {
    SHOW_PLAIN,
    SHOW_ZONE,     /* the zone's name behind it */
    SHOW_PRECISE,  /* with milliseconds */
    SHOW_RELATIVE, /* "3m ago" */
};
/* `<time>` in the zone, with UTC and "3 h ago" as its title; "–" for TIME_NONE. */
void show_time(struct page *page, const struct zone *zone, int64_t us, enum show_time how);
/* "3 h ago", "in 4m 10s". */
char *relative_text(struct arena *arena, int64_t us, int64_t now_us);
/* "3m 12s" from start to end; goes on until now without an end; "–" without a start. */
void show_took(struct page *page, int64_t started_us, int64_t ended_us);
char *took_text(struct arena *arena, int64_t us);

/* ---- texts ----------------------------------------------------------------------------------- */

/* A command line to copy and, before it, what it is for; words that need it are quoted for a shell.
   The list ends with NULL. */
void show_act(struct page *page, const char *label, const char *const *words);
/* The first line of why a state was entered: its own text, or what its code means. */
const char *reason_line(struct arena *arena, const char *text, enum reason reason);
/* At most `size_max` bytes of a text, with "…" when there was more.  NULL stays NULL. */
const char *cut_text(struct arena *arena, const char *text, size_t size_max);
/* A message of several lines; excerpts keep their form. */
void show_message(struct page *page, const char *text);
/* "file:line", with the line's text when the message does not show it. */
void show_place(struct page *page, const char *place, const char *message);
/* A row of a list of facts: heading and text. */
void show_fact(struct page *page, const char *heading, const char *text);
/* When something should have ended, and whether it had; nothing without a deadline. */
void show_deadline(
    struct page *page, const struct zone *zone, int64_t deadline_us, int64_t missed_us);
void fact_begin(struct page *page, const char *heading);
void fact_end(struct page *page);
/* What stands where there is nothing yet. */
void show_empty(struct page *page, const char *text);

#endif
