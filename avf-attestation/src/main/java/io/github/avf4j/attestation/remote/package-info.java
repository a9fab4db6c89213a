@NullMarked
package io.github.avf4j.attestation.remote;

import org.jspecify.annotations.NullMarked;
