import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.formats.common.TimestampFormat;
import org.apache.flink.formats.json.canal.CanalJsonDecodingFormat;
import org.apache.flink.formats.json.debezium.DebeziumJsonDecodingFormat;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.table.connector.format.ProjectableDecodingFormat;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.MapData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.runtime.connector.source.ScanRuntimeProviderContext;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.MapType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.utils.LogicalTypeParser;
import org.apache.flink.table.types.utils.TypeConversions;
import org.apache.flink.util.Collector;
import org.apache.flink.util.SimpleUserCodeClassLoader;
import org.apache.flink.util.UserCodeClassLoader;

/**
 * Reads messages as a table of Flink does that names the format, and prints the rows that it makes.
 *
 * <pre>Read FORMAT TIMESTAMPS TYPE [METADATA ...]
 *   FORMAT      canal-json, debezium-json, or debezium-json-schema if the messages hold their schema
 *   TIMESTAMPS  SQL or ISO-8601
 *   TYPE        of the columns, as in DDL: ROW&lt;id INT, name STRING>
 *   METADATA    keys of the format that are columns behind these</pre>
 *
 * <p>Standard input has a message on each line; an empty one stands for a message without a value. Of the
 * message in line N, counted from 0, each row is printed as [N, KIND, [VALUE, ...]], and if it is refused
 * [N, "!", REASON].
 */
public final class Read {
  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] words) throws Exception {
    List<String> metadata = Arrays.asList(words).subList(3, words.length);
    DataType columns = typeOf(words[2]);
    ProjectableDecodingFormat<DeserializationSchema<RowData>> format = formatOf(words[0], words[1]);
    format.applyReadableMetadata(metadata);
    List<LogicalType> types = new ArrayList<>(columns.getLogicalType().getChildren());
    metadata.forEach(key -> types.add(format.listReadableMetadata().get(key).getLogicalType()));
    int[][] all = IntStream.range(0, columns.getChildren().size()).mapToObj(n -> new int[] {n}).toArray(int[][]::new);
    DeserializationSchema<RowData> schema =
        format.createRuntimeDecoder(ScanRuntimeProviderContext.INSTANCE, columns, all);
    schema.open(new Context());
    read(schema, types);
  }

  private static DataType typeOf(String text) {
    LogicalType type = LogicalTypeParser.parse(text, Read.class.getClassLoader());
    return TypeConversions.fromLogicalToDataType(type);
  }

  private static ProjectableDecodingFormat<DeserializationSchema<RowData>> formatOf(String name, String timestamps) {
    TimestampFormat texts = TimestampFormat.valueOf(timestamps.replace("-", "_"));
    return switch (name) {
      case "canal-json" -> new CanalJsonDecodingFormat(null, null, false, texts);
      case "debezium-json" -> new DebeziumJsonDecodingFormat(false, false, texts);
      case "debezium-json-schema" -> new DebeziumJsonDecodingFormat(true, false, texts);
      default -> throw new IllegalArgumentException("no such format: " + name);
    };
  }

  private static void read(DeserializationSchema<RowData> schema, List<LogicalType> types) throws Exception {
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    // A character for each byte: a message comes to the format as it is, even if it is not UTF-8.
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.ISO_8859_1));
    int number = 0;
    for (String line = in.readLine(); line != null; line = in.readLine(), number++) {
      Rows rows = new Rows();
      String refused = null;
      try {
        schema.deserialize(line.isEmpty() ? null : line.getBytes(StandardCharsets.ISO_8859_1), rows);
      } catch (Exception error) {
        refused = reasons(error);
      }
      for (RowData row : rows.found) {
        print(out, number, row.getRowKind().shortString(), values(row, types));
      }
      if (refused != null) {
        print(out, number, "!", refused);
      }
    }
    out.flush();
  }

  private static void print(PrintStream out, int number, String kind, Object what) throws Exception {
    out.println(JSON.writeValueAsString(List.of(number, kind, what)));
  }

  private static String reasons(Throwable error) {
    String text = String.valueOf(error.getMessage());
    return error.getCause() == null ? text : text + ": " + reasons(error.getCause());
  }

  private static List<Object> values(RowData row, List<LogicalType> types) {
    List<Object> found = new ArrayList<>();
    for (int n = 0; n < types.size(); n++) {
      found.add(value(RowData.createFieldGetter(types.get(n), n).getFieldOrNull(row), types.get(n)));
    }
    return found;
  }

  /** Numbers, truth values and null as they are, bytes as hexadecimal digits, other things as text. */
  private static Object value(Object value, LogicalType type) {
    if (value == null) {
      return null;
    }
    return switch (type.getTypeRoot()) {
      case BOOLEAN, TINYINT, SMALLINT, INTEGER, BIGINT, FLOAT, DOUBLE -> value;
      case DECIMAL -> ((DecimalData) value).toBigDecimal().toPlainString();
      case BINARY, VARBINARY -> HexFormat.of().formatHex((byte[]) value);
      case DATE -> LocalDate.ofEpochDay((Integer) value).toString();
      case TIME_WITHOUT_TIME_ZONE -> text(LocalTime.ofNanoOfDay((Integer) value * 1_000_000L));
      case TIMESTAMP_WITHOUT_TIME_ZONE -> text(((TimestampData) value).toLocalDateTime());
      case TIMESTAMP_WITH_LOCAL_TIME_ZONE ->
          text(LocalDateTime.ofInstant(((TimestampData) value).toInstant(), ZoneOffset.UTC)) + "Z";
      case ARRAY -> elements((ArrayData) value, ((ArrayType) type).getElementType());
      case MAP -> pairs((MapData) value, (MapType) type);
      case ROW -> values((RowData) value, ((RowType) type).getChildren());
      default -> value.toString();
    };
  }

  private static String text(LocalDateTime moment) {
    return moment.toLocalDate() + " " + text(moment.toLocalTime());
  }

  private static String text(LocalTime time) {
    return DateTimeFormatter.ISO_LOCAL_TIME.format(time); // seconds too if they are 0
  }

  private static List<Object> elements(ArrayData array, LogicalType type) {
    ArrayData.ElementGetter getter = ArrayData.createElementGetter(type);
    List<Object> found = new ArrayList<>();
    for (int n = 0; n < array.size(); n++) {
      found.add(value(getter.getElementOrNull(array, n), type));
    }
    return found;
  }

  private static List<Object> pairs(MapData map, MapType type) {
    List<Object> keys = elements(map.keyArray(), type.getKeyType());
    List<Object> values = elements(map.valueArray(), type.getValueType());
    List<Object> found = new ArrayList<>();
    for (int n = 0; n < keys.size(); n++) {
      found.add(Arrays.asList(keys.get(n), values.get(n)));
    }
    return found;
  }

  /** The rows of one message. */
  private static final class Rows implements Collector<RowData> {
    private final List<RowData> found = new ArrayList<>();

    @Override
    public void collect(RowData row) {
      found.add(row);
    }

    @Override
    public void close() {}
  }

  /** What a running job would offer. */
  private static final class Context implements DeserializationSchema.InitializationContext {
    @Override
    public MetricGroup getMetricGroup() {
      return new UnregisteredMetricsGroup();
    }

    @Override
    public UserCodeClassLoader getUserCodeClassLoader() {
      return SimpleUserCodeClassLoader.create(Read.class.getClassLoader());
    }
  }
}
