/* Tasks that tests make have parts of every kind, of their own, and tests write to them. */
#ifndef TESTS_PARTS_H
#define TESTS_PARTS_H

#include "definition/model/model.h"

#define PARTS(task, part) ((struct part##_task *)(uintptr_t)(task)->part)

static inline void own_parts(struct task *task, struct arena *arena)
{
    struct task_parts *parts = arena_new_of(arena, struct task_parts);
    task->data = &parts->data;
    task->decision = &parts->decision;
    task->process = &parts->process;
    task->http = &parts->http;
    task->wait = &parts->wait;
    task->trigger = &parts->trigger;
}

#endif
