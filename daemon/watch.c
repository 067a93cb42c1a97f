#include "daemon/watch.h"

#include "base/vec.h"

struct folder {
    uv_fs_event_t event;
    struct watch *watch;
    char *path;
    bool keep;
};

struct watch {
    uv_loop_t *loop;
    void (*changed)(void *user);
    void *user;
    VEC(struct folder *) folders;
    size_t failed;  /* folders that cannot be watched */
    size_t closing; /* handles */
    bool freed;
};

static void release(struct watch *watch)
{
    if (!watch->freed || watch->closing || watch->folders.count)
        return;
    vec_done(&watch->folders);
    mem_free(watch);
}

static void on_closed(uv_handle_t *handle)
{
    struct folder *folder = handle->data;
    struct watch *watch = folder->watch;
    mem_free(folder->path);
    mem_free(folder);
    watch->closing--;
    release(watch);
}

static void close_folder(struct watch *watch, size_t i)
{
    struct folder *folder = watch->folders.at[i];
    vec_remove(&watch->folders, i);
    watch->closing++;
    uv_close((uv_handle_t *)&folder->event, on_closed);
}

static void on_event(uv_fs_event_t *event, const char *name, int events, int status)
{
    (void)name;
    (void)events;
    (void)status;
    struct folder *folder = event->data;
    if (!folder->watch->freed)
        folder->watch->changed(folder->watch->user);
}

struct watch *watch_new(uv_loop_t *loop, void (*changed)(void *user), void *user)
{
    struct watch *watch = mem_alloc_zero(1, sizeof(*watch));
    watch->loop = loop;
    watch->changed = changed;
    watch->user = user;
    return watch;
}

static struct folder *find(struct watch *watch, const char *path)
{
    vec_each (folder, &watch->folders)
        if (str_equal((*folder)->path, path))
            return *folder;
    return NULL;
}

static bool add(struct watch *watch, const char *path)
{
    struct folder *folder = mem_alloc_zero(1, sizeof(*folder));
    folder->watch = watch;
    folder->path = mem_strdup(path);
    folder->keep = true;
    folder->event.data = folder;
    uv_fs_event_init(watch->loop, &folder->event);
    vec_push(&watch->folders, folder);
    if (uv_fs_event_start(&folder->event, on_event, path, 0) == 0)
        return true;
    watch->failed++;
    close_folder(watch, watch->folders.count - 1);
    return false;
}

bool watch_set(struct watch *watch, const struct names *folders)
{
    bool added = false;
    watch->failed = 0;
    vec_each (folder, &watch->folders)
        (*folder)->keep = false;
    for (size_t i = 0; i < folders->count; i++) {
        struct folder *folder = find(watch, folders->at[i]);
        if (folder)
            folder->keep = true;
        else
            added |= add(watch, folders->at[i]);
    }
    for (size_t i = watch->folders.count; i-- > 0;)
        if (!watch->folders.at[i]->keep)
            close_folder(watch, i);
    return added;
}

bool watch_must_poll(const struct watch *watch)
{
    return watch->failed > 0;
}

void watch_free(struct watch *watch)
{
    watch->freed = true;
    while (watch->folders.count)
        close_folder(watch, watch->folders.count - 1);
    release(watch);
}
