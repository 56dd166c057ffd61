/* The reference of a full load: MySQL's text protocol in, PostgreSQL's binary COPY out, one thread per query.
 *
 *     load TABLE QUERY [QUERY ...]
 *
 * Source: SOURCE_HOST, SOURCE_PORT, SOURCE_USER, SOURCE_PASSWORD, SOURCE_DATABASE in the environment.
 * Target: libpq's own variables (PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE).
 * Prints {"rows": n, "bytes": n}, the bytes being those given to COPY. Any error ends it with status 1 and a message.
 *
 * It knows the column types of the two workloads and no others. Formats: PostgreSQL manual, "COPY", binary format;
 * src/backend/utils/adt/numeric.c, numeric_recv; src/backend/utils/adt/date.c, date_recv. */

#include <arpa/inet.h>
#include <endian.h>
#include <libpq-fe.h>
#include <mysql.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STREAMS_MAX = 16, COLUMNS_MAX = 64, FLUSH_AT = 256 << 10, DIGIT_GROUPS_MAX = 32 };

typedef struct {
    pthread_t thread;
    const char *table;
    const char *query;
    uint64_t rows;
    uint64_t bytes;
} Stream;

typedef struct {
    unsigned char *data;
    size_t used;
    size_t capacity;
} Buffer;

static void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
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

/* Room for `more` bytes behind what is used. */
static void reserve(Buffer *out, size_t more) {
    if (out->capacity - out->used >= more) return;
    while (out->capacity - out->used < more) out->capacity = out->capacity ? 2 * out->capacity : 2 * FLUSH_AT;
    out->data = realloc(out->data, out->capacity);
    if (out->data == NULL) fail("out of memory");
}

static inline void put16(Buffer *out, uint16_t value) {
    uint16_t wire = htons(value);
    memcpy(out->data + out->used, &wire, sizeof wire);
    out->used += sizeof wire;
}

static inline void put32(Buffer *out, uint32_t value) {
    uint32_t wire = htonl(value);
    memcpy(out->data + out->used, &wire, sizeof wire);
    out->used += sizeof wire;
}

static inline void put64(Buffer *out, uint64_t value) {
    uint64_t wire = htobe64(value);
    memcpy(out->data + out->used, &wire, sizeof wire);
    out->used += sizeof wire;
}

static inline unsigned digit(char character) {
    unsigned value = (unsigned)(character - '0');
    if (value > 9) fail("not a digit: %c", character);
    return value;
}

static int64_t integer(const char *text, size_t length) {
    int negative = length > 0 && text[0] == '-';
    int64_t value = 0;
    for (size_t i = (size_t)negative; i < length; i++) value = 10 * value + digit(text[i]);
    return negative ? -value : value;
}

/* A decimal exactly as it stands: groups of four digits to base 10,000, aligned at the point. */
static void put_numeric(Buffer *out, const char *text, size_t length) {
    uint16_t groups[DIGIT_GROUPS_MAX];
    int negative = length > 0 && text[0] == '-';
    const char *at = text + negative, *end = text + length;
    const char *point = memchr(at, '.', (size_t)(end - at));
    const char *whole_end = point ? point : end;
    int scale = point ? (int)(end - point - 1) : 0, count = 0, used, first = 0;
    while (at < whole_end && *at == '0') at++;
    int whole = (int)((whole_end - at) + 3) / 4, weight = whole - 1;
    if (whole + (scale + 3) / 4 > DIGIT_GROUPS_MAX) fail("decimal too long: %.*s", (int)length, text);
    for (int left = (int)(whole_end - at); left > 0;) {
        unsigned group = 0;
        do group = 10 * group + digit(*at++);
        while (--left % 4 != 0);
        groups[count++] = (uint16_t)group;
    }
    if (point) at = point + 1;
    while (at < end) {
        unsigned group = 0;
        for (int i = 0; i < 4; i++) group = 10 * group + (at < end ? digit(*at++) : 0);
        groups[count++] = (uint16_t)group;
    }
    for (used = count; used > 0 && groups[used - 1] == 0;) used--;
    for (; first < used && groups[first] == 0; first++) weight--;
    if (used == 0) negative = weight = 0;
    put32(out, 8 + 2 * (uint32_t)(used - first));
    put16(out, (uint16_t)(used - first));
    put16(out, (uint16_t)weight);
    put16(out, negative ? 0x4000 : 0);
    put16(out, (uint16_t)scale);
    for (int i = first; i < used; i++) put16(out, groups[i]);
}

/* Days since 2000-01-01, of a year from 1 on, by counting from the first of March. */
static int32_t days_of(const char *text, size_t length) {
    static const int before_month[12] = {306, 337, 0, 31, 61, 92, 122, 153, 184, 214, 245, 275};
    if (length != 10 || text[4] != '-' || text[7] != '-') fail("not a date: %.*s", (int)length, text);
    int year = (int)(1000 * digit(text[0]) + 100 * digit(text[1]) + 10 * digit(text[2]) + digit(text[3]));
    int month = (int)(10 * digit(text[5]) + digit(text[6])), day = (int)(10 * digit(text[8]) + digit(text[9]));
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > 31) fail("no such date: %.*s", (int)length, text);
    if (month < 3) year--;
    return 365 * year + year / 4 - year / 100 + year / 400 + before_month[month - 1] + day - 730426;
}

/* The caller has reserved room: every value needs at most 4 bytes of length, and twice its text plus 24. */
static void put_value(Buffer *out, const MYSQL_FIELD *field, const char *text, size_t length) {
    switch (field->type) {
    case MYSQL_TYPE_LONG:
        put32(out, 4);
        put32(out, (uint32_t)integer(text, length));
        break;
    case MYSQL_TYPE_LONGLONG:
        put32(out, 8);
        put64(out, (uint64_t)integer(text, length));
        break;
    case MYSQL_TYPE_NEWDECIMAL:
        put_numeric(out, text, length);
        break;
    case MYSQL_TYPE_DATE:
        put32(out, 4);
        put32(out, (uint32_t)days_of(text, length));
        break;
    default: /* text: check_columns() admits nothing else */
        put32(out, (uint32_t)length);
        memcpy(out->data + out->used, text, length);
        out->used += length;
    }
}

static void check_columns(const MYSQL_FIELD *fields, unsigned count) {
    if (count > COLUMNS_MAX) fail("more than %d columns", COLUMNS_MAX);
    for (unsigned i = 0; i < count; i++) {
        int number = fields[i].type == MYSQL_TYPE_LONG || fields[i].type == MYSQL_TYPE_LONGLONG;
        int text = fields[i].type == MYSQL_TYPE_STRING || fields[i].type == MYSQL_TYPE_VAR_STRING;
        int other = fields[i].type == MYSQL_TYPE_NEWDECIMAL || fields[i].type == MYSQL_TYPE_DATE;
        int binary = text && fields[i].charsetnr == 63; /* the "character set" of bytes */
        if (!(number || text || other) || binary || (number && fields[i].flags & UNSIGNED_FLAG))
            fail("column %s: type %d is not in the workloads", fields[i].name, (int)fields[i].type);
    }
}

static MYSQL *open_source(void) {
    MYSQL *source = mysql_init(NULL);
    if (source == NULL) fail("out of memory");
    mysql_options(source, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (!mysql_real_connect(source, setting("SOURCE_HOST"), setting("SOURCE_USER"), setting("SOURCE_PASSWORD"),
                            setting("SOURCE_DATABASE"), (unsigned)atoi(setting("SOURCE_PORT")), NULL, 0))
        fail("source: %s", mysql_error(source));
    return source;
}

static PGconn *open_copy(const char *table) {
    char statement[256];
    PGconn *target = PQconnectdb("");
    if (PQstatus(target) != CONNECTION_OK) fail("target: %s", PQerrorMessage(target));
    if (snprintf(statement, sizeof statement, "COPY %s FROM STDIN (FORMAT BINARY)", table) >= (int)sizeof statement)
        fail("the table's name is too long");
    PGresult *result = PQexec(target, statement);
    if (PQresultStatus(result) != PGRES_COPY_IN) fail("target: %s", PQerrorMessage(target));
    PQclear(result);
    return target;
}

static void hand_over(PGconn *target, Buffer *out, Stream *stream) {
    if (PQputCopyData(target, (const char *)out->data, (int)out->used) != 1) fail("target: %s", PQerrorMessage(target));
    stream->bytes += out->used;
    out->used = 0;
}

static void end_copy(PGconn *target) {
    PGresult *result;
    if (PQputCopyEnd(target, NULL) != 1) fail("target: %s", PQerrorMessage(target));
    while ((result = PQgetResult(target)) != NULL) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK) fail("target: %s", PQresultErrorMessage(result));
        PQclear(result);
    }
    PQfinish(target);
}

static void *copy(void *argument) {
    static const char head[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0"; /* with the literal's own NUL: 19 bytes */
    Stream *stream = argument;
    Buffer out = {0};
    MYSQL *source = open_source();
    if (mysql_query(source, stream->query)) fail("source: %s", mysql_error(source));
    MYSQL_RES *found = mysql_use_result(source);
    if (found == NULL) fail("source: %s", mysql_error(source));
    unsigned count = mysql_num_fields(found);
    const MYSQL_FIELD *fields = mysql_fetch_fields(found);
    check_columns(fields, count);
    PGconn *target = open_copy(stream->table);
    reserve(&out, 2 * FLUSH_AT);
    memcpy(out.data, head, sizeof head);
    out.used = sizeof head;
    for (MYSQL_ROW row; (row = mysql_fetch_row(found)) != NULL; stream->rows++) {
        unsigned long *lengths = mysql_fetch_lengths(found);
        size_t room = 2;
        for (unsigned i = 0; i < count; i++) room += 2 * lengths[i] + 24;
        reserve(&out, room);
        put16(&out, (uint16_t)count);
        for (unsigned i = 0; i < count; i++) {
            if (row[i] == NULL) put32(&out, UINT32_MAX);
            else put_value(&out, &fields[i], row[i], lengths[i]);
        }
        if (out.used >= FLUSH_AT) hand_over(target, &out, stream);
    }
    if (mysql_errno(source)) fail("source: %s", mysql_error(source));
    reserve(&out, 2);
    put16(&out, UINT16_MAX);
    hand_over(target, &out, stream);
    end_copy(target);
    mysql_free_result(found);
    mysql_close(source);
    free(out.data);
    return NULL;
}

int main(int count, char **words) {
    static Stream streams[STREAMS_MAX];
    int running = count - 2;
    uint64_t rows = 0, bytes = 0;
    if (running < 1 || running > STREAMS_MAX) fail("usage: load TABLE QUERY [QUERY ...]");
    if (mysql_library_init(0, NULL, NULL)) fail("cannot initialise the client library");
    for (int i = 0; i < running; i++) {
        streams[i].table = words[1];
        streams[i].query = words[2 + i];
        if (pthread_create(&streams[i].thread, NULL, copy, &streams[i])) fail("cannot start a thread");
    }
    for (int i = 0; i < running; i++) {
        if (pthread_join(streams[i].thread, NULL)) fail("cannot join a thread");
        rows += streams[i].rows;
        bytes += streams[i].bytes;
    }
    printf("{\"rows\": %llu, \"bytes\": %llu}\n", (unsigned long long)rows, (unsigned long long)bytes);
    return 0;
}
