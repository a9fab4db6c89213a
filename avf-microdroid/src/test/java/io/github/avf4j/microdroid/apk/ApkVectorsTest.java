package io.github.avf4j.microdroid.apk;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.ImageSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ApkVectorsTest {
  @TempDir Path folder;

  static Stream<JsonNode> apks() {
    return StreamSupport.stream(Vectors.json("apk.json").spliterator(), false);
  }

  @ParameterizedTest
  @MethodSource("apks")
  void knowsSignerDigestAndManifest(JsonNode vector) throws IOException {
    VerifiedApk apk =
        ApkVerifier.verify(Vectors.source(vector.required("apk").textValue()), ApkPolicy.DEFAULT);
    JsonNode v3 = vector.required("v3");
    assertThat(apk.size()).isEqualTo(vector.required("size").longValue());
    assertThat(apk.scheme()).isEqualTo(SignatureScheme.V3);
    assertThat(apk.schemes())
        .map(SchemeResult::toString)
        .containsExactly("v2: verifies", "v3: verifies");
    assertThat("0x%x".formatted(apk.signatureAlgorithm()))
        .isEqualTo(v3.required("algorithms").required(0).textValue());
    assertThat(apk.contentDigest()).isEqualTo(Vectors.hex(v3, "digest"));
    assertThat(apk.certificateHash()).isEqualTo(Vectors.hex(v3, "cert_sha512"));
    assertThat(apk.rootHash()).isEqualTo(Vectors.hex(vector.required("signed_idsig"), "root_hash"));
    assertThat(apk.manifestFault()).isEmpty();
    assertThat(apk.manifest())
        .isEqualTo(
            new ManifestInfo(
                vector.required("package").textValue(),
                vector.required("version_code").longValue()));
  }

  @ParameterizedTest
  @MethodSource("apks")
  void findsTheSections(JsonNode vector) throws IOException {
    ApkFile apk = ApkFile.open(Vectors.source(vector.required("apk").textValue()));
    assertThat(apk.bodyLength()).isEqualTo(vector.required("signing_block_offset").longValue());
    assertThat(apk.directoryBytes().offset() + apk.bodyLength())
        .isEqualTo(vector.required("central_directory_offset").longValue());
    SigningBlock block = apk.signingBlock().orElseThrow();
    JsonNode ids = vector.required("block_ids");
    assertThat(block.pairs()).hasSize(ids.size());
    block
        .pairs()
        .forEach(
            (id, value) ->
                assertThat(value.length())
                    .isEqualTo(ids.required("0x%x".formatted(id)).intValue()));
  }

  @ParameterizedTest
  @MethodSource("apks")
  void readsIdsigFiles(JsonNode vector) throws IOException {
    String apk = vector.required("apk").textValue();
    for (String kind : List.of("signed_idsig", "unsigned_idsig")) {
      boolean signed = kind.equals("signed_idsig");
      String name = apk + (signed ? ".idsig" : ".unsigned.idsig");
      JsonNode fields = vector.required(kind);
      Idsig idsig = Idsig.parse(Vectors.source(name));
      assertThat(idsig.isSigned()).isEqualTo(signed);
      assertThat(idsig.salt()).isEqualTo(Vectors.hex(fields, "salt"));
      assertThat(idsig.rootHash()).isEqualTo(Vectors.hex(fields, "root_hash"));
      assertThat(idsig.apkDigest()).isEqualTo(Vectors.hex(fields, "apk_digest"));
      assertThat(idsig.certificate().length()).isEqualTo(fields.required("cert_len").intValue());
      assertThat(idsig.publicKey().length()).isEqualTo(fields.required("pubkey_len").intValue());
      assertThat(idsig.signature().length()).isEqualTo(fields.required("sig_len").intValue());
      assertThat("0x%x".formatted(idsig.signatureAlgorithm()))
          .isEqualTo(fields.required("sig_alg").textValue());
      assertThat(idsig.treeSize()).isEqualTo(fields.required("merkle_tree_size").longValue());
      assertThat(idsig.treeOffset()).isEqualTo(fields.required("merkle_tree_offset").longValue());
      assertThat(idsig.head())
          .isEqualTo(Arrays.copyOf(Vectors.bytes(name), (int) idsig.treeOffset()));
      ApkVerifier.verify(Vectors.source(apk), ApkPolicy.DEFAULT, Vectors.source(name));
    }
  }

  @ParameterizedTest
  @MethodSource("apks")
  void makesTheIdsigOfTheHost(JsonNode vector) throws IOException {
    String name = vector.required("apk").textValue();
    Path apk = Files.write(folder.resolve("a.apk"), Vectors.bytes(name));
    Path idsig = folder.resolve("a.idsig");
    IdsigWriter.write(apk, ApkPolicy.DEFAULT, idsig);
    assertThat(idsig).hasBinaryContent(Vectors.bytes(name + ".unsigned.idsig"));
    assertThat(folder.toFile().list()).containsExactlyInAnyOrder("a.apk", "a.idsig");
  }

  @Test
  void takesWhatAndroidsOwnToolMade() throws IOException {
    VerifiedApk apk =
        ApkVerifier.verify(
            Vectors.source("v4-digest-v3-Sha256withEC.apk"),
            ApkPolicy.DEFAULT,
            Vectors.source("v4-digest-v3-Sha256withEC.apk.idsig"));
    assertThat(apk.rootHash().toHex())
        .isEqualTo("77f063b48b63f846690fa76450a8d3b61a295b6158f50592e873f76dbeeb0201");
  }

  @Test
  void takesZerosBehindTheFileAsABlockDeviceHasThem() throws IOException {
    byte[] apk = Vectors.bytes("v4-digest-v3-Sha256withEC.apk");
    byte[] padded = Arrays.copyOf(apk, (apk.length + 4095) / 4096 * 4096);
    VerifiedApk verified = ApkVerifier.verify(ImageSource.of(padded), ApkPolicy.DEFAULT);
    assertThat(verified.rootHash())
        .isEqualTo(ApkVerifier.verify(ImageSource.of(apk), ApkPolicy.DEFAULT).rootHash());
    assertThat(verified.salt()).isEqualTo(ByteSlice.EMPTY);
  }
}
