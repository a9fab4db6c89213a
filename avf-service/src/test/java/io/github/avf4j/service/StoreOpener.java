package io.github.avf4j.service;

import io.github.avf4j.StoreException;
import java.nio.file.Path;

/** Another process that opens a store: ends with 1 if it cannot. */
final class StoreOpener {
  private StoreOpener() {}

  /** Opens the store that the argument names. */
  public static void main(String[] arguments) {
    try (Store store = Store.open(Path.of(arguments[0]))) {
      System.out.println("opened " + store.names());
    } catch (StoreException e) {
      System.out.println(e.getMessage());
      System.exit(1);
    }
  }
}
