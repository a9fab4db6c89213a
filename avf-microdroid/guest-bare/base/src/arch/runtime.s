// The functions that compiled code calls. On other systems the C library has them, and the unwinder.

.section .text.memory, "ax"
.global memcpy
.global memmove
.global memset
.global memcmp
.global bcmp

memmove:
    sub     x3, x0, x1
    cmp     x3, x2
    b.lo    copy_down
memcpy:
    mov     x3, x0
1:  subs    x2, x2, #16
    b.lo    2f
    ldp     x4, x5, [x1], #16
    stp     x4, x5, [x3], #16
    b       1b
2:  adds    x2, x2, #16
    b.eq    4f
3:  ldrb    w4, [x1], #1
    strb    w4, [x3], #1
    subs    x2, x2, #1
    b.ne    3b
4:  ret

// The target begins inside of the source: from the end on.
copy_down:
    add     x1, x1, x2
    add     x3, x0, x2
5:  subs    x2, x2, #16
    b.lo    6f
    ldp     x4, x5, [x1, #-16]!
    stp     x4, x5, [x3, #-16]!
    b       5b
6:  adds    x2, x2, #16
    b.eq    8f
7:  ldrb    w4, [x1, #-1]!
    strb    w4, [x3, #-1]!
    subs    x2, x2, #1
    b.ne    7b
8:  ret

memset:
    mov     x3, x0
    and     x1, x1, #0xff
    orr     x1, x1, x1, lsl #8
    orr     x1, x1, x1, lsl #16
    orr     x1, x1, x1, lsl #32
1:  subs    x2, x2, #16
    b.lo    2f
    stp     x1, x1, [x3], #16
    b       1b
2:  adds    x2, x2, #16
    b.eq    4f
3:  strb    w1, [x3], #1
    subs    x2, x2, #1
    b.ne    3b
4:  ret

memcmp:
bcmp:
    cbz     x2, 2f
1:  ldrb    w3, [x0], #1
    ldrb    w4, [x1], #1
    subs    w5, w3, w4
    b.ne    3f
    subs    x2, x2, #1
    b.ne    1b
2:  mov     w5, wzr
3:  mov     w0, w5
    ret

// Named by the precompiled standard library, but never called: a panic ends the program.
.global _Unwind_Resume
.global rust_eh_personality
_Unwind_Resume:
rust_eh_personality:
    brk     #1
