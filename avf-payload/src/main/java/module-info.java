/** What Java code inside a virtual machine asks of it. Depends on nothing but the JDK. */
module io.github.avf4j.payload {
  requires static org.jspecify;

  exports io.github.avf4j.payload;
}
