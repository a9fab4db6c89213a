package io.github.avf4j.service.keeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import io.github.avf4j.attestation.cose.CosePublicKey;
import io.github.avf4j.attestation.dice.DiceHandover;
import io.github.avf4j.attestation.dice.DiceKeys;
import io.github.avf4j.attestation.remote.AospRevision;
import io.github.avf4j.attestation.remote.MicrodroidPayload;
import io.github.avf4j.attestation.seal.AuthGraphDialect;
import io.github.avf4j.attestation.seal.AuthGraphSink;
import io.github.avf4j.attestation.seal.AuthGraphSource;
import io.github.avf4j.attestation.seal.ClientIdentity;
import io.github.avf4j.attestation.seal.DeviceSecret;
import io.github.avf4j.attestation.seal.SealingPolicy;
import io.github.avf4j.attestation.seal.SecretId;
import io.github.avf4j.attestation.seal.SecretKeeper;
import io.github.avf4j.attestation.seal.SecretKeeperError;
import io.github.avf4j.attestation.seal.SecretKeeperException;
import io.github.avf4j.attestation.seal.SecretKeeperProtocol;
import io.github.avf4j.microdroid.base.BaseImage;
import io.github.avf4j.microdroid.report.GuestReports.KeeperRequest;
import io.github.avf4j.microdroid.report.GuestReports.KeeperStep;
import io.github.avf4j.service.attest.SignedGuest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostKeeperTest {
  private static final ByteSlice INSTANCE = SignedGuest.hash("instance");
  private static final SecretId ID = SecretId.ofInstance(INSTANCE);
  private static final SecretId VALUE = SecretId.ofPayloadValue(INSTANCE);

  @TempDir Path folder;
  private DeviceSecret device;
  private BaseImage image;
  private HostKeeper host;

  @BeforeEach
  void open() throws IOException {
    device = DeviceSecret.find(folder.resolve("device-secret"));
    image = SignedGuest.image(folder.resolve("base"), 1);
    host = HostKeeper.open(device, folder.resolve(HostKeeper.FOLDER));
  }

  /** A guest that runs a version of its payload, and has a session. */
  private final class Guest {
    final ClientIdentity identity;
    final SealingPolicy policy;
    final SecretKeeper keeper;

    Guest(GuestKeeper served, long version) {
      MicrodroidPayload payload =
          MicrodroidPayload.ofBinaryName(AospRevision.MARCH_2025, "libx.so")
              .apk("a.b", version, SignedGuest.hash("v" + version).slice(0, 32), SignedGuest.SIGNER)
              .build();
      try (DiceHandover layer = SignedGuest.guest(SignedGuest.firmware(42), image, payload);
          CosePrivateKey key =
              DiceKeys.keyPair(
                  layer.chain().orElseThrow().leaf().subjectPublicKey().algorithm(),
                  layer.cdis().attest())) {
        identity = ClientIdentity.ofLocal(layer.chain().orElseThrow());
        policy = SealingPolicy.forMicrodroid(layer.chain().orElseThrow());
        AuthGraphSource source = new AuthGraphSource(identity, key, AuthGraphDialect.DEFAULT);
        AuthGraphSource.Result finished =
            source.finish(
                AuthGraphSink.Answer.decode(
                    content(served, KeeperStep.HELLO, source.hello().encode())),
                CosePublicKey.decode(host.publicKey()));
        assertThat(
                content(served, KeeperStep.SIGNATURE, finished.signature().toByteArray()).length())
            .isZero();
        keeper =
            SecretKeeperProtocol.client(
                request ->
                    finished
                        .channel()
                        .open(
                            content(served, KeeperStep.MESSAGE, finished.channel().seal(request))));
      }
    }

    SecretBytes boot() {
      return keeper.getOrCreate(ID, policy, identity);
    }
  }

  private static ByteSlice content(GuestKeeper served, KeeperStep step, byte[] request) {
    byte[] frame = served.answer(new KeeperRequest(step, request));
    assertThat(frame[4]).isEqualTo((byte) 3);
    assertThat(frame[5]).as(text(frame)).isZero();
    return ByteSlice.takeOver(Arrays.copyOfRange(frame, 6, frame.length));
  }

  private static String refusal(GuestKeeper served, KeeperStep step, byte[] request) {
    byte[] frame = served.answer(new KeeperRequest(step, request));
    assertThat(Arrays.copyOfRange(frame, 4, 6)).containsExactly(3, 2);
    return text(frame);
  }

  private static String text(byte[] frame) {
    return new String(frame, 6, frame.length - 6, StandardCharsets.UTF_8);
  }

  private Guest guest(long version) {
    return new Guest(host.serve(INSTANCE), version);
  }

  @Test
  void givesASecretToTheSameAndNewerVersionsOnly() {
    try (SecretBytes first = guest(2).boot();
        SecretBytes again = guest(2).boot();
        SecretBytes newer = guest(3).boot()) {
      assertThat(again).isEqualTo(first);
      assertThat(newer).isEqualTo(first);
    }
    assertRefused(SecretKeeperError.DICE_POLICY, () -> guest(2).boot());
    // Nor does the older version overwrite what it does not get.
    Guest old = guest(2);
    assertRefused(
        SecretKeeperError.DICE_POLICY,
        () -> old.keeper.store(ID, SecretKeeper.randomSecret(), old.policy, old.identity));
    guest(3).boot().close();
  }

  private static void assertRefused(SecretKeeperError error, ThrowingCallable call) {
    assertThatExceptionOfType(SecretKeeperException.class)
        .isThrownBy(call)
        .satisfies(e -> assertThat(e.error()).isEqualTo(error));
  }

  @Test
  void aMachineHasTwoSecretsOfItsOwnAndNoMore() {
    guest(1).boot().close();
    Guest other = new Guest(host.serve(SignedGuest.hash("another")), 1);
    assertRefused(SecretKeeperError.REQUEST_MALFORMED, other::boot);
    Guest guest = guest(1);
    guest.keeper.getOrCreate(VALUE, guest.policy, guest.identity).close();
    SecretId third = SecretId.ofPayloadValue(VALUE.bytes());
    assertRefused(
        SecretKeeperError.REQUEST_MALFORMED,
        () -> guest.keeper.getOrCreate(third, guest.policy, guest.identity));
  }

  @Test
  void forgetsBothSecretsOfAMachineOnceItIsTold() {
    Guest guest = guest(1);
    guest.boot().close();
    guest.keeper.getOrCreate(VALUE, guest.policy, guest.identity).close();
    host.forget(SignedGuest.hash("another"));
    guest.keeper.get(ID, Optional.empty(), guest.identity).close();
    host.forget(INSTANCE);
    for (SecretId id : new SecretId[] {ID, VALUE}) {
      assertRefused(
          SecretKeeperError.ENTRY_NOT_FOUND,
          () -> guest.keeper.get(id, Optional.empty(), guest.identity));
    }
    host.forget(INSTANCE);
  }

  @Test
  void twoKeepersOfOneFolderAreOne() throws IOException {
    try (SecretBytes first = guest(1).boot()) {
      host = HostKeeper.open(device, folder.resolve(HostKeeper.FOLDER));
      try (SecretBytes second = guest(1).boot()) {
        assertThat(second).isEqualTo(first);
      }
    }
    assertThat(Files.getPosixFilePermissions(folder.resolve(HostKeeper.FOLDER)))
        .isEqualTo(PosixFilePermissions.fromString("rwx------"));
  }

  @Test
  void whatAHostileGuestSendsIsRefusedAndItsMachineGoesOn() {
    GuestKeeper served = host.serve(INSTANCE);
    Random random = new Random(7);
    for (KeeperStep step : new KeeperStep[] {KeeperStep.MESSAGE, KeeperStep.SIGNATURE}) {
      for (int i = 0; i < 200; i++) {
        byte[] noise = new byte[1 + random.nextInt(300)];
        random.nextBytes(noise);
        assertThat(refusal(served, step, noise)).isNotEmpty();
      }
    }
    assertThat(refusal(served, KeeperStep.HELLO, new byte[60_000])).isNotEmpty();
    new Guest(served, 1).boot().close();
  }

  @Test
  void aRunExchangesKeysAFewTimesOnly() {
    GuestKeeper served = host.serve(INSTANCE);
    for (int i = 1; i < GuestKeeper.MAX_EXCHANGES; i++) {
      refusal(served, KeeperStep.HELLO, new byte[] {0});
    }
    Guest last = new Guest(served, 1);
    assertThat(refusal(served, KeeperStep.HELLO, new byte[] {0})).contains("8 times");
    // That one more was refused does not end the session.
    last.boot().close();
  }

  @Test
  void aRunThatIsOverGetsNothing() {
    GuestKeeper served = host.serve(INSTANCE);
    Guest guest = new Guest(served, 1);
    served.close();
    served.close();
    assertThat(refusal(served, KeeperStep.MESSAGE, new byte[] {0})).contains("no session");
    assertThat(refusal(served, KeeperStep.HELLO, new byte[] {0})).contains("any more");
    assertThat(guest.identity).isNotNull();
  }
}
