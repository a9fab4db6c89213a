//! A heap of a fixed size.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr::NonNull;

use linked_list_allocator::Heap;

struct OneCpuHeap(UnsafeCell<Heap>);

// SAFETY: one processor runs, with interrupts masked, and faults do not allocate.
unsafe impl Sync for OneCpuHeap {}

#[global_allocator]
static HEAP: OneCpuHeap = OneCpuHeap(UnsafeCell::new(Heap::empty()));

/// Gives the heap its memory.
///
/// # Safety
/// Called once, before anything is allocated, with memory that nothing else uses.
pub unsafe fn start(start: *mut u8, size: usize) {
    // SAFETY: by the contract of this function.
    unsafe { (*HEAP.0.get()).init(start, size) }
}

// SAFETY: what the heap gives is inside of its memory and given once at a time.
unsafe impl GlobalAlloc for OneCpuHeap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: no other reference to the heap lives while this one does.
        let heap = unsafe { &mut *self.0.get() };
        heap.allocate_first_fit(layout).map_or(core::ptr::null_mut(), NonNull::as_ptr)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: no other reference to the heap lives while this one does.
        let heap = unsafe { &mut *self.0.get() };
        if let Some(block) = NonNull::new(block) {
            // SAFETY: the caller gives back what `alloc` gave, with its layout.
            unsafe { heap.deallocate(block, layout) }
        }
    }
}
