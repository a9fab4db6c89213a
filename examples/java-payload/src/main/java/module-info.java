/** An example: a Java class in a virtual machine, and the program that asks it. */
module io.github.avf4j.examples.java {
  requires io.github.avf4j.api;
  requires io.github.avf4j.payload;
  requires static transitive org.jspecify;

  exports io.github.avf4j.examples.java;
}
