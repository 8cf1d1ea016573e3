// LibTorch's code in memory: what is resident of it is the kernel's file cache, mapped again where it is
// used.
#pragma once

namespace imgmill {

/// Takes the pages of LibTorch's code and constants out of this process, whatever thread runs in them: each
/// comes back from the file cache when it is touched again, some microseconds later. What the loader wrote
/// stays. Does nothing where LibTorch is not mapped.
void ReleaseLibraryPages();

}  // namespace imgmill
