#include "executor/serving/answers.h"

#include "base/map.h"
#include "executor/limits.h"

struct kept_answer {
    int64_t until_us;
    size_t count, size;
    char json[];
};

struct answers {
    struct map *by_key; /* in the order in which they came: all are kept for the same time */
    size_t bytes;       /* of keys and answers */
};

struct answers *answers_new(void)
{
    struct answers *answers = mem_alloc_zero(1, sizeof(*answers));
    answers->by_key = map_new();
    return answers;
}

void answers_free(struct answers *answers)
{
    if (!answers)
        return;
    answers_clear(answers);
    map_free(answers->by_key);
    mem_free(answers);
}

size_t answers_count(const struct answers *answers)
{
    return map_count(answers->by_key);
}

void answers_key(const char *const *values, size_t count, struct strbuf *ret)
{
    for (size_t i = 0; i < count; i++) {
        if (values[i])
            strbuf_printf(ret, "%zu:%s", strlen(values[i]), values[i]);
        else
            strbuf_add_char(ret, '-');
    }
}

static size_t size_of(const char *key, size_t answer_size)
{
    return sizeof(struct kept_answer) + strlen(key) + answer_size;
}

static void drop(struct answers *answers, const char *key)
{
    size_t key_size = size_of(key, 0);
    struct kept_answer *kept = map_remove(answers->by_key, key);
    if (kept)
        answers->bytes -= key_size + kept->size;
    mem_free(kept);
}

bool answers_find(struct answers *answers, const char *key, int64_t now_us, struct served_rows *ret)
{
    struct kept_answer *kept = map_get(answers->by_key, key);
    if (!kept)
        return false;
    if (kept->until_us <= now_us) {
        drop(answers, key);
        return false;
    }
    *ret = (struct served_rows){slice_make(kept->json, kept->size), kept->count};
    return true;
}

static bool is_full(const struct answers *answers, size_t more)
{
    return answers_count(answers) >= SERVING_KEPT_MAX ||
           answers->bytes + more > SERVING_KEPT_BYTES_MAX;
}

void answers_keep(
    struct answers *answers, const char *key, const struct served_rows *rows, int64_t until_us)
{
    size_t size = size_of(key, rows->json.size), cursor = 0;
    const char *oldest;
    void *value;
    if (size > SERVING_KEPT_BYTES_MAX)
        return;
    drop(answers, key);
    while (is_full(answers, size) && map_next(answers->by_key, &cursor, &oldest, &value))
        drop(answers, oldest);
    struct kept_answer *kept = mem_alloc(sizeof(*kept) + rows->json.size + 1);
    kept->until_us = until_us;
    kept->count = rows->count;
    kept->size = rows->json.size;
    memcpy(kept->json, rows->json.p, rows->json.size);
    kept->json[rows->json.size] = '\0';
    map_set(answers->by_key, key, kept);
    answers->bytes += size;
}

void answers_clear(struct answers *answers)
{
    size_t cursor = 0;
    const char *key;
    void *kept;
    while (map_next(answers->by_key, &cursor, &key, &kept))
        mem_free(kept);
    map_clear(answers->by_key);
    answers->bytes = 0;
}
