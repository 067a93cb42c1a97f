/* Answers of one endpoint that are given again for a while: the oldest goes first. */
#ifndef EXECUTOR_SERVING_ANSWERS_H
#define EXECUTOR_SERVING_ANSWERS_H

#include "base/string.h"
#include "executor/serving/serving.h"

struct answers;

struct answers *answers_new(void);
void answers_free(struct answers *answers);
size_t answers_count(const struct answers *answers);
/* Which answer those values have: a text without NULs that no other values have. */
void answers_key(const char *const *values, size_t count, struct strbuf *ret);
/* One that is not older than its time; valid until the next call that is not this one. */
bool answers_find(
    struct answers *answers, const char *key, int64_t now_us, struct served_rows *ret);
/* Keeps an answer until then.  One too large for the ceiling is not kept. */
void answers_keep(
    struct answers *answers, const char *key, const struct served_rows *rows, int64_t until_us);
void answers_clear(struct answers *answers);

#endif
