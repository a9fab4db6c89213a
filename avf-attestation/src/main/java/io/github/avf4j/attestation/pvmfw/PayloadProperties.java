package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.PropertyDescriptor;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The properties of a kernel that pvmfw understands. */
record PayloadProperties(
    Set<Capability> capabilities, OptionalInt pageSize, Optional<String> name) {
  private static final String CAPABILITIES = "com.android.virt.cap";
  private static final String PAGE_SIZE = "com.android.virt.page_size";
  private static final String NAME = "com.android.virt.name";
  private static final int MIN_PAGE = 4096;
  private static final int MAX_DIGITS = 6;

  static PayloadProperties of(List<PropertyDescriptor> properties, PvmfwRevision revision) {
    if (revision == PvmfwRevision.JANUARY_2025) {
      return ofJanuary(properties);
    }
    Map<String, ByteSlice> values = new HashMap<>();
    for (PropertyDescriptor property : properties) {
      if (values.put(property.key(), property.value()) != null) {
        throw new PvmfwException(
            PvmfwError.DESCRIPTORS_INVALID_CONTENTS,
            "property \"" + property.key() + "\" occurs twice");
      }
    }
    return new PayloadProperties(
        capabilities(values.get(CAPABILITIES), revision),
        pageSize(values.get(PAGE_SIZE)),
        name(values.get(NAME)));
  }

  private static PayloadProperties ofJanuary(List<PropertyDescriptor> properties) {
    if (properties.size() > 1) {
      throw new PvmfwException(
          PvmfwError.DESCRIPTORS_INVALID_CONTENTS, "there is more than one property");
    }
    if (!properties.isEmpty() && !properties.get(0).key().equals(CAPABILITIES)) {
      throw new PvmfwException(
          PvmfwError.UNKNOWN_VBMETA_PROPERTY,
          "property \"" + properties.get(0).key() + "\" is unknown");
    }
    return new PayloadProperties(
        capabilities(
            properties.isEmpty() ? null : properties.get(0).value(), PvmfwRevision.JANUARY_2025),
        OptionalInt.empty(),
        Optional.empty());
  }

  private static Set<Capability> capabilities(@Nullable ByteSlice value, PvmfwRevision revision) {
    Set<Capability> found = EnumSet.noneOf(Capability.class);
    if (value == null) {
      return found;
    }
    String text = new String(value.toByteArray(), StandardCharsets.ISO_8859_1);
    for (String word : text.split("\\|", -1)) {
      Capability capability =
          Capability.named(word, revision)
              .orElseThrow(
                  () ->
                      new PvmfwException(
                          PvmfwError.UNKNOWN_VBMETA_PROPERTY,
                          "capability \"" + printable(word) + "\" is unknown"));
      if (!found.add(capability)) {
        throw new PvmfwException(
            PvmfwError.AVB_INVALID_METADATA, "capability \"" + word + "\" occurs twice");
      }
    }
    return found;
  }

  private static OptionalInt pageSize(@Nullable ByteSlice value) {
    if (value == null) {
      return OptionalInt.empty();
    }
    String text = new String(value.toByteArray(), StandardCharsets.ISO_8859_1);
    long size = 0;
    if (!text.isEmpty()
        && text.length() <= MAX_DIGITS
        && text.chars().allMatch(c -> c >= '0' && c <= '9')) {
      size = Long.parseLong(text) * 1024;
    }
    if (size == 0 || size % MIN_PAGE != 0) {
      throw new PvmfwException(
          PvmfwError.INVALID_PAGE_SIZE,
          "the page size must be a multiple of 4 in KiB but is \"" + printable(text) + "\"");
    }
    return OptionalInt.of((int) size);
  }

  private static Optional<String> name(@Nullable ByteSlice value) {
    if (value == null) {
      return Optional.empty();
    }
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(value.asByteBuffer()).toString();
      if (!text.isEmpty()) {
        return Optional.of(text);
      }
    } catch (CharacterCodingException e) {
      throw new PvmfwException(PvmfwError.INVALID_VM_NAME, "the name of the VM is not UTF-8", e);
    }
    throw new PvmfwException(PvmfwError.INVALID_VM_NAME, "the name of the VM is empty");
  }

  private static String printable(String text) {
    String cut = text.length() > 64 ? text.substring(0, 64) : text;
    return cut.replaceAll("[^ -~]", "?");
  }
}
