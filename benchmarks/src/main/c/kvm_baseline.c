/*
 * The baseline of the KVM benchmarks: what a plain C virtual machine monitor needs for the same
 * kernel work as the Java one.
 *
 *   kvm_baseline exits COUNT          seconds for COUNT port-I/O exits
 *   kvm_baseline cycle COUNT          a line per round: nanoseconds to create, run to exit, destroy
 *   kvm_baseline load KERNEL MIB N    a line per round: nanoseconds from nothing to the first KVM_RUN
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { QUEUES = 6, DEVICES = 3, FIRST_GSI = 5, MAX_CPUID = 256 };
static const uint64_t WINDOW = 0xC0000000;

static void die(const char *what) {
  fprintf(stderr, "kvm_baseline: %s: %s\n", what, strerror(errno));
  exit(2);
}

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int checked(int result, const char *what) {
  if (result < 0) die(what);
  return result;
}

struct cpuid {
  struct kvm_cpuid2 head;
  struct kvm_cpuid_entry2 entries[MAX_CPUID];
};

struct machine {
  int vm, vcpu;
  int kicks[QUEUES], interrupts[DEVICES];
  uint8_t *memory;
  size_t size;
  struct kvm_run *run;
  size_t run_size;
};

static int kvm;
static struct cpuid cpuid;

static void open_kvm(void) {
  kvm = checked(open("/dev/kvm", O_RDWR | O_CLOEXEC), "open /dev/kvm");
  if (ioctl(kvm, KVM_GET_API_VERSION, 0) != 12) die("API version");
  cpuid.head.nent = MAX_CPUID;
  checked(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid), "KVM_GET_SUPPORTED_CPUID");
}

/* The same kernel objects that the Java machine has: interrupt controllers, timer, queues. */
static void create(struct machine *m, size_t size) {
  m->size = size;
  m->memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (m->memory == MAP_FAILED) die("mmap");
  m->vm = checked(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
  checked(ioctl(m->vm, KVM_SET_TSS_ADDR, 0xFFFBD000), "KVM_SET_TSS_ADDR");
  struct kvm_userspace_memory_region region = {
      .memory_size = size, .userspace_addr = (uintptr_t)m->memory};
  checked(ioctl(m->vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
  checked(ioctl(m->vm, KVM_CREATE_IRQCHIP, 0), "KVM_CREATE_IRQCHIP");
  struct kvm_pit_config pit = {.flags = KVM_PIT_SPEAKER_DUMMY};
  checked(ioctl(m->vm, KVM_CREATE_PIT2, &pit), "KVM_CREATE_PIT2");
  static const int queues_of[DEVICES] = {3, 2, 1};
  int queue = 0;
  for (int device = 0; device < DEVICES; device++) {
    m->interrupts[device] = checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
    struct kvm_irqfd irqfd = {.fd = (uint32_t)m->interrupts[device], .gsi = FIRST_GSI + device};
    checked(ioctl(m->vm, KVM_IRQFD, &irqfd), "KVM_IRQFD");
    for (int i = 0; i < queues_of[device]; i++, queue++) {
      m->kicks[queue] = checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
      struct kvm_ioeventfd kick = {.datamatch = (uint64_t)i,
                                   .addr = WINDOW + 0x1000u * (unsigned)device + 0x50,
                                   .len = 4,
                                   .fd = m->kicks[queue],
                                   .flags = KVM_IOEVENTFD_FLAG_DATAMATCH};
      checked(ioctl(m->vm, KVM_IOEVENTFD, &kick), "KVM_IOEVENTFD");
    }
  }
  m->vcpu = checked(ioctl(m->vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
  m->run_size = (size_t)checked(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
  m->run = mmap(NULL, m->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, m->vcpu, 0);
  if (m->run == MAP_FAILED) die("mmap vcpu");
  checked(ioctl(m->vcpu, KVM_SET_CPUID2, &cpuid), "KVM_SET_CPUID2");
}

static void destroy(struct machine *m) {
  munmap(m->run, m->run_size);
  close(m->vcpu);
  for (int i = 0; i < QUEUES; i++) close(m->kicks[i]);
  for (int i = 0; i < DEVICES; i++) close(m->interrupts[i]);
  close(m->vm);
  munmap(m->memory, m->size);
}

static void real_mode_at(struct machine *m, uint16_t address) {
  struct kvm_sregs sregs;
  checked(ioctl(m->vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
  sregs.cs.base = 0;
  sregs.cs.selector = 0;
  checked(ioctl(m->vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
  struct kvm_regs regs = {.rip = address, .rflags = 2};
  checked(ioctl(m->vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
}

/* out %al,$0x80 ; jmp back */
static const uint8_t LOOP[] = {0xE6, 0x80, 0xEB, 0xFC};

static void run_to_exit(struct machine *m) {
  checked(ioctl(m->vcpu, KVM_RUN, 0), "KVM_RUN");
  if (m->run->exit_reason != KVM_EXIT_IO) {
    fprintf(stderr, "kvm_baseline: exit reason %u\n", m->run->exit_reason);
    exit(2);
  }
}

static void exits(long count) {
  struct machine m;
  create(&m, 2 << 20);
  memcpy(m.memory + 0x1000, LOOP, sizeof LOOP);
  real_mode_at(&m, 0x1000);
  for (int i = 0; i < 1000; i++) run_to_exit(&m);
  uint64_t start = now();
  for (long i = 0; i < count; i++) run_to_exit(&m);
  printf("%.9f\n", (double)(now() - start) / 1e9);
  destroy(&m);
}

static void cycle(long count) {
  for (long i = 0; i < count; i++) {
    uint64_t start = now();
    struct machine m;
    create(&m, 2 << 20);
    memcpy(m.memory + 0x1000, LOOP, sizeof LOOP);
    real_mode_at(&m, 0x1000);
    run_to_exit(&m);
    destroy(&m);
    printf("%llu\n", (unsigned long long)(now() - start));
  }
}

static void read_fully(int file, void *target, size_t length, off_t offset) {
  for (size_t done = 0; done < length;) {
    ssize_t n = pread(file, (char *)target + done, length - done, offset + (off_t)done);
    if (n <= 0) die("read kernel");
    done += (size_t)n;
  }
}

/* Reads an uncompressed kernel's segments into place and enters it; one instruction may run. */
static void load(const char *path, size_t mebibytes, long count) {
  for (long i = 0; i < count; i++) {
    uint64_t start = now();
    struct machine m;
    create(&m, mebibytes << 20);
    int file = checked(open(path, O_RDONLY | O_CLOEXEC), "open kernel");
    Elf64_Ehdr header;
    read_fully(file, &header, sizeof header, 0);
    Elf64_Phdr segments[16];
    if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_phnum > 16) {
      errno = ENOEXEC;
      die("kernel");
    }
    read_fully(file, segments, header.e_phnum * sizeof *segments, (off_t)header.e_phoff);
    for (int s = 0; s < header.e_phnum; s++) {
      if (segments[s].p_type != PT_LOAD) continue;
      if (segments[s].p_paddr + segments[s].p_memsz > m.size) {
        errno = ENOMEM;
        die("kernel segment");
      }
      read_fully(file, m.memory + segments[s].p_paddr, segments[s].p_filesz,
                 (off_t)segments[s].p_offset);
    }
    close(file);
    real_mode_at(&m, 0x1000);
    memcpy(m.memory + 0x1000, LOOP, sizeof LOOP);
    uint64_t ready = now();
    run_to_exit(&m);
    printf("%llu\n", (unsigned long long)(ready - start));
    destroy(&m);
  }
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "exits") == 0) {
    open_kvm();
    exits(atol(argv[2]));
  } else if (argc == 3 && strcmp(argv[1], "cycle") == 0) {
    open_kvm();
    cycle(atol(argv[2]));
  } else if (argc == 5 && strcmp(argv[1], "load") == 0) {
    open_kvm();
    load(argv[2], (size_t)atol(argv[3]), atol(argv[4]));
  } else {
    fprintf(stderr, "usage: kvm_baseline exits COUNT | cycle COUNT | load KERNEL MIB COUNT\n");
    return 2;
  }
  return 0;
}
