#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int64_t clock_us(clockid_t id)
{
    struct timespec t;

    if (clock_gettime(id, &t) != 0)
        abort();
    return (int64_t)t.tv_sec * CLOCK_US_PER_S + t.tv_nsec / 1000;
}

int64_t clock_wall_us(void)
{
    return clock_us(CLOCK_REALTIME);
}

int64_t clock_mono_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

struct civil {
    int64_t year;
    unsigned month, day, weekday; /* 1..12, 1..31, 0 is Sunday */
    unsigned hour, minute, second, us;
};

/* Years begin in March here, so that the leap day is the last of its year and 153 days are five
 * months. gmtime_r does the same under a lock of the whole process; every log line needs this. */
static void civil_date(int64_t days, struct civil *c)
{
    days += 719468; /* from 0000-03-01 */
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned in_era = (unsigned)(days - era * 146097);
    unsigned year_of_era = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    unsigned in_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned month = (5 * in_year + 2) / 153;

    c->day = in_year - (153 * month + 2) / 5 + 1;
    c->month = month < 10 ? month + 3 : month - 9;
    c->year = (int64_t)year_of_era + era * 400 + (c->month <= 2);
}

static struct civil civil_from(int64_t wall_us)
{
    enum { DAY = 86400 };
    int64_t us = wall_us % CLOCK_US_PER_S, s = wall_us / CLOCK_US_PER_S;

    if (us < 0) {
        us += CLOCK_US_PER_S;
        s--;
    }
    int64_t in_day = s % DAY, days = s / DAY;

    if (in_day < 0) {
        in_day += DAY;
        days--;
    }
    struct civil c = {
        .weekday = (unsigned)(((days % 7) + 11) % 7), /* 1970-01-01 was a Thursday */
        .hour = (unsigned)in_day / 3600,
        .minute = (unsigned)in_day / 60 % 60,
        .second = (unsigned)in_day % 60,
        .us = (unsigned)us,
    };

    civil_date(days, &c);
    return c;
}

static char *put_digits(char *p, unsigned v, unsigned n, char after)
{
    for (unsigned i = n; i-- > 0; v /= 10)
        p[i] = (char)('0' + v % 10);
    p[n] = after;
    return p + n + 1;
}

/* Terminated. */
static char *put_text(char *p, const char *text, const char *after)
{
    size_t n = strlen(text), n_after = strlen(after);

    memcpy(p, text, n);
    memcpy(p + n, after, n_after + 1);
    return p + n + n_after;
}

/* Every log line has one; printf would cost more than the rest of it. */
static struct str format_four_digit_year(const struct civil *c, const char *zone,
                                         char out[CLOCK_TEXT_MAX])
{
    char *p = put_digits(out, (unsigned)c->year, 4, '-');

    p = put_digits(p, c->month, 2, '-');
    p = put_digits(p, c->day, 2, 'T');
    p = put_digits(p, c->hour, 2, ':');
    p = put_digits(p, c->minute, 2, ':');
    p = put_digits(p, c->second, 2, '.');
    p = put_digits(p, c->us, 6, '0');
    p = put_text(p, zone, "");
    return (struct str){out, (size_t)(p - out)};
}

static struct str clock_format(int64_t wall_us, const char *zone, char out[CLOCK_TEXT_MAX])
{
    struct civil c = civil_from(wall_us);

    if (c.year >= 0 && c.year <= 9999)
        return format_four_digit_year(&c, zone, out);
    int n = snprintf(out, CLOCK_TEXT_MAX, "%04lld-%02u-%02uT%02u:%02u:%02u.%06u0%s",
                     (long long)c.year, c.month, c.day, c.hour, c.minute, c.second, c.us, zone);

    return (struct str){out, (size_t)n};
}

struct str clock_format_z(int64_t wall_us, char out[CLOCK_TEXT_MAX])
{
    return clock_format(wall_us, "Z", out);
}

struct str clock_format_offset(int64_t wall_us, char out[CLOCK_TEXT_MAX])
{
    return clock_format(wall_us, "+00:00", out);
}

struct str clock_format_http(int64_t wall_us, char out[CLOCK_TEXT_MAX])
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct civil c = civil_from(wall_us);
    char *p = out;

    p = put_text(p, days[c.weekday], ", ");
    p = put_digits(p, c.day, 2, ' ');
    p = put_text(p, months[c.month - 1], " ");
    p = put_digits(p, (unsigned)c.year, 4, ' '); /* the format has no more than four */
    p = put_digits(p, c.hour, 2, ':');
    p = put_digits(p, c.minute, 2, ':');
    p = put_digits(p, c.second, 2, ' ');
    p = put_text(p, "GMT", "");
    return (struct str){out, (size_t)(p - out)};
}

/* --- reading --- */

/* `n` digits, and what stands behind them (0: nothing is looked at). */
static bool take_number(struct str *rest, unsigned n, char after, unsigned *ret)
{
    unsigned v = 0;

    if (rest->len < n + (after ? 1U : 0U))
        return false;
    for (unsigned i = 0; i < n; i++) {
        if (rest->ptr[i] < '0' || rest->ptr[i] > '9')
            return false;
        v = v * 10 + (unsigned)(rest->ptr[i] - '0');
    }
    if (after && ascii_lower(rest->ptr[n]) != after)
        return false;
    *rest = str_skip(*rest, n + (after ? 1U : 0U));
    *ret = v;
    return true;
}

/* ".1234567": digits past a microsecond are dropped. */
static bool take_fraction(struct str *rest, unsigned *ret_us)
{
    unsigned us = 0, n = 0, digit;

    if (rest->len == 0 || rest->ptr[0] != '.')
        return true;
    *rest = str_skip(*rest, 1);
    for (; take_number(rest, 1, 0, &digit); n++)
        if (n < 6)
            us = us * 10 + digit;
    for (unsigned i = n; i < 6; i++)
        us *= 10;
    *ret_us = us;
    return n > 0;
}

static bool take_civil(struct str *rest, struct civil *c)
{
    unsigned year = 0;

    if (!take_number(rest, 4, '-', &year) || !take_number(rest, 2, '-', &c->month) ||
        !take_number(rest, 2, 't', &c->day) || !take_number(rest, 2, ':', &c->hour) ||
        !take_number(rest, 2, ':', &c->minute) || !take_number(rest, 2, 0, &c->second))
        return false;
    c->year = year;
    return c->hour < 24 && c->minute < 60 && c->second < 60 && take_fraction(rest, &c->us);
}

/* The other way round than civil_date. */
static int64_t days_of(const struct civil *c)
{
    int64_t year = c->year - (c->month <= 2), era = (year >= 0 ? year : year - 399) / 400;
    unsigned year_of_era = (unsigned)(year - era * 400);
    unsigned month = c->month > 2 ? c->month - 3 : c->month + 9;
    unsigned in_year = (153 * month + 2) / 5 + c->day - 1;

    return era * 146097 +
           (int64_t)(year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + in_year) - 719468;
}

enum rc clock_parse(struct str text, int64_t *ret_wall_us, struct err *e)
{
    struct civil c = {.us = 0}, again;
    struct str rest = text;

    if (take_civil(&rest, &c) && c.day >= 1 &&
        (str_is_nocase(rest, "Z") || str_is(rest, "+00:00"))) {
        int64_t s = days_of(&c) * 86400 + c.hour * 3600 + c.minute * 60 + c.second;

        again = civil_from(s * CLOCK_US_PER_S);
        if (again.month == c.month && again.day == c.day) { /* a day that there is */
            *ret_wall_us = s * CLOCK_US_PER_S + c.us;
            return RC_OK;
        }
    }
    return err_set(e, RC_INVALID, "\"%.*s\" is not a time of the form 2026-11-23T20:11:12Z.",
                   STR_ARG(str_take(text, 100)));
}
