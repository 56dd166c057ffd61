/* The reference of decoding: a binary log from the socket into lines like those of COPY's text format, thrown away.
 *
 *     binlog FILE END [OUTPUT]
 *
 * Reads FILE from its beginning until an event ends at or behind the position END. A line is one row change: I, U or
 * D, the table, then the values, first those before and then those after an update, all separated by tabs.
 * Source: SOURCE_HOST, SOURCE_PORT, SOURCE_USER, SOURCE_PASSWORD in the environment. OUTPUT takes the lines.
 * Prints {"changes": n, "events": n, "bytes": n}, the bytes being those of the lines. Any error ends it with status 1
 * and a message.
 *
 * It knows the column types of the two workloads and no others, neither TLS nor packets of 16 MiB and more, and it
 * trusts checksums. Formats: MySQL's and MariaDB's documentation, "Replication protocol", "Rows_event",
 * "Table_map_event"; strings/decimal.c, bin2decimal. */

#include <mysql.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLUMNS_MAX = 64, NAME_MAX_BYTES = 2 * 255 + 2, TABLES = 64, READ_BYTES = 1 << 20, FLUSH_AT = 1 << 20 };
enum { HEADER_BYTES = 19, REPLICA_ID = 4801, COM_BINLOG_DUMP_ = 0x12, NON_BLOCKING = 1, ARTIFICIAL = 0x20 };
enum { TYPE_LONG = 3, TYPE_LONGLONG = 8, TYPE_DATE = 10, TYPE_VARCHAR = 15, TYPE_NEWDECIMAL = 246, TYPE_STRING = 254 };

typedef struct {
    const uint8_t *at;
    const uint8_t *end;
} Cursor;

typedef struct {
    uint8_t type;
    uint8_t precision, scale; /* of a decimal */
    uint8_t length_bytes;     /* of a text's own length */
} Column;

typedef struct {
    uint64_t id;
    int known;
    unsigned columns;
    size_t name_length;
    char name[NAME_MAX_BYTES];
    Column column[COLUMNS_MAX];
} Table;

typedef struct {
    char *data;
    size_t used, capacity;
    uint64_t bytes, changes, events;
    FILE *file;
} Output;

typedef struct {
    int socket;
    uint8_t *data;
    size_t at, end, capacity;
} Reader;

static Table tables[TABLES];
static Output out;

static void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("binlog: ", stderr);
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

/* --- reading bytes --------------------------------------------------------------------------- */

static inline const uint8_t *take(Cursor *in, size_t count) {
    const uint8_t *found = in->at;
    if (__builtin_expect((size_t)(in->end - found) < count, 0)) fail("an event ends too early");
    in->at = found + count;
    return found;
}

static inline uint64_t little_endian(const uint8_t *bytes, unsigned count) {
    uint64_t value = 0;
    for (unsigned i = count; i > 0; i--) value = value << 8 | bytes[i - 1];
    return value;
}

static inline uint32_t big_endian(const uint8_t *bytes, unsigned count) {
    uint32_t value = 0;
    for (unsigned i = 0; i < count; i++) value = value << 8 | bytes[i];
    return value;
}

static inline uint64_t number(Cursor *in, unsigned count) { return little_endian(take(in, count), count); }

static inline uint32_t fixed32(Cursor *in) {
    uint32_t value;
    memcpy(&value, take(in, sizeof value), sizeof value);
    return value; /* the machine is little-endian: main() looks */
}

static inline uint64_t fixed64(Cursor *in) {
    uint64_t value;
    memcpy(&value, take(in, sizeof value), sizeof value);
    return value;
}

static uint64_t packed_number(Cursor *in) {
    uint8_t first = *take(in, 1);
    if (first < 251) return first;
    if (first == 252) return number(in, 2);
    if (first == 253) return number(in, 3);
    if (first == 254) return number(in, 8);
    fail("not a packed number: %u", first);
}

/* --- writing lines --------------------------------------------------------------------------- */

static void flush_lines(void) {
    if (out.file && fwrite(out.data, 1, out.used, out.file) != out.used) fail("cannot write the lines");
    out.bytes += out.used;
    out.used = 0;
}

static void reserve(size_t more) {
    if (out.capacity - out.used >= more) return;
    while (out.capacity - out.used < more) out.capacity = out.capacity ? 2 * out.capacity : 2 * FLUSH_AT;
    out.data = realloc(out.data, out.capacity);
    if (out.data == NULL) fail("out of memory");
}

static inline char *put_unsigned(char *at, uint64_t value) {
    char digits[20];
    unsigned count = 0;
    do digits[count++] = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    while (count > 0) *at++ = digits[--count];
    return at;
}

static inline char *put_signed(char *at, int64_t value) {
    if (value >= 0) return put_unsigned(at, (uint64_t)value);
    *at++ = '-';
    return put_unsigned(at, 0 - (uint64_t)value);
}

static inline char *put_padded(char *at, uint32_t value, unsigned width) {
    for (unsigned i = width; i > 0; i--, value /= 10) at[i - 1] = (char)('0' + value % 10);
    return at + width;
}

static inline char *put_text(char *at, const uint8_t *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        char character = (char)text[i];
        if (__builtin_expect(character == '\t' || character == '\n' || character == '\r' || character == '\\', 0)) {
            *at++ = '\\';
            character = character == '\t' ? 't' : character == '\n' ? 'n' : character == '\r' ? 'r' : '\\';
        }
        *at++ = character;
    }
    return at;
}

/* Groups of nine digits in four bytes, a shorter one at either end; the first bit is the sign, inverted, and a
 * negative number has all its bits inverted. */
static char *put_decimal(char *at, Cursor *in, unsigned precision, unsigned scale) {
    static const uint8_t bytes_of[10] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};
    unsigned whole = precision - scale, head = whole % 9, tail = scale % 9, shown = 0;
    unsigned length = bytes_of[head] + whole / 9 * 4 + scale / 9 * 4 + bytes_of[tail];
    uint8_t bytes[32], *next = bytes;
    memcpy(bytes, take(in, length), length);
    bytes[0] ^= 0x80;
    if (bytes[0] & 0x80) {
        for (unsigned i = 0; i < length; i++) bytes[i] = (uint8_t)~bytes[i];
        *at++ = '-';
    }
    if (head > 0) {
        uint32_t group = big_endian(next, bytes_of[head]);
        next += bytes_of[head];
        if (group > 0) at = put_unsigned(at, group), shown = 1;
    }
    for (unsigned i = 0; i < whole / 9; i++, next += 4) {
        uint32_t group = big_endian(next, 4);
        if (shown) at = put_padded(at, group, 9);
        else if (group > 0) at = put_unsigned(at, group), shown = 1;
    }
    if (!shown) *at++ = '0';
    if (scale > 0) *at++ = '.';
    for (unsigned i = 0; i < scale / 9; i++, next += 4) at = put_padded(at, big_endian(next, 4), 9);
    if (tail > 0) at = put_padded(at, big_endian(next, bytes_of[tail]), tail);
    return at;
}

static inline char *put_date(char *at, uint32_t packed) {
    at = put_padded(at, packed >> 9, 4);
    *at++ = '-';
    at = put_padded(at, packed >> 5 & 15, 2);
    *at++ = '-';
    return put_padded(at, packed & 31, 2);
}

/* --- events ---------------------------------------------------------------------------------- */

static void take_column(Column *column, Cursor *metadata) {
    const uint8_t *bytes;
    switch (column->type) {
    case TYPE_LONG:
    case TYPE_LONGLONG:
    case TYPE_DATE:
        return;
    case TYPE_NEWDECIMAL:
        bytes = take(metadata, 2);
        column->precision = bytes[0], column->scale = bytes[1];
        if (bytes[0] > 65 || bytes[1] > 30 || bytes[1] > bytes[0]) fail("decimal(%u,%u)", bytes[0], bytes[1]);
        return;
    case TYPE_VARCHAR:
        column->length_bytes = number(metadata, 2) > 255 ? 2 : 1;
        return;
    case TYPE_STRING: /* two bits of the length hide, inverted, in the real type */
        bytes = take(metadata, 2);
        if ((bytes[0] | 0x30) != TYPE_STRING) fail("column type %u is not in the workloads", bytes[0]);
        column->length_bytes = (bytes[0] & 0x30) != 0x30 ? 2 : 1;
        return;
    default:
        fail("column type %u is not in the workloads", column->type);
    }
}

static void take_table(Cursor in) {
    uint64_t id = number(&in, 6);
    Table *table = &tables[id % TABLES];
    if (table->known && table->id == id) return; /* an id stands for one definition */
    take(&in, 2);
    uint8_t schema_length = *take(&in, 1);
    const char *schema = (const char *)take(&in, schema_length + 1u);
    uint8_t name_length = *take(&in, 1);
    const char *name = (const char *)take(&in, name_length + 1u);
    table->name_length = (size_t)snprintf(table->name, sizeof table->name, "%s.%s", schema, name);
    uint64_t columns = packed_number(&in);
    if (columns > COLUMNS_MAX) fail("%s has more than %d columns", table->name, COLUMNS_MAX);
    table->columns = (unsigned)columns;
    const uint8_t *types = take(&in, columns);
    uint64_t metadata_length = packed_number(&in);
    Cursor metadata = {in.at, in.at + metadata_length};
    take(&in, metadata_length);
    for (unsigned i = 0; i < table->columns; i++) {
        table->column[i].type = types[i];
        take_column(&table->column[i], &metadata);
    }
    table->id = id;
    table->known = 1;
}

static inline int bit(const uint8_t *bits, unsigned at) { return bits[at / 8] >> at % 8 & 1; }

static char *put_value(char *at, const Column *column, Cursor *in) {
    uint64_t length;
    switch (column->type) {
    case TYPE_LONG:
        return put_signed(at, (int32_t)fixed32(in));
    case TYPE_LONGLONG:
        return put_signed(at, (int64_t)fixed64(in));
    case TYPE_DATE:
        return put_date(at, (uint32_t)number(in, 3));
    case TYPE_NEWDECIMAL:
        return put_decimal(at, in, column->precision, column->scale);
    default: /* text: take_column() admits nothing else */
        length = number(in, column->length_bytes);
        return put_text(at, take(in, length), length);
    }
}

static char *put_image(char *at, const Table *table, Cursor *in, const uint8_t *present, unsigned present_count) {
    const uint8_t *null = take(in, (present_count + 7) / 8);
    for (unsigned i = 0, seen = 0; i < table->columns; i++) {
        if (!bit(present, i)) continue;
        *at++ = '\t';
        if (bit(null, seen++)) {
            *at++ = '\\';
            *at++ = 'N';
        } else {
            at = put_value(at, &table->column[i], in);
        }
    }
    return at;
}

static unsigned count_bits(const uint8_t *bits, unsigned count) {
    unsigned set = 0;
    for (unsigned i = 0; i < count; i++) set += (unsigned)bit(bits, i);
    return set;
}

static void take_rows(Cursor in, char operation, int version) {
    uint64_t id = number(&in, 6);
    const Table *table = &tables[id % TABLES];
    if (!table->known || table->id != id) fail("rows of an unknown table");
    take(&in, 2);
    if (version == 2) { /* the length counts itself */
        uint64_t extra = number(&in, 2);
        if (extra < 2) fail("extra data of %llu bytes", (unsigned long long)extra);
        take(&in, extra - 2);
    }
    uint64_t columns = packed_number(&in);
    if (columns != table->columns) fail("rows of %llu columns", (unsigned long long)columns);
    const uint8_t *before = take(&in, (columns + 7) / 8), *after = before;
    if (operation == 'U') after = take(&in, (columns + 7) / 8);
    unsigned before_count = count_bits(before, table->columns), after_count = count_bits(after, table->columns);
    while (in.at < in.end) {
        /* At most 90 bytes a decimal; text at most doubles. */
        reserve(table->name_length + 2 * 96 * table->columns + 2 * (size_t)(in.end - in.at) + 8);
        char *at = out.data + out.used;
        *at++ = operation;
        *at++ = '\t';
        memcpy(at, table->name, table->name_length);
        at = put_image(at + table->name_length, table, &in, before, before_count);
        if (operation == 'U') at = put_image(at, table, &in, after, after_count);
        *at++ = '\n';
        out.used = (size_t)(at - out.data);
        out.changes++;
        if (out.used >= FLUSH_AT) flush_lines();
    }
}

static void take_event(unsigned type, Cursor body) {
    switch (type) {
    case 19: take_table(body); return;
    case 23: take_rows(body, 'I', 1); return;
    case 24: take_rows(body, 'U', 1); return;
    case 25: take_rows(body, 'D', 1); return;
    case 30: take_rows(body, 'I', 2); return;
    case 31: take_rows(body, 'U', 2); return;
    case 32: take_rows(body, 'D', 2); return;
    /* Nothing in it for us: query, stop, rotate, format, xid, heartbeat, rows query, GTID, anonymous GTID, previous
     * GTIDs; MariaDB's annotate rows, checkpoint, GTID, GTID list. */
    case 2: case 3: case 4: case 15: case 16: case 27: case 29: case 33: case 34: case 35:
    case 160: case 161: case 162: case 163:
        return;
    default:
        fail("event type %u is not in the workloads", type);
    }
}

/* --- the server ------------------------------------------------------------------------------ */

static MYSQL *open_source(void) {
    MYSQL *source = mysql_init(NULL);
    if (source == NULL) fail("out of memory");
    if (!mysql_real_connect(source, setting("SOURCE_HOST"), setting("SOURCE_USER"), setting("SOURCE_PASSWORD"), NULL,
                            (unsigned)atoi(setting("SOURCE_PORT")), NULL, 0))
        fail("source: %s", mysql_error(source));
    return source;
}

/* Bytes of the checksum behind each event. */
static unsigned prepare_session(MYSQL *source) {
    if (mysql_query(source, "SET @master_binlog_checksum = @@global.binlog_checksum, @mariadb_slave_capability = 4"))
        fail("source: %s", mysql_error(source));
    if (mysql_query(source, "SELECT @master_binlog_checksum")) fail("source: %s", mysql_error(source));
    MYSQL_RES *found = mysql_store_result(source);
    MYSQL_ROW row = found ? mysql_fetch_row(found) : NULL;
    if (row == NULL || row[0] == NULL) fail("source: %s", mysql_error(source));
    unsigned bytes = strcmp(row[0], "NONE") == 0 ? 0 : 4;
    mysql_free_result(found);
    return bytes;
}

static void request_log(int socket, const char *file) {
    uint8_t packet[4 + 11 + 255] = {0};
    size_t name_length = strlen(file), length = 11 + name_length;
    uint32_t position = 4, replica = REPLICA_ID;
    if (name_length > 255) fail("the file's name is too long");
    packet[0] = (uint8_t)length, packet[1] = (uint8_t)(length >> 8);
    packet[4] = COM_BINLOG_DUMP_;
    memcpy(packet + 5, &position, sizeof position);
    packet[9] = NON_BLOCKING;
    memcpy(packet + 11, &replica, sizeof replica);
    memcpy(packet + 15, file, name_length);
    if (write(socket, packet, 4 + length) != (ssize_t)(4 + length)) fail("cannot ask for the log");
}

/* The next packet, without its header. */
static Cursor next_packet(Reader *reader) {
    for (;;) {
        size_t have = reader->end - reader->at, want = 4;
        if (have >= 4) {
            size_t length = little_endian(reader->data + reader->at, 3);
            if (length == 0xffffff) fail("a packet of 16 MiB or more");
            want = 4 + length;
            if (have >= want) {
                const uint8_t *start = reader->data + reader->at + 4;
                reader->at += want;
                return (Cursor){start, start + length};
            }
        }
        memmove(reader->data, reader->data + reader->at, have);
        reader->at = 0, reader->end = have;
        if (reader->capacity < want + READ_BYTES) {
            reader->capacity = want + READ_BYTES;
            reader->data = realloc(reader->data, reader->capacity);
            if (reader->data == NULL) fail("out of memory");
        }
        ssize_t got = read(reader->socket, reader->data + have, reader->capacity - have);
        if (got <= 0) fail("the server has gone");
        reader->end += (size_t)got;
    }
}

static void decode(int socket, uint32_t end, unsigned checksum_bytes) {
    Reader reader = {.socket = socket};
    for (;;) {
        Cursor packet = next_packet(&reader);
        uint8_t status = *take(&packet, 1);
        if (status == 0xff) { /* two bytes of number and six of SQLSTATE, then the message */
            const char *message = (const char *)take(&packet, 8) + 8;
            fail("source: %.*s", (int)(packet.end - packet.at), message);
        }
        if (status == 0xfe && packet.end - packet.at < 8) fail("the log ends before %u", end);
        if (status != 0) fail("a packet of status %u", status);
        const uint8_t *header = packet.at;
        take(&packet, HEADER_BYTES);
        unsigned type = header[4];
        uint32_t position = (uint32_t)little_endian(header + 13, 4);
        if ((size_t)(packet.end - packet.at) < checksum_bytes) fail("an event without a checksum");
        packet.end -= checksum_bytes;
        out.events++;
        take_event(type, packet);
        if (!(header[17] & ARTIFICIAL) && position >= end) return;
    }
}

int main(int count, char **words) {
    const uint16_t probe = 1;
    if (*(const uint8_t *)&probe != 1) fail("this machine is not little-endian");
    if (count < 3 || count > 4) fail("usage: binlog FILE END [OUTPUT]");
    if (count == 4 && (out.file = fopen(words[3], "w")) == NULL) fail("cannot open %s", words[3]);
    MYSQL *source = open_source();
    unsigned checksum_bytes = prepare_session(source);
    int socket = (int)mysql_get_socket(source);
    request_log(socket, words[1]);
    decode(socket, (uint32_t)strtoul(words[2], NULL, 10), checksum_bytes);
    flush_lines();
    if (out.file && fclose(out.file)) fail("cannot write the lines");
    printf("{\"changes\": %llu, \"events\": %llu, \"bytes\": %llu}\n", (unsigned long long)out.changes,
           (unsigned long long)out.events, (unsigned long long)out.bytes);
    return 0;
}
