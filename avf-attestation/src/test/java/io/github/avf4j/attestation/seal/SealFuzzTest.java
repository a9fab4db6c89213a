package io.github.avf4j.attestation.seal;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.Fuzzing;
import io.github.avf4j.attestation.SampleDevice;
import io.github.avf4j.attestation.SecretBytes;
import java.util.Optional;

class SealFuzzTest {
  private static final ClientIdentity CLIENT =
      ClientIdentity.ofLocal(SampleDevice.chain(new SampleDevice("device").clientVm("a", 1, 7)));

  /** A keeper that has one secret and checks nothing, which is not what is fuzzed. */
  private static final SecretKeeper KEEPER =
      new SecretKeeper() {
        @Override
        public void store(
            SecretId id, SecretBytes secret, SealingPolicy policy, ClientIdentity client) {}

        @Override
        public SecretBytes get(SecretId id, Optional<SealingPolicy> update, ClientIdentity client) {
          return SecretBytes.takeOver(new byte[SECRET_SIZE]);
        }

        @Override
        public boolean delete(SecretId id) {
          return false;
        }
      };

  @FuzzTest(maxDuration = "5m")
  void decodesAndMatchesPolicies(byte[] data) {
    Fuzzing.parse(
        data,
        bytes -> {
          SealingPolicy policy = SealingPolicy.decode(ByteSlice.copyOf(bytes));
          policy.matches(CLIENT.chain());
          if (!SealingPolicy.of(policy.nodes()).encoded().contentEquals(bytes)) {
            throw new AssertionError("a policy encodes to something else");
          }
        });
  }

  @FuzzTest(maxDuration = "5m")
  void decodesIdentities(byte[] data) {
    Fuzzing.parse(data, bytes -> ClientIdentity.decode(ByteSlice.copyOf(bytes)));
  }

  @FuzzTest(maxDuration = "5m")
  void answersKeeperRequests(byte[] data) {
    try (SecretBytes request = SecretBytes.copyOf(data);
        SecretBytes response = SecretKeeperProtocol.process(KEEPER, CLIENT, request)) {
      if (response.length() == 0) {
        throw new AssertionError("a request was not answered");
      }
    }
  }

  @FuzzTest(maxDuration = "5m")
  void readsKeeperResponses(byte[] data) {
    Fuzzing.parse(data, bytes -> SecretKeeperProtocol.result(bytes.clone()));
  }
}
