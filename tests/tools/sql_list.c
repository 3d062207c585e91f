/* Prints every statement of the program, each followed by a NUL, for the test that prepares them on
 * PostgreSQL. */
#include "meta/statements.h"
#include <stdio.h>

int main(void)
{
    for (size_t i = 0; i < ARRAY_LEN(meta_statements); i++) {
        fputs(meta_statements[i].sql, stdout);
        putchar('\0');
    }
    return 0;
}
