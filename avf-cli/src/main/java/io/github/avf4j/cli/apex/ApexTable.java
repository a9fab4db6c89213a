package io.github.avf4j.cli.apex;

import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.attestation.avb.HashtreeDescriptor;
import io.github.avf4j.cli.internal.Table;
import io.github.avf4j.microdroid.apex.ApexManifest;
import io.github.avf4j.microdroid.apex.PayloadFileSystem;
import java.util.List;

/** What commands print of an APEX. */
final class ApexTable {
  private ApexTable() {}

  static Table of(ApexManifest manifest) {
    Table table = new Table().row("name", manifest.name()).row("version", manifest.version());
    if (!manifest.versionName().isEmpty()) {
      table.row("version name", manifest.versionName());
    }
    list(table, "provides", manifest.provideNativeLibs());
    list(table, "requires", manifest.requireNativeLibs());
    list(table, "JNI libraries", manifest.jniLibs());
    list(table, "requires shared", manifest.requireSharedApexLibs());
    flag(table, "shared libraries", manifest.provideSharedApexLibs());
    flag(table, "without code", manifest.noCode());
    flag(table, "rebootless update", manifest.supportsRebootlessUpdate());
    return table;
  }

  private static void list(Table table, String name, List<String> values) {
    values.forEach(value -> table.row(name, value));
  }

  private static void flag(Table table, String name, boolean value) {
    if (value) {
      table.row(name, "yes");
    }
  }

  static void payload(
      Table table, PayloadFileSystem fileSystem, long offset, long size, HashtreeDescriptor tree) {
    table
        .row("payload", "%s, %d bytes at byte %d".formatted(fileSystem, size, offset))
        .row("hash tree", "%s over %d bytes".formatted(tree.hashAlgorithm(), tree.imageSize()))
        .row("salt", tree.salt().toHex())
        .row("root digest", tree.rootDigest().toHex());
  }

  /** A key, and the hash by which a DICE chain names it. */
  static void key(Table table, AvbPublicKey key) {
    table.row("public key", key).row("key hash", "sha512:" + key.sha512().toHex());
  }
}
