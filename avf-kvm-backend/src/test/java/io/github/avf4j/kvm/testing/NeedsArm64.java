package io.github.avf4j.kvm.testing;

import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Skips a test, with the reason, on other processors than arm64 and where {@code /dev/kvm} does not
 * open. Thread-safe.
 */
public final class NeedsArm64 implements ExecutionCondition {
  @Override
  public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
    if (!"aarch64".equals(System.getProperty("os.arch"))) {
      return ConditionEvaluationResult.disabled("needs an arm64 host: run it in bin/lab arm64");
    }
    return new NeedsKvm().evaluateExecutionCondition(context);
  }
}
