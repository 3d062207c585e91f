/* Counters and gauges, listed in metrics.def, one line each with its help text. Each thread adds to
 * its own cells. */
#ifndef BASE_METRIC_H
#define BASE_METRIC_H

#include "base/buf.h"

enum metric {
#define METRIC_COUNTER(id, name, help) METRIC_##id,
#define METRIC_GAUGE(id, name, help)   METRIC_##id,
#include "base/metrics.def"
#undef METRIC_COUNTER
#undef METRIC_GAUGE
    METRIC_COUNT
};

void metric_add(enum metric m, int64_t n); /* from any thread, no lock */
int64_t metric_value(enum metric m);       /* sum over threads, those that ended too */
void metric_render(struct buf *out);       /* Prometheus text exposition format 0.0.4 */

#endif
