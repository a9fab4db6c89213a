package io.github.avf4j.service;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import io.github.avf4j.VirtualMachineException;

/** The layers of the library, for us; {@code module-info} says the same to users. */
@AnalyzeClasses(packages = "io.github.avf4j", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  private static final String ROOT = "io.github.avf4j";

  @ArchTest
  static final ArchRule nativeCallsAreInOnePackage =
      noClasses()
          .that()
          .resideOutsideOfPackage(ROOT + ".linux..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("com.sun.jna..");

  @ArchTest
  static final ArchRule apiKnowsOnlyTheJdk =
      classes()
          .that()
          .resideInAnyPackage(ROOT, ROOT + ".internal", ROOT + ".spi")
          .should()
          .onlyDependOnClassesThat()
          // Immutables leaves annotations in class files that nobody needs to read.
          .resideInAnyPackage(
              "java..",
              "org.jspecify..",
              "org.immutables.value",
              ROOT,
              ROOT + ".internal",
              ROOT + ".spi");

  @ArchTest
  static final ArchRule deviceTreesKnowOnlyTheJdk =
      classes()
          .that()
          .resideInAPackage(ROOT + ".devicetree..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage("java..", "org.jspecify..", ROOT + ".devicetree..");

  @ArchTest
  static final ArchRule attestationKnowsNoMachine =
      classes()
          .that()
          .resideInAPackage(ROOT + ".attestation..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              "java..",
              "javax..",
              "org.jspecify..",
              "org.bouncycastle..",
              "com.fasterxml.jackson..",
              ROOT + ".attestation..",
              ROOT + ".devicetree..");

  @ArchTest
  static final ArchRule devicesKnowNoHypervisor =
      noClasses()
          .that()
          .resideInAPackage(ROOT + ".virtio..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              ROOT + ".linux..", ROOT + ".kvm..", ROOT + ".qemu..", ROOT + ".microdroid..");

  @ArchTest
  static final ArchRule backendsKnowNoPayloads =
      noClasses()
          .that()
          .resideInAnyPackage(ROOT + ".kvm..", ROOT + ".qemu..", ROOT + ".linux..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(ROOT + ".microdroid..", ROOT + ".service..");

  @ArchTest
  static final ArchRule backendsDoNotKnowEachOther =
      noClasses()
          .that()
          .resideInAPackage(ROOT + ".kvm..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage(ROOT + ".qemu..");

  @ArchTest
  static final ArchRule qemuIsNotKvm =
      noClasses()
          .that()
          .resideInAPackage(ROOT + ".qemu..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage(ROOT + ".kvm..");

  @ArchTest
  static final ArchRule imagesKnowNoHypervisor =
      noClasses()
          .that()
          .resideInAPackage(ROOT + ".microdroid..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              ROOT + ".kvm..",
              ROOT + ".qemu..",
              ROOT + ".linux..",
              ROOT + ".virtio..",
              ROOT + ".service..",
              ROOT + ".spi..");

  @ArchTest
  static final ArchRule serviceFindsBackendsByTheSpi =
      noClasses()
          .that()
          .resideInAPackage(ROOT + ".service..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              ROOT + ".kvm..", ROOT + ".qemu..", ROOT + ".linux..", ROOT + ".virtio..");

  @ArchTest
  static final ArchRule failuresHaveOneRoot =
      classes()
          .that()
          .resideInAPackage(ROOT)
          .and()
          .areAssignableTo(Throwable.class)
          .should()
          .beAssignableTo(VirtualMachineException.class);

  @ArchTest
  static final ArchRule packagesOfTheServiceSideHaveNoCircles =
      slices().matching(ROOT + ".microdroid.(*)..").should().beFreeOfCycles();
}
