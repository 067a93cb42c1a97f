/*
 * Planted bugs: mistakes that the fault simulation must find (tests/simulation).  Only its own
 * build of the sources defines DAG_PLANTED; everywhere else PLANTED is constant false and the
 * mistakes are compiled away.
 *
 * How to add one: a row, `if (PLANTED(NAME))` where the mistake is made, and the invariant that
 * finds it in tests/simulation/planted.c; its test is made from the row.
 */
#ifndef BASE_PLANTED_H
#define BASE_PLANTED_H

/* ROW(name, what is done wrong) */
#define PLANTED_BUGS(ROW)                                                                          \
    ROW(EFFECT_BEFORE_COMMIT, "an attempt is started before its row is durable")                   \
    ROW(FINISH_LOST, "the end of an attempt is lost on its way")                                   \
    ROW(FINISH_COUNTED_TWICE, "the end of an upstream is counted twice")                           \
    ROW(SLOT_LEAKED_ON_CANCEL, "a cancelled attempt keeps its slots")                              \
    ROW(RETRY_WITHOUT_CLAIM, "a retry does not claim its generation in the ledger")                \
    ROW(CAP_OFF_BY_ONE, "max_active_tasks lets one task too many run")                             \
    ROW(DST_OFF_BY_ONE, "a time that occurs twice is a tick twice")                                \
    ROW(TICK_BEHIND_MARK, "a clock that is set back takes the schedule back with it")              \
    ROW(COUNTER_NOT_RESET_BY_CLEAR, "a clear leaves the upstream counters as they were")           \
    ROW(STALE_VERSION_STARTED, "a live run does not take the newest version")                      \
    ROW(BACKFILL_STARVED, "a backfill gets no turn while other runs wait")                         \
    ROW(VOID_SKIPPED, "a new generation starts without a void of the old one")                     \
    ROW(INDEX_VOID_SKIPPED, "an index that may still commit is removed without a void")            \
    ROW(ASSET_QUEUE_LOST, "a restart forgets what is queued of an asset")                          \
    ROW(DEADLINE_LOST, "a restart forgets the deadlines of what is under way")                     \
    ROW(SENSOR_KEEPS_SLOT, "a sensor keeps its slots between two looks")                           \
    ROW(WAIT_FORGOTTEN, "a restart forgets who waits for the run that it triggered")               \
    ROW(FOREIGN_RUN_TAKEN, "a task takes a run that it did not make for its own")

enum planted_bug {
    PLANTED_NOTHING,
#define ROW(name, what) PLANTED_##name,
    PLANTED_BUGS(ROW)
#undef ROW
        PLANTED_COUNT
};

#ifdef DAG_PLANTED
extern enum planted_bug planted_bug; /* tests/simulation/planted.c */
#define PLANTED(name) (planted_bug == PLANTED_##name)
#else
#define PLANTED(name) 0
#endif

#endif
