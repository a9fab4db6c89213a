/* Prints the layouts and numbers that LibC relies on: cc layout.c -o layout && ./layout > layout.properties */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#define NUMBER(name) printf(#name "=%lld\n", (long long)(name))
#define SIZE(type) printf("sizeof." #type "=%zu\n", sizeof(struct type))
#define OFFSET(type, field) printf(#type "." #field "=%zu\n", offsetof(struct type, field))

int main(void) {
  SIZE(epoll_event); OFFSET(epoll_event, data);
  SIZE(msghdr); OFFSET(msghdr, msg_iov); OFFSET(msghdr, msg_iovlen); OFFSET(msghdr, msg_control);
  OFFSET(msghdr, msg_controllen); OFFSET(msghdr, msg_flags);
  SIZE(cmsghdr); OFFSET(cmsghdr, cmsg_level); OFFSET(cmsghdr, cmsg_type);
  printf("CMSG_LEN.0=%zu\n", CMSG_LEN(0));
  SIZE(sockaddr_un); OFFSET(sockaddr_un, sun_path);
  SIZE(sigaction); OFFSET(sigaction, sa_handler); OFFSET(sigaction, sa_flags);
  SIZE(pollfd); OFFSET(pollfd, events);
  NUMBER(O_RDONLY); NUMBER(O_RDWR); NUMBER(O_CLOEXEC);
  NUMBER(PROT_READ); NUMBER(PROT_WRITE); NUMBER(PROT_EXEC); NUMBER(MAP_SHARED); NUMBER(MAP_PRIVATE); NUMBER(MAP_FIXED);
  NUMBER(MAP_ANONYMOUS); NUMBER(MAP_NORESERVE); NUMBER(MADV_DONTFORK);
  NUMBER(MADV_HUGEPAGE); NUMBER(RLIMIT_MEMLOCK); NUMBER(RLIM_INFINITY); SIZE(rlimit); OFFSET(rlimit, rlim_max);
  NUMBER(EFD_CLOEXEC); NUMBER(EFD_NONBLOCK); NUMBER(EPOLL_CLOEXEC); NUMBER(EPOLL_CTL_ADD); NUMBER(EPOLL_CTL_DEL);
  NUMBER(EPOLLIN); printf("EPOLLET=%d\n", (int)EPOLLET);
  NUMBER(MFD_CLOEXEC); NUMBER(MFD_ALLOW_SEALING); NUMBER(F_ADD_SEALS); NUMBER(F_GET_SEALS); NUMBER(F_SEAL_SEAL); NUMBER(F_SEAL_SHRINK);
  NUMBER(F_SEAL_GROW); NUMBER(F_SEAL_WRITE);
  NUMBER(AF_UNIX); NUMBER(SOCK_STREAM); NUMBER(SOCK_CLOEXEC); NUMBER(SOL_SOCKET); NUMBER(SCM_RIGHTS); NUMBER(SHUT_RDWR);
  NUMBER(MSG_CTRUNC); NUMBER(MSG_NOSIGNAL); NUMBER(MSG_CMSG_CLOEXEC); NUMBER(POLLIN); NUMBER(SA_RESTART);
  NUMBER(EPERM); NUMBER(ENOENT); NUMBER(EINTR); NUMBER(EIO); NUMBER(ENXIO); NUMBER(E2BIG); NUMBER(EAGAIN); NUMBER(ENOMEM);
  NUMBER(EACCES); NUMBER(EFAULT); NUMBER(EBUSY); NUMBER(EEXIST); NUMBER(ENODEV); NUMBER(EINVAL); NUMBER(ENFILE);
  NUMBER(EMFILE); NUMBER(ENOTTY); NUMBER(ENOSPC); NUMBER(EPIPE); NUMBER(ENOSYS); NUMBER(ECONNRESET); NUMBER(ECONNREFUSED);
  NUMBER(EOPNOTSUPP);
  return 0;
}
