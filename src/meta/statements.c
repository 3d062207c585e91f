#include "meta/statements.h"

const struct db_statement meta_statements[META_STATEMENTS] = {
#define STATEMENT(id, sql) {META_##id, #id, sql},
#include "meta/statements.def"
#undef STATEMENT
};

_Static_assert(META_STATEMENTS <= DB_STATEMENTS_MAX - DB_STATEMENTS_OWN, "a place for each");
