#include <unistd.h>
#include "base/file.h"

char *path_join(struct arena *arena, const char *dir, const char *name)
{
    if (name[0] == '/' || dir[0] == '\0')
        return arena_strdup(arena, name);
    return arena_printf(arena, "%s%s%s", dir, str_ends(dir, "/") ? "" : "/", name);
}

char *path_dir(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return arena_strdup(arena, ".");
    return arena_strndup(arena, path, slash == path ? 1 : (size_t)(slash - path));
}

const char *path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The next part between slashes; false at the end. */
static bool next_part(const char **p, struct slice *ret)
{
    while (**p == '/')
        (*p)++;
    *ret = slice_make(*p, strcspn(*p, "/"));
    *p += ret->size;
    return ret->size > 0;
}

char *path_absolute(struct arena *arena, const char *path)
{
    struct strbuf joined = {0}, clean = {0};
    if (path[0] != '/') {
        char *cwd = getcwd(NULL, 0);
        strbuf_add_str(&joined, cwd ? cwd : "/");
        strbuf_add_char(&joined, '/');
        mem_free(cwd);
    }
    strbuf_add_str(&joined, path);
    /* ".." stays: behind a symbolic link it does not lead to the folder before it in the text. */
    struct slice part;
    for (const char *p = joined.text; next_part(&p, &part);)
        if (!slice_equal_str(part, "."))
            strbuf_printf(&clean, "/%.*s", SLICE_ARG(part));
    char *absolute = arena_strdup(arena, clean.size ? clean.text : "/");
    strbuf_done(&joined);
    strbuf_done(&clean);
    return absolute;
}

bool path_is_inside(const char *relative)
{
    if (relative[0] == '\0' || relative[0] == '/')
        return false;
    struct slice part;
    while (next_part(&relative, &part))
        if (slice_equal_str(part, ".."))
            return false;
    return true;
}
