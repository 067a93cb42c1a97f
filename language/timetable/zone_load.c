#include <pthread.h>
#include <stdlib.h>
#include <strings.h>
#include "base/file.h"
#include "base/map.h"
#include "language/timetable/zone.h"
#include "language/timetable/zone_data.h"

#define ZONE_DIR_DEFAULT "/usr/share/zoneinfo"

static const struct zone_type utc_type = {0, false, "UTC"};
static const struct zone utc = {.name = "UTC", .types = &utc_type};

/* Zones that were read, by name.  They are kept until the process ends. */
static struct {
    pthread_mutex_t lock;
    struct map *by_name;
} cache = {.lock = PTHREAD_MUTEX_INITIALIZER};

const struct zone *zone_utc(void)
{
    return &utc;
}

const char *zone_name(const struct zone *zone)
{
    return zone->name;
}

static const char *zone_dir(void)
{
    const char *dir = getenv("TZDIR");
    return dir && dir[0] ? dir : ZONE_DIR_DEFAULT;
}

/* Names of the tz database have no dot: so "..", and files that are no zones, cannot be asked for.
 */
static bool name_is_safe(const char *name)
{
    size_t size = strlen(name);
    if (size == 0 || size >= ZONE_NAME_SIZE_MAX || name[0] == '/' || name[size - 1] == '/')
        return false;
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/";
    return strspn(name, allowed) == size;
}

/* ---- unknown names ---- */

/* "posix" and "right" repeat every zone; a dot is in the names of tables. */
static bool name_is_worth_suggesting(const char *name)
{
    return !str_starts(name, "posix/") && !str_starts(name, "right/") && !strchr(name, '.') &&
           name[0] >= 'A' && name[0] <= 'Z';
}

/* "Berlin" of "Europe/Berlin" */
static const char *city_of(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

static const char *nearest_name(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(names[i], name) == 0)
            return names[i];
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(city_of(names[i]), city_of(name)) == 0)
            return names[i];
    return suggest(name, names, count);
}

/* "Etc/GMT-2" for "+02:00"; NULL when the name is no whole-hour offset the database has. */
static const char *name_of_offset(const char *name, struct arena *arena)
{
    const char *digits = name;
    if (str_starts(digits, "UTC") || str_starts(digits, "GMT"))
        digits += 3;
    char sign = *digits;
    if (sign != '+' && sign != '-')
        return NULL;
    char *rest;
    long hours = strtol(digits + 1, &rest, 10);
    if (rest == digits + 1 || hours < 1 || hours > (sign == '+' ? 14 : 12))
        return NULL;
    if (*rest && !str_equal(rest, ":00") && !str_equal(rest, "00"))
        return NULL;
    return arena_printf(arena, "Etc/GMT%c%ld", sign == '+' ? '-' : '+', hours);
}

static void hint_nearest(const char *name, struct arena *arena, struct error *err)
{
    const char *offset_name = name_of_offset(name, arena);
    if (offset_name) {
        error_hint(
            err, "a fixed offset is written '%s' (its sign is the other way round)", offset_name);
        return;
    }
    const char **names, **good;
    size_t count, good_count = 0;
    if (dir_list(zone_dir(), "", arena, &names, &count, NULL) != OK || count == 0) {
        error_hint(err, "%s has no zones: install the tzdata package, or use UTC", zone_dir());
        return;
    }
    good = arena_array(arena, const char *, count + 1);
    for (size_t i = 0; i < count; i++)
        if (name_is_worth_suggesting(names[i]))
            good[good_count++] = names[i];
    const char *nearest = nearest_name(good, good_count, name);
    if (nearest)
        error_hint(err, "did you mean '%s'?", nearest);
    else
        error_hint(err, "write a name of the IANA database, such as Europe/Berlin, or UTC");
}

static enum status unknown(const char *name, const char *why, struct error *err)
{
    CLEANUP(arena_freep) struct arena *scratch = arena_new();
    error_set(err, ERR_ZONE_UNKNOWN, "there is no time zone '%.*s'%s%s", ZONE_NAME_SIZE_MAX, name,
        why ? ": " : "", why ? why : "");
    hint_nearest(name, scratch, err);
    return ERR_ZONE_UNKNOWN;
}

/* ---- reading ---- */

static enum status fill_zone(struct zone *zone, struct error *err)
{
    CLEANUP(arena_freep) struct arena *scratch = arena_new();
    struct slice bytes;
    struct error cause = {0};
    const char *path = path_join(scratch, zone_dir(), zone->name);
    if (!file_exists(path))
        return unknown(zone->name, NULL, err);
    enum status status = file_read(path, ZONE_FILE_SIZE_MAX, scratch, &bytes, &cause);
    if (status == OK)
        status = zone_read_tzif(bytes, zone, &cause);
    if (status == ERR_ZONE_UNKNOWN)
        return unknown(zone->name, cause.message, err);
    if (status != OK)
        return error_set(
            err, ERR_ZONE_BROKEN, "the time zone file %s is broken: %s", path, cause.message);
    return OK;
}

static enum status read_zone(const char *name, struct zone **ret, struct error *err)
{
    struct arena *arena = arena_new();
    struct zone *zone = arena_new_of(arena, struct zone);
    zone->arena = arena;
    zone->name = arena_strdup(arena, name);
    enum status status = fill_zone(zone, err);
    if (status == OK)
        *ret = zone;
    else
        arena_free(arena);
    return status;
}

static enum status load_locked(const char *name, const struct zone **ret, struct error *err)
{
    if (!cache.by_name)
        cache.by_name = map_new();
    struct zone *zone = map_get(cache.by_name, name);
    if (!zone) {
        enum status status = read_zone(name, &zone, err);
        if (status != OK)
            return status;
        map_set(cache.by_name, name, zone);
    }
    *ret = zone;
    return OK;
}

enum status zone_load(const char *name, const struct zone **ret, struct error *err)
{
    if (str_equal(name, utc.name)) {
        *ret = &utc;
        return OK;
    }
    if (!name_is_safe(name))
        return unknown(name, NULL, err);
    pthread_mutex_lock(&cache.lock);
    enum status status = load_locked(name, ret, err);
    pthread_mutex_unlock(&cache.lock);
    return status;
}
