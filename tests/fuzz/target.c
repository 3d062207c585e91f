/* No target, and no parameter made of one, holds a NUL, a control character or a segment that
 * climbs. */
#include "fuzz.h"

#include "http/route.h"
#include <stdlib.h>

static const struct http_route list[] = {
    {.method = HTTP_GET, .pattern = "/v2/{name+}/manifests/{reference}"},
    {.method = HTTP_GET, .pattern = "/{scope+}/x"},
    {.method = HTTP_GET, .pattern = "/{a}/{b}"},
};

static void check(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 0x20)
            abort();
    while (s.ptr) {
        struct str segment = str_split(&s, '/');

        if (str_is(segment, "..") || str_is(segment, "."))
            abort();
    }
}

static void find(struct http_request *req, bool fold)
{
    struct http_routes routes = {list, ARRAY_LEN(list), fold};
    struct str allow;

    req->n_params = 0;
    if (http_route_find(&routes, req, &allow) != RC_OK)
        return;
    for (size_t i = 0; i < req->n_params; i++) {
        if (req->params[i].value.len == 0)
            abort();
        check(req->params[i].value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_request req = {
        .arena = ARENA_INIT(HTTP_ARENA_MAX), .version = 11, .method_text = STR("GET")};

    req.target = (struct str){(const char *)data, size};
    if (http_target_parse(&req, NULL) == RC_OK) {
        check(req.path);
        find(&req, false);
        find(&req, true);
    }
    arena_done(&req.arena);
    return 0;
}
