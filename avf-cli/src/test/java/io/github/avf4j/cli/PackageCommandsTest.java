package io.github.avf4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PackageCommandsTest extends CommandTest {
  private static final String SIGN = " --key @apk_test_key.pem --cert @apk_test_cert.pem";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "apk verify @small-ec.apk",
        "apk verify @small-ec.apk --sdk 30",
        "apk verify @small-ec.apk --idsig @small-ec.apk.idsig",
        "apk verify @small-ec.apk --idsig @small-ec.apk.unsigned.idsig --accept-v2",
        "apk idsig @small-ec.apk %out",
        "apk sign @small-ec.apk %out" + SIGN,
        "apk make --package com.example.payload %out",
        "apk make --package com.example.payload --add assets/a=%file %out" + SIGN,
        "fsverity digest @small-ec.apk"
      })
  void takesWhatIsValid(String line) throws Exception {
    Files.writeString(folder.resolve("file"), "content");
    assertThat(run(line)).as(err.toString()).isZero();
    assertThat(out.toString()).isNotEmpty();
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void saysWhatAnApkIs() throws Exception {
    assertThat(run("apk verify @small-ec.apk")).isZero();
    assertThat(out.toString())
        .contains(
            "com.example.avf.sample",
            " 42",
            "v2: verifies",
            "v3: verifies",
            "fb54a731eb8d6158f3be700e4f3dfadab7631d0003944d99491f11d613ab321d",
            "cf0f7fbd80b63419e4c3ebc86a4ba252a23580aa915457098c6bf6dd1606ced1")
        .endsWith("valid" + System.lineSeparator());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "apk verify %changed|the content was changed after it was signed",
        "apk verify @small-ec.apk --sdk 10|no signer for SDK level 10",
        "apk verify @small-ec.apk --idsig @input.1M.descriptor|version",
        "apk verify @apk_test_key.pem|end-of-central-directory",
        "apk idsig %changed %out|the content was changed",
        "apk sign @apk_test_key.pem %out" + SIGN + "|end-of-central-directory",
        "apk sign @small-ec.apk %out --key @apk_test_cert.pem --cert @apk_test_cert.pem|private key",
        "apk sign @small-ec.apk %out --key @apk_test_key.pem --cert @apk_test_key.pem|certificate",
        "apk sign @small-ec.apk %out --key @testkey_rsa4096.pem --cert @apk_test_cert.pem|key",
        "apk make --package payload %out|two or more names",
        "apk make --package a.b --add /a=%changed %out|absolute",
        "apk make --package a.b --add a/../../b=%changed %out" + SIGN + "|\"..\"",
        "apk make --package a.b --add a=%changed --add a=%changed %out|twice",
        "apk make --package a.b --add a=%changed --add a/b=%changed %out|folder of",
        "apk make --package a.b --add AndroidManifest.xml=%changed %out|leave it out",
        "apk make --package a.b %out --key @testkey_rsa4096.pem --cert @apk_test_cert.pem|key"
      })
  void refusesWithTheReason(String line, String reason) throws Exception {
    vector("small-ec.apk");
    damage("small-ec.apk", 5000, "changed");
    assertThat(run(line)).as(out.toString()).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).startsWith("avf: refused: ").contains(reason);
    assertThat(folder.resolve("out")).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "apk verify ?",
        "apk verify @small-ec.apk --idsig ?",
        "apk idsig ? %out",
        "apk sign ? %out" + SIGN,
        "apk sign @small-ec.apk %out --cert @apk_test_cert.pem --key ?",
        "apk sign @small-ec.apk %out --key @apk_test_key.pem --cert ?",
        "fsverity digest ?"
      })
  void endsWithTwoForMissingAndEmptyFiles(String line) throws Exception {
    assertThat(run(line.replace("?", "%missing"))).isEqualTo(ExitCode.UNUSABLE);
    assertThat(err.toString()).contains("does not exist");
    Files.write(folder.resolve("empty"), new byte[0]);
    assertThat(run(line.replace("?", "%empty"))).isEqualTo(ExitCode.UNUSABLE);
    assertThat(err.toString()).contains("is empty");
    assertThat(run(line.replace("?", folder.toString()))).isEqualTo(ExitCode.UNUSABLE);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "apk",
        "apk verify",
        "apk verify a b",
        "apk verify @small-ec.apk --sdk 0",
        "apk verify @small-ec.apk --sdk many",
        "apk idsig a",
        "apk sign a b",
        "apk sign a b --key c",
        "apk make %out",
        "apk make --package a.b",
        "apk make --package a.b --version-code -1 %out",
        "apk make --package a.b --add a %out",
        "apk make --package a.b --add a= %out",
        "apk make --package a.b --add =a %out",
        "apk make --package a.b --add a=%missing %out",
        "apk make --package a.b --add a=%no %no/out",
        "apk make --package a.b --key @apk_test_key.pem %out",
        "apk idsig @small-ec.apk %no/folder",
        "fsverity digest",
        "fsverity digest @small-ec.apk --salt 0",
        "fsverity digest @small-ec.apk --salt "
            + "000000000000000000000000000000000000000000000000000000000000000000"
      })
  void endsWithTwoForWrongUsage(String line) throws Exception {
    assertThat(run(line)).isEqualTo(ExitCode.UNUSABLE);
    assertThat(err.toString()).startsWith("avf: ");
  }

  @Test
  void verifiesWhatItMakes() throws Exception {
    assertThat(run("apk idsig @small-ec.apk %made")).isZero();
    assertThat(folder.resolve("made"))
        .hasSameBinaryContentAs(vector("small-ec.apk.unsigned.idsig"));
    assertThat(run("apk sign @small-ec.apk %signed --idsig %signed.idsig" + SIGN)).isZero();
    assertThat(run("apk verify %signed --idsig %signed.idsig")).isZero();
    assertThat(run("apk verify @small-ec.apk --idsig %signed.idsig")).isEqualTo(ExitCode.REFUSED);
  }

  @Test
  void saysWhatAnApkIsThatItMade() throws Exception {
    String make = "apk make --package com.example.payload --version-code 0x100000002 %made";
    succeed(make);
    assertThat(out.toString()).contains("avf apk sign");
    assertThat(run("apk verify %made")).isEqualTo(ExitCode.REFUSED);
    succeed("apk sign %made %signed" + SIGN);
    succeed("apk verify %signed");
    assertThat(out.toString()).contains("com.example.payload", "4294967298", "v3: verifies");
    succeed(make + SIGN);
    succeed("apk verify %made");
  }

  @Test
  void printsTheDigestAsFsverityUtilsDo() throws Exception {
    byte[] ones = new byte[524289];
    Arrays.fill(ones, (byte) 1);
    Path file = Files.write(folder.resolve("ones"), ones);
    assertThat(run("fsverity digest %ones")).isZero();
    assertThat(out.toString().trim())
        .isEqualTo(
            "sha256:316835d9be1c95b5cd55d07ae7965d651689efad186e26cbf680e40b683a3262 " + file);
    assertThat(run("fsverity digest %ones --salt 0102")).isZero();
    assertThat(out.toString()).doesNotContain("316835d9");
  }
}
