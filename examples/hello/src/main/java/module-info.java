/** The first example: a payload that digests what it is sent. */
module io.github.avf4j.examples.hello {
  requires io.github.avf4j.api;
  requires static transitive org.jspecify;
}
