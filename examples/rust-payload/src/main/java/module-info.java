/** A payload in Rust and the program that asks it. */
module io.github.avf4j.examples.rust {
  requires io.github.avf4j.api;
  requires io.github.avf4j.microdroid;
  requires static transitive org.jspecify;
}
