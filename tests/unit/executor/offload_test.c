/* Blocking work on threads of its own. */
#include "executor/offload.h"

#include <sched.h>
#include <unistd.h>

#include "base/memory.h"
#include "tests/unit/test.h"

struct reading {
    struct offload_job job;
    int pipe[2];
    bool done;
};

static void read_one(struct offload_job *job)
{
    char byte;
    CHECK(read(CONTAINER_OF(job, struct reading, job)->pipe[0], &byte, 1) == 1);
}

static void mark_done(struct offload_job *job)
{
    CONTAINER_OF(job, struct reading, job)->done = true;
}

TEST(a_process_knows_whether_a_thread_is_at_work)
{
    uv_loop_t loop;
    struct offload *offload = NULL;
    struct reading reading = {.job = {read_one, mark_done, mark_done, NULL}};
    REQUIRE(uv_loop_init(&loop) == 0 && pipe(reading.pipe) == 0);
    REQUIRE(offload_new(&loop, 1, &offload, NULL) == OK);
    CHECK(!offload_at_work());
    offload_run(offload, &reading.job);
    CHECK(offload_at_work());
    CHECK(write(reading.pipe[1], "x", 1) == 1);
    while (!reading.done)
        uv_run(&loop, UV_RUN_ONCE);
    offload_free(offload, NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    while (offload_at_work()) /* its thread is on its way out */
        sched_yield();
    CHECK(uv_loop_close(&loop) == 0);
    close(reading.pipe[0]);
    close(reading.pipe[1]);
}
