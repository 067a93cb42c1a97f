/*
 * What must hold, as a list: invariants.c has the table.  Each is checked whenever what it is about
 * happens (its moment), against the models' own rows and never against the scheduler's memory,
 * unless its sentence is about that memory.
 *
 * How to add one: a row in INVARIANTS, its check in invariants.c or invariants_kinds.c; when a
 * planted bug is to be found by it, that bug's row in planted.c.
 */
#ifndef TESTS_SIMULATION_INVARIANTS_H
#define TESTS_SIMULATION_INVARIANTS_H

#include "tests/simulation/sim.h"

enum when {
    WHEN_TASK_DECIDED,    /* change, task */
    WHEN_RUN_DECIDED,     /* change, run */
    WHEN_DAG_DECIDED,     /* change */
    WHEN_ASSET_DECIDED,   /* change: an event (task), or what a run consumes (dag) */
    WHEN_PLANNED,         /* plan from `changes` and `effects` on: before it is in the live view */
    WHEN_STARTS,          /* effect, attempt, task: a start was decided */
    WHEN_DECIDED,         /* event: all that it led to is in the live view */
    WHEN_BATCH_COMMITTED, /* batch: just before its changes are in the store */
    WHEN_TASK_COMMITTED,  /* change, task: just before it is in the store */
    WHEN_ACTED,           /* effect (start: attempt): it is carried out */
    WHEN_TARGET_COMMITS,  /* task, row */
    WHEN_STUCK,           /* faults are over, and nothing more will happen */
    WHEN_OVER,            /* everything has ended */
    WHEN_COMPARED,        /* states, other_states: of an undisturbed and a disturbed play */
};

struct moment {
    const struct change *change;
    const struct effect *effect;
    const struct event *event;
    const struct batch *batch;
    const struct plan *plan;
    size_t changes, effects;
    struct attempt *attempt;
    struct row_task *task;
    struct row_run *run;
    struct sim_dag *dag;
    struct ledger_row *row;
    const char *states, *other_states;
};

/* ROW(name, moment, sentence, check) */
#define INVARIANTS(ROW)                                                                            \
    ROW("state_table", WHEN_TASK_DECIDED, "a task's state moves only along the table",             \
        check_state_table)                                                                         \
    ROW("run_states", WHEN_RUN_DECIDED,                                                            \
        "a run goes from queued to running to an end, and back "                                   \
        "only from an end",                                                                        \
        check_run_states)                                                                          \
    ROW("one_run_a_date", WHEN_RUN_DECIDED, "no logical date of a DAG has two runs",               \
        check_one_run_a_date)                                                                      \
    ROW("dates_as_scheduled", WHEN_RUN_DECIDED,                                                    \
        "a daily schedule's runs are at its time of the "                                          \
        "zone's clock (the later one of two, a skipped one moved), and their intervals are one "   \
        "local day",                                                                               \
        check_dates_as_scheduled)                                                                  \
    ROW("schedule_goes_on", WHEN_DAG_DECIDED, "what a schedule has covered is never taken back",   \
        check_schedule_goes_on)                                                                    \
    ROW("backfill_turns", WHEN_RUN_DECIDED,                                                        \
        "while a backfill waits for a place, at most eight "                                       \
        "other runs of its DAG start",                                                             \
        check_backfill_turns)                                                                      \
    ROW("run_cap", WHEN_DECIDED, "no run starts above max_active_runs of its DAG or backfill",     \
        check_run_cap)                                                                             \
    ROW("conditions", WHEN_STARTS,                                                                 \
        "no task starts before its run runs, its trigger rule is met, "                            \
        "its setups have succeeded and its DAG may start tasks",                                   \
        check_conditions)                                                                          \
    ROW("past", WHEN_STARTS,                                                                       \
        "a task that depends on the past starts after its success, or skip, "                      \
        "in the run before",                                                                       \
        check_past)                                                                                \
    ROW("slots", WHEN_STARTS,                                                                      \
        "pools, connections and processes are never given more slots than "                        \
        "they have",                                                                               \
        check_slots)                                                                               \
    ROW("task_caps", WHEN_STARTS,                                                                  \
        "max_active_tasks and max_active_tis_per_dag are never "                                   \
        "exceeded",                                                                                \
        check_task_caps)                                                                           \
    ROW("one_attempt", WHEN_STARTS, "a task has one attempt at a time", check_one_attempt)         \
    ROW("void_first", WHEN_STARTS,                                                                 \
        "a generation starts with a void of an older one that may "                                \
        "still commit",                                                                            \
        check_void_first)                                                                          \
    ROW("newest_version", WHEN_STARTS,                                                             \
        "an attempt runs the newest version unless the graph has "                                 \
        "changed or its run keeps its own",                                                        \
        check_newest_version)                                                                      \
    ROW("values", WHEN_STARTS,                                                                     \
        "an index of a mapped task starts with the value that the expansion "                      \
        "under which it stands has for it",                                                        \
        check_values)                                                                              \
    ROW("event_per_success", WHEN_DECIDED,                                                         \
        "each success of a task (marks by hand apart) comes "                                      \
        "with one event for its outlet",                                                           \
        check_event_per_success)                                                                   \
    ROW("success_per_event", WHEN_ASSET_DECIDED,                                                   \
        "an event of a task comes with its success, and one with each", check_success_per_event)   \
    ROW("event_ids", WHEN_ASSET_DECIDED, "events of assets have ascending ids, used once",         \
        check_event_ids)                                                                           \
    ROW("events_consumed", WHEN_ASSET_DECIDED,                                                     \
        "what a run consumes of an asset begins where the "                                        \
        "run before it ended: no event twice, none left out",                                      \
        check_events_consumed)                                                                     \
    ROW("no_event_lost", WHEN_OVER,                                                                \
        "each event was consumed by, or is queued for, every DAG that "                            \
        "waited for it, and what is queued does not make a run yet",                               \
        check_no_event_lost)                                                                       \
    ROW("deadline_once", WHEN_PLANNED,                                                             \
        "a missed deadline of a run or task is noted after its time, once, "                       \
        "and told when it is noted",                                                               \
        check_deadline_once)                                                                       \
    ROW("deadline_kept", WHEN_DECIDED,                                                             \
        "nothing unfinished is over its deadline without a note of it "                            \
        "(seconds after a restart apart), whatever was set to the clock",                          \
        check_deadline_kept)                                                                       \
    ROW("sensor_time", WHEN_TASK_DECIDED,                                                          \
        "a sensor waits no longer than its timeout since its first look, "                         \
        "not even over crashes, and does not give up before",                                      \
        check_sensor_time)                                                                         \
    ROW("trigger_of_run", WHEN_PLANNED,                                                            \
        "a run that a task makes, or clears, is in the plan of the task's success, "               \
        "or of its waiting, and it is the task's only one",                                        \
        check_trigger_of_run)                                                                      \
    ROW("run_of_trigger", WHEN_TASK_DECIDED,                                                       \
        "what a task has triggered is a run of its own, and a task that waited "                   \
        "ended as its run did",                                                                    \
        check_run_of_trigger)                                                                      \
    ROW("waits_for_live_run", WHEN_DECIDED, "a deferred task waits for a run that has not ended",  \
        check_waits_for_live_run)                                                                  \
    ROW("slots_as_counted", WHEN_DECIDED,                                                          \
        "slots are held by attempts under way and by nothing else: "                               \
        "not by a sensor between two looks",                                                       \
        check_slots_as_counted)                                                                    \
    ROW("indexes", WHEN_OVER,                                                                      \
        "of an expanded task there are exactly the indexes that its expansion "                    \
        "gave, each with its value",                                                               \
        check_indexes)                                                                             \
    ROW("version_named", WHEN_STARTS,                                                              \
        "a run's row names the version that its attempts start with", check_version_named)         \
    ROW("wait_bound", WHEN_STARTS,                                                                 \
        "with the offered load below capacity no ready task waits "                                \
        "longer than the bound, whatever its class or DAG",                                        \
        check_wait_bound)                                                                          \
    ROW("no_idle_slot", WHEN_DECIDED, "no ready task waits while all that it needs is free",       \
        check_no_idle_slot)                                                                        \
    ROW("one_leader", WHEN_BATCH_COMMITTED, "batches are committed in order, by the leader only",  \
        check_one_leader)                                                                          \
    ROW("compare_and_set", WHEN_TASK_COMMITTED,                                                    \
        "a change of a task comes from the state that "                                            \
        "the store holds",                                                                         \
        check_compare_and_set)                                                                     \
    ROW("commit_before_act", WHEN_ACTED, "effects follow the commit of what they act on",          \
        check_commit_before_act)                                                                   \
    ROW("exactly_once", WHEN_TARGET_COMMITS,                                                       \
        "a (dag, date, task, map index, generation) commits "                                      \
        "in its target at most once",                                                              \
        check_exactly_once)                                                                        \
    ROW("newest_generation", WHEN_TARGET_COMMITS,                                                  \
        "no generation commits once a newer one has "                                              \
        "begun",                                                                                   \
        check_newest_generation)                                                                   \
    ROW("removed_for_good", WHEN_TARGET_COMMITS, "an index commits nothing once it was removed",   \
        check_removed_for_good)                                                                    \
    ROW("all_ends", WHEN_STUCK, "when faults stop, everything ends", check_all_ends)               \
    ROW("nothing_left", WHEN_OVER,                                                                 \
        "when everything has ended, no slot is held and nothing is "                               \
        "live",                                                                                    \
        check_nothing_left)                                                                        \
    ROW("truth", WHEN_OVER,                                                                        \
        "a SQL task is a success when, and only when, its generation has "                         \
        "committed (marks by hand apart)",                                                         \
        check_truth)                                                                               \
    ROW("files_go_on", WHEN_OVER, "a DAG that has a file does not count as removed",               \
        check_files_go_on)                                                                         \
    ROW("none_lost", WHEN_OVER, "with catchup all every day of a daily schedule has its run",      \
        check_none_lost)                                                                           \
    ROW("same_end", WHEN_COMPARED, "the final states with crashes equal those without",            \
        check_same_end)

struct invariant {
    const char *name;
    enum when when;
    const char *sentence;
    bool (*check)(struct sim *sim, const struct moment *moment);
};
extern const struct invariant invariants[];
extern const size_t invariant_count;
/* Met when an assertion of the scheduler itself fails. */
extern const struct invariant invariant_assertions;

/* Those of files beside invariants.c. */
bool check_values(struct sim *sim, const struct moment *moment);
bool check_indexes(struct sim *sim, const struct moment *moment);
bool check_removed_for_good(struct sim *sim, const struct moment *moment);
bool check_sensor_time(struct sim *sim, const struct moment *moment);
bool check_slots_as_counted(struct sim *sim, const struct moment *moment);
bool check_trigger_of_run(struct sim *sim, const struct moment *moment);
bool check_run_of_trigger(struct sim *sim, const struct moment *moment);
bool check_waits_for_live_run(struct sim *sim, const struct moment *moment);
bool check_deadline_once(struct sim *sim, const struct moment *moment);
bool check_deadline_kept(struct sim *sim, const struct moment *moment);
bool check_event_per_success(struct sim *sim, const struct moment *moment);
bool check_success_per_event(struct sim *sim, const struct moment *moment);
bool check_event_ids(struct sim *sim, const struct moment *moment);
bool check_events_consumed(struct sim *sim, const struct moment *moment);
bool check_no_event_lost(struct sim *sim, const struct moment *moment);

/* Checks those of that moment; a violation ends the program (sim_violation). */
void invariants_check(struct sim *sim, enum when when, const struct moment *moment);

#endif
