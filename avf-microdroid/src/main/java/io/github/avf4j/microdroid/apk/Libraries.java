package io.github.avf4j.microdroid.apk;

import java.util.ArrayList;
import java.util.List;

/** Remarks about native libraries, which the guest can map only as they are in the APK. */
final class Libraries {
  private static final int PAGE = 4096;
  private static final int MAX_REMARKS = 100;

  private Libraries() {}

  static List<String> remarks(ZipDirectory directory) {
    List<String> remarks = new ArrayList<>();
    for (ZipEntry entry : directory.entries()) {
      if (!entry.name().startsWith("lib/") || !entry.name().endsWith(".so")) {
        continue;
      }
      if (entry.method() != ZipEntry.STORED) {
        remarks.add(entry.name() + " is compressed: the guest unpacks it into memory");
      } else if (entry.dataOffset() % PAGE != 0) {
        remarks.add(
            "%s starts at %d, no multiple of %d: align it"
                .formatted(entry.name(), entry.dataOffset(), PAGE));
      }
      if (remarks.size() == MAX_REMARKS) {
        break;
      }
    }
    return remarks;
  }
}
