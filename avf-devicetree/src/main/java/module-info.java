/**
 * Flattened device trees: how a machine is described to what boots in it.
 *
 * <p>Needs no other module of avf4j, and no other library.
 */
module io.github.avf4j.devicetree {
  requires static transitive org.jspecify;

  exports io.github.avf4j.devicetree;
}
