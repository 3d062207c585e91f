/* How an event looks: a JSON line, or words for a person. */
#ifndef BASE_LOG_LINE_H
#define BASE_LOG_LINE_H

#include "base/buf.h"
#include "base/log.h"

/* A longer value is cut and marked; a line that is still longer keeps its head only. */
enum { LOG_VALUE_MAX = 4096, LOG_LINE_MAX = 32 * 1024 };

struct log_event {
    int64_t wall_us;
    enum log_level level;
    const char *name;
    const struct log_field *fields;
    size_t n;
};

/* Replaces the content of `out`, whose maximum is LOG_LINE_MAX. */
void log_line_json(const struct log_event *ev, struct buf *out);
void log_line_text(const struct log_event *ev, struct buf *out);

#endif
