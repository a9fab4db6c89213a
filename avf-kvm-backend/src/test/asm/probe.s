# The guest of X86Probe: as --64 probe.s -o probe.o && ld -Ttext=0x100000 --oformat=binary probe.o -o probe.bin
# 64-bit kernel mode, loaded at 0x100000, 2 MiB of memory mapped one to one, CS 8, SS 0x10. Tells each step on port
# 0xf4: '1', '2', '3', then 'K'; 'F' if a result is wrong.
        .code64
        .set    DATA, 0x110000
        .set    FXAREA, 0x111000
        .set    IDT, 0x112000
        .globl  _start
_start:
        mov     $DATA, %edi             # lock cmpxchg16b
        xor     %eax, %eax
        xor     %edx, %edx
        mov     $0x11223344, %ebx
        mov     $0x55667788, %ecx
        lock cmpxchg16b (%rdi)
        jnz     fail
        cmp     %rbx, (%rdi)
        jne     fail
        mov     $'1', %al
        out     %al, $0xf4

        lea     handler(%rip), %rax     # int3 through an interrupt gate
        mov     $IDT + 3 * 16, %edi
        mov     %ax, (%rdi)
        movw    $8, 2(%rdi)
        movw    $0x8e00, 4(%rdi)
        shr     $16, %eax
        mov     %ax, 6(%rdi)
        lidt    idtr(%rip)
        xor     %esi, %esi
        int3
        cmp     $0x33, %esi
        jne     fail
        mov     $'2', %al
        out     %al, $0xf4

        mov     %cr0, %rax              # fxsave and fxrstor, with SSE switched on
        and     $~4, %eax
        or      $2, %eax
        mov     %rax, %cr0
        mov     %cr4, %rax
        or      $0x600, %eax
        mov     %rax, %cr4
        mov     $FXAREA, %edi
        movq    %rbx, %xmm0
        paddq   %xmm0, %xmm0
        fxsave  (%rdi)
        pxor    %xmm0, %xmm0
        fxrstor (%rdi)
        movq    %xmm0, %rax
        add     %rbx, %rbx
        cmp     %rbx, %rax
        jne     fail
        mov     $'3', %al
        out     %al, $0xf4
        mov     $'K', %al
        out     %al, $0xf4
1:      hlt
        jmp     1b
fail:
        mov     $'F', %al
        out     %al, $0xf4
1:      hlt
        jmp     1b
handler:
        mov     $0x33, %esi
        iretq
idtr:
        .word   4 * 16 - 1
        .quad   IDT
