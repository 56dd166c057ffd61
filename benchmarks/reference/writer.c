/* Paced writers: one-row transactions at a steady rate, with the moments at which each was sent and acknowledged.
 *
 *     writer TABLE RATE COUNT WRITERS FIRST
 *
 * Inserts the rows (id, padding) with ids from FIRST on, RATE of them a second in all, over WRITERS connections that
 * take turns. A row whose time has come while its writer waits for the server is sent at once: the rate is kept, and
 * a stall of the source does not hide.
 * Source: SOURCE_HOST, SOURCE_PORT, SOURCE_USER, SOURCE_PASSWORD, SOURCE_DATABASE in the environment.
 * Prints for each row "id sent acknowledged", in microseconds since 1970 by the machine's clock. */

#include <mysql.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { WRITERS_MAX = 16 };

typedef struct {
    int64_t sent_us, acknowledged_us;
} Moments;

static const char *table;
static long count, writers, first;
static int64_t interval_ns, start_ns;
static Moments *moments;

static void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("writer: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

static const char *setting(const char *name) {
    const char *value = getenv(name);
    if (value == NULL) fail("%s is not set", name);
    return value;
}

static int64_t now_ns(clockid_t clock) {
    struct timespec now;
    if (clock_gettime(clock, &now)) fail("no clock");
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void sleep_until(int64_t moment_ns) {
    struct timespec moment = {.tv_sec = moment_ns / 1000000000, .tv_nsec = moment_ns % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &moment, NULL)) continue;
}

static void *write_rows(void *argument) {
    long own = (long)(intptr_t)argument;
    char statement[256];
    MYSQL *source = mysql_init(NULL);
    if (source == NULL) fail("out of memory");
    if (!mysql_real_connect(source, setting("SOURCE_HOST"), setting("SOURCE_USER"), setting("SOURCE_PASSWORD"),
                            setting("SOURCE_DATABASE"), (unsigned)atoi(setting("SOURCE_PORT")), NULL, 0))
        fail("source: %s", mysql_error(source));
    for (long i = own; i < count; i += writers) {
        int length = snprintf(statement, sizeof statement, "INSERT INTO %s VALUES (%ld, REPEAT('x', 60))", table, first + i);
        sleep_until(start_ns + i * interval_ns);
        moments[i].sent_us = now_ns(CLOCK_REALTIME) / 1000;
        if (mysql_real_query(source, statement, (unsigned long)length)) fail("source: %s", mysql_error(source));
        moments[i].acknowledged_us = now_ns(CLOCK_REALTIME) / 1000;
    }
    mysql_close(source);
    return NULL;
}

int main(int words_count, char **words) {
    pthread_t threads[WRITERS_MAX];
    if (words_count != 6) fail("usage: writer TABLE RATE COUNT WRITERS FIRST");
    table = words[1];
    double rate = atof(words[2]);
    count = atol(words[3]), writers = atol(words[4]), first = atol(words[5]);
    if (rate <= 0 || count < 1 || writers < 1 || writers > WRITERS_MAX) fail("nothing to do");
    interval_ns = (int64_t)(1e9 / rate);
    moments = calloc((size_t)count, sizeof *moments);
    if (moments == NULL || mysql_library_init(0, NULL, NULL)) fail("out of memory");
    start_ns = now_ns(CLOCK_MONOTONIC) + 200000000; /* time to connect */
    for (long i = 0; i < writers; i++)
        if (pthread_create(&threads[i], NULL, write_rows, (void *)(intptr_t)i)) fail("cannot start a thread");
    for (long i = 0; i < writers; i++)
        if (pthread_join(threads[i], NULL)) fail("cannot join a thread");
    for (long i = 0; i < count; i++)
        printf("%ld %lld %lld\n", first + i, (long long)moments[i].sent_us, (long long)moments[i].acknowledged_us);
    return 0;
}
