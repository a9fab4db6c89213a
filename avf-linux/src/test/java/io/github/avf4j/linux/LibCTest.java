package io.github.avf4j.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.Properties;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Compares numbers and layouts with what a C program printed (src/test/c/layout.c, x86-64). */
class LibCTest {
  private final Properties c = new Properties();

  @BeforeEach
  void readWhatTheCompilerSaid() throws IOException {
    try (InputStream in = LibCTest.class.getResourceAsStream("layout.properties")) {
      c.load(in);
    }
  }

  @Test
  void constantsAreThoseOfTheHeaders() throws IllegalAccessException {
    int compared = 0;
    for (Class<?> type : new Class<?>[] {LibC.class, Errno.class}) {
      for (Field field : type.getDeclaredFields()) {
        boolean constant = Modifier.isFinal(field.getModifiers()) && field.getType() == int.class;
        if (constant) {
          assertThat((long) field.getInt(null))
              .as(field.getName())
              .isEqualTo(number(field.getName()));
          compared++;
        }
      }
    }
    assertThat(compared).isGreaterThan(50);
  }

  @Test
  void structuresAreLaidOutAsTheHeadersSay() {
    assertThat(UnixFdChannel.Message.HEADER_SIZE).isEqualTo((int) number("sizeof.msghdr"));
    assertThat(number("msghdr.msg_iov")).isEqualTo(16);
    assertThat(number("msghdr.msg_iovlen")).isEqualTo(24);
    assertThat(number("msghdr.msg_control")).isEqualTo(32);
    assertThat(number("msghdr.msg_controllen")).isEqualTo(40);
    assertThat(number("msghdr.msg_flags")).isEqualTo(48);
    assertThat(number("cmsghdr.cmsg_level")).isEqualTo(8);
    assertThat(number("cmsghdr.cmsg_type")).isEqualTo(12);
    assertThat(UnixFdChannel.Message.CMSG_DATA).isEqualTo((int) number("CMSG_LEN.0"));
    assertThat(SocketAddresses.SIZE).isEqualTo((int) number("sizeof.sockaddr_un"));
    assertThat(SocketAddresses.PATH_OFFSET).isEqualTo((int) number("sockaddr_un.sun_path"));
    assertThat(Signals.SIGACTION_SIZE).isEqualTo((int) number("sizeof.sigaction"));
    assertThat(number("sigaction.sa_handler")).isZero();
    assertThat(Signals.SIGACTION_FLAGS).isEqualTo((int) number("sigaction.sa_flags"));
    assertThat(number("sizeof.pollfd")).isEqualTo(8);
    assertThat(number("pollfd.events")).isEqualTo(4);
    assertThat(number("RLIM_INFINITY")).isEqualTo(LibC.RLIM_INFINITY);
    assertThat(number("sizeof.rlimit")).isEqualTo(16);
    assertThat(number("rlimit.rlim_max")).isEqualTo(8);
  }

  @Test
  void epollEventIsPackedOnX86() {
    assumeTrue("amd64".equals(System.getProperty("os.arch")), "the fixture is of x86-64");
    assertThat(Epoll.EVENT_SIZE).isEqualTo((int) number("sizeof.epoll_event"));
    assertThat(Epoll.DATA_OFFSET).isEqualTo((int) number("epoll_event.data"));
  }

  private long number(String name) {
    assertThat(c.getProperty(name)).as("fixture has " + name).isNotNull();
    return Long.parseLong(c.getProperty(name));
  }
}
