package io.github.avf4j.attestation.verity;

import java.io.IOException;
import java.util.Arrays;

/**
 * The parity of dm-verity's forward error correction: Reed-Solomon over GF(256) with the polynomial
 * 0x11d, code words of 255 bytes.
 *
 * <p>With n data bytes a code word and r rounds (blocks divided by n, rounded up), code word c
 * takes byte {@code c + k * r * 4096} of the covered bytes for each k below n, zeros beyond their
 * end. Parity of all code words stands one after the other. Memory: about 1 MiB. Thread-safe.
 */
public final class ForwardErrorCorrection {
  private static final int BLOCK = 4096;
  private static final int CODE_WORD = 255;
  private static final int BAND = 1 << 17;

  private ForwardErrorCorrection() {}

  /** The bytes of parity for {@code size} covered bytes and so many parity bytes a code word. */
  public static long paritySize(long size, int roots) {
    return rounds(size, roots) * roots * BLOCK;
  }

  /**
   * Computes the parity. Blocks until done.
   *
   * @param covered data and tree
   * @param roots parity bytes of each code word, 2..24
   * @param sink takes {@link #paritySize} bytes
   */
  public static void encode(ImageSource covered, int roots, TreeSink sink) throws IOException {
    int dataBytes = CODE_WORD - roots;
    long words = rounds(covered.size(), roots) * BLOCK;
    byte[][] steps = steps(roots);
    byte[] data = new byte[(int) Math.min(BAND, words)];
    byte[] parity = new byte[data.length * roots];
    for (long first = 0; first < words; first += data.length) {
      int count = (int) Math.min(data.length, words - first);
      Arrays.fill(parity, (byte) 0);
      for (int k = 0; k < dataBytes; k++) {
        long start = first + k * words;
        int present = (int) Math.max(0, Math.min(count, covered.size() - start));
        covered.read(Math.min(start, covered.size()), data, 0, present);
        Arrays.fill(data, present, count, (byte) 0);
        for (int word = 0; word < count; word++) {
          feed(parity, word * roots, roots, data[word], steps);
        }
      }
      sink.write(first * roots, parity, 0, count * roots);
    }
  }

  private static long rounds(long size, int roots) {
    if (roots < 2 || roots > 24) {
      throw new IllegalArgumentException("roots must be in 2..24 but were " + roots);
    }
    return MerkleLayout.ceilDiv(MerkleLayout.ceilDiv(size, BLOCK), CODE_WORD - roots);
  }

  private static void feed(byte[] parity, int at, int roots, byte data, byte[][] steps) {
    byte[] step = steps[(data ^ parity[at]) & 0xff];
    for (int i = 0; i < roots - 1; i++) {
      parity[at + i] = (byte) (parity[at + i + 1] ^ step[i]);
    }
    parity[at + roots - 1] = step[roots - 1];
  }

  // What each value of the feedback byte adds to the shift register: its multiples of the
  // generator polynomial, whose roots are the powers 0 to roots - 1 of 2.
  private static byte[][] steps(int roots) {
    int[] generator = new int[roots + 1];
    generator[0] = 1;
    int root = 1;
    for (int degree = 1; degree <= roots; degree++) {
      for (int i = degree; i > 0; i--) {
        generator[i] ^= multiply(generator[i - 1], root);
      }
      root = multiply(root, 2);
    }
    byte[][] steps = new byte[256][roots];
    for (int feedback = 0; feedback < 256; feedback++) {
      for (int i = 0; i < roots; i++) {
        steps[feedback][i] = (byte) multiply(feedback, generator[i + 1]);
      }
    }
    return steps;
  }

  private static int multiply(int a, int b) {
    int product = 0;
    int shifted = a;
    for (int bits = b; bits != 0; bits >>= 1) {
      if ((bits & 1) != 0) {
        product ^= shifted;
      }
      shifted <<= 1;
      if ((shifted & 0x100) != 0) {
        shifted ^= 0x11d;
      }
    }
    return product;
  }
}
