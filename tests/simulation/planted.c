#include "tests/simulation/planted.h"

#include <ctype.h>
#include <stdio.h>
#include "base/string.h"

enum { FOUND_BY_MAX = 4 };

enum planted_bug planted_bug;

/* The invariants that may find each: the first sign of a bug differs with the seed. */
static const char *const found_by[PLANTED_COUNT][FOUND_BY_MAX] = {
    [PLANTED_EFFECT_BEFORE_COMMIT] = {"commit_before_act"},
    [PLANTED_FINISH_LOST] = {"all_ends", "same_end"},
    [PLANTED_FINISH_COUNTED_TWICE] = {"conditions"},
    [PLANTED_SLOT_LEAKED_ON_CANCEL] = {"slots_as_counted", "nothing_left", "all_ends",
        "no_idle_slot"},
    [PLANTED_RETRY_WITHOUT_CLAIM] = {"exactly_once", "truth"},
    [PLANTED_CAP_OFF_BY_ONE] = {"task_caps"},
    [PLANTED_DST_OFF_BY_ONE] = {"dates_as_scheduled"},
    [PLANTED_TICK_BEHIND_MARK] = {"schedule_goes_on", "one_run_a_date"},
    [PLANTED_COUNTER_NOT_RESET_BY_CLEAR] = {"conditions"},
    [PLANTED_STALE_VERSION_STARTED] = {"newest_version"},
    [PLANTED_BACKFILL_STARVED] = {"backfill_turns"},
    [PLANTED_VOID_SKIPPED] = {"void_first", "newest_generation"},
    [PLANTED_INDEX_VOID_SKIPPED] = {"removed_for_good", "void_first", "newest_generation"},
    [PLANTED_ASSET_QUEUE_LOST] = {"events_consumed", "no_event_lost"},
    [PLANTED_DEADLINE_LOST] = {"deadline_kept"},
    [PLANTED_WAIT_FORGOTTEN] = {"waits_for_live_run", "all_ends", "same_end"},
    [PLANTED_FOREIGN_RUN_TAKEN] = {"run_of_trigger", "trigger_of_run"},
    [PLANTED_SENSOR_KEEPS_SLOT] = {"slots_as_counted", "no_idle_slot", "all_ends"},
};

bool planted_choose(const char *name)
{
    static const char *const names[PLANTED_COUNT] = {
#define ROW(id, what) [PLANTED_##id] = #id,
        PLANTED_BUGS(ROW)
#undef ROW
    };
    char upper[64] = "";
    for (size_t n = 0; name[n] && n + 1 < sizeof upper; n++)
        upper[n] = (char)toupper((unsigned char)name[n]);
    for (int n = 1; n < PLANTED_COUNT; n++)
        if (str_equal(names[n], upper)) {
            planted_bug = (enum planted_bug)n;
            return true;
        }
    return false;
}

bool planted_was_found(const char *invariant)
{
    if (!planted_bug)
        return false;
    for (size_t n = 0; n < FOUND_BY_MAX; n++)
        if (str_equal(found_by[planted_bug][n], invariant)) {
            printf("the planted bug was found by the invariant %s\n", invariant);
            fflush(stdout);
            return true;
        }
    printf("the planted bug was found, but not by an invariant that is there for it\n");
    fflush(stdout);
    return false;
}
