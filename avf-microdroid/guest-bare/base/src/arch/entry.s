// The head of an arm64 kernel image (linux/Documentation/arch/arm64/booting.rst), entry, and exception vectors.

.section .text.entry, "ax"
.global _head
_head:
    b       _start
    .long   0
    .quad   0                           // text_offset
    .quad   __end - . + 16              // image_size: from the head to the end of all memory, here 16 bytes on
    .quad   0xa                         // little-endian, pages of 4 KiB, anywhere in memory
    .quad   0, 0, 0
    .ascii  "ARM\x64"
    .long   0

_start:
    mov     x19, x0
    mov     x20, x1
    mov     x21, x2

    mov     x9, #(3 << 20)              // CPACR_EL1.FPEN: compiled code uses NEON
    msr     cpacr_el1, x9
    adrp    x9, fault_vectors
    add     x9, x9, :lo12:fault_vectors
    msr     vbar_el1, x9
    isb

    // Nothing is written before the caches are on, so that no cached line can be older than memory.
    bl      avf_coarse_map

    adrp    x9, __base
    adrp    x10, __rela_start
    add     x10, x10, :lo12:__rela_start
    adrp    x11, __rela_end
    add     x11, x11, :lo12:__rela_end
1:  cmp     x10, x11
    b.hs    2f
    ldp     x12, x13, [x10], #16        // r_offset, r_info
    ldr     x14, [x10], #8              // r_addend
    cmp     x13, #1027                  // R_AARCH64_RELATIVE
    b.ne    1b
    add     x14, x14, x9
    str     x14, [x9, x12]
    b       1b
2:
    adrp    x10, __bss_start
    add     x10, x10, :lo12:__bss_start
    adrp    x11, __bss_end
    add     x11, x11, :lo12:__bss_end
3:  cmp     x10, x11
    b.hs    4f
    stp     xzr, xzr, [x10], #16
    b       3b
4:
    adrp    x9, __stack_end
    add     x9, x9, :lo12:__stack_end
    mov     sp, x9
    mov     x29, xzr
    mov     x30, xzr
    mov     x0, x19
    mov     x1, x20
    mov     x2, x21
    bl      avf_start
    b       .

// Maps every address to itself, in blocks of 1 GiB: devices in the first, memory that may hold code in the others.
// Clobbers x9 to x13.
.global avf_coarse_map
avf_coarse_map:
    mov     x9, #0xff04                 // attribute 0: device nGnRE, 1: normal memory, write-back
    msr     mair_el1, x9
    mrs     x10, id_aa64mmfr0_el1
    and     x10, x10, #0xf
    mov     x11, #5                     // at most 48 bits
    cmp     x10, x11
    csel    x10, x10, x11, lo
    mov     x9, #(25 | 1 << 8 | 1 << 10 | 3 << 12)
    orr     x9, x9, #(1 << 23)          // 39 bits, write-back and inner shareable walks, no TTBR1
    orr     x9, x9, x10, lsl #32
    msr     tcr_el1, x9
    adrp    x9, coarse_table
    msr     ttbr0_el1, x9
    dsb     sy
    tlbi    vmalle1
    ic      iallu
    dsb     nsh
    isb
    movz    x9, #0x30d0, lsl #16
    movk    x9, #0x180d                 // the bits that must be 1; M, C, SA, I
    msr     sctlr_el1, x9
    isb
    ret

.section .rodata.coarse_table, "a"
.balign 4096
coarse_table:
    .quad   0x0060000000000c01          // block, device, not global, accessed, never executable
    .set    gib, 1
    .rept   511
    .quad   (gib << 30) | 0x0040000000000f05
    .set    gib, gib + 1
    .endr

.section .text.vectors, "ax"
.balign 2048
fault_vectors:
    .rept   16
    .balign 128
    b       fault
    .endr
fault:
    adrp    x9, __fault_stack_end
    add     x9, x9, :lo12:__fault_stack_end
    mov     sp, x9
    mrs     x0, esr_el1
    mrs     x1, elr_el1
    mrs     x2, far_el1
    b       avf_fault

// Leaves the program for good: x0 device tree, x1 entry of the next, x2 and x3 start and end of what is zeroed.
.section .text.leave, "ax"
.global avf_leave
avf_leave:
    mrs     x9, sctlr_el1
    bic     x9, x9, #(1 << 19)          // WXN: in the coarse map, all memory is writable
    msr     sctlr_el1, x9
    isb
    bl      avf_coarse_map              // its table is a constant: the others are zeroed
    mov     x4, x2
1:  cmp     x4, x3
    b.hs    2f
    stp     xzr, xzr, [x4], #16
    b       1b
2:
    mrs     x5, ctr_el0
    ubfx    x5, x5, #16, #4
    mov     x6, #4
    lsl     x6, x6, x5
3:  cmp     x2, x3
    b.hs    4f
    dc      civac, x2
    add     x2, x2, x6
    b       3b
4:
    dsb     sy
    mrs     x5, sctlr_el1
    mov     x6, #0x1005                 // I, C, M
    bic     x5, x5, x6
    msr     sctlr_el1, x5
    isb
    msr     ttbr0_el1, xzr
    msr     vbar_el1, xzr
    ic      iallu
    tlbi    vmalle1
    dsb     nsh
    isb
    mov     x30, x1
    .irp    register, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29
    mov     x\register, xzr
    .endr
    mov     sp, x1
    .irp    register, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    movi    v\register\().2d, #0
    .endr
    br      x30
