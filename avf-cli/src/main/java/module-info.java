/** The command line tool: what this host can do, and any kernel in a machine. */
module io.github.avf4j.cli {
  requires com.fasterxml.jackson.databind;
  requires info.picocli;
  requires io.github.avf4j.api;
  requires static transitive org.jspecify;

  opens io.github.avf4j.cli to
      info.picocli;
}
