package io.github.avf4j.benchmarks;

import java.util.Locale;

/**
 * One measured number and its baseline.
 *
 * @param name the benchmark's name
 * @param value our figure
 * @param unit its unit, the baseline's too
 * @param baseline the figure it is compared with
 * @param allowance what the goal allows on top of a multiple of the baseline; not in the ratio
 * @param goal what the ratio of value to baseline should be, for people
 */
record Result(
    String name, double value, String unit, double baseline, double allowance, String goal) {
  /** A result whose goal is a multiple of the baseline and nothing on top. */
  Result(String name, double value, String unit, double baseline, String goal) {
    this(name, value, unit, baseline, 0, goal);
  }

  double ratio() {
    return (value - allowance) / baseline;
  }

  String row() {
    return String.format(
        Locale.ROOT,
        "%-26s %14.2f %14.2f  %-8s %8.3f  %s",
        name,
        value,
        baseline,
        unit,
        ratio(),
        goal);
  }

  static String header() {
    return String.format(
        "%-26s %14s %14s  %-8s %8s  %s", "name", "value", "baseline", "unit", "ratio", "goal");
  }
}
