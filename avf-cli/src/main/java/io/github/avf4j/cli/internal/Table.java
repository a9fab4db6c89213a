package io.github.avf4j.cli.internal;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;

/** Lines of cells whose columns are aligned; cells are printable whatever is in them. */
public final class Table {
  private final List<List<String>> rows = new ArrayList<>();

  /** Starts a table without lines. */
  public Table() {}

  /** Adds a line. */
  public Table row(Object... cells) {
    List<String> row = new ArrayList<>();
    for (Object cell : cells) {
      row.add(Text.printable(String.valueOf(cell)));
    }
    rows.add(row);
    return this;
  }

  /** Writes all lines. */
  public void print(PrintWriter out) {
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
