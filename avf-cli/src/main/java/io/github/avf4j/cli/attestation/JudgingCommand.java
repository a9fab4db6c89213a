package io.github.avf4j.cli.attestation;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.cli.internal.FileCommand;
import picocli.CommandLine.Option;

/** A command that judges what it reads, and says so to machines too where it is asked to. */
abstract class JudgingCommand extends FileCommand {
  @Option(names = "--json", description = "One JSON object instead of text.")
  private boolean json;

  /** Whether the result goes to standard output as JSON. */
  final boolean isJson() {
    return json;
  }

  final void print(ObjectNode node) {
    out().println(Json.text(node));
  }

  @Override
  protected void refused(AttestationException reason) {
    if (json) {
      print(Json.refusal(reason));
    }
  }
}
