package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.remote.AttestationCheck.Kind;
import io.github.avf4j.attestation.remote.AttestationCheck.Outcome;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The checks of what runs in the machine. */
final class ComponentChecks {
  private final AttestationPolicy policy;
  private final CheckList checks;

  ComponentChecks(AttestationPolicy policy, CheckList checks) {
    this.policy = policy;
    this.checks = checks;
  }

  void run(@Nullable AttestationExtension extension) {
    if (extension == null) {
      checks.skipRest(Kind.COMPONENTS, "there is no extension to look at");
      return;
    }
    List<VmComponent> components = extension.components();
    checks.check(
        Kind.COMPONENTS,
        !components.isEmpty(),
        components.size() + " components",
        "the list of components is empty, so nothing is known of what runs in the machine");
    policy.components().forEach(requirement -> check(requirement, components));
    checkUnlisted(components);
  }

  private void check(ComponentRequirement requirement, List<VmComponent> components) {
    String name = requirement.name();
    Optional<VmComponent> found =
        components.stream().filter(component -> component.name().equals(name)).findFirst();
    if (found.isEmpty()) {
      checks.add(Kind.COMPONENT_PRESENT, name, Outcome.FAIL, "the machine does not run it");
      return;
    }
    VmComponent component = found.get();
    checks.add(Kind.COMPONENT_PRESENT, name, Outcome.PASS, "the machine runs it");
    checks.check(
        Kind.COMPONENT_AUTHORITY,
        name,
        requirement.authorityHashes().contains(component.authorityHash()),
        "is signed by " + component.authorityHash(),
        "is signed by " + component.authorityHash() + ", which is not accepted");
    checks.check(
        Kind.COMPONENT_VERSION,
        name,
        component.securityVersion().compareTo(requirement.leastVersion()) >= 0,
        "version is " + component.securityVersion(),
        "version must be at least "
            + requirement.leastVersion()
            + " but is "
            + component.securityVersion());
    if (requirement.codeHashes().isEmpty()) {
      checks.add(Kind.COMPONENT_CODE, name, Outcome.SKIPPED, "the policy accepts any code");
    } else {
      checks.check(
          Kind.COMPONENT_CODE,
          name,
          requirement.codeHashes().contains(component.codeHash()),
          "code is " + component.codeHash(),
          "code is " + component.codeHash() + ", which is not accepted");
    }
  }

  private void checkUnlisted(List<VmComponent> components) {
    String unlisted =
        components.stream()
            .map(VmComponent::name)
            .filter(name -> !policy.names(name))
            .collect(Collectors.joining(", "));
    if (unlisted.isEmpty()) {
      checks.pass(Kind.UNLISTED_COMPONENTS, "there are none");
    } else {
      checks.check(
          Kind.UNLISTED_COMPONENTS,
          policy.unlistedComponentsAllowed(),
          "the policy accepts what it does not name: " + unlisted,
          "the machine also runs what the policy does not name: " + unlisted);
    }
  }
}
