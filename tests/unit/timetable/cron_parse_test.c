#include "language/timetable/cron.h"
#include "language/timetable/zone.h"
#include "tests/unit/test.h"

#define ALL_MINUTES ((UINT64_C(1) << 60) - 1)
#define BITS(...) bits_of((const int[]){__VA_ARGS__, -1})

static uint64_t bits_of(const int *values)
{
    uint64_t bits = 0;
    for (; *values >= 0; values++)
        bits |= UINT64_C(1) << *values;
    return bits;
}

static struct cron parsed(const char *text)
{
    struct error err = {0};
    struct cron cron = {0};
    if (!CHECK_OK(cron_parse(slice_of(text), &cron, &err), &err))
        fprintf(stderr, "  %s\n", text);
    return cron;
}

TEST(stars_steps_ranges_and_lists)
{
    CHECK(parsed("* * * * *").minutes == ALL_MINUTES);
    CHECK(parsed("*/15 * * * *").minutes == BITS(0, 15, 30, 45));
    CHECK(parsed("5/15 * * * *").minutes == BITS(5, 20, 35, 50));
    CHECK(parsed("5-8,40 * * * *").minutes == BITS(5, 6, 7, 8, 40));
    CHECK(parsed("10-30/10 * * * *").minutes == BITS(10, 20, 30));
    CHECK(parsed("7 * * * *").minutes == BITS(7));
    CHECK(parsed("59/2 * * * *").minutes == BITS(59));
    CHECK(parsed("*/90 * * * *").minutes == BITS(0));
    CHECK(parsed("0 */7 * * *").hours == BITS(0, 7, 14, 21));
    CHECK(parsed("0 0 1,15,31 * *").days == BITS(1, 15, 31));
    CHECK(parsed(" \t0  0 1 1 * \n").days == BITS(1));
}

TEST(names_in_any_case)
{
    CHECK(parsed("0 0 * jan,Jul,DEC *").months == BITS(1, 7, 12));
    CHECK(parsed("0 0 * MAR-MAY *").months == BITS(3, 4, 5));
    CHECK(parsed("0 0 * * mon-Fri").weekdays == BITS(1, 2, 3, 4, 5));
    CHECK(parsed("0 0 * * SUN").weekdays == BITS(0));
}

TEST(sunday_is_0_and_7)
{
    CHECK(parsed("0 0 * * 7").weekdays == BITS(0));
    CHECK(parsed("0 0 * * 5-7").weekdays == BITS(0, 5, 6));
    CHECK(parsed("0 0 * * 1-7/3").weekdays == BITS(0, 1, 4));
    CHECK(parsed("0 0 * * 0-7").weekdays == BITS(0, 1, 2, 3, 4, 5, 6));
    CHECK(parsed("0 0 * * 2/2").weekdays == BITS(2, 4, 6));
    CHECK(parsed("0 0 * * 7-2").weekdays == BITS(0, 1, 2));
}

TEST(ranges_that_wrap)
{
    CHECK(parsed("0 22-2 * * *").hours == BITS(0, 1, 2, 22, 23));
    CHECK(parsed("50-10/10 * * * *").minutes == BITS(0, 10, 50));
    CHECK(parsed("0 0 * NOV-FEB *").months == BITS(1, 2, 11, 12));
    CHECK(parsed("0 0 * * FRI-MON").weekdays == BITS(0, 1, 5, 6));
    CHECK(parsed("3-3 * * * *").minutes == ALL_MINUTES);
    /* as croniter: one later than counting on */
    CHECK(parsed("0 22-4/3 * * *").hours == BITS(2, 22));
}

TEST(last_days_nearest_weekdays_and_nth_weekdays)
{
    CHECK(parsed("0 0 L * *").last_day && parsed("0 0 l * *").last_day);
    CHECK(parsed("0 0 L,15 * *").days == BITS(15));
    CHECK(parsed("0 0 LW * *").near_last_day);
    CHECK(parsed("0 0 15W,1w * *").near_days == BITS(1, 15));
    CHECK(parsed("0 0 * * L5").weekday_nth[5] == BITS(WEEKDAY_LAST));
    CHECK(parsed("0 0 * * FRIL").weekday_nth[5] == BITS(WEEKDAY_LAST));
    CHECK(parsed("0 0 * * L7").weekday_nth[0] == BITS(WEEKDAY_LAST));
    CHECK(parsed("0 0 * * 1#2,1#4").weekday_nth[1] == BITS(2, 4));
    CHECK(parsed("0 0 * * MON-TUE#1").weekday_nth[2] == BITS(1));
    CHECK(parsed("0 0 * * 1#2").weekdays == 0);
}

/* FACTS of cron: see docs/schedules.md, "Both day fields". */
static void check_restricted(const char *text, bool days, bool weekdays)
{
    struct cron cron = parsed(text);
    if (!CHECK(cron.days_restricted == days && cron.weekdays_restricted == weekdays))
        fprintf(stderr, "  %s\n", text);
}

TEST(which_day_fields_restrict)
{
    check_restricted("0 0 * * *", false, false);
    check_restricted("0 0 ? * ?", false, false);
    check_restricted("0 0 13 * *", true, false);
    check_restricted("0 0 ? * 5", false, true);
    check_restricted("0 0 13 * 5", true, true);
    check_restricted("0 0 */2 * 1", true, true);
    check_restricted("0 0 1 * */2", true, true);
    check_restricted("0 0 */1 * 1", true, true);
    check_restricted("0 0 1-31 * 1", true, true);
    check_restricted("0 0 1-31 * */2", false, true);
    check_restricted("0 0 */2 * 0-6", true, false);
    check_restricted("0 0 15 * 0-7", true, true);
}

/* ---- mistakes ---- */

static void check_mistake(
    const char *text, enum status want, uint32_t column, const char *message, const char *hint)
{
    struct error err = {0};
    struct cron cron;
    enum status status = cron_parse(slice_of(text), &cron, &err);
    bool fine = status == want && err.status == want && err.place.column == column &&
                strstr(err.message, message) && strstr(err.hint, hint);
    if (!CHECK(fine))
        fprintf(stderr, "  \"%s\" gave column %u: %s; %s\n", text, err.place.column, err.message,
            err.hint);
    CHECK(strncmp(err.excerpt, text, strcspn(text, "\n")) == 0);
}

TEST(a_mistake_is_shown_at_its_column_with_what_to_write)
{
    static const struct {
        const char *text;
        uint32_t column;
        const char *message, *hint;
    } mistakes[] = {
        {"60 * * * *", 1, "'60' is no minute", "0 to 59"},
        {"5-70 * * * *", 3, "'70' is no minute", "0 to 59"},
        {"0 24 * * *", 3, "'24' is no hour", "0 to 23"},
        {"0 0 0 * *", 5, "'0' is no day of the month", "1 to 31"},
        {"0 0 32W * *", 5, "'32W' is no day of the month", "1 to 31"},
        {"* * 32 * *", 5, "'32' is no day of the month", "1 to 31"},
        {"0 0 * 13 *", 7, "'13' is no month", "JAN to DEC"},
        {"0 0 * FOO *", 7, "'FOO' is no month", "JAN to DEC"},
        {"0 0 * JANUARY *", 7, "'JANUARY' is no month", "write JAN"},
        {"0 0 * * 8", 9, "'8' is no day of the week", "SUN to SAT"},
        {"0 0 * * FUNDAY", 9, "'FUNDAY' is no day of the week", "SUN to SAT"},
        {"0 0 * * MON,Friday", 13, "'Friday' is no day of the week", "write FRI"},
        {"0 0 * * 1#6", 11, "no such week", "1#2"},
        {"0 0 * * 1#", 11, "no such week", "1#2"},
        {"0 0 * * L", 9, "L needs a day", "L5"},
        {"*/0 * * * *", 3, "step", "*/15"},
        {"*/ * * * *", 3, "step", "*/15"},
        {"*/x * * * *", 3, "step", "*/15"},
        {"1,,2 * * * *", 3, "missing", "0 to 59"},
        {", * * * *", 1, "missing", "0 to 59"},
        {"1- * * * *", 3, "missing", "0 to 59"},
        {"-1 * * * *", 1, "'-1' is no minute", "0 to 59"},
        {"1.5 * * * *", 1, "'1.5' is no minute", "0 to 59"},
        {"? * * * *", 1, "'?' is no minute", "0 to 59"},
        {"0 0 ?/2 * *", 5, "'?/2' is no day", "1 to 31"},
        {"0 0 L-3 * *", 5, "'L-3' is no day", "1 to 31"},
        {"99999 * * * *", 1, "'99999' is no minute", "0 to 59"},
        {"a b c d e", 1, "'a' is no minute", "0 to 59"},
        {"* * * *", 8, "five fields, this has 4", "minute, hour, day"},
        {"0 0 2 * * *", 11, "five fields", "leave out seconds"},
        {"", 1, "five fields, this has 0", "minute, hour, day"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++)
        check_mistake(mistakes[i].text, ERR_SCHEDULE_INVALID, mistakes[i].column,
            mistakes[i].message, mistakes[i].hint);
}

TEST(a_date_that_no_year_has_is_a_schedule_that_never_runs)
{
    check_mistake("0 0 30 2 *", ERR_SCHEDULE_NEVER, 5, "such a day", "L is the last day");
    check_mistake("0 0 31 4,6,9,11 *", ERR_SCHEDULE_NEVER, 5, "such a day", "L is the last day");
    check_mistake("0 0 31W 2 *", ERR_SCHEDULE_NEVER, 5, "such a day", "L is the last day");
    CHECK(cron_has_days(
        &(const struct cron){.months = 1 << 2, .days = 1 << 29, .days_restricted = true}));
}

TEST(columns_count_characters)
{
    check_mistake("0 0 * * é", ERR_SCHEDULE_INVALID, 9, "é", "SUN to SAT");
    check_mistake("é é", ERR_SCHEDULE_INVALID, 4, "has 2", "minute, hour");
}

/* ---- any text at all ---- */

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return *seed >> 33;
}

/* One to four characters of a good expression are replaced, dropped or doubled. */
static size_t mutate(const char *text, char *out, uint64_t *seed)
{
    static const char alphabet[] = "0123456789*/-,#?LWlw \tMONJANFRI@.\0\n\xc3\xff";
    size_t size = strlen(text);
    memcpy(out, text, size);
    for (uint64_t n = next_random(seed) % 4 + 1; n > 0 && size > 0; n--) {
        size_t at = next_random(seed) % size;
        char c = alphabet[next_random(seed) % (sizeof alphabet - 1)];
        switch (next_random(seed) % 3) {
        case 0: out[at] = c; break;
        case 1: memmove(out + at, out + at + 1, --size - at); break;
        default:
            memmove(out + at + 1, out + at, size++ - at);
            out[at] = c;
            break;
        }
    }
    return size;
}

/* What is accepted must have values in their ranges, and a tick either way. */
static bool is_sound(const struct cron *cron)
{
    int64_t minute;
    return cron->minutes && !(cron->minutes & ~ALL_MINUTES) && cron->hours &&
           !(cron->hours >> 24) && !(cron->months & ~UINT32_C(0x1FFE)) && cron->months &&
           !(cron->days & 1) && !(cron->near_days & 1) && !(cron->weekdays >> 7) &&
           cron_next(cron, 28000000, &minute) && minute >= 28000000 &&
           cron_previous(cron, 28000000, &minute) && minute <= 28000000;
}

TEST(any_text_is_read_or_refused_with_a_place_and_a_hint)
{
    static const char *const seeds[] = {"*/15 * * * *", "0 0 1 JAN-MAR/2 *", "5-50/13 22-2 L * L5",
        "0 0 15W,LW * MON#2,fri", "0 0 ? 6-2 1-7/3", "59 23 29 2 *"};
    uint64_t seed = 20240229;
    size_t accepted = 0, refused = 0, unsound = 0, silent = 0;
    for (size_t i = 0; i < 60000; i++) {
        char buffer[64];
        size_t size = mutate(seeds[i % ARRAY_SIZE(seeds)], buffer, &seed);
        /* a copy of the exact size, so that a read behind it is seen */
        CLEANUP(mem_freep) void *text = mem_alloc(size);
        memcpy(text, buffer, size);
        struct error err = {0};
        struct cron cron = {0};
        if (cron_parse(slice_make(text, size), &cron, &err) == OK) {
            accepted++;
            unsound += !is_sound(&cron);
        } else {
            refused++;
            silent += !err.message[0] || !err.hint[0] || !err.place.column;
        }
    }
    CHECK(accepted > 1000 && refused > 1000);
    CHECK_INT(unsound, 0);
    CHECK_INT(silent, 0);
}
