/* JSON values (RFC 8259): reading with limits, building, writing. The only user of jansson.
 * Members keep the order in which they were set. Duplicate member names, invalid UTF-8, NUL in
 * strings and nesting past the limit are refused. Objects are owned trees: json_set and json_append
 * take the child over.
 * Threads: a tree belongs to one thread at a time; const reads may be shared. */
#ifndef JSON_JSON_H
#define JSON_JSON_H

#include "base/arena.h"
#include "base/buf.h"

struct json;
enum json_type {
    JSON_ABSENT,
    JSON_NULL,
    JSON_BOOL,
    JSON_INTEGER,
    JSON_REAL,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

struct json_limits {
    size_t bytes;   /* longest text; 0: 4 MiB */
    unsigned depth; /* deepest nesting; 0: 64 */
    size_t values;  /* most members, elements and brackets: a tree is many times its text; 0: 100,000 */
};

/* RC_INVALID (the text names line and column), RC_TOO_LARGE. `limits` may be NULL. */
NODISCARD enum rc json_parse(struct str text, const struct json_limits *limits, struct json **ret,
                             struct err *e);
void json_free(struct json *j);
CLEANUP_POINTER(struct json, json_free)

/* Reading. Every function accepts NULL as "absent". */
enum json_type json_type(const struct json *j);
bool json_given(const struct json *j); /* there, and not null */
/* Borrowed; NULL when absent or not an object. */
struct json *json_get(const struct json *object, const char *member);
/* ARM: member names in any case; the exact one first. */
struct json *json_get_nocase(const struct json *object, const char *member);
struct json *json_path(const struct json *object, const char *dotted); /* "properties.sku.name" */
size_t json_len(const struct json *array_or_object);
struct json *json_at(const struct json *array, size_t i);
struct str json_str(const struct json *string); /* borrowed; STR_NONE when not a string */
bool json_bool(const struct json *j, bool otherwise);
int64_t json_int(const struct json *j, int64_t otherwise);
/* Iteration: for (size_t i = 0; json_member(object, &i, &name, &value);) in the order of the
 * members. Names are terminated. The object must not change meanwhile. */
bool json_member(const struct json *object, size_t *i, struct str *ret_name,
                 struct json **ret_value);
bool json_same(const struct json *a, const struct json *b); /* members in any order */

/* Building; memory exhaustion aborts. A child given to json_set or json_append is owned by its
 * parent from then on. */
struct json *json_new_object(void);
struct json *json_new_array(void);
struct json *json_new_null(void);
struct json *json_new_bool(bool b);
struct json *json_new_int(int64_t i);
struct json *json_new_str(struct str s); /* invalid UTF-8 becomes U+FFFD */
struct json *json_new_text(const char *terminated);
struct json *json_clone(const struct json *j); /* deep */
/* Replaces; a NULL child removes. */
void json_set(struct json *object, const char *member, struct json *child);
void json_set_str(struct json *object, const char *member, struct str s);
void json_set_text(struct json *object, const char *member, const char *terminated);
void json_remove(struct json *object, const char *member);
void json_append(struct json *array, struct json *child);
void json_remove_at(struct json *array, size_t i);

/* Compact; with two blanks, as az prints it, and no final newline; compact, ptr NULL past the
 * arena's maximum. */
void json_write(const struct json *j, struct buf *out);
void json_write_pretty(const struct json *j, struct buf *out);
struct str json_write_arena(const struct json *j, struct arena *a);
/* The same for what is to be read again: STR_NONE too where json_parse without limits would refuse it. */
struct str json_write_stored(const struct json *j, struct arena *a);

#endif
