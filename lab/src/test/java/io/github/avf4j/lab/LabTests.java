package io.github.avf4j.lab;

import java.io.PrintStream;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.ClassSelector;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * Runs tests in an emulated host, which has no Maven and loads classes slowly: no more of them than
 * needed. Prints each test when it has ended. Thread-safe.
 */
public final class LabTests implements TestExecutionListener {
  private final TestPlan plan;
  private final PrintStream out;
  private final Map<String, Long> started = new ConcurrentHashMap<>();
  private final AtomicInteger successful = new AtomicInteger();
  private final AtomicInteger skipped = new AtomicInteger();
  private final AtomicInteger failed = new AtomicInteger();

  private LabTests(TestPlan plan, PrintStream out) {
    this.plan = plan;
    this.out = out;
  }

  /**
   * Runs the tests of one tag and ends the JVM: with 0 if there were some and none failed.
   *
   * @param arguments the tag, and the names of the classes
   */
  public static void main(String[] arguments) {
    List<ClassSelector> classes =
        Stream.of(arguments).skip(1).map(DiscoverySelectors::selectClass).toList();
    Launcher launcher = LauncherFactory.create();
    TestPlan plan =
        launcher.discover(
            LauncherDiscoveryRequestBuilder.request()
                .selectors(classes)
                .filters(TagFilter.includeTags(arguments[0]))
                .build());
    LabTests tests = new LabTests(plan, System.out);
    launcher.execute(plan, tests);
    System.exit(tests.summary() ? 0 : 1);
  }

  /** Prints how many tests ended in which way, and returns whether that is well. */
  private boolean summary() {
    out.printf(
        "%n%d tests successful, %s skipped, %d failed%n", successful.get(), skipped, failed.get());
    return failed.get() == 0 && successful.get() > 0;
  }

  @Override
  public void executionStarted(TestIdentifier identifier) {
    started.put(identifier.getUniqueId(), System.nanoTime());
  }

  @Override
  public void executionSkipped(TestIdentifier identifier, String reason) {
    skipped.incrementAndGet();
    out.println("skip  " + name(identifier) + ": " + reason);
  }

  @Override
  public void executionFinished(TestIdentifier identifier, TestExecutionResult result) {
    Optional<Throwable> thrown = result.getThrowable();
    switch (result.getStatus()) {
      case SUCCESSFUL -> {
        if (identifier.isTest()) {
          successful.incrementAndGet();
          out.println("ok    " + name(identifier) + duration(identifier));
        }
      }
      case ABORTED -> executionSkipped(identifier, thrown.map(Throwable::getMessage).orElse(""));
      case FAILED -> {
        failed.incrementAndGet();
        synchronized (out) {
          out.println("FAIL  " + name(identifier) + duration(identifier));
          thrown.ifPresent(cause -> cause.printStackTrace(out));
        }
      }
    }
  }

  private String duration(TestIdentifier identifier) {
    long nanos = System.nanoTime() - started.get(identifier.getUniqueId());
    return " (" + nanos / 1_000_000 + " ms)";
  }

  /** The names of a test and of what it is in, without the engine's. */
  private String name(TestIdentifier identifier) {
    Deque<String> names = new ArrayDeque<>();
    for (Optional<TestIdentifier> at = Optional.of(identifier);
        at.flatMap(plan::getParent).isPresent();
        at = at.flatMap(plan::getParent)) {
      names.addFirst(at.get().getDisplayName());
    }
    return String.join(" > ", names);
  }
}
