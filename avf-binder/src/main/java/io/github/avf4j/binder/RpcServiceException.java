package io.github.avf4j.binder;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Thrown when a method throws one of AIDL's exceptions in the server; the session goes on. */
public final class RpcServiceException extends RpcException {
  private static final long serialVersionUID = 1L;

  /** More of a message is not shown: it is the server's text. */
  private static final int MAX_SHOWN = 1000;

  /** AIDL's exceptions. */
  public enum Code {
    /** The caller is not allowed to. */
    SECURITY(-1),
    /** An argument is malformed. */
    BAD_PARCELABLE(-2),
    /** An argument is none that the method takes. */
    ILLEGAL_ARGUMENT(-3),
    /** Null where the method does not take it. */
    NULL_POINTER(-4),
    /** Not possible now. */
    ILLEGAL_STATE(-5),
    /** Network on the main thread. */
    NETWORK_MAIN_THREAD(-6),
    /** The service cannot do it. */
    UNSUPPORTED_OPERATION(-7),
    /** An error whose meaning is the service's: {@link RpcServiceException#error}. */
    SERVICE_SPECIFIC(-8),
    /** An exception with content, which is not read here. */
    PARCELABLE(-9),
    /** An exception without a name. */
    OTHER(Integer.MIN_VALUE);

    private final int value;

    Code(int value) {
      this.value = value;
    }

    int value() {
      return value;
    }

    static Code of(int value) {
      for (Code code : values()) {
        if (code.value == value) {
          return code;
        }
      }
      return OTHER;
    }
  }

  private final Code code;
  private final int error;
  private final @Nullable String text;

  private RpcServiceException(Code code, int value, @Nullable String text, int error) {
    super(describe(code, value, text, error), null);
    this.code = code;
    this.error = error;
    this.text = text;
  }

  /** Makes one, for an {@link RpcService} to throw; not of the codes that have more content. */
  public RpcServiceException(Code code, @Nullable String text) {
    this(requirePlain(code), code.value, text, 0);
  }

  private static Code requirePlain(Code code) {
    if (code == Code.SERVICE_SPECIFIC || code == Code.PARCELABLE || code == Code.OTHER) {
      throw new IllegalArgumentException(
          "code must be one without content but was " + code + ": use serviceSpecific()");
    }
    return code;
  }

  /** Returns one whose error has the service's meaning. */
  public static RpcServiceException serviceSpecific(int error, @Nullable String text) {
    return new RpcServiceException(Code.SERVICE_SPECIFIC, Code.SERVICE_SPECIFIC.value, text, error);
  }

  static RpcServiceException of(int value, @Nullable String text, int error) {
    return new RpcServiceException(Code.of(value), value, text, error);
  }

  private static String describe(Code code, int value, @Nullable String text, int error) {
    String shown = text == null ? "without a message" : text;
    if (shown.length() > MAX_SHOWN) {
      shown = shown.substring(0, MAX_SHOWN) + "…";
    }
    String number = code == Code.SERVICE_SPECIFIC ? " " + error : "";
    return "the service threw "
        + (code == Code.OTHER ? "exception " + value : code)
        + number
        + ": "
        + shown;
  }

  /** Returns which exception it is. */
  public Code code() {
    return code;
  }

  /** Returns the service's error, 0 unless the code is {@link Code#SERVICE_SPECIFIC}. */
  public int error() {
    return error;
  }

  /** Returns the message of the service. */
  public Optional<String> text() {
    return Optional.ofNullable(text);
  }
}
