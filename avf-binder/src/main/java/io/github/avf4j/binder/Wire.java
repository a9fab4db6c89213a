package io.github.avf4j.binder;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The structures of the wire protocol, versions 0 to 2; little-endian and without padding. */
final class Wire {
  static final int HEADER = 16;
  static final int TRANSACT_SIZE = 40;
  static final int DEC_STRONG_SIZE = 16;
  static final int SESSION_ID = 32;

  static final int TRANSACT = 0;
  static final int REPLY = 1;
  static final int DEC_STRONG = 2;

  static final int FLAG_ONEWAY = 1;

  /** The longest body that is read. */
  static final int MAX_BODY = 600 * 1024;

  /** The longest body that is written is shorter, by the sender's rule. */
  static final int MAX_SENT_BODY = MAX_BODY - HEADER;

  static final long SPECIAL = 0;
  static final int GET_ROOT = 0;
  static final int GET_MAX_THREADS = 1;
  static final int GET_SESSION_ID = 2;

  static final int PING = 0x5f504e47;
  static final int INTERFACE = 0x5f4e5446;
  static final int FIRST_CALL = 1;
  static final int LAST_CALL = 0x00ffffff;

  private static final int CREATED = 1;
  private static final int FOR_SERVER = 2;
  private static final byte[] INIT = {'c', 'c', 'i', 0, 0, 0, 0, 0};

  private Wire() {}

  /** {@code RpcWireHeader}, checked. */
  record Header(int command, int bodySize) {}

  /** The fixed part of a TRANSACT. */
  record Transaction(long target, int code, int flags, long number) {
    boolean isOneway() {
      return (flags & FLAG_ONEWAY) != 0;
    }
  }

  /** The data of a parcel and the positions of the objects in it. */
  record Packed(byte[] data, int[] table) {
    static final Packed EMPTY = new Packed(new byte[0], new int[0]);

    int size() {
      return data.length + 4 * table.length;
    }

    private void put(ByteBuffer to) {
      to.put(data);
      for (int position : table) {
        to.putInt(position);
      }
    }
  }

  static boolean isOfServer(long address) {
    return (int) address == (CREATED | FOR_SERVER);
  }

  static boolean hasUnknownOptions(long address) {
    return ((int) address & ~(CREATED | FOR_SERVER)) != 0;
  }

  /** The address of an object of this program, which is the client. */
  static long addressOfClient(int number) {
    return Integer.toUnsignedLong(number) << 32 | CREATED;
  }

  private static ByteBuffer allocate(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** {@code RpcConnectionHeader} with the session's id, and what follows it at once. */
  static ByteBuffer connectionHeader(int version, byte @Nullable [] id, boolean incoming) {
    ByteBuffer header = allocate(HEADER + SESSION_ID + INIT.length);
    header.putInt(version).put((byte) (incoming ? 1 : 0)).position(14);
    header.putShort((short) (id == null ? 0 : id.length));
    if (id != null) {
      header.put(id);
    }
    if (!incoming) {
      header.put(INIT);
    }
    return header.flip();
  }

  static boolean isInit(ByteBuffer bytes) {
    return bytes.slice(0, 4).equals(ByteBuffer.wrap(INIT, 0, 4));
  }

  /** Checks command and size, so that nothing is allocated for what is never read. */
  static Header header(ByteBuffer bytes, int version) {
    int command = bytes.getInt(0);
    long size = Integer.toUnsignedLong(bytes.getInt(4));
    int least =
        switch (command) {
          case TRANSACT -> TRANSACT_SIZE;
          case REPLY -> replySize(version);
          case DEC_STRONG -> DEC_STRONG_SIZE;
          default -> throw new RpcProtocolException("the server sent command " + command);
        };
    long most =
        switch (command) {
          case TRANSACT -> MAX_BODY;
          case REPLY -> least + MAX_BODY;
          default -> DEC_STRONG_SIZE;
        };
    if (size < least || size > most) {
      throw new RpcProtocolException(
          "the server sent command " + command + " with " + size + " bytes");
    }
    return new Header(command, (int) size);
  }

  static int replySize(int version) {
    return version == 0 ? 4 : 20;
  }

  static ByteBuffer transact(Transaction transaction, Packed parcel) {
    int size = TRANSACT_SIZE + parcel.size();
    ByteBuffer message = allocate(HEADER + size).putInt(TRANSACT).putInt(size).putLong(0);
    message.putLong(transaction.target).putInt(transaction.code).putInt(transaction.flags);
    message.putLong(transaction.number).putInt(parcel.data.length).putInt(0).putLong(0);
    parcel.put(message);
    return message.flip();
  }

  static ByteBuffer reply(int version, int status, Packed parcel) {
    int size = replySize(version) + parcel.size();
    ByteBuffer message = allocate(HEADER + size).putInt(REPLY).putInt(size).putLong(0);
    message.putInt(status);
    if (version > 0) {
      message.putInt(parcel.data.length).putInt(0).putLong(0);
    }
    parcel.put(message);
    return message.flip();
  }

  /** Messages that give references back. */
  static ByteBuffer decStrong(SortedMap<Long, Integer> amounts) {
    ByteBuffer messages = allocate(amounts.size() * (HEADER + DEC_STRONG_SIZE));
    amounts.forEach(
        (address, amount) ->
            messages
                .putInt(DEC_STRONG)
                .putInt(DEC_STRONG_SIZE)
                .putLong(0)
                .putLong(address)
                .putInt(amount)
                .putInt(0));
    return messages.flip();
  }

  static ByteBuffer decStrong(long address, int amount) {
    return decStrong(new TreeMap<>(Map.of(address, amount)));
  }

  static Transaction transaction(ByteBuffer body) {
    return new Transaction(body.getLong(0), body.getInt(8), body.getInt(12), body.getLong(16));
  }

  /**
   * The parcel in a body. At version 0 there is no table, and what is said of the size is not to be
   * trusted.
   */
  static Packed parcel(ByteBuffer body, int sizeAt, int fixed, int version) {
    int rest = body.limit() - fixed;
    long size = version == 0 ? rest : Integer.toUnsignedLong(body.getInt(sizeAt));
    if (size > rest || (rest - size) % 4 != 0) {
      throw new RpcProtocolException(
          "the server sent a parcel of " + size + " bytes in a message with room for " + rest);
    }
    byte[] data = new byte[(int) size];
    body.get(fixed, data);
    int[] table = new int[(int) (rest - size) / 4];
    for (int i = 0; i < table.length; i++) {
      table[i] = body.getInt(fixed + data.length + 4 * i);
    }
    return new Packed(data, table);
  }
}
