#include "daemon/retention.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "definition/versions.h"

struct retention {
    const struct project *project;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t woken;
    atomic_bool stop;
};

/* Files of attempts are a few folders deep; what is deeper was not made by us and stays. */
enum { DEPTH_MAX = 8 };

/* ---- files ---- */

/* A folder with all that is in it; what is gone already is fine. */
static void remove_tree(int parent, const char *name, int depth)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 && depth < DEPTH_MAX ? fdopendir(fd) : NULL;
    const struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        if (str_equal(entry->d_name, ".") || str_equal(entry->d_name, ".."))
            continue;
        if (unlinkat(fd, entry->d_name, 0) != 0 && (errno == EISDIR || errno == EPERM))
            remove_tree(fd, entry->d_name, depth + 1);
    }
    if (dir)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
    (void)unlinkat(parent, name, AT_REMOVEDIR);
}

static void remove_files(const struct project *project, const char *dag_id, const char *run_id)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char *folder = path_join(arena, path_join(arena, project->state, "logs"), dag_id);
    if (!path_is_inside(dag_id) || !path_is_inside(run_id))
        return;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    remove_tree(fd, run_id, 0);
    close(fd);
}

/* ---- a pass ---- */

static bool told(const atomic_bool *stop)
{
    return stop && atomic_load(stop);
}

static enum status clean_runs(const struct project *project, struct store_cleaner *cleaner,
    bool dry_run, const atomic_bool *stop, struct error *err)
{
    for (;;) {
        const char *dag_id, *run_id;
        bool more = true;
        enum status status = store_clean_next(cleaner, &dag_id, &run_id, err);
        if (status != OK || !run_id || told(stop))
            return status;
        if (!dry_run) /* first: rows without files say so, files without rows would stay */
            remove_files(project, dag_id, run_id);
        while (more && !told(stop)) {
            status = store_clean_run(cleaner, &more, err);
            if (status != OK)
                return status;
        }
    }
}

static enum status clean_versions(const struct project *project, struct store_cleaner *cleaner,
    int64_t before_us, bool dry_run, size_t *ret, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct names versions;
    enum status status = store_clean_versions(cleaner, arena, &versions, err);
    if (status != OK)
        return status;
    return versions_clean(versions_folder(project, arena), &versions, before_us, dry_run, ret, err);
}

enum status retention_pass(const struct project *project, int64_t before_us, bool dry_run,
    const atomic_bool *stop, struct store_cleaned *ret, size_t *ret_versions, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(store_cleaner_closep) struct store_cleaner *cleaner = NULL;
    bool more = true;
    *ret = (struct store_cleaned){0};
    *ret_versions = 0;
    enum status status = store_cleaner_open(
        path_join(arena, project->state, "dag.db"), before_us, dry_run, &cleaner, err);
    if (status == OK)
        status = clean_runs(project, cleaner, dry_run, stop, err);
    while (status == OK && more && !told(stop))
        status = store_clean_rest(cleaner, &more, err);
    if (status == OK && !told(stop))
        status = clean_versions(project, cleaner, before_us, dry_run, ret_versions, err);
    if (cleaner)
        *ret = *store_cleaned_so_far(cleaner);
    return status;
}

/* ---- the thread ---- */

static void pass(const struct retention *retention)
{
    struct store_cleaned cleaned;
    size_t versions;
    struct error err;
    int64_t before_us = clock_now().wall_us - retention->project->retention_us;
    enum status status = retention_pass(
        retention->project, before_us, false, &retention->stop, &cleaned, &versions, &err);
    if (status != OK)
        log_error(&err, "retention");
    else if (cleaned.runs || cleaned.requests || cleaned.asset_events || versions)
        log_line(LOG_INFO,
            "retention: of %lld runs, %lld attempts with their logs were deleted; %lld requests, "
            "%lld asset events, %zu files of versions",
            (long long)cleaned.runs, (long long)cleaned.attempts, (long long)cleaned.requests,
            (long long)cleaned.asset_events, versions);
}

static void *run(void *arg)
{
    struct retention *retention = arg;
    pthread_mutex_lock(&retention->mutex);
    while (!atomic_load(&retention->stop)) {
        pthread_mutex_unlock(&retention->mutex);
        pass(retention);
        pthread_mutex_lock(&retention->mutex);
        struct timespec until = {
            .tv_sec = (time_t)((clock_now().wall_us + US_PER_DAY) / US_PER_SECOND)};
        if (!atomic_load(&retention->stop))
            pthread_cond_timedwait(&retention->woken, &retention->mutex, &until);
    }
    pthread_mutex_unlock(&retention->mutex);
    return NULL;
}

struct retention *retention_start(const struct project *project)
{
    struct retention *retention = mem_alloc_zero(1, sizeof(*retention));
    retention->project = project;
    pthread_mutex_init(&retention->mutex, NULL);
    pthread_cond_init(&retention->woken, NULL);
    atomic_init(&retention->stop, false);
    pthread_create(&retention->thread, NULL, run, retention);
    return retention;
}

void retention_stop(struct retention *retention)
{
    if (!retention)
        return;
    pthread_mutex_lock(&retention->mutex);
    atomic_store(&retention->stop, true);
    pthread_cond_signal(&retention->woken);
    pthread_mutex_unlock(&retention->mutex);
    pthread_join(retention->thread, NULL);
    pthread_cond_destroy(&retention->woken);
    pthread_mutex_destroy(&retention->mutex);
    mem_free(retention);
}
