/* Prints the numbers and layouts that the KVM backend relies on, on arm64:
 * aarch64-linux-gnu-gcc -static kvm-arm64.c -o kvm-arm64, then run it there. */
#include <linux/kvm.h>
#include <stddef.h>
#include <stdio.h>

#define SZ_64K 0x10000 /* the header leaves it to the kernel */
#define NUMBER(name) printf(#name "=%llu\n", (unsigned long long)(name))
#define SIZE(type) printf("sizeof." #type "=%zu\n", sizeof(struct type))
#define OFFSET(type, field) printf(#type "." #field "=%zu\n", offsetof(struct type, field))

int main(void) {
  NUMBER(KVM_GET_API_VERSION); NUMBER(KVM_CREATE_VM); NUMBER(KVM_CHECK_EXTENSION); NUMBER(KVM_GET_VCPU_MMAP_SIZE);
  NUMBER(KVM_CREATE_VCPU); NUMBER(KVM_SET_USER_MEMORY_REGION); NUMBER(KVM_IRQ_LINE); NUMBER(KVM_IRQFD);
  NUMBER(KVM_IOEVENTFD); NUMBER(KVM_RUN);
  NUMBER(KVM_CAP_IRQCHIP); NUMBER(KVM_CAP_USER_MEMORY); NUMBER(KVM_CAP_IRQFD); NUMBER(KVM_CAP_IOEVENTFD);
  NUMBER(KVM_CAP_MAX_VCPUS); NUMBER(KVM_CAP_IMMEDIATE_EXIT); NUMBER(KVM_IOEVENTFD_FLAG_DATAMATCH);
  NUMBER(KVM_EXIT_MMIO); NUMBER(KVM_EXIT_FAIL_ENTRY); NUMBER(KVM_EXIT_INTR); NUMBER(KVM_EXIT_INTERNAL_ERROR);
  NUMBER(KVM_EXIT_SYSTEM_EVENT); NUMBER(KVM_EXIT_ARM_NISV);
  NUMBER(KVM_SYSTEM_EVENT_SHUTDOWN); NUMBER(KVM_SYSTEM_EVENT_RESET); NUMBER(KVM_SYSTEM_EVENT_CRASH);

  NUMBER(KVM_ENABLE_CAP); NUMBER(KVM_GET_ONE_REG); NUMBER(KVM_SET_ONE_REG); NUMBER(KVM_ARM_VCPU_INIT);
  NUMBER(KVM_ARM_PREFERRED_TARGET); NUMBER(KVM_CREATE_DEVICE); NUMBER(KVM_SET_DEVICE_ATTR);
  NUMBER(KVM_CAP_ONE_REG); NUMBER(KVM_CAP_DEVICE_CTRL); NUMBER(KVM_CAP_ARM_PSCI_0_2); NUMBER(KVM_CAP_ARM_VM_IPA_SIZE);
  NUMBER(KVM_CAP_ARM_PTRAUTH_ADDRESS); NUMBER(KVM_CAP_ARM_PTRAUTH_GENERIC); NUMBER(KVM_CAP_ARM_NISV_TO_USER);
  NUMBER(KVM_CREATE_DEVICE_TEST); NUMBER(KVM_DEV_TYPE_ARM_VGIC_V2); NUMBER(KVM_DEV_TYPE_ARM_VGIC_V3);
  NUMBER(KVM_DEV_ARM_VGIC_GRP_ADDR); NUMBER(KVM_DEV_ARM_VGIC_GRP_NR_IRQS); NUMBER(KVM_DEV_ARM_VGIC_GRP_CTRL);
  NUMBER(KVM_DEV_ARM_VGIC_CTRL_INIT); NUMBER(KVM_VGIC_V2_ADDR_TYPE_DIST); NUMBER(KVM_VGIC_V2_ADDR_TYPE_CPU);
  NUMBER(KVM_VGIC_V3_ADDR_TYPE_DIST); NUMBER(KVM_VGIC_V3_ADDR_TYPE_REDIST);
  NUMBER(KVM_ARM_IRQ_TYPE_SHIFT); NUMBER(KVM_ARM_IRQ_TYPE_SPI);
  NUMBER(KVM_ARM_VCPU_POWER_OFF); NUMBER(KVM_ARM_VCPU_PSCI_0_2); NUMBER(KVM_ARM_VCPU_PTRAUTH_ADDRESS);
  NUMBER(KVM_ARM_VCPU_PTRAUTH_GENERIC); NUMBER(KVM_REG_ARM64); NUMBER(KVM_REG_SIZE_U64); NUMBER(KVM_REG_ARM_CORE);
  NUMBER(KVM_VGIC_V3_REDIST_SIZE); NUMBER(KVM_VGIC_V3_DIST_SIZE); NUMBER(KVM_VGIC_V2_DIST_SIZE);
  NUMBER(KVM_VGIC_V2_CPU_SIZE);

  OFFSET(kvm_run, immediate_exit); OFFSET(kvm_run, exit_reason); OFFSET(kvm_run, mmio.phys_addr);
  OFFSET(kvm_run, mmio.data); OFFSET(kvm_run, mmio.len); OFFSET(kvm_run, mmio.is_write);
  OFFSET(kvm_run, internal.suberror); OFFSET(kvm_run, system_event.type);
  OFFSET(kvm_run, fail_entry.hardware_entry_failure_reason); OFFSET(kvm_run, arm_nisv.fault_ipa);
  OFFSET(kvm_regs, regs.regs[0]); OFFSET(kvm_regs, regs.pc); OFFSET(kvm_regs, regs.pstate);
  SIZE(kvm_userspace_memory_region); OFFSET(kvm_userspace_memory_region, guest_phys_addr);
  OFFSET(kvm_userspace_memory_region, memory_size); OFFSET(kvm_userspace_memory_region, userspace_addr);
  SIZE(kvm_irqfd); OFFSET(kvm_irqfd, gsi); SIZE(kvm_ioeventfd); OFFSET(kvm_ioeventfd, addr); OFFSET(kvm_ioeventfd, len);
  OFFSET(kvm_ioeventfd, fd); OFFSET(kvm_ioeventfd, flags); SIZE(kvm_irq_level); OFFSET(kvm_irq_level, level);
  SIZE(kvm_enable_cap); OFFSET(kvm_enable_cap, flags); OFFSET(kvm_enable_cap, args);
  SIZE(kvm_create_device); OFFSET(kvm_create_device, fd); OFFSET(kvm_create_device, flags);
  SIZE(kvm_device_attr); OFFSET(kvm_device_attr, group); OFFSET(kvm_device_attr, attr); OFFSET(kvm_device_attr, addr);
  SIZE(kvm_vcpu_init); OFFSET(kvm_vcpu_init, features); SIZE(kvm_one_reg); OFFSET(kvm_one_reg, addr);
  return 0;
}
