// Keeps the C library's own free lists small, so that what is freed outside our pools is given back.
#pragma once

namespace imgmill {

/// To be called once, before threads start. Safe to call again.
void TameMalloc();

/// Returns what the C library keeps of freed memory to the kernel.
void TrimMalloc();

}  // namespace imgmill
