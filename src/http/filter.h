/* $filter: the part of OData that ARM's and Graph's clients send, terms joined by "and":
 *   name eq 'value'     name/any(x:x eq 'value')     name()     name('value')     name(property,'value') in either order
 * What a term means is its reader's; one that nobody asked for is refused (http_filter_known). */
#ifndef HTTP_FILTER_H
#define HTTP_FILTER_H

#include "http/http.h"

enum { HTTP_FILTER_TERMS = 8 };
enum http_filter_kind { HTTP_FILTER_EQ, HTTP_FILTER_ANY, HTTP_FILTER_CALL };
struct http_filter_term {
    enum http_filter_kind kind;
    struct str name;     /* of the property, or of what is called */
    struct str property; /* CALL: STR_NONE where it has none */
    struct str value;    /* without quotes; STR_NONE where it has none */
};
struct http_filter {
    struct http_filter_term terms[HTTP_FILTER_TERMS];
    size_t n;
};

/* Texts are borrowed, or in the arena where a quote was doubled. RC_INVALID (InvalidFilterInQueryString); RC_UNSUPPORTED:
 * it is OData, and not offered here. An empty text has no terms. */
NODISCARD enum rc http_filter_parse(struct str text, struct arena *a, struct http_filter *ret, struct err *e);
/* The request's; without one, no terms. */
NODISCARD enum rc http_filter_read(struct http_request *req, struct http_filter *ret, struct err *e);
/* RC_UNSUPPORTED, naming the first term that is not in the list ("principalId", "atScope"; ends with NULL). */
NODISCARD enum rc http_filter_known(const struct http_filter *f, const char *const *names, struct err *e);
/* The term of that name (no case); NULL. */
const struct http_filter_term *http_filter_find(const struct http_filter *f, const char *name);
/* What `name eq 'value'` wants; STR_NONE where nothing does. */
struct str http_filter_value(const struct http_filter *f, const char *name);

#endif
