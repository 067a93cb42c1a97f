#include "executor/handles.h"

#include <assert.h>

#include "base/memory.h"

struct timer {
    uv_timer_t handle;
    struct handles *handles;
    void (*fired)(void *user);
    void *user;
};

void handles_add(struct handles *handles)
{
    handles->open++;
}

void handles_drop(struct handles *handles)
{
    assert(handles->open > 0);
    if (--handles->open == 0 && handles->ending && handles->empty)
        handles->empty(handles->user);
}

struct timer *timer_new(struct handles *handles, void (*fired)(void *user), void *user)
{
    struct timer *timer = mem_alloc_zero(1, sizeof(*timer));
    uv_timer_init(handles->loop, &timer->handle);
    timer->handle.data = timer;
    timer->handles = handles;
    timer->fired = fired;
    timer->user = user;
    handles_add(handles);
    return timer;
}

static void on_fired(uv_timer_t *handle)
{
    struct timer *timer = handle->data;
    timer->fired(timer->user);
}

void timer_start(struct timer *timer, uint64_t ms)
{
    uv_update_time(timer->handle.loop);
    uv_timer_start(&timer->handle, on_fired, ms, 0);
}

void timer_stop(struct timer *timer)
{
    uv_timer_stop(&timer->handle);
}

static void on_closed(uv_handle_t *handle)
{
    struct timer *timer = handle->data;
    struct handles *handles = timer->handles;
    mem_free(timer);
    handles_drop(handles);
}

void timer_free(struct timer *timer)
{
    if (timer)
        uv_close((uv_handle_t *)&timer->handle, on_closed);
}
