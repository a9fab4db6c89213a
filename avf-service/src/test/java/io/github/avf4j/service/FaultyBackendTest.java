package io.github.avf4j.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachine.Status;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A backend that breaks its contract costs its machine, and nothing else. */
class FaultyBackendTest extends ManagerTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  private final RuntimeException fault = new IllegalStateException("on purpose");

  private void assertRunsAgain(VirtualMachine vm) throws InterruptedException {
    fixture.backend.startFailure = null;
    fixture.backend.killFailure = null;
    fixture.backend.closeFailure = null;
    fixture.backend.guest = FakeMachine::wellBehaved;
    vm.run();
    assertThat(vm.awaitStopped(LIMIT)).contains(new StopReason.Shutdown());
  }

  @Test
  void machineThatCannotBeKilledIsClosed() throws Exception {
    fixture.backend.guest = machine -> {};
    fixture.backend.killFailure = fault;
    StopReason late = new StopReason.Hangup(Duration.ofMillis(50));
    VirtualMachine vm =
        manager.create("a", fixture.config().bootTimeout(Duration.ofMillis(50)).build());
    vm.run();
    assertThat(vm.awaitStopped(LIMIT)).contains(late);
    assertThat(fixture.backend.last().isClosed()).isTrue();
    fixture.backend.killFailure = null;
    vm.close();
    manager.delete("a");
    assertThat(vm.getStatus()).isEqualTo(Status.DELETED);
  }

  @Test
  void machineThatCannotBeClosedIsOver() throws Exception {
    fixture.backend.closeFailure = fault;
    VirtualMachine vm = manager.create("a", fixture.config().build());
    vm.run();
    assertThat(vm.awaitStopped(LIMIT)).contains(new StopReason.Shutdown());
    assertRunsAgain(vm);
  }

  @Test
  void machineThatCanNeitherBeStartedNorClosedIsOver() throws Exception {
    fixture.backend.startFailure = fault;
    fixture.backend.closeFailure = new IllegalStateException("again");
    VirtualMachine vm = manager.create("a", fixture.config().build());
    assertThatThrownBy(vm::run)
        .isSameAs(fault)
        .hasSuppressedException(fixture.backend.closeFailure);
    assertThat(vm.getStatus()).isEqualTo(Status.STOPPED);
    assertRunsAgain(vm);
  }
}
