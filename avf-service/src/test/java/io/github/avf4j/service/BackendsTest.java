package io.github.avf4j.service;

import static io.github.avf4j.ProtectionLevel.HARDWARE;
import static io.github.avf4j.ProtectionLevel.NONE;
import static io.github.avf4j.ProtectionLevel.SIMULATED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.BackendUnavailableException;
import io.github.avf4j.HostReport;
import io.github.avf4j.HostReport.Suitability;
import io.github.avf4j.ProtectionLevel;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class BackendsTest {
  private final FakeBackend kvm = new FakeBackend("kvm", 100);
  private final FakeBackend qemu = new FakeBackend("qemu", 10);
  private final Backends backends = new Backends(List.of(qemu, kvm), List.of());

  @Test
  void takesTheBestThatRunsAnything() {
    assertThat(backends.choose(Optional.empty(), NONE)).hasToString("kvm: it is FULL");
    assertThat(qemu.probes).isZero();
  }

  @Test
  void saysWhyNotABetterOne() {
    kvm.with(Suitability.LIMITED);
    assertThat(backends.choose(Optional.empty(), NONE))
        .hasToString("qemu: it is FULL; not kvm: it is LIMITED");
  }

  @Test
  void saysForEachWhyNoneAndWhatToDo() {
    kvm.with(Suitability.LIMITED);
    qemu.with(Suitability.NONE);
    assertThatThrownBy(() -> backends.choose(Optional.empty(), NONE))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessage(
            "no hypervisor can run machines here: kvm: it is LIMITED (mend kvm); qemu: it is NONE"
                + " (mend qemu)");
  }

  @Test
  void obeysWhoAsksForOneThatIsLimited() {
    kvm.with(Suitability.LIMITED);
    assertThat(backends.choose(Optional.of("kvm"), NONE).backend()).isSameAs(kvm);
    kvm.with(Suitability.NONE);
  }

  @Test
  void refusesToForceOneThatCannotBeUsedOrIsNotThere() {
    kvm.with(Suitability.NONE);
    assertThatThrownBy(() -> backends.choose(Optional.of("kvm"), NONE))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessage("kvm: it is NONE (mend kvm)");
    assertThatThrownBy(() -> backends.choose(Optional.of("xen"), NONE))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessage("there is no backend \"xen\": choose one of [kvm, qemu]");
  }

  @Test
  void probesAUsableOneOnceAndAnUnusableOneEachTime() {
    backends.choose(Optional.empty(), NONE);
    backends.choose(Optional.empty(), NONE);
    assertThat(kvm.probes).isEqualTo(1);
    qemu.with(Suitability.NONE);
    for (int i = 0; i < 2; i++) {
      assertThatThrownBy(() -> backends.choose(Optional.of("qemu"), NONE))
          .isInstanceOf(BackendUnavailableException.class);
    }
    assertThat(qemu.probes).isEqualTo(2);
    qemu.with(Suitability.FULL);
    assertThat(backends.choose(Optional.of("qemu"), NONE).backend()).isSameAs(qemu);
  }

  @Test
  void reportsAllOfThem() {
    kvm.with(Suitability.LIMITED);
    HostReport report = backends.report();
    assertThat(report.backends())
        .extracting(HostReport.Backend::name)
        .containsExactly("kvm", "qemu");
    assertThat(report.chosen()).contains("qemu");
    assertThat(report.choice()).isEqualTo("it is FULL; not kvm: it is LIMITED");
    assertThat(report.protection())
        .extracting(HostReport.Protection::level, HostReport.Protection::available)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple(ProtectionLevel.NONE, true),
            org.assertj.core.groups.Tuple.tuple(ProtectionLevel.SIMULATED, false),
            org.assertj.core.groups.Tuple.tuple(ProtectionLevel.HARDWARE, false));
  }

  @Test
  void reportsWhenThereIsNone() {
    HostReport report = new Backends(List.of(), List.of()).report();
    assertThat(report.chosen()).isEmpty();
    assertThat(report.choice()).contains("add the dependency");
    assertThat(report.protection()).noneMatch(HostReport.Protection::available);
  }

  @Test
  void takesTheBestThatGivesTheProtectionLevel() {
    qemu.levels = Set.of(NONE, SIMULATED);
    assertThat(backends.choose(Optional.empty(), SIMULATED).backend()).isSameAs(qemu);
    kvm.levels = Set.of(NONE, SIMULATED, HARDWARE);
    assertThat(backends.choose(Optional.empty(), HARDWARE).backend()).isSameAs(kvm);
  }

  @Test
  void neverTakesAnotherLevelThanTheOneThatIsAskedFor() {
    kvm.levels = Set.of(NONE, SIMULATED);
    qemu.with(Suitability.NONE);
    assertThatThrownBy(() -> backends.choose(Optional.empty(), HARDWARE))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageStartingWith(
            "protection level HARDWARE is not available: kvm: it lacks pKVM (buy another machine);"
                + " qemu: it is NONE (mend qemu)");
    assertThatThrownBy(() -> backends.choose(Optional.of("kvm"), HARDWARE))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageStartingWith(
            "protection level HARDWARE is not available: kvm: it lacks pKVM (buy another machine)");
  }

  @Test
  void reportsForEachLevelWhoGivesItOrWhyNobodyDoes() {
    qemu.levels = Set.of(NONE, SIMULATED);
    assertThat(backends.report().protection())
        .containsExactly(
            new HostReport.Protection(NONE, true, "kvm has it", ""),
            new HostReport.Protection(SIMULATED, true, "qemu has it", ""),
            new HostReport.Protection(HARDWARE, false, "it lacks pKVM", "buy another machine"));
  }
}
