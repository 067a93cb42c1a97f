/* The attempt that an address names, and its files. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "executor/attempt_sql.h"
#include "web/pages/pages.h"

/* "task[3]" → task and map index. */
static enum status split_task(
    struct page *page, const char *word, struct task_record *ret, struct error *err)
{
    int64_t index = -1;
    size_t size = strlen(word);
    const char *bracket = strchr(word, '[');
    *ret = (struct task_record){.task_id = word, .map_index = -1};
    if (!bracket)
        return OK;
    size_t digits = size - (size_t)(bracket - word) - 1;
    if (word[size - 1] != ']' || !parse_int64(slice_make(bracket + 1, digits - 1), &index) ||
        index < 0 || index > INT32_MAX)
        return error_set(err, ERR_NOT_FOUND, "`%s` is not a task or task[index]", word);
    ret->task_id = arena_strndup(page->arena, word, (size_t)(bracket - word));
    ret->map_index = (int32_t)index;
    return OK;
}

static enum status find_task(struct page *page, struct attempt_facts *facts, struct error *err)
{
    struct task_rows tasks;
    enum status status = read_task_rows(page, facts->run.id, &tasks, err);
    if (status != OK)
        return status;
    const char **ids = arena_array(page->arena, const char *, tasks.count + 1);
    for (size_t i = 0; i < tasks.count; i++) {
        const struct task_record *task = &tasks.at[i];
        ids[i] = task->task_id;
        if (!str_equal(task->task_id, facts->task.task_id) ||
            task->map_index != facts->task.map_index)
            continue;
        facts->task = *task;
        return OK;
    }
    const char *near = suggest(facts->task.task_id, ids, tasks.count);
    error_set(err, ERR_NOT_FOUND, "the run %s of `%s` has no task `%s`", facts->run.run_id,
        facts->run.dag_id, task_word(page->arena, facts->task.task_id, facts->task.map_index));
    if (near)
        error_hint(err, "did you mean `%s`?", near);
    else if (tasks.count == 0)
        error_hint(err, "the run has not started; its tasks are made then");
    return ERR_NOT_FOUND;
}

/* Keeps the attempts of this map index, and chooses the one that is asked for. */
static enum status choose_attempt(
    struct attempt_facts *facts, const char *number_text, struct error *err)
{
    int64_t number = 0;
    size_t kept = 0;
    struct attempt_rows *attempts = &facts->attempts;
    for (size_t i = 0; i < attempts->count; i++)
        if (attempts->at[i].map_index == facts->task.map_index)
            attempts->at[kept++] = attempts->at[i];
    attempts->count = kept;
    if (number_text && !parse_int64(slice_of(number_text), &number))
        number = -1;
    for (size_t i = 0; i < kept; i++)
        if (!number_text || attempts->at[i].number == number)
            facts->attempt = &attempts->at[i];
    facts->is_last = kept == 0 || facts->attempt == &attempts->at[kept - 1];
    if (!number_text || facts->attempt)
        return OK;
    error_set(err, ERR_NOT_FOUND, "`%s` has no try %s in the run %s", facts->task.task_id,
        number_text, facts->run.run_id);
    error_hint(err, kept ? "its tries are numbered from 1 to %zu" : "it was never started", kept);
    return ERR_NOT_FOUND;
}

enum status read_attempt(struct page *page, const struct route_values *values,
    struct attempt_facts *ret, struct error *err)
{
    struct attempt_facts facts = {0};
    enum status status = read_dag(page, values->dag_id, &facts.dag, err);
    if (status == OK)
        status = read_run(page, &facts.dag, values->run, &facts.run, err);
    if (status == OK)
        status = split_task(page, values->task, &facts.task, err);
    if (status == OK)
        status = find_task(page, &facts, err);
    if (status == OK)
        status = read_attempts(page, facts.run.id, facts.task.task_id, &facts.attempts, err);
    if (status == OK)
        status = choose_attempt(&facts, values->number, err);
    if (status != OK)
        return status;
    if (facts.attempt && facts.attempt->log)
        facts.log_path =
            path_join(page->arena, daemon_project(page->web->daemon)->state, facts.attempt->log);
    *ret = facts;
    return OK;
}

/* ---- its files ------------------------------------------------------------------------------- */

static enum status open_file(const char *path, int *ret_fd, uint64_t *ret_size, struct error *err)
{
    struct stat status;
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        *ret_fd = fd;
        *ret_size = (uint64_t)status.st_size;
        return OK;
    }
    if (fd >= 0)
        close(fd);
    error_set(err, ERR_NOT_FOUND, "there is no such file of this try");
    error_hint(err, "it was never written, or has been cleaned away");
    return ERR_NOT_FOUND;
}

enum status read_file_end(struct page *page, const char *path, size_t size_max,
    struct slice *ret_text, uint64_t *ret_offset, struct error *err)
{
    int fd = -1;
    uint64_t size = 0;
    enum status status = open_file(path, &fd, &size, err);
    if (status != OK)
        return status;
    uint64_t offset = size > size_max ? size - size_max : 0;
    char *text = arena_alloc(page->arena, size_max + 1);
    size_t filled = 0;
    ssize_t count = 1;
    while (count > 0 && filled < size_max) {
        count = pread(fd, text + filled, size_max - filled, (off_t)(offset + filled));
        filled += count > 0 ? (size_t)count : 0;
    }
    int number = errno;
    close(fd);
    if (count < 0)
        return error_set(err, ERR_IO, "%s: %s", path, strerror(number));
    *ret_text = slice_make(text, filled);
    *ret_offset = offset;
    return OK;
}

enum status file_log(struct page *page, struct http_answer *ret, struct error *err)
{
    struct attempt_facts facts;
    int64_t from = 0;
    enum status status = read_attempt(page, page->values, &facts, err);
    if (status == OK)
        status = open_file(facts.log_path, &ret->fd, &ret->fd_size, err);
    if (status != OK)
        return status;
    const char *text = http_query(page->request, "from", page->arena);
    if (text && parse_int64(slice_of(text), &from) && from > 0)
        ret->fd_offset = (uint64_t)from < ret->fd_size ? (uint64_t)from : ret->fd_size;
    ret->fd_size -= ret->fd_offset;
    ret->type = "text/plain; charset=utf-8";
    return OK;
}

enum status file_sql(struct page *page, struct http_answer *ret, struct error *err)
{
    struct attempt_facts facts;
    struct attempt_sql found;
    enum status status = read_attempt(page, page->values, &facts, err);
    if (status == OK && !facts.log_path)
        status = error_set(err, ERR_NOT_FOUND, "the task has not been started");
    if (status == OK)
        status = attempt_sql_find(facts.log_path, facts.attempt->id.text, &found, err);
    if (status != OK)
        return status;
    ret->fd = found.fd;
    ret->fd_offset = found.offset;
    ret->fd_size = found.size;
    ret->type = "text/plain; charset=utf-8";
    return OK;
}
