#include "base/temporary.h"
#include <dirent.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/file.h"
#include "base/process.h"
#include "base/vec.h"

static const char *place(void)
{
    const char *named = getenv("TMPDIR");
    return named && *named ? named : "/tmp";
}

enum status temporary_make(
    const char *kind, struct arena *arena, const char **ret, struct error *err)
{
    pid_t pid = getpid();
    char *folder = arena_printf(
        arena, "%s/dag-%s-%ld-%llu-XXXXXX", place(), kind, (long)pid, process_started(pid));
    if (!mkdtemp(folder))
        return error_set(err, ERR_IO, "no folder can be made in %s", place());
    *ret = folder;
    return OK;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info, (void)kind, (void)at;
    return remove(path);
}

void temporary_remove(const char *path)
{
    if (path)
        nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* Whether the name is that of a folder of a process that is gone. */
static bool is_left(const char *name, const char *prefix)
{
    int64_t pid, start;
    if (!str_starts(name, prefix))
        return false;
    const char *digits = name + strlen(prefix), *dash = strchr(digits, '-');
    const char *end = dash ? strchr(dash + 1, '-') : NULL;
    return end && parse_int64(slice_make(digits, (size_t)(dash - digits)), &pid) && pid > 1 &&
           parse_int64(slice_make(dash + 1, (size_t)(end - dash) - 1), &start) &&
           process_is_gone((pid_t)pid, (unsigned long long)start);
}

size_t temporary_left(const char *kind, struct arena *arena, const char ***ret)
{
    VEC(const char *) found = {0};
    const char *prefix = arena_printf(arena, "dag-%s-", kind);
    DIR *folder = opendir(place());
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        struct stat info;
        const char *path = path_join(arena, place(), entry->d_name);
        if (is_left(entry->d_name, prefix) && lstat(path, &info) == 0 && S_ISDIR(info.st_mode) &&
            info.st_uid == geteuid())
            vec_push(&found, path);
    }
    if (folder)
        closedir(folder);
    size_t count = found.count;
    *ret = count ? arena_memdup(arena, found.at, count * sizeof(*found.at)) : NULL;
    vec_done(&found);
    return count;
}
