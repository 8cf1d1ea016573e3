// doctest for files that use LibTorch as well: both have a macro CHECK, and a test means doctest's.
#pragma once

// First, and then without its macros: whatever of LibTorch's is included later has been through here already,
// so that doctest defines a name that is free, from a system folder or any other. Programs that only borrow a
// header of these tests see nothing of LibTorch.
#if __has_include(<c10/util/Logging.h>)
#include <c10/util/Logging.h>

#undef CHECK
#undef CHECK_EQ
#undef CHECK_NE
#undef CHECK_LT
#undef CHECK_LE
#undef CHECK_GT
#undef CHECK_GE
#endif

#include <doctest/doctest.h>
