#include "language/timetable/zone_data.h"

/* The file's layout is RFC 8536, section 3: a header and a data block with 32-bit times, and from
   version 2 on a second pair with 64-bit times, which is the one to use, and a footer. */

enum { HEADER_SIZE = 44, TYPE_SIZE = 6, TYPES_MAX = 256 };

struct header {
    uint8_t version; /* 0 for version 1, else its digit */
    uint32_t is_ut, is_std, leap, change, type, text;
};

struct reader {
    const uint8_t *p;
    size_t left;
};

/* `size` bytes, or NULL when there are not so many. */
static const uint8_t *read_bytes(struct reader *r, size_t size)
{
    if (size > r->left)
        return NULL;
    const uint8_t *p = r->p;
    r->p += size;
    r->left -= size;
    return p;
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t be64(const uint8_t *p)
{
    return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

static bool read_header(struct reader *r, struct header *ret)
{
    const uint8_t *p = read_bytes(r, HEADER_SIZE);
    if (!p || memcmp(p, "TZif", 4) != 0)
        return false;
    *ret = (struct header){
        p[4], be32(p + 20), be32(p + 24), be32(p + 28), be32(p + 32), be32(p + 36), be32(p + 40)};
    return true;
}

static size_t block_size(const struct header *h, size_t time_size)
{
    return (size_t)h->change * (time_size + 1) + (size_t)h->type * TYPE_SIZE + h->text +
           (size_t)h->leap * (time_size + 4) + h->is_std + h->is_ut;
}

static bool read_changes(
    struct reader *r, const struct header *h, size_t time_size, struct zone *zone)
{
    const uint8_t *times = read_bytes(r, h->change * time_size);
    const uint8_t *types = read_bytes(r, h->change);
    if (!times || !types)
        return false;
    int64_t *at = arena_array(zone->arena, int64_t, h->change);
    for (size_t i = 0; i < h->change; i++) {
        const uint8_t *p = times + i * time_size;
        at[i] = time_size == 8 ? be64(p) : (int32_t)be32(p);
        if ((i > 0 && at[i] <= at[i - 1]) || types[i] >= h->type)
            return false;
    }
    zone->change_count = h->change;
    zone->change_at = at;
    zone->change_type = arena_memdup(zone->arena, types, h->change);
    return true;
}

static bool read_types(struct reader *r, const struct header *h, struct zone *zone)
{
    const uint8_t *raw = read_bytes(r, (size_t)h->type * TYPE_SIZE);
    const uint8_t *text = read_bytes(r, h->text);
    if (!raw || !text || text[h->text - 1] != '\0')
        return false;
    const char *names = arena_memdup(zone->arena, text, h->text);
    struct zone_type *types = arena_array(zone->arena, struct zone_type, h->type);
    for (size_t i = 0; i < h->type; i++) {
        const uint8_t *p = raw + i * TYPE_SIZE;
        int32_t offset = (int32_t)be32(p);
        if (offset < -ZONE_OFFSET_MAX_S || offset > ZONE_OFFSET_MAX_S || p[5] >= h->text)
            return false;
        types[i] = (struct zone_type){offset, p[4] != 0, names + p[5]};
    }
    zone->types = types;
    return true;
}

/* "\n", a POSIX TZ string or nothing, "\n" */
static bool read_footer(struct reader *r, struct zone *zone)
{
    const uint8_t *end = r->left > 1 ? memchr(r->p + 1, '\n', r->left - 1) : NULL;
    if (!end || *r->p != '\n')
        return false;
    struct slice text = slice_make((const char *)r->p + 1, (size_t)(end - r->p) - 1);
    return text.size == 0 || zone_rule_parse(zone->arena, text, &zone->rule);
}

static bool counts_are_sane(const struct header *h)
{
    return h->change <= ZONE_TRANSITIONS_MAX && h->type >= 1 && h->type <= TYPES_MAX &&
           h->text >= 1 && h->text <= ZONE_FILE_SIZE_MAX && h->is_std <= TYPES_MAX &&
           h->is_ut <= TYPES_MAX && h->leap <= ZONE_TRANSITIONS_MAX;
}

enum status zone_read_tzif(struct slice bytes, struct zone *zone, struct error *err)
{
    struct reader r = {(const uint8_t *)bytes.p, bytes.size};
    struct header h;
    size_t time_size = 4;
    if (!read_header(&r, &h))
        return error_set(err, ERR_ZONE_UNKNOWN, "it is not a compiled time zone");
    if (h.version >= '2') {
        time_size = 8;
        if (!counts_are_sane(&h) || !read_bytes(&r, block_size(&h, 4)) || !read_header(&r, &h))
            return error_set(err, ERR_ZONE_BROKEN, "its first data block is cut short");
    }
    if (!counts_are_sane(&h) || block_size(&h, time_size) > r.left)
        return error_set(err, ERR_ZONE_BROKEN, "its data block is cut short");
    if (h.leap > 0)
        return error_set(err, ERR_ZONE_UNKNOWN, "it counts leap seconds, which no date here does");
    if (!read_changes(&r, &h, time_size, zone) || !read_types(&r, &h, zone))
        return error_set(err, ERR_ZONE_BROKEN, "its changes or types are out of range");
    if (!read_bytes(&r, (size_t)h.is_std + h.is_ut) || (time_size == 8 && !read_footer(&r, zone)))
        return error_set(err, ERR_ZONE_BROKEN, "its footer is no POSIX TZ string");
    return OK;
}
