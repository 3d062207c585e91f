/* The files of sql/, in order, embedded by tools/embed.py. */
#ifndef META_MIGRATIONS_H
#define META_MIGRATIONS_H

#include "db/db.h"

extern const struct db_migration meta_migrations[];
extern const size_t meta_migrations_count;

#endif
