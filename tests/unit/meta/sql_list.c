/* kidoban-sql-list: every statement of the program, each ended by a NUL; for a test that prepares
 * them on PostgreSQL. */
#include "meta/statements.h"
#include <stdio.h>

int main(void)
{
    for (unsigned i = 0; i < META_STATEMENTS; i++)
        if (printf("%s%c", meta_statements[i].sql, '\0') < 0)
            return 1;
    return fflush(stdout) == 0 ? 0 : 1;
}
