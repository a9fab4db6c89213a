package io.github.avf4j.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.BackendUnavailableException;
import io.github.avf4j.HostReport;
import io.github.avf4j.HostReport.Suitability;
import io.github.avf4j.ProtectionLevel;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class BackendsTest {
  private final FakeBackend kvm = new FakeBackend("kvm", 100);
  private final FakeBackend qemu = new FakeBackend("qemu", 10);
  private final Backends backends = new Backends(List.of(qemu, kvm), List.of());

  @Test
  void takesTheBestThatRunsAnything() {
    assertThat(backends.choose(Optional.empty())).hasToString("kvm: it is FULL");
    assertThat(qemu.probes).isZero();
  }

  @Test
  void saysWhyNotABetterOne() {
    kvm.with(Suitability.LIMITED);
    assertThat(backends.choose(Optional.empty()))
        .hasToString("qemu: it is FULL; not kvm: it is LIMITED");
  }

  @Test
  void saysForEachWhyNoneAndWhatToDo() {
    kvm.with(Suitability.LIMITED);
    qemu.with(Suitability.NONE);
    assertThatThrownBy(() -> backends.choose(Optional.empty()))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessage(
            "no hypervisor can run machines here: kvm: it is LIMITED (mend kvm); qemu: it is NONE"
                + " (mend qemu)");
  }

  @Test
  void obeysWhoAsksForOneThatIsLimited() {
    kvm.with(Suitability.LIMITED);
    assertThat(backends.choose(Optional.of("kvm")).backend()).isSameAs(kvm);
    kvm.with(Suitability.NONE);
  }

  @Test
  void refusesToForceOneThatCannotBeUsedOrIsNotThere() {
    kvm.with(Suitability.NONE);
    assertThatThrownBy(() -> backends.choose(Optional.of("kvm")))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessage("kvm: it is NONE (mend kvm)");
    assertThatThrownBy(() -> backends.choose(Optional.of("xen")))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessage("there is no backend \"xen\": choose one of [kvm, qemu]");
  }

  @Test
  void probesAUsableOneOnceAndAnUnusableOneEachTime() {
    backends.choose(Optional.empty());
    backends.choose(Optional.empty());
    assertThat(kvm.probes).isEqualTo(1);
    qemu.with(Suitability.NONE);
    for (int i = 0; i < 2; i++) {
      assertThatThrownBy(() -> backends.choose(Optional.of("qemu")))
          .isInstanceOf(BackendUnavailableException.class);
    }
    assertThat(qemu.probes).isEqualTo(2);
    qemu.with(Suitability.FULL);
    assertThat(backends.choose(Optional.of("qemu")).backend()).isSameAs(qemu);
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
}
