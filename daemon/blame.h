/*
 * What the scheduler is at work on, in a small file that outlives a crash: <state>/applying,
 * mapped.
 *
 * When a process is found to have ended in the middle of an event, the event and its DAG are
 * suspects.  A second abort on the same pair, without BLAME_HEALTHY_US of life in between, is
 * blamed on the DAG: it is quarantined, so that everything else goes on.
 */
#ifndef DAEMON_BLAME_H
#define DAEMON_BLAME_H

#include "base/clock.h"
#include "scheduler/scheduler.h"

#define BLAME_HEALTHY_US US_PER_MINUTE

struct blame;

/* Opens or makes the file, and takes in what the last process left there.  ERR_IO. */
enum status blame_open(
    const char *state, int64_t now_mono_us, struct blame **ret, struct error *err) MUST_CHECK;
void blame_close(struct blame *blame); /* NULL is fine */
/* For scheduler_options.note. */
struct scheduler_note *blame_note(struct blame *blame);
/* The DAG that is to be quarantined, NULL when none is; valid until the blame is closed. */
const char *blame_dag(const struct blame *blame);
/* The DAG is quarantined, or all is well since long enough: no suspicion any more. */
void blame_clear(struct blame *blame);
void blame_alive(struct blame *blame, int64_t now_mono_us);

#endif
