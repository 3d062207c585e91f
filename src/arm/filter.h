/* $filter: the part of OData that ARM's and Graph's clients send, terms joined by "and":
 *   name eq 'value'     name/any(x:x eq 'value')     name()     name('value')     name(property,'value') in either order
 * What a term means is its reader's; one that nobody asked for is refused (arm_filter_known). */
#ifndef ARM_FILTER_H
#define ARM_FILTER_H

#include "http/http.h"

enum { ARM_FILTER_TERMS = 8 };
enum arm_filter_kind { ARM_FILTER_EQ, ARM_FILTER_ANY, ARM_FILTER_CALL };
struct arm_filter_term {
    enum arm_filter_kind kind;
    struct str name;     /* of the property, or of what is called */
    struct str property; /* CALL: STR_NONE where it has none */
    struct str value;    /* without quotes; STR_NONE where it has none */
};
struct arm_filter {
    struct arm_filter_term terms[ARM_FILTER_TERMS];
    size_t n;
};

/* Texts are borrowed, or in the arena where a quote was doubled. RC_INVALID (InvalidFilterInQueryString); RC_UNSUPPORTED:
 * it is OData, and not offered here. An empty text has no terms. */
NODISCARD enum rc arm_filter_parse(struct str text, struct arena *a, struct arm_filter *ret, struct err *e);
/* The request's; without one, no terms. */
NODISCARD enum rc arm_filter_read(struct http_request *req, struct arm_filter *ret, struct err *e);
/* RC_UNSUPPORTED, naming the first term that is not in the list ("principalId", "atScope"; ends with NULL). */
NODISCARD enum rc arm_filter_known(const struct arm_filter *f, const char *const *names, struct err *e);
/* The term of that name (no case); NULL. */
const struct arm_filter_term *arm_filter_find(const struct arm_filter *f, const char *name);
/* What `name eq 'value'` wants; STR_NONE where nothing does. */
struct str arm_filter_value(const struct arm_filter *f, const char *name);

#endif
