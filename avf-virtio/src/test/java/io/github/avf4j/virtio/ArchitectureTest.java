package io.github.avf4j.virtio;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(
    packages = "io.github.avf4j",
    importOptions = {ImportOption.DoNotIncludeTests.class})
class ArchitectureTest {
  @ArchTest
  static final ArchRule KNOWS_NO_NATIVE_CODE_AND_NO_HYPERVISOR =
      noClasses()
          .that()
          .resideInAPackage("io.github.avf4j.virtio..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "com.sun.jna..",
              "io.github.avf4j.kvm..",
              "io.github.avf4j.linux..",
              "io.github.avf4j.qemu..",
              "io.github.avf4j.microdroid..",
              "io.github.avf4j.service..");

  @ArchTest
  static final ArchRule KNOWS_ONLY_THE_JDK_THE_API_AND_THE_LOGGER =
      classes()
          .that()
          .resideInAPackage("io.github.avf4j.virtio..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              "java..",
              "io.github.avf4j",
              "io.github.avf4j.internal",
              "io.github.avf4j.spi",
              "io.github.avf4j.virtio..",
              "org.immutables.value..",
              "org.slf4j..",
              "org.jspecify..");

  @ArchTest
  static final ArchRule MEMORY_KNOWS_NO_DEVICE =
      noClasses()
          .that()
          .resideInAPackage("io.github.avf4j.virtio.memory..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.github.avf4j.virtio",
              "io.github.avf4j.virtio.queue..",
              "io.github.avf4j.virtio.mmio..");

  @ArchTest
  static final ArchRule QUEUES_KNOW_ONLY_MEMORY =
      noClasses()
          .that()
          .resideInAPackage("io.github.avf4j.virtio.queue..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.github.avf4j.virtio", "io.github.avf4j.virtio.mmio..");
}
