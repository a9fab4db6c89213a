package io.github.avf4j.virtio.vsock;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ConnectionTableTest {
  @Test
  void behavesAsAMapDoes() {
    ConnectionTable table = new ConnectionTable();
    Map<Long, Connection> model = new HashMap<>();
    Random random = new Random(1);
    for (int i = 0; i < 200_000; i++) {
      long key = random.nextInt(600) | (long) random.nextInt(2) << 40;
      Connection known = model.get(key);
      assertThat(table.get(key)).isSameAs(known);
      if (known == null) {
        Connection made = new Connection(key, Connection.Stage.OPEN, 4096, new ByteQueue.Pool());
        table.add(made);
        model.put(key, made);
      } else if (random.nextBoolean()) {
        assertThat(table.remove(known)).isTrue();
        assertThat(table.remove(known)).isFalse();
        model.remove(key);
      }
      assertThat(table.size()).isEqualTo(model.size());
    }
    assertThat(table.all()).containsExactlyInAnyOrderElementsOf(model.values());
  }
}
