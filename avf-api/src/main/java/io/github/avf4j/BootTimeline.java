package io.github.avf4j;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/**
 * When a run of a machine reached each stage, counted from {@link BootStage#CALLED}. Stages not
 * reached are missing.
 *
 * <p>Thread-safe.
 */
public final class BootTimeline {
  private final EnumMap<BootStage, Duration> stages;

  /** Makes a timeline of the stages that were reached. */
  public BootTimeline(Map<BootStage, Duration> stages) {
    this.stages = new EnumMap<>(BootStage.class);
    this.stages.putAll(stages);
  }

  /** Returns when {@code stage} was reached, empty if it was not. */
  public Optional<Duration> at(BootStage stage) {
    return Optional.ofNullable(stages.get(stage));
  }

  /** Returns all stages that were reached, in order. */
  public Map<BootStage, Duration> stages() {
    return new EnumMap<>(stages);
  }

  @Override
  public String toString() {
    return stages.toString();
  }
}
