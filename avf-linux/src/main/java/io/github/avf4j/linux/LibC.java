package io.github.avf4j.linux;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;

/**
 * The C library under its own names, bound directly. Addresses and {@code size_t} are {@code long};
 * strings are NUL-terminated byte arrays. Every function that fails returns -1 and leaves the error
 * number to {@link Errno#last()} on the same thread.
 *
 * <p>Variadic functions are bound with a fixed number of arguments, which the calling conventions
 * of Linux on x86-64 and arm64 allow. Thread-safe.
 */
final class LibC {
  static final int O_RDONLY = 0;
  static final int O_RDWR = 2;
  static final int O_CLOEXEC = 0x80000;

  static final int PROT_READ = 1;
  static final int PROT_WRITE = 2;
  static final int PROT_EXEC = 4;
  static final int MAP_SHARED = 1;
  static final int MAP_PRIVATE = 2;
  static final int MAP_FIXED = 0x10;
  static final int MAP_ANONYMOUS = 0x20;
  static final int MAP_NORESERVE = 0x4000;
  static final long MAP_FAILED = -1;
  static final int MADV_DONTFORK = 10;
  static final int MADV_HUGEPAGE = 14;

  static final int RLIMIT_MEMLOCK = 8;
  static final long RLIM_INFINITY = -1;

  static final int EFD_CLOEXEC = 0x80000;
  static final int EFD_NONBLOCK = 0x800;

  static final int EPOLL_CLOEXEC = 0x80000;
  static final int EPOLL_CTL_ADD = 1;
  static final int EPOLL_CTL_DEL = 2;
  static final int EPOLLIN = 1;
  static final int EPOLLET = 1 << 31;

  static final int MFD_CLOEXEC = 1;
  static final int MFD_ALLOW_SEALING = 2;
  static final int F_ADD_SEALS = 1033;
  static final int F_GET_SEALS = 1034;
  static final int F_SEAL_SEAL = 1;
  static final int F_SEAL_SHRINK = 2;
  static final int F_SEAL_GROW = 4;
  static final int F_SEAL_WRITE = 8;

  static final int AF_UNIX = 1;
  static final int SOCK_STREAM = 1;
  static final int SOCK_CLOEXEC = 0x80000;
  static final int SOL_SOCKET = 1;
  static final int SCM_RIGHTS = 1;
  static final int SHUT_RDWR = 2;
  static final int MSG_CTRUNC = 8;
  static final int MSG_NOSIGNAL = 0x4000;
  static final int MSG_CMSG_CLOEXEC = 0x40000000;
  static final int POLLIN = 1;

  static final int SA_RESTART = 0x10000000;

  static {
    Native.register(LibC.class, NativeLibrary.getProcess());
  }

  private LibC() {}

  static native int open(byte[] path, int flags, int mode);

  static native int close(int fd);

  static native int ioctl(int fd, long request, long argument);

  static native int fcntl(int fd, int command, long argument);

  static native long mmap(
      long address, long length, int protection, int flags, int fd, long offset);

  static native int mprotect(long address, long length, int protection);

  static native int madvise(long address, long length, int advice);

  static native int munmap(long address, long length);

  static native int ftruncate(int fd, long length);

  static native int fallocate(int fd, int mode, long offset, long length);

  static native long sendfile(int out, int in, long offsetAddress, long count);

  static native long pread(int fd, long buffer, long count, long offset);

  static native long pwrite(int fd, long buffer, long count, long offset);

  static native int getrlimit(int resource, long limits);

  static native int setrlimit(int resource, long limits);

  static native int getpagesize();

  static native int memfd_create(byte[] name, int flags);

  static native int eventfd(int initial, int flags);

  static native int eventfd_write(int fd, long value);

  static native int eventfd_read(int fd, long valueAddress);

  static native int epoll_create1(int flags);

  static native int epoll_ctl(int epoll, int operation, int fd, long event);

  static native int epoll_wait(int epoll, long events, int count, int timeoutMillis);

  static native int socket(int domain, int type, int protocol);

  static native int socketpair(int domain, int type, int protocol, long fds);

  static native int bind(int fd, long address, int length);

  static native int listen(int fd, int backlog);

  static native int connect(int fd, long address, int length);

  static native int accept4(int fd, long address, long length, int flags);

  static native int shutdown(int fd, int how);

  static native long sendmsg(int fd, long message, int flags);

  static native long recvmsg(int fd, long message, int flags);

  static native int poll(long fds, long count, int timeoutMillis);

  static native int getpid();

  static native int gettid();

  static native int tgkill(int process, int thread, int signal);

  static native int sigaction(int signal, long action, long old);

  static native int __libc_current_sigrtmin();

  static native int __libc_current_sigrtmax();

  /** Returns the address of a function of the C library. */
  static long addressOf(String function) {
    return Pointer.nativeValue(NativeLibrary.getProcess().getFunction(function));
  }
}
