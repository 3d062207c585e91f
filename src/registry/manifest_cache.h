/* Manifests that were asked for lately, so that a pull by tag needs no query. Private to registry/.
 * An entry carries the version that its repository had before the query that found it; every write moves the version, before
 * and after it commits: what was read meanwhile is not believed, and after the writer's reply nothing older is given.
 * Only what stands in the database is remembered here, never who may read it. Any thread; nothing blocks for long. */
#ifndef REGISTRY_MANIFEST_CACHE_H
#define REGISTRY_MANIFEST_CACHE_H

#include "registry/registry.h"

struct manifest_cache;
struct manifest_cache *manifest_cache_new(size_t bytes_max);
void manifest_cache_free(struct manifest_cache *c);

/* Copied into the arena. False: not there, or no room in the arena. */
bool manifest_cache_get(struct manifest_cache *c, const struct registry_where *w, struct str reference, struct arena *a,
                        struct registry_manifest *ret);
uint64_t manifest_cache_version(struct manifest_cache *c, const struct registry_where *w);
/* `version` as it was before m was read. */
void manifest_cache_put(struct manifest_cache *c, const struct registry_where *w, struct str reference, uint64_t version,
                        const struct registry_manifest *m);
void manifest_cache_changes(struct manifest_cache *c, const struct registry_where *w); /* before and after a write */

#endif
