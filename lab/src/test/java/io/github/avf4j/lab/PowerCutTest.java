package io.github.avf4j.lab;

import static io.github.avf4j.lab.TestMachines.LONG;
import static io.github.avf4j.lab.Vaults.ask;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.BootStage;
import io.github.avf4j.ErrorCode;
import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachine;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Kills machines at moments of their first boot that no one chose. The property {@code
 * avf.test.rounds} says how often.
 */
@Tag("e2e")
@Timeout(value = 2, unit = TimeUnit.HOURS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class PowerCutTest {
  private static final int ROUNDS = Integer.getInteger("avf.test.rounds", 4);

  /** After one of these a while passes: earlier the guest has nothing that it could lose. */
  private static final List<BootStage> STAGES =
      List.of(
          BootStage.KERNEL_ENTERED,
          BootStage.INIT,
          BootStage.HANDOVER_TAKEN,
          BootStage.PAYLOAD_VERIFIED,
          BootStage.SECRETS_DERIVED,
          BootStage.PAYLOAD_MOUNTED,
          BootStage.STORE_OPENED,
          BootStage.PAYLOAD_STARTED);

  private static final int LONGEST_MILLIS = 300;

  @TempDir Path folder;
  private final Map<String, Integer> distribution = new TreeMap<>();
  private TestMachines machines;
  private Path apk;

  @BeforeEach
  void open() throws IOException {
    machines = new TestMachines();
    apk = folder.resolve("lab.apk");
    TestApk.write(apk, "alice", 1, "");
  }

  @AfterEach
  void close() throws IOException {
    machines.close();
  }

  @Test
  void afterACutFirstBootSecretsAreTheSameOrTheInstanceMustBeMadeAnew() throws Exception {
    long seed = Long.getLong("avf.test.seed", System.nanoTime());
    Random random = new Random(seed);
    for (int round = 0; round < ROUNDS; round++) {
      VirtualMachine vm = machines.create("cut" + round, Vaults.config(apk));
      Duration later = Duration.ofMillis(random.nextInt(LONGEST_MILLIS));
      Optional<Kept> given = cut(vm, STAGES.get(random.nextInt(STAGES.size())), later);
      BootStage reached =
          vm.getTimeline().stages().keySet().stream()
              .filter(stage -> stage != BootStage.STOPPED)
              .reduce((first, second) -> second)
              .orElseThrow();
      String outcome = goOn(vm, given);
      String what =
          "cut after " + reached + (given.isPresent() ? " and a secret" : "") + ": " + outcome;
      System.out.println("power cut " + round + ": " + what);
      distribution.merge(what, 1, Integer::sum);
      machines.manager().delete(vm.getName());
    }
    System.out.println("power cuts, seed " + seed + ": " + distribution);
  }

  /** What a payload was given. */
  private record Kept(String secret, int count) {
    static Kept of(VirtualMachine vm) throws IOException {
      return new Kept(ask(vm, "fingerprint"), Integer.parseInt(ask(vm, "count")));
    }

    /** What the next boot must give. */
    Kept next() {
      return new Kept(secret, count + 1);
    }
  }

  /** Kills the machine then, or right after its payload was given a secret. */
  private static Optional<Kept> cut(VirtualMachine vm, BootStage stage, Duration later)
      throws Exception {
    vm.run();
    while (!vm.getTimeline().stages().containsKey(stage)) {
      assertThat(vm.awaitStopped(Duration.ofMillis(2))).isEmpty();
    }
    boolean ready = vm.awaitReady(later);
    Optional<Kept> kept = ready ? Optional.of(Kept.of(vm)) : Optional.empty();
    vm.stop();
    assertThat(vm.awaitStopped(Duration.ZERO)).contains(new StopReason.Killed());
    return kept;
  }

  private static String goOn(VirtualMachine vm, Optional<Kept> given) throws Exception {
    vm.run();
    if (vm.awaitReady(LONG)) {
      Kept second = Kept.of(vm);
      given.ifPresent(first -> assertThat(second).isEqualTo(first.next()));
      Vaults.quit(vm);
      Vaults.start(vm);
      assertThat(Kept.of(vm)).isEqualTo(second.next());
      Vaults.quit(vm);
      return "goes on";
    }
    StopReason reason = vm.awaitStopped(LONG).orElseThrow();
    assertThat(given).as("a secret was given, and now %s", reason).isEmpty();
    assertThat(reason)
        .isInstanceOfSatisfying(
            StopReason.MicrodroidError.class,
            error -> {
              assertThat(error.code()).isIn(ErrorCode.PAYLOAD_INVALID_CONFIG, ErrorCode.UNKNOWN);
              assertThat(error.message()).contains("delete the VM and create it again");
            });
    return "must be made anew, " + reason.avfCode();
  }
}
