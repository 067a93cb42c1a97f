#include "daemon/blame.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"

enum { ABORTS_MAX = 2 };
#define MAGIC UINT64_C(0x31656D616C626744)

struct content {
    uint64_t magic;
    struct scheduler_note note;
    int32_t aborts;
    enum event_kind event;
    char dag_id[SCHEDULER_NOTE_ID_SIZE];
};

struct blame {
    struct content *content; /* mapped */
    int64_t opened_us;
};

/* A file of another make or size is begun anew. */
static enum status map_file(const char *path, struct content **ret, struct error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    void *at = MAP_FAILED;
    if (fd >= 0 && ftruncate(fd, sizeof(struct content)) == 0)
        at = mmap(NULL, sizeof(struct content), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (at == MAP_FAILED)
        return error_set(err, ERR_IO, "%s: %s", path, strerror(error));
    *ret = at;
    if ((*ret)->magic != MAGIC)
        **ret = (struct content){.magic = MAGIC};
    (*ret)->note.dag_id[SCHEDULER_NOTE_ID_SIZE - 1] = '\0';
    (*ret)->dag_id[SCHEDULER_NOTE_ID_SIZE - 1] = '\0';
    return OK;
}

/* The last process ended at work on the noted pair. */
static void suspect(struct content *content)
{
    const struct scheduler_note *note = &content->note;
    bool again = content->aborts && content->event == note->event &&
                 str_equal(content->dag_id, note->dag_id);
    content->aborts = again ? content->aborts + 1 : 1;
    content->event = note->event;
    memcpy(content->dag_id, note->dag_id, sizeof(content->dag_id));
}

enum status blame_open(
    const char *state, int64_t now_mono_us, struct blame **ret, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct content *content = NULL;
    enum status status = map_file(path_join(arena, state, "applying"), &content, err);
    if (status != OK)
        return status;
    if (content->note.working && content->note.dag_id[0])
        suspect(content);
    content->note.working = false;
    *ret = mem_alloc(sizeof(**ret));
    **ret = (struct blame){content, now_mono_us};
    return OK;
}

void blame_close(struct blame *blame)
{
    if (!blame)
        return;
    munmap(blame->content, sizeof(struct content));
    mem_free(blame);
}

struct scheduler_note *blame_note(struct blame *blame)
{
    return &blame->content->note;
}

const char *blame_dag(const struct blame *blame)
{
    return blame->content->aborts >= ABORTS_MAX ? blame->content->dag_id : NULL;
}

void blame_clear(struct blame *blame)
{
    blame->content->aborts = 0;
}

void blame_alive(struct blame *blame, int64_t now_mono_us)
{
    if (blame->content->aborts && now_mono_us - blame->opened_us > BLAME_HEALTHY_US)
        blame_clear(blame);
}
