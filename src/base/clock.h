/* Time. Wall-clock times are microseconds since the epoch (as in the database); spans use the
 * monotonic clock. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/err.h"
#include "base/str.h"

enum { CLOCK_TEXT_MAX = 40 };
enum { CLOCK_US_PER_S = 1000000 };

int64_t clock_wall_us(void);
int64_t clock_mono_us(void);
/* "2026-11-23T20:11:12.1234567Z" (ARM's creationDate: 7 digits and Z). */
struct str clock_format_z(int64_t wall_us, char out[CLOCK_TEXT_MAX]);
/* "2026-11-23T20:11:12.1234567+00:00" (ARM's systemData). */
struct str clock_format_offset(int64_t wall_us, char out[CLOCK_TEXT_MAX]);
/* RFC 3339 in UTC: "2026-11-23T20:11:12Z", with or without a fraction, "+00:00" for Z. RC_INVALID. */
NODISCARD enum rc clock_parse(struct str text, int64_t *ret_wall_us, struct err *e);
/* "Mon, 23 Nov 2026 20:11:12 GMT" (RFC 9110 5.6.7). */
struct str clock_format_http(int64_t wall_us, char out[CLOCK_TEXT_MAX]);

#endif
