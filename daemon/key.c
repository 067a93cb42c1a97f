#include "daemon/key.h"

#include <stdlib.h>

#include "base/file.h"

enum { KEY_FILE_MAX = 4096 };

enum status key_load(
    const char *state, struct arena *arena, struct key_ring *ret, struct error *err)
{
    const char *given = getenv("DAG_KEY"), *file = getenv("DAG_KEY_FILE");
    *ret = (struct key_ring){0};
    if (given && *given) {
        ret->source = "DAG_KEY";
        return seal_keys_parse(slice_of(given), ret->source, &ret->keys, err);
    }
    ret->own = !(file && *file);
    ret->source = ret->own ? path_join(arena, state, "key") : path_absolute(arena, file);
    struct slice text;
    enum status status = file_read(ret->source, KEY_FILE_MAX, arena, &text, err);
    if (status == ERR_NOT_FOUND && ret->own)
        return OK;
    if (status == ERR_NOT_FOUND) {
        error_set(err, ERR_KEY, "DAG_KEY_FILE names %s, which is not there", ret->source);
        error_hint(err, "put the key there, or unset DAG_KEY_FILE");
        return ERR_KEY;
    }
    if (status == OK)
        status = seal_keys_parse(text, ret->source, &ret->keys, err);
    return status;
}

static enum status write_keys(
    const struct key_ring *ring, const struct seal_keys *keys, struct error *err)
{
    struct strbuf text = {0};
    for (size_t i = 0; i < keys->count; i++) {
        char line[SEAL_KEY_TEXT_SIZE];
        seal_key_format(&keys->at[i], line);
        strbuf_printf(&text, "%s\n", line);
    }
    enum status status =
        file_write(ring->source, slice_make(strbuf_text(&text), text.size), 0600, true, err);
    strbuf_done(&text);
    return status;
}

enum status key_make(struct key_ring *ring, struct error *err)
{
    struct seal_keys keys = {.count = 1};
    keys.at[0] = seal_key_new();
    for (size_t i = 0; i < ring->keys.count && keys.count < SEAL_KEYS_MAX; i++)
        keys.at[keys.count++] = ring->keys.at[i];
    enum status status = write_keys(ring, &keys, err);
    if (status == OK)
        ring->keys = keys;
    return status;
}

enum status key_drop_old(struct key_ring *ring, struct error *err)
{
    struct seal_keys keys = {.at = {ring->keys.at[0]}, .count = 1};
    if (!ring->own || ring->keys.count <= 1)
        return OK;
    enum status status = write_keys(ring, &keys, err);
    if (status == OK)
        ring->keys = keys;
    return status;
}
