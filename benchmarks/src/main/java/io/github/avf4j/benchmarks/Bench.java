package io.github.avf4j.benchmarks;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;

/** Runs benchmarks by name and prints a table, or one JSON object a line. */
public final class Bench {
  private static final List<Benchmark> ALL =
      List.of(
          new KvmExits(),
          new KvmCycle(),
          new VmLoad(),
          new VmRss(),
          new VsockThroughput(),
          new VsockRoundtrip(),
          new DemoOverhead(),
          new AttestationChain(),
          new AttestationVerity(),
          new AttestationVeritySha256(),
          new AttestationVerityMemory(),
          new AttestationAvb(),
          new MicrodroidPack(),
          new MicrodroidBoot(),
          new MicrodroidImage(),
          new ProtectedAnswer());

  private Bench() {}

  /**
   * Runs the benchmarks named in {@code arguments}, all without a name. A name stands for itself
   * and for all that begin with it and a dot.
   */
  public static void main(String[] arguments) throws Exception {
    List<String> names = new ArrayList<>(List.of(arguments));
    boolean json = names.remove("--json");
    List<Benchmark> chosen = new ArrayList<>();
    for (Benchmark benchmark : ALL) {
      String name = benchmark.name() + ".";
      if (names.isEmpty() || names.stream().anyMatch(given -> name.startsWith(given + "."))) {
        chosen.add(benchmark);
      }
    }
    if (chosen.isEmpty()) {
      System.err.println("bench: no benchmark is named " + names + "; bin/bench --help lists them");
      System.exit(2);
    }
    if (!json) {
      System.out.println(Result.header());
    }
    boolean failed = false;
    for (Benchmark benchmark : chosen) {
      try {
        Result result = benchmark.measure();
        System.out.println(json ? json(result) : result.row());
      } catch (Benchmark.Unavailable e) {
        System.err.println(benchmark.name() + ": not measured here: " + e.getMessage());
        failed = true;
      }
    }
    System.exit(failed ? 1 : 0);
  }

  private static String json(Result result) throws Exception {
    ObjectNode node = new ObjectMapper().createObjectNode();
    node.put("name", result.name());
    node.put("value", result.value());
    node.put("unit", result.unit());
    node.put("baseline", result.baseline());
    node.put("ratio", result.ratio());
    return node.toString();
  }
}
