/* The few language extensions that the code relies on, named once. */
#ifndef BASE_MACRO_H
#define BASE_MACRO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NODISCARD       __attribute__((warn_unused_result))
#define PRINTF(fmt, va) __attribute__((format(printf, fmt, va)))
#define NORETURN        __attribute__((noreturn))
#define ARRAY_LEN(a)    (sizeof(a) / sizeof((a)[0]))

/* CLEANUP(buf_done) struct buf b; runs buf_done(&b) when b leaves its scope.
 * For pointers, modules export a `..._freep(T **)` made by CLEANUP_POINTER. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define CLEANUP_POINTER(type, free_fn)                                                             \
    static inline void free_fn##p(type **p)                                                        \
    {                                                                                              \
        free_fn(*p);                                                                               \
    }

#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
