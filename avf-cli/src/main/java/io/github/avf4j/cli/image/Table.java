package io.github.avf4j.cli.image;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;

/** Lines of cells whose columns are aligned; cells are printable whatever is in them. */
final class Table {
  private final List<List<String>> rows = new ArrayList<>();

  /** The text with a mark in the place of whatever a terminal might act on. */
  static String printable(String text) {
    return text.replaceAll("\\p{C}", "\uFFFD");
  }

  /** Adds a line. */
  Table row(Object... cells) {
    List<String> row = new ArrayList<>();
    for (Object cell : cells) {
      row.add(printable(String.valueOf(cell)));
    }
    rows.add(row);
    return this;
  }

  void print(PrintWriter out) {
    List<Integer> widths = new ArrayList<>();
    for (List<String> row : rows) {
      for (int i = 0; i < row.size() - 1; i++) {
        if (i == widths.size()) {
          widths.add(0);
        }
        widths.set(i, Math.max(widths.get(i), row.get(i).length()));
      }
    }
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < row.size() - 1; i++) {
        String cell = row.get(i);
        line.append(cell).append(" ".repeat(widths.get(i) - cell.length() + 2));
      }
      out.println(line.append(row.get(row.size() - 1)).toString().stripTrailing());
    }
  }
}
