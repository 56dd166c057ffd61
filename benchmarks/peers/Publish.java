import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.debezium.engine.ChangeEvent;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.DebeziumEngine.RecordCommitter;
import io.debezium.engine.format.JsonByteArray;
import java.io.ObjectOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.logging.LogManager;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Debezium's engine with a Kafka producer behind it: the changes of a binary log, from a place on, to one topic; and
 * once more to another, now that Java is warm.
 *
 * <pre>Publish SETTINGS FIRST SECOND COUNT FILE POSITION GTIDS
 *   SETTINGS  file: {"engine": {...}, "producer": {...}}, what Debezium and Kafka's producer are told
 *   FIRST, SECOND  topics
 *   COUNT     so many changes are published to each
 *   FILE, POSITION, GTIDS  where the log is read from</pre>
 *
 * <p>A batch is marked as processed when all its messages are acknowledged; meanwhile the next one is sent. Prints
 * {"messages": n, "bytes": n, "first_s": s, "second_s": s}: of the second topic, and the seconds from the first
 * acknowledgement to the last, of both.
 */
public final class Publish implements DebeziumEngine.ChangeConsumer<ChangeEvent<byte[], byte[]>> {
  private final KafkaProducer<byte[], byte[]> producer;
  private final String topic;
  private final long count;
  private final CountDownLatch over = new CountDownLatch(1);
  private long acknowledged;
  private long bytes;
  private long first;
  private long last;
  private volatile Throwable failure;
  private List<ChangeEvent<byte[], byte[]>> sent = List.of();
  private Future<RecordMetadata> lastSent;

  private Publish(KafkaProducer<byte[], byte[]> producer, String topic, long count) {
    this.producer = producer;
    this.topic = topic;
    this.count = count;
  }

  public static void main(String[] words) throws Exception {
    JsonNode settings = new ObjectMapper().readTree(Path.of(words[0]).toFile());
    long count = Long.parseLong(words[3]);
    Properties engineSettings = propertiesOf(settings.get("engine"));
    var bytes = new ByteArraySerializer();
    LogManager.getLogManager().reset(); // the reader of the log says that all is well, and its failures are ours too
    boolean done;
    try (var producer = new KafkaProducer<>(propertiesOf(settings.get("producer")), bytes, bytes)) {
      var first = new Publish(producer, words[1], count);
      var second = new Publish(producer, words[2], count);
      done = true;
      for (Publish publish : List.of(first, second)) {
        writeOffset(engineSettings, words[4], Long.parseLong(words[5]), words[6]);
        producer.partitionsFor(publish.topic);
        done = done && publish.run(engineSettings);
      }
      if (done) {
        System.out.printf(
            Locale.ROOT,
            "{\"messages\": %d, \"bytes\": %d, \"first_s\": %.6f, \"second_s\": %.6f}%n",
            second.acknowledged, second.bytes, first.seconds(), second.seconds());
        System.out.flush();
      }
    }
    Runtime.getRuntime().halt(done ? 0 : 1); // threads of the engine take their time
  }

  /** Whether all went well. */
  private boolean run(Properties settings) throws Exception {
    var engine =
        DebeziumEngine.create(JsonByteArray.class)
            .using(settings)
            .notifying(this)
            .using((success, message, error) -> fail(success ? null : error == null ? new Exception(message) : error))
            .build();
    var thread = new Thread(engine, "engine");
    thread.start();
    over.await();
    if (failure != null) {
      failure.printStackTrace();
      return false;
    }
    engine.close();
    thread.join();
    return true;
  }

  private double seconds() {
    return (last - first) / 1e9;
  }

  @Override
  public void handleBatch(
      List<ChangeEvent<byte[], byte[]>> events, RecordCommitter<ChangeEvent<byte[], byte[]>> committer)
      throws InterruptedException {
    Future<RecordMetadata> newest = null;
    for (ChangeEvent<byte[], byte[]> event : events) {
      byte[] key = event.key();
      byte[] value = event.value();
      int size = key.length + value.length;
      newest =
          producer.send(new ProducerRecord<>(topic, 0, key, value), (metadata, error) -> taken(size, error));
    }
    awaitSent();
    for (ChangeEvent<byte[], byte[]> event : sent) {
      committer.markProcessed(event);
    }
    committer.markBatchFinished();
    sent = events;
    lastSent = newest;
  }

  /** To one partition messages are acknowledged in their order, so the last one stands for all. */
  private void awaitSent() throws InterruptedException {
    try {
      if (lastSent != null) {
        lastSent.get();
      }
    } catch (ExecutionException error) {
      fail(error);
    }
  }

  /** Called by the producer's one thread. */
  private void taken(int size, Exception error) {
    if (error != null) {
      fail(error);
      return;
    }
    long now = System.nanoTime();
    bytes += size;
    acknowledged++;
    if (acknowledged == 1) {
      first = now;
    }
    if (acknowledged == count) {
      last = now;
      over.countDown();
    }
  }

  private void fail(Throwable error) {
    if (error != null && over.getCount() > 0) {
      failure = error;
      over.countDown();
    }
  }

  /** As FileOffsetBackingStore keeps them, and the engine names them. */
  private static void writeOffset(Properties settings, String file, long position, String gtids) throws Exception {
    String name = settings.getProperty("name");
    String key = "[\"%s\",{\"server\":\"%s\"}]".formatted(name, settings.getProperty("topic.prefix"));
    String value = "{\"file\":\"%s\",\"pos\":%d,\"gtids\":\"%s\"}".formatted(file, position, gtids);
    Map<byte[], byte[]> offsets = new HashMap<>();
    offsets.put(key.getBytes(StandardCharsets.UTF_8), value.getBytes(StandardCharsets.UTF_8));
    Path path = Path.of(settings.getProperty("offset.storage.file.filename"));
    try (var out = new ObjectOutputStream(Files.newOutputStream(path))) {
      out.writeObject(offsets);
    }
  }

  private static Properties propertiesOf(JsonNode node) {
    var found = new Properties();
    node.properties().forEach(entry -> found.setProperty(entry.getKey(), entry.getValue().asText()));
    return found;
  }
}
