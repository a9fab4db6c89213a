/**
 * What a guest consists of: payload packages (APK), disk, boot and file-system images, its kernel
 * and initial RAM disk, and the reports that its init sends. Knows formats and no hypervisor.
 */
@SuppressWarnings("module") // The modules that may use this one are not there when it is compiled.
module io.github.avf4j.microdroid {
  requires apksig;
  requires com.fasterxml.jackson.core;
  requires com.fasterxml.jackson.databind;
  requires com.github.luben.zstd_jni;
  requires transitive io.github.avf4j.api;
  requires transitive io.github.avf4j.attestation;
  requires org.bouncycastle.provider;
  requires org.slf4j;
  requires org.tukaani.xz;
  requires static transitive org.jspecify;

  exports io.github.avf4j.microdroid to
      io.github.avf4j.service;
  exports io.github.avf4j.microdroid.apex;
  exports io.github.avf4j.microdroid.apk;
  exports io.github.avf4j.microdroid.base;
  exports io.github.avf4j.microdroid.boot;
  exports io.github.avf4j.microdroid.disk;
  exports io.github.avf4j.microdroid.erofs;
  exports io.github.avf4j.microdroid.image;
  exports io.github.avf4j.microdroid.java to
      io.github.avf4j.service;
  exports io.github.avf4j.microdroid.payload to
      io.github.avf4j.service;
  exports io.github.avf4j.microdroid.report to
      io.github.avf4j.service;
  exports io.github.avf4j.microdroid.verity;
}
