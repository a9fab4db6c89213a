package io.github.avf4j.service;

import io.github.avf4j.VirtualMachineManager;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** What tests with one manager on a fake backend have in common. */
abstract class ManagerTest {
  @TempDir Path folder;
  Fixture fixture;
  VirtualMachineManager manager;

  @BeforeEach
  void open() throws IOException {
    fixture = new Fixture(folder);
    manager = fixture.open();
  }

  @AfterEach
  void close() {
    manager.close();
  }
}
