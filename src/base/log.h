/* Log: named events with typed fields, as JSON lines (or plain text on a terminal).
 * Each thread writes into its own ring of 1 MiB; one writer thread empties them to the descriptor
 * that log_start got. A full ring drops and counts; log calls never block. Before log_start and
 * after log_stop, events go straight to standard error. Never log a secret, a token or a signed URL. Escaping happens here
 * and nowhere else. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_field_kind { LOG_STR, LOG_U64, LOG_I64, LOG_BOOL };

struct log_field {
    const char *name;
    enum log_field_kind kind;
    union {
        struct str s;
        uint64_t u;
        int64_t i;
        bool b;
    };
};

#define F_STR(n, v)  ((struct log_field){.name = (n), .kind = LOG_STR, .s = (v)})
#define F_TEXT(n, v) ((struct log_field){.name = (n), .kind = LOG_STR, .s = str_from(v)})
#define F_U64(n, v)  ((struct log_field){.name = (n), .kind = LOG_U64, .u = (v)})
#define F_I64(n, v)  ((struct log_field){.name = (n), .kind = LOG_I64, .i = (v)})
#define F_BOOL(n, v) ((struct log_field){.name = (n), .kind = LOG_BOOL, .b = (v)})

#define log_debug(event, ...) LOG_EVENT(LOG_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...)  LOG_EVENT(LOG_INFO, event, __VA_ARGS__)
#define log_warn(event, ...)  LOG_EVENT(LOG_WARN, event, __VA_ARGS__)
#define log_error(event, ...) LOG_EVENT(LOG_ERROR, event, __VA_ARGS__)
/* An event takes at least one field. */
#define LOG_EVENT(level, event, ...)                                                               \
    do {                                                                                           \
        if (log_enabled(level)) {                                                                  \
            const struct log_field log_fields_[] = {__VA_ARGS__};                                  \
            log_write(level, event, log_fields_, ARRAY_LEN(log_fields_));                          \
        }                                                                                          \
    } while (0)

bool log_enabled(enum log_level level);
void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t n);
void log_set_level(enum log_level level);
NODISCARD enum rc log_level_parse(struct str s, enum log_level *ret); /* debug, info, warn, error */
NODISCARD enum rc log_start(int fd, struct err *e); /* starts the writer thread */
void log_stop(void); /* empties every ring, joins the writer */
uint64_t log_dropped(void);

#endif
