// LibTorch's code in memory: what is resident of it is the kernel's file cache, mapped again where it is
// used.
#pragma once

#include <cstddef>

namespace imgmill {

/// Takes the pages of LibTorch's code and constants out of this process, whatever thread runs in them: each
/// comes back from the file cache when it is touched again, some microseconds later. What the loader wrote
/// stays.
/// @return bytes of the address space that were given back, resident or not; 0 where LibTorch is not mapped
size_t ReleaseLibraryPages();

}  // namespace imgmill
