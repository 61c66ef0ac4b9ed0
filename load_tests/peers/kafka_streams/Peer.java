import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * The reduced rules of rules/reduced.py on Kafka Streams, exactly once. Properties: broker, group, dir, store (rocksdb or
 * memory), and p.NAME for any setting of Kafka Streams.
 */
public final class Peer {
  private static final long DAY_MS = 86_400_000L;
  private static final long HOUR_MS = 3_600_000L;
  private static final JsonFactory JSON = new JsonFactory();

  static final class Payment {
    String transactionId;
    String deviceId;
    long amount;
    long eventTime;

    static Payment decode(byte[] value) {
      Payment payment = new Payment();
      try (JsonParser parser = JSON.createParser(value)) {
        parser.nextToken();
        for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
          switch (name) {
            case "transaction_id" -> payment.transactionId = parser.nextTextValue();
            case "device_id" -> payment.deviceId = parser.nextTextValue();
            case "amount" -> payment.amount = parser.nextLongValue(0);
            case "event_time" -> payment.eventTime = parser.nextLongValue(0);
            default -> {
              parser.nextToken();
              parser.skipChildren();
            }
          }
        }
      } catch (IOException error) {
        throw new UncheckedIOException(error);
      }
      return payment;
    }
  }

  static final class Customer {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    int size;
    int devicesKnown;
    long count;
    double mean;
    double variance;
    long[] times = new long[8];
    long[] amounts = new long[8];
    String[] ids = new String[8];
    String[] devices = new String[5];

    /** Takes a payment in; returns how many rules fired, 0 for one seen before. */
    int judge(Payment payment) {
      for (int i = size - 1; i >= 0; i--) {
        if (ids[i].equals(payment.transactionId)) return 0;
      }
      long at = payment.eventTime;
      long amount = payment.amount;
      int gone = 0;
      while (gone < size && times[gone] <= at - DAY_MS) gone++;
      if (gone > 0) {
        size -= gone;
        System.arraycopy(times, gone, times, 0, size);
        System.arraycopy(amounts, gone, amounts, 0, size);
        System.arraycopy(ids, gone, ids, 0, size);
      }
      if (size == times.length) grow(size * 2);
      times[size] = at;
      amounts[size] = amount;
      ids[size++] = payment.transactionId;

      int hits = 0;
      if (amount > 400_000) hits++;
      long day = 0;
      for (int i = 0; i < size; i++) day += amounts[i];
      if (day > 6_000_000) hits++;
      if (size > 30) hits++;
      long hour = 0;
      for (int i = size - 1; i >= 0 && times[i] > at - HOUR_MS; i--) hour += amounts[i];
      if (hour > 600_000) hits++;
      if (isNew(payment.deviceId)) {
        if (devicesKnown > 0) hits++;
        if (devicesKnown == devices.length) devices = Arrays.copyOf(devices, devicesKnown * 2);
        devices[devicesKnown++] = payment.deviceId;
      }
      count++;
      double away = amount - mean;
      mean += 0.05 * away;
      variance = 0.95 * (variance + 0.05 * away * away);
      if (count > 10 && away * away > 9 * variance) hits++;
      return hits;
    }

    private boolean isNew(String device) {
      for (int i = 0; i < devicesKnown; i++) {
        if (devices[i].equals(device)) return false;
      }
      return true;
    }

    private void grow(int capacity) {
      times = Arrays.copyOf(times, capacity);
      amounts = Arrays.copyOf(amounts, capacity);
      ids = Arrays.copyOf(ids, capacity);
    }

    byte[] encode() {
      byte[] bytes = new byte[44 + size * 80 + devicesKnown * 40];
      LONG.set(bytes, 0, Double.doubleToRawLongBits(mean));
      LONG.set(bytes, 8, Double.doubleToRawLongBits(variance));
      int at = 16;
      at = putNumber(bytes, at, count);
      at = putNumber(bytes, at, size);
      at = putNumber(bytes, at, devicesKnown);
      for (int i = 0; i < size; i++) {
        LONG.set(bytes, at, times[i]);
        at = putNumber(bytes, at + 8, amounts[i]);
        at = putText(bytes, at, ids[i]);
      }
      for (int i = 0; i < devicesKnown; i++) at = putText(bytes, at, devices[i]);
      return Arrays.copyOf(bytes, at);
    }

    static Customer decode(byte[] bytes) {
      Customer customer = new Customer();
      if (bytes == null) return customer;
      customer.mean = Double.longBitsToDouble((long) LONG.get(bytes, 0));
      customer.variance = Double.longBitsToDouble((long) LONG.get(bytes, 8));
      Reader reader = new Reader(bytes, 16);
      customer.count = reader.number();
      customer.size = (int) reader.number();
      customer.devicesKnown = (int) reader.number();
      if (customer.size >= customer.times.length) customer.grow(customer.size + 4);
      if (customer.devicesKnown >= customer.devices.length) customer.devices = new String[customer.devicesKnown + 2];
      for (int i = 0; i < customer.size; i++) {
        customer.times[i] = (long) LONG.get(bytes, reader.at);
        reader.at += 8;
        customer.amounts[i] = reader.number();
        customer.ids[i] = reader.text();
      }
      for (int i = 0; i < customer.devicesKnown; i++) customer.devices[i] = reader.text();
      return customer;
    }

    private static int putNumber(byte[] bytes, int at, long value) {
      while ((value & ~0x7fL) != 0) {
        bytes[at++] = (byte) (value | 0x80);
        value >>>= 7;
      }
      bytes[at++] = (byte) value;
      return at;
    }

    private static int putText(byte[] bytes, int at, String text) {
      byte[] encoded = text.getBytes(StandardCharsets.UTF_8);
      bytes[at++] = (byte) encoded.length;
      System.arraycopy(encoded, 0, bytes, at, encoded.length);
      return at + encoded.length;
    }
  }

  static final class Reader {
    final byte[] bytes;
    int at;

    Reader(byte[] bytes, int at) {
      this.bytes = bytes;
      this.at = at;
    }

    long number() {
      long value = 0;
      for (int shift = 0; ; shift += 7) {
        byte next = bytes[at++];
        value |= (long) (next & 0x7f) << shift;
        if (next >= 0) return value;
      }
    }

    String text() {
      int length = bytes[at++] & 0xff;
      String text = new String(bytes, at, length, StandardCharsets.UTF_8);
      at += length;
      return text;
    }
  }

  static final class Judge implements Processor<byte[], byte[], byte[], byte[]> {
    private ProcessorContext<byte[], byte[]> context;
    private KeyValueStore<byte[], byte[]> store;

    @Override
    public void init(ProcessorContext<byte[], byte[]> context) {
      this.context = context;
      this.store = context.getStateStore("customers");
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
      Payment payment = Payment.decode(record.value());
      Customer customer = Customer.decode(store.get(record.key()));
      int hits = customer.judge(payment);
      store.put(record.key(), customer.encode());
      if (hits >= 2) {
        String alert =
            "{\"transaction_id\":\"" + payment.transactionId + "\",\"tier\":\"base\",\"hits\":" + hits + ",\"amount\":" + payment.amount + "}";
        context.forward(record.withValue(alert.getBytes(StandardCharsets.UTF_8)));
      }
    }
  }

  public static void main(String[] arguments) {
    Properties settings = new Properties();
    settings.put("application.id", System.getProperty("group"));
    settings.put("bootstrap.servers", System.getProperty("broker"));
    settings.put("state.dir", System.getProperty("dir"));
    settings.put("processing.guarantee", "exactly_once_v2");
    settings.put("num.stream.threads", 1);
    settings.put("consumer.auto.offset.reset", "earliest");
    settings.put("consumer.session.timeout.ms", 120_000);
    settings.put("consumer.max.poll.interval.ms", 600_000);
    settings.put("default.key.serde", Serdes.ByteArraySerde.class);
    settings.put("default.value.serde", Serdes.ByteArraySerde.class);
    for (String name : System.getProperties().stringPropertyNames()) {
      if (name.startsWith("p.")) settings.put(name.substring(2), System.getProperty(name));
    }

    var supplier =
        System.getProperty("store").equals("memory")
            ? Stores.inMemoryKeyValueStore("customers")
            : Stores.persistentKeyValueStore("customers");
    var store = Stores.keyValueStoreBuilder(supplier, Serdes.ByteArray(), Serdes.ByteArray()).withLoggingEnabled(Map.of());
    store = Boolean.getBoolean("cache") ? store.withCachingEnabled() : store.withCachingDisabled();
    Topology topology = new Topology();
    topology.addSource("payments", new ByteArrayDeserializer(), new ByteArrayDeserializer(), "transactions");
    topology.addProcessor("judge", Judge::new, "payments");
    topology.addStateStore(store, "judge");
    topology.addSink("alerts", "alerts", new ByteArraySerializer(), new ByteArraySerializer(), "judge");

    KafkaStreams streams = new KafkaStreams(topology, settings);
    streams.setStateListener(
        (now, before) -> {
          if (now == KafkaStreams.State.RUNNING) {
            System.out.println("ready");
            System.out.flush();
          }
        });
    Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
    streams.start();
  }
}
