package io.github.avf4j.attestation.dice;

import java.util.Optional;

/** The instance of remote key provisioning that a chain belongs to. */
public enum RkpInstance {
  /** The trusted environment. */
  DEFAULT("default"),
  /** A secure element. */
  STRONGBOX("strongbox"),
  /** The service virtual machine, whose chains carry a run of markers up to the leaf. */
  AVF("avf"),
  /** Digital rights management. */
  WIDEVINE("widevine");

  private final String instanceName;

  RkpInstance(String instanceName) {
    this.instanceName = instanceName;
  }

  /** The instance of a name. */
  public static Optional<RkpInstance> ofName(String name) {
    for (RkpInstance instance : values()) {
      if (instance.instanceName.equals(name)) {
        return Optional.of(instance);
      }
    }
    return Optional.empty();
  }

  /** The name, as tools and factory files write it. */
  public String instanceName() {
    return instanceName;
  }
}
