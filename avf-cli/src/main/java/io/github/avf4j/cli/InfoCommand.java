package io.github.avf4j.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.avf4j.HostReport;
import io.github.avf4j.Virtualization;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code avf info}. */
@Command(
    name = "info",
    description =
        "Says what this host can do and, for what it cannot, why and what to do about it.",
    mixinStandardHelpOptions = true)
final class InfoCommand implements Callable<Integer> {
  @Option(names = "--json", description = "One JSON object instead of text.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws JsonProcessingException {
    HostReport report = Virtualization.probe();
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(
          new ObjectMapper()
              .enable(SerializationFeature.INDENT_OUTPUT)
              .writeValueAsString(json(report)));
    } else {
      text(report, out);
    }
    out.flush();
    return ExitCode.OK;
  }

  static void text(HostReport report, PrintWriter out) {
    out.println("machines run on: " + report.chosen().orElse("nothing"));
    out.println("  " + report.choice());
    for (HostReport.Backend backend : report.backends()) {
      out.println("backend " + backend.name() + ": " + backend.suitability());
      entry(backend.reason(), backend.advice(), out);
      backend.details().forEach((name, value) -> out.println("  " + name + ": " + value));
    }
    for (HostReport.Protection protection : report.protection()) {
      out.println(
          "protection level "
              + protection.level()
              + ": "
              + (protection.available() ? "available" : "not available"));
      entry(protection.reason(), protection.advice(), out);
    }
  }

  private static void entry(String reason, String advice, PrintWriter out) {
    out.println("  " + reason);
    if (!advice.isEmpty()) {
      out.println("  to do: " + advice);
    }
  }

  static ObjectNode json(HostReport report) {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    root.put("chosen", report.chosen().orElse(null));
    root.put("choice", report.choice());
    ArrayNode backends = root.putArray("backends");
    for (HostReport.Backend backend : report.backends()) {
      ObjectNode node = backends.addObject();
      node.put("name", backend.name());
      node.put("suitability", backend.suitability().name());
      node.put("reason", backend.reason());
      node.put("advice", backend.advice());
      ObjectNode details = node.putObject("details");
      backend.details().forEach(details::put);
    }
    ArrayNode levels = root.putArray("protection");
    for (HostReport.Protection protection : report.protection()) {
      ObjectNode node = levels.addObject();
      node.put("level", protection.level().name());
      node.put("available", protection.available());
      node.put("reason", protection.reason());
      node.put("advice", protection.advice());
    }
    return root;
  }
}
