/**
 * The command line tool: what this host can do, any kernel in a machine, and everything about
 * verified boot, DICE, attestation and payload packages.
 */
module io.github.avf4j.cli {
  requires com.fasterxml.jackson.databind;
  requires info.picocli;
  requires io.github.avf4j.api;
  requires io.github.avf4j.attestation;
  requires io.github.avf4j.microdroid;
  requires static transitive org.jspecify;

  opens io.github.avf4j.cli to
      info.picocli;
  opens io.github.avf4j.cli.apex to
      info.picocli;
  opens io.github.avf4j.cli.apk to
      info.picocli;
  opens io.github.avf4j.cli.attestation to
      info.picocli;
  opens io.github.avf4j.cli.image to
      info.picocli;
  opens io.github.avf4j.cli.internal to
      info.picocli;
  opens io.github.avf4j.cli.microdroid to
      info.picocli;
}
