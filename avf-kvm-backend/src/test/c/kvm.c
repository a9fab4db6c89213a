/* Prints the numbers and layouts that the KVM backend relies on: cc kvm.c -o kvm && ./kvm > kvm.properties */
#include <linux/kvm.h>
#include <stddef.h>
#include <stdio.h>

#define NUMBER(name) printf(#name "=%llu\n", (unsigned long long)(name))
#define SIZE(type) printf("sizeof." #type "=%zu\n", sizeof(struct type))
#define OFFSET(type, field) printf(#type "." #field "=%zu\n", offsetof(struct type, field))

int main(void) {
  NUMBER(KVM_GET_API_VERSION); NUMBER(KVM_CREATE_VM); NUMBER(KVM_CHECK_EXTENSION); NUMBER(KVM_GET_VCPU_MMAP_SIZE);
  NUMBER(KVM_GET_SUPPORTED_CPUID); NUMBER(KVM_CREATE_VCPU); NUMBER(KVM_SET_USER_MEMORY_REGION); NUMBER(KVM_SET_TSS_ADDR);
  NUMBER(KVM_SET_IDENTITY_MAP_ADDR); NUMBER(KVM_CREATE_IRQCHIP); NUMBER(KVM_IRQ_LINE); NUMBER(KVM_IRQFD);
  NUMBER(KVM_CREATE_PIT2); NUMBER(KVM_IOEVENTFD); NUMBER(KVM_RUN); NUMBER(KVM_GET_REGS); NUMBER(KVM_SET_REGS);
  NUMBER(KVM_GET_SREGS); NUMBER(KVM_SET_SREGS); NUMBER(KVM_TRANSLATE); NUMBER(KVM_SET_MSRS); NUMBER(KVM_SET_FPU);
  NUMBER(KVM_GET_LAPIC); NUMBER(KVM_SET_LAPIC); NUMBER(KVM_SET_CPUID2);
  NUMBER(KVM_CAP_IRQCHIP); NUMBER(KVM_CAP_USER_MEMORY); NUMBER(KVM_CAP_SET_TSS_ADDR); NUMBER(KVM_CAP_EXT_CPUID);
  NUMBER(KVM_CAP_IRQFD); NUMBER(KVM_CAP_PIT2); NUMBER(KVM_CAP_IOEVENTFD); NUMBER(KVM_CAP_MAX_VCPUS);
  NUMBER(KVM_CAP_TSC_DEADLINE_TIMER); NUMBER(KVM_CAP_IMMEDIATE_EXIT);
  NUMBER(KVM_PIT_SPEAKER_DUMMY); NUMBER(KVM_IOEVENTFD_FLAG_DATAMATCH);
  NUMBER(KVM_EXIT_IO); NUMBER(KVM_EXIT_HLT); NUMBER(KVM_EXIT_MMIO); NUMBER(KVM_EXIT_SHUTDOWN); NUMBER(KVM_EXIT_FAIL_ENTRY);
  NUMBER(KVM_EXIT_INTR); NUMBER(KVM_EXIT_INTERNAL_ERROR); NUMBER(KVM_EXIT_SYSTEM_EVENT);
  NUMBER(KVM_EXIT_ARM_NISV);
  NUMBER(KVM_SYSTEM_EVENT_SHUTDOWN); NUMBER(KVM_SYSTEM_EVENT_RESET); NUMBER(KVM_SYSTEM_EVENT_CRASH);
  printf("API_VERSION=%d\n", KVM_API_VERSION);

  OFFSET(kvm_run, immediate_exit); OFFSET(kvm_run, exit_reason); OFFSET(kvm_run, io.direction); OFFSET(kvm_run, io.size);
  OFFSET(kvm_run, io.port); OFFSET(kvm_run, io.count); OFFSET(kvm_run, io.data_offset); OFFSET(kvm_run, mmio.phys_addr);
  OFFSET(kvm_run, mmio.data); OFFSET(kvm_run, mmio.len); OFFSET(kvm_run, mmio.is_write); OFFSET(kvm_run, internal.suberror);
  OFFSET(kvm_run, system_event.type); OFFSET(kvm_run, fail_entry.hardware_entry_failure_reason);
  SIZE(kvm_regs); OFFSET(kvm_regs, rax); OFFSET(kvm_regs, rbx); OFFSET(kvm_regs, rcx); OFFSET(kvm_regs, rdx);
  OFFSET(kvm_regs, rsi); OFFSET(kvm_regs, rdi); OFFSET(kvm_regs, rsp); OFFSET(kvm_regs, rbp); OFFSET(kvm_regs, rip);
  OFFSET(kvm_regs, rflags);
  SIZE(kvm_sregs); OFFSET(kvm_sregs, cs); OFFSET(kvm_sregs, ds); OFFSET(kvm_sregs, es); OFFSET(kvm_sregs, fs);
  OFFSET(kvm_sregs, gs); OFFSET(kvm_sregs, ss); OFFSET(kvm_sregs, tr); OFFSET(kvm_sregs, gdt); OFFSET(kvm_sregs, idt);
  OFFSET(kvm_sregs, cr0); OFFSET(kvm_sregs, cr3); OFFSET(kvm_sregs, cr4); OFFSET(kvm_sregs, efer);
  SIZE(kvm_segment); OFFSET(kvm_segment, limit); OFFSET(kvm_segment, selector); OFFSET(kvm_segment, type);
  OFFSET(kvm_segment, present); OFFSET(kvm_segment, dpl); OFFSET(kvm_segment, db); OFFSET(kvm_segment, s);
  OFFSET(kvm_segment, l); OFFSET(kvm_segment, g); OFFSET(kvm_segment, unusable); OFFSET(kvm_dtable, limit);
  SIZE(kvm_userspace_memory_region); OFFSET(kvm_userspace_memory_region, guest_phys_addr);
  OFFSET(kvm_userspace_memory_region, memory_size); OFFSET(kvm_userspace_memory_region, userspace_addr);
  SIZE(kvm_irqfd); OFFSET(kvm_irqfd, gsi); SIZE(kvm_ioeventfd); OFFSET(kvm_ioeventfd, addr); OFFSET(kvm_ioeventfd, len);
  OFFSET(kvm_ioeventfd, fd); OFFSET(kvm_ioeventfd, flags); SIZE(kvm_irq_level); OFFSET(kvm_irq_level, level);
  SIZE(kvm_cpuid_entry2); OFFSET(kvm_cpuid_entry2, function); OFFSET(kvm_cpuid_entry2, index);
  OFFSET(kvm_cpuid_entry2, flags); OFFSET(kvm_cpuid_entry2, eax); OFFSET(kvm_cpuid_entry2, ebx);
  OFFSET(kvm_cpuid_entry2, ecx); OFFSET(kvm_cpuid_entry2, edx); OFFSET(kvm_cpuid2, entries);
  SIZE(kvm_msr_entry); OFFSET(kvm_msr_entry, data); OFFSET(kvm_msrs, entries);
  SIZE(kvm_fpu); OFFSET(kvm_fpu, fcw); OFFSET(kvm_fpu, mxcsr); SIZE(kvm_lapic_state); SIZE(kvm_translation);
  OFFSET(kvm_translation, physical_address); OFFSET(kvm_translation, valid); SIZE(kvm_pit_config);
  return 0;
}
