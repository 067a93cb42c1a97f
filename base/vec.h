/*
 * Typed growing arrays on the heap: VEC(int) numbers = {0}; vec_push(&numbers, 3);
 * vec_done(&numbers).
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include "base/memory.h"

#define VEC(type)                                                                                  \
    struct {                                                                                       \
        type *at;                                                                                  \
        size_t count;                                                                              \
        size_t capacity;                                                                           \
    }

void *vec_grow_(void *at, size_t *capacity, size_t needed, size_t item_size);

#define vec_reserve(v, n)                                                                          \
    ((v)->at = (n) > (v)->capacity ? vec_grow_((v)->at, &(v)->capacity, (n), sizeof(*(v)->at))     \
                                   : (v)->at)
#define vec_push(v, item) (vec_reserve((v), (v)->count + 1), (v)->at[(v)->count++] = (item))
/* A pointer to a new zeroed item at the end. */
#define vec_add(v)                                                                                 \
    (vec_reserve((v), (v)->count + 1), memset(&(v)->at[(v)->count], 0, sizeof(*(v)->at)),          \
        &(v)->at[(v)->count++])
#define vec_pop(v) ((v)->at[--(v)->count])
#define vec_clear(v) ((v)->count = 0)
#define vec_done(v) (mem_free((v)->at), (v)->at = NULL, (v)->count = (v)->capacity = 0)
/* Removes item i, keeping the order. */
#define vec_remove(v, i)                                                                           \
    (memmove(&(v)->at[i], &(v)->at[(i) + 1], ((v)->count - (i)-1) * sizeof(*(v)->at)), (v)->count--)
#define vec_each(item, v)                                                                          \
    for (__typeof__(*(v)->at) *item = (v)->at; item < (v)->at + (v)->count; item++)

#endif
