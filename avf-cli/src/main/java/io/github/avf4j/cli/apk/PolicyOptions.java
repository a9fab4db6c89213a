package io.github.avf4j.cli.apk;

import io.github.avf4j.cli.internal.FileCommand;
import io.github.avf4j.microdroid.apk.ApkPolicy;
import picocli.CommandLine.Option;

/** Which signatures count. */
final class PolicyOptions {
  @Option(
      names = "--accept-v2",
      description = "Accepts a v2 signature where there is none by v3. Guests do not.")
  private boolean acceptV2;

  @Option(
      names = "--sdk",
      paramLabel = "N",
      description = "The SDK level whose signer counts; ${DEFAULT-VALUE} by default.")
  private int sdk = ApkPolicy.DEFAULT.sdk();

  ApkPolicy policy(FileCommand command) {
    if (sdk < 1) {
      throw command.usage("--sdk must be at least 1 but was " + sdk);
    }
    return new ApkPolicy(sdk, acceptV2);
  }
}
