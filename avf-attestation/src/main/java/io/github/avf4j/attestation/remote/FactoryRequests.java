package io.github.avf4j.attestation.remote;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.dice.RkpInstance;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Files that factories upload: a JSON object a line, each with a request in Base64 and the name of
 * the instance that made it. Blank lines and other fields are ignored. Thread-safe.
 */
public final class FactoryRequests {
  private static final int MAX_LINE = 4 << 20;
  private static final JsonFactory JSON =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private FactoryRequests() {}

  /**
   * One request of a file.
   *
   * @param line where it stands, from 1
   * @param instance whose request it is
   * @param request what was verified
   */
  public record Entry(int line, RkpInstance instance, ProvisioningRequest request) {}

  private record Line(RkpInstance instance, ByteSlice request) {}

  /**
   * Verifies all requests of a file. The instance of the rules gives way to that of each request.
   *
   * @throws RemoteAttestationException if there is none, or one is malformed or refused; the reason
   *     names the line
   */
  public static List<Entry> verify(String file, RequestRules rules) {
    List<Entry> entries = new ArrayList<>();
    // One line at a time: a list of all would make a file of line feeds many times its size.
    Iterator<String> lines = file.lines().iterator();
    for (int number = 1; lines.hasNext(); number++) {
      String line = lines.next();
      if (!line.isBlank()) {
        entries.add(verify(line, number, rules.forFactory()));
      }
    }
    if (entries.isEmpty()) {
      throw new RemoteAttestationException("the file holds no request", 0);
    }
    return List.copyOf(entries);
  }

  private static Entry verify(String text, int number, RequestRules rules) {
    try {
      Line line = parse(text);
      RequestRules own = rules.withChain(rules.chain().withInstance(line.instance()));
      return new Entry(number, line.instance(), ProvisioningRequest.verify(line.request(), own));
    } catch (AttestationException e) {
      throw new RemoteAttestationException("line " + number + ": " + e.reason(), -1, e);
    }
  }

  private static Line parse(String text) {
    if (text.length() > MAX_LINE) {
      throw new RemoteAttestationException("line must have at most 4 MiB", -1);
    }
    String csr = null;
    String name = null;
    try (JsonParser in = JSON.createParser(text)) {
      if (in.nextToken() != JsonToken.START_OBJECT) {
        throw new RemoteAttestationException("line must be a JSON object", -1);
      }
      for (String field = in.nextFieldName(); field != null; field = in.nextFieldName()) {
        JsonToken token = in.nextToken();
        if (field.equals("csr")) {
          csr = string(in, token, field);
        } else if (field.equals("name")) {
          name = string(in, token, field);
        } else {
          in.skipChildren();
        }
      }
      if (in.currentToken() != JsonToken.END_OBJECT || in.nextToken() != null) {
        throw new RemoteAttestationException("line must be one JSON object", -1);
      }
    } catch (IOException e) {
      throw new RemoteAttestationException("line is not JSON", -1, e);
    }
    return new Line(instance(require(name, "name")), decode(require(csr, "csr")));
  }

  private static String string(JsonParser in, JsonToken token, String field) throws IOException {
    if (token != JsonToken.VALUE_STRING) {
      throw new RemoteAttestationException("field \"" + field + "\" must be text", -1);
    }
    return in.getText();
  }

  private static String require(@Nullable String value, String field) {
    if (value == null) {
      throw new RemoteAttestationException("field \"" + field + "\" is missing", -1);
    }
    return value;
  }

  private static RkpInstance instance(String name) {
    return RkpInstance.ofName(name)
        .orElseThrow(() -> new RemoteAttestationException("name is no known instance", -1));
  }

  private static ByteSlice decode(String base64) {
    try {
      return ByteSlice.takeOver(Base64.getDecoder().decode(base64));
    } catch (IllegalArgumentException e) {
      throw new RemoteAttestationException("field \"csr\" is not Base64", -1, e);
    }
  }
}
