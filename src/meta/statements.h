/* The statements of statements.def, numbered. Private to meta/ and to the test that prepares each of them elsewhere. */
#ifndef META_STATEMENTS_H
#define META_STATEMENTS_H

#include "db/db.h"

enum meta_statement {
#define STATEMENT(id, sql) META_##id,
#include "meta/statements.def"
#undef STATEMENT
    META_STATEMENTS
};

extern const struct db_statement meta_statements[META_STATEMENTS];

#endif
