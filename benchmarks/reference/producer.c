/* The reference of publishing: what librdkafka alone can take and a broker beside it can keep, of messages that are
 * made already.
 *
 *     producer BROKERS TOPIC SAMPLE COUNT TRANSACTION [SETTING=VALUE ...]
 *
 * Sends COUNT messages to partition 0 of TOPIC, those of SAMPLE again and again, TRANSACTION of them in each
 * transaction; the settings are librdkafka's. SAMPLE has for each message the lengths of key and value as 32-bit
 * little-endian numbers, then key and value.
 * Prints {"messages": n, "bytes": n, "seconds": s}: of keys and values, and from the beginning of the first
 * transaction until the last one is committed. Any error ends it with status 1 and a message.
 *
 * librdkafka is that of the Python package confluent_kafka, which has no headers: what is used of its interface is
 * declared here. Source: librdkafka, src/rdkafka.h, whose binary interface is kept within a major version. */

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct rd_kafka_s rd_kafka_t;
typedef struct rd_kafka_topic_s rd_kafka_topic_t;
typedef struct rd_kafka_conf_s rd_kafka_conf_t;
typedef struct rd_kafka_topic_conf_s rd_kafka_topic_conf_t;
typedef struct rd_kafka_error_s rd_kafka_error_t;

typedef struct {
    int err;
    rd_kafka_topic_t *rkt;
    int32_t partition;
    void *payload;
    size_t len;
    void *key;
    size_t key_len;
    int64_t offset;
    void *_private;
} rd_kafka_message_t;

enum { RD_KAFKA_PRODUCER = 0, RD_KAFKA_CONF_OK = 0, RD_KAFKA_MSG_F_COPY = 2 };

extern rd_kafka_conf_t *rd_kafka_conf_new(void);
extern int rd_kafka_conf_set(rd_kafka_conf_t *, const char *name, const char *value, char *reason, size_t size);
extern rd_kafka_t *rd_kafka_new(int type, rd_kafka_conf_t *, char *reason, size_t size);
extern rd_kafka_topic_t *rd_kafka_topic_new(rd_kafka_t *, const char *name, rd_kafka_topic_conf_t *);
extern rd_kafka_error_t *rd_kafka_init_transactions(rd_kafka_t *, int timeout_ms);
extern rd_kafka_error_t *rd_kafka_begin_transaction(rd_kafka_t *);
extern rd_kafka_error_t *rd_kafka_commit_transaction(rd_kafka_t *, int timeout_ms);
extern const char *rd_kafka_error_string(const rd_kafka_error_t *);
extern int rd_kafka_metadata(rd_kafka_t *, int all, rd_kafka_topic_t *only, const void **found, int timeout_ms);
extern void rd_kafka_metadata_destroy(const void *);
extern int rd_kafka_produce_batch(rd_kafka_topic_t *, int32_t partition, int flags, rd_kafka_message_t *, int count);
extern void rd_kafka_topic_destroy(rd_kafka_topic_t *);
extern void rd_kafka_destroy(rd_kafka_t *);

enum { CALL_MESSAGES = 1000, TIMEOUT_MS = 30000, REASON_BYTES = 512 };

typedef struct {
    uint32_t key_bytes, value_bytes;
    char *key, *value;
} Message;

static Message *sample;
static size_t sample_count;

static void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("producer: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

static void check(rd_kafka_error_t *error, const char *what) {
    if (error != NULL) fail("%s: %s", what, rd_kafka_error_string(error));
}

static double now_s(void) {
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now)) fail("no clock");
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void read_sample(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END)) fail("%s cannot be read", path);
    size_t size = (size_t)ftell(file), room = 0;
    char *text = malloc(size + 1);
    rewind(file);
    if (text == NULL || fread(text, 1, size, file) != size) fail("%s cannot be read", path);
    fclose(file);
    for (char *at = text, *end = text + size; at < end; sample_count++) {
        if (sample_count == room) {
            room = room ? 2 * room : 1024;
            sample = realloc(sample, room * sizeof *sample);
            if (sample == NULL) fail("out of memory");
        }
        Message *message = &sample[sample_count];
        if (end - at < 8) fail("%s ends within a message", path);
        memcpy(&message->key_bytes, at, 4);
        memcpy(&message->value_bytes, at + 4, 4);
        message->key = at + 8;
        message->value = message->key + message->key_bytes;
        uint64_t whole = 8ULL + message->key_bytes + message->value_bytes;
        if ((uint64_t)(end - at) < whole) fail("%s ends within a message", path);
        at += whole;
    }
    if (sample_count == 0) fail("%s holds no messages", path);
}

static rd_kafka_t *connect_to(const char *brokers, char **settings, int count) {
    char reason[REASON_BYTES];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (rd_kafka_conf_set(conf, "bootstrap.servers", brokers, reason, sizeof reason) != RD_KAFKA_CONF_OK)
        fail("%s", reason);
    for (int i = 0; i < count; i++) {
        char *value = strchr(settings[i], '=');
        if (value == NULL) fail("%s is no setting", settings[i]);
        *value++ = '\0';
        if (rd_kafka_conf_set(conf, settings[i], value, reason, sizeof reason) != RD_KAFKA_CONF_OK) fail("%s", reason);
    }
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    if (producer == NULL) fail("%s", reason);
    check(rd_kafka_init_transactions(producer, TIMEOUT_MS), "taking the transactional id");
    return producer;
}

/* Sends messages `begin` to `end`; returns their bytes. */
static uint64_t send_messages(rd_kafka_topic_t *topic, long begin, long end) {
    static rd_kafka_message_t call[CALL_MESSAGES];
    uint64_t bytes = 0;
    while (begin < end) {
        int count = end - begin < CALL_MESSAGES ? (int)(end - begin) : CALL_MESSAGES;
        memset(call, 0, sizeof call);
        for (int i = 0; i < count; i++, begin++) {
            Message *message = &sample[(size_t)begin % sample_count];
            call[i].payload = message->value, call[i].len = message->value_bytes;
            call[i].key = message->key, call[i].key_len = message->key_bytes;
            bytes += (uint64_t)message->key_bytes + message->value_bytes;
        }
        if (rd_kafka_produce_batch(topic, 0, RD_KAFKA_MSG_F_COPY, call, count) != count) fail("a message was refused");
    }
    return bytes;
}

int main(int words_count, char **words) {
    if (words_count < 6) fail("usage: producer BROKERS TOPIC SAMPLE COUNT TRANSACTION [SETTING=VALUE ...]");
    long count = atol(words[4]), transaction = atol(words[5]);
    if (count < 1 || transaction < 1) fail("nothing to do");
    read_sample(words[3]);
    rd_kafka_t *producer = connect_to(words[1], words + 6, words_count - 6);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(producer, words[2], NULL);
    const void *found = NULL;
    /* It has to know the topic: what is sent before has no partition yet, and a transaction does not end with that. */
    if (topic == NULL || rd_kafka_metadata(producer, 0, topic, &found, TIMEOUT_MS)) fail("no topic %s", words[2]);
    rd_kafka_metadata_destroy(found);
    uint64_t bytes = 0;
    double begun_s = now_s();
    for (long begin = 0; begin < count; begin += transaction) {
        check(rd_kafka_begin_transaction(producer), "beginning a transaction");
        bytes += send_messages(topic, begin, begin + transaction < count ? begin + transaction : count);
        check(rd_kafka_commit_transaction(producer, -1), "committing");
    }
    double seconds = now_s() - begun_s;
    printf("{\"messages\": %ld, \"bytes\": %llu, \"seconds\": %.6f}\n", count, (unsigned long long)bytes, seconds);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(producer);
    return 0;
}
