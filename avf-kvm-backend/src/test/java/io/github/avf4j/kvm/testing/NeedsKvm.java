package io.github.avf4j.kvm.testing;

import io.github.avf4j.BackendUnavailableException;
import io.github.avf4j.kvm.ioctl.KvmSystem;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Skips a test, with the reason, where {@code /dev/kvm} does not open. Thread-safe. */
public final class NeedsKvm implements ExecutionCondition {
  @Override
  public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
    try {
      KvmSystem.open().close();
      return ConditionEvaluationResult.enabled(KvmSystem.DEVICE + " opens");
    } catch (BackendUnavailableException e) {
      System.out.println("skipped: " + e.getMessage());
      return ConditionEvaluationResult.disabled(String.valueOf(e.getMessage()));
    }
  }
}
