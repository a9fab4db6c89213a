package io.github.avf4j.microdroid.base;

import io.github.avf4j.attestation.avb.AvbPublicKey;

/**
 * A base image and who must have signed it. Immutable and thread-safe.
 *
 * @param image the files
 * @param key the only key that the firmware of its machines trusts
 */
public record TrustedBaseImage(BaseImage image, AvbPublicKey key) {}
