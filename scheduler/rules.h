/*
 * Trigger rules, as Airflow 3's TriggerRuleDep, made independent of the order in which upstreams
 * finish: a verdict other than "wait" depends only on the set of end states, and one that further
 * upstreams could overturn is not given yet.  The one rule of Airflow's that depends on order is
 * all_success (a skip seen before a failure): here the skip waits for the remaining upstreams, and
 * a failure wins.
 */
#ifndef SCHEDULER_RULES_H
#define SCHEDULER_RULES_H

#include <stdint.h>
#include "definition/model/state.h"

/* The end states of a task's direct upstreams.  Those in state removed are left out of `total`. */
struct upstream_counts {
    uint32_t total;
    uint32_t success, failed, upstream_failed, skipped;
    uint32_t setups, setup_success, setup_skipped; /* of them, the setups: for teardowns */
};

enum verdict { VERDICT_WAIT, VERDICT_RUN, VERDICT_SKIP, VERDICT_UPSTREAM_FAILED };

enum verdict rule_verdict(enum trigger_rule rule, const struct upstream_counts *up);

/* What the setups say in whose scope (between setup and teardown) a task is, direct upstream or
   not: all must have succeeded, whatever the task's rule.  Airflow's `_evaluate_setup_constraint`.
 */
enum verdict scope_verdict(const struct upstream_counts *setups);

#endif
