#include "language/timetable/ticks.h"
#include "base/planted.h"
#include "language/timetable/limits.h"
#include "language/timetable/zone_data.h"

/* No two readings of the clock, at whatever change, are further apart; and a time behind all. */
enum { MARGIN_S = 3 * ZONE_OFFSET_MAX_S };
#define BEHIND_ALL_S (ZONE_SECONDS_MAX + MARGIN_S)
#define BEFORE_ALL_S (ZONE_SECONDS_MIN - MARGIN_S)

/* Every allowed reading of the clock, no more and no less. */
static const struct tick_policy plain = {.overlap = TICK_BOTH};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t floor_minute(int64_t seconds)
{
    return seconds / 60 - (seconds % 60 < 0);
}

/* ---- pieces ---- */

/* A stretch of instants [start_s, end_s) in which ticks are where `instant + offset` is an allowed
   minute; or a single tick at start_s. */
struct piece {
    int64_t start_s, end_s;
    int64_t offset_s;
    bool single;
};

/* The ticks of a stretch between two changes: the clock's own readings, and those that come from
   before the change it starts with. */
struct pieces {
    struct zone_span span;
    struct piece at[2];
    int count;
};

static bool find_previous(
    const struct ticker *ticker, const struct tick_policy *policy, int64_t utc_s, int64_t *ret_s);

/* Elapsed time: the first tick from a change on; false when the change has no effect. */
static bool tick_after_change(const struct ticker *ticker, int64_t change_s, int64_t *ret_s)
{
    int64_t before_s, minute;
    if (change_s <= ticker->origin_s || !find_previous(ticker, &plain, change_s - 1, &before_s))
        return false;
    before_s = most(before_s, ticker->first_s);
    if (before_s >= change_s) {
        *ret_s = before_s;
        return true;
    }
    int64_t offset_s = zone_span_at(ticker->zone, before_s).offset_s;
    bool found = cron_next(&ticker->cron, floor_minute(before_s + offset_s) + 1, &minute);
    *ret_s = found ? minute * 60 - offset_s : BEHIND_ALL_S;
    return true;
}

static void add_change_before(
    const struct ticker *ticker, const struct tick_policy *policy, struct pieces *pieces)
{
    struct zone_span *span = &pieces->span;
    int64_t tick_s;
    if (policy->elapsed) {
        if (!tick_after_change(ticker, span->start_s, &tick_s))
            return;
        pieces->at[0].start_s = tick_s + 1;
        pieces->at[pieces->count++] = (struct piece){tick_s, tick_s + 1, 0, true};
        return;
    }
    struct zone_span before = zone_span_at(ticker->zone, span->start_s - 1);
    int64_t forward_s = span->offset_s - before.offset_s;
    if (forward_s > 0 && policy->shift_gap)
        pieces->at[pieces->count++] = (struct piece){
            span->start_s, least(span->start_s + forward_s, span->end_s), before.offset_s, false};
    if (forward_s < 0 && policy->overlap == TICK_FIRST)
        pieces->at[0].start_s -= forward_s;
}

static struct pieces pieces_at(
    const struct ticker *ticker, const struct tick_policy *policy, int64_t utc_s)
{
    struct zone_span span = zone_span_at(ticker->zone, utc_s);
    struct pieces pieces = {span, {{span.start_s, span.end_s, span.offset_s, false}}, 1};
    if (span.start_s != INT64_MIN)
        add_change_before(ticker, policy, &pieces);
    bool is_second = policy->overlap == TICK_SECOND && !PLANTED(DST_OFF_BY_ONE);
    if (span.end_s != INT64_MAX && !policy->elapsed && is_second) {
        struct zone_span after = zone_span_at(ticker->zone, span.end_s);
        pieces.at[0].end_s -= most(span.offset_s - after.offset_s, 0);
    }
    return pieces;
}

/* The next allowed reading at or after an instant, be it within the piece or not; INT64_MAX when
   the piece is over. */
static int64_t piece_next(const struct ticker *ticker, const struct piece *piece, int64_t utc_s)
{
    int64_t minute, at_s = most(utc_s, piece->start_s);
    if (at_s >= piece->end_s)
        return INT64_MAX;
    if (piece->single)
        return at_s;
    if (!cron_next(&ticker->cron, floor_minute(at_s + piece->offset_s + 59), &minute))
        return BEHIND_ALL_S;
    return minute * 60 - piece->offset_s;
}

/* The same backwards; INT64_MIN when the piece has not begun. */
static int64_t piece_previous(const struct ticker *ticker, const struct piece *piece, int64_t utc_s)
{
    int64_t minute, at_s = least(utc_s, piece->end_s - 1);
    if (at_s < piece->start_s)
        return INT64_MIN;
    if (piece->single)
        return at_s;
    if (!cron_previous(&ticker->cron, floor_minute(at_s + piece->offset_s), &minute))
        return BEFORE_ALL_S;
    return minute * 60 - piece->offset_s;
}

/* ---- the search ---- */

static bool find_next(
    const struct ticker *ticker, const struct tick_policy *policy, int64_t utc_s, int64_t *ret_s)
{
    utc_s = most(utc_s, ZONE_SECONDS_MIN);
    while (utc_s < ZONE_SECONDS_MAX) {
        struct pieces pieces = pieces_at(ticker, policy, utc_s);
        int64_t reading_s = INT64_MAX, span_end_s = pieces.span.end_s;
        for (int i = 0; i < pieces.count; i++) {
            int64_t found_s = piece_next(ticker, &pieces.at[i], utc_s);
            bool within = found_s < pieces.at[i].end_s || found_s >= span_end_s;
            reading_s = least(reading_s, within ? found_s : span_end_s);
        }
        if (reading_s < span_end_s || span_end_s == INT64_MAX) {
            *ret_s = reading_s;
            return reading_s < ZONE_SECONDS_MAX;
        }
        /* Rare dates: nothing lies between here and the next allowed reading, but what a change
           close by could repeat, so the stretches until then need no look. */
        bool change_is_far = span_end_s - utc_s > MARGIN_S && reading_s != INT64_MAX;
        utc_s = change_is_far ? most(span_end_s, reading_s - MARGIN_S) : span_end_s;
    }
    return false;
}

static bool find_previous(
    const struct ticker *ticker, const struct tick_policy *policy, int64_t utc_s, int64_t *ret_s)
{
    utc_s = least(utc_s, ZONE_SECONDS_MAX - 1);
    while (utc_s >= ZONE_SECONDS_MIN) {
        struct pieces pieces = pieces_at(ticker, policy, utc_s);
        int64_t reading_s = INT64_MIN, span_start_s = pieces.span.start_s;
        for (int i = 0; i < pieces.count; i++) {
            int64_t found_s = piece_previous(ticker, &pieces.at[i], utc_s);
            bool within = found_s >= pieces.at[i].start_s || found_s < span_start_s;
            reading_s = most(reading_s, within ? found_s : span_start_s - 1);
        }
        if (reading_s >= span_start_s || span_start_s == INT64_MIN) {
            *ret_s = reading_s;
            return reading_s >= ZONE_SECONDS_MIN;
        }
        bool change_is_far = utc_s - span_start_s > MARGIN_S && reading_s != INT64_MIN;
        utc_s = change_is_far ? least(span_start_s - 1, reading_s + MARGIN_S) : span_start_s - 1;
    }
    return false;
}

/* ---- from the origin ---- */

void ticker_start(struct ticker *ticker, int64_t origin_s)
{
    int64_t minute;
    ticker->origin_s = ticker->first_s = INT64_MIN;
    if (!ticker->policy.elapsed || origin_s < ZONE_SECONDS_MIN || origin_s >= ZONE_SECONDS_MAX)
        return;
    int64_t offset_s = zone_span_at(ticker->zone, origin_s).offset_s;
    if (!cron_next(&ticker->cron, floor_minute(origin_s + offset_s + 59), &minute))
        return;
    ticker->origin_s = origin_s;
    ticker->first_s = minute * 60 - offset_s;
}

bool ticker_next(const struct ticker *ticker, int64_t utc_s, int64_t *ret_s)
{
    utc_s = most(utc_s, ZONE_SECONDS_MIN);
    if (utc_s >= ticker->origin_s && utc_s <= ticker->first_s) {
        *ret_s = ticker->first_s;
        return ticker->first_s < ZONE_SECONDS_MAX;
    }
    if (!find_next(ticker, &ticker->policy, utc_s, ret_s))
        return false;
    if (utc_s < ticker->origin_s && *ret_s >= ticker->origin_s)
        *ret_s = ticker->first_s;
    return *ret_s < ZONE_SECONDS_MAX;
}

bool ticker_previous(const struct ticker *ticker, int64_t utc_s, int64_t *ret_s)
{
    if (utc_s >= ticker->origin_s && utc_s < ticker->first_s)
        utc_s = ticker->origin_s - 1;
    bool found = find_previous(ticker, &ticker->policy, utc_s, ret_s);
    if (utc_s < ticker->first_s || (found && *ret_s > ticker->first_s))
        return found;
    *ret_s = ticker->first_s;
    return true;
}
