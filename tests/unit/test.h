/* What every unit test includes: cmocka wants these headers before its own. */
#ifndef UNIT_TEST_H
#define UNIT_TEST_H

#include <setjmp.h> /* IWYU pragma: keep */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"

/* The text of a struct str, with its length, is exactly that of a literal. */
#define assert_str(s, literal)                                                                     \
    do {                                                                                           \
        struct str str_ = (s);                                                                     \
        assert_non_null(str_.ptr);                                                                 \
        assert_int_equal(str_.len, strlen(literal));                                               \
        assert_memory_equal(str_.ptr, literal, str_.len);                                          \
    } while (0)

#endif
