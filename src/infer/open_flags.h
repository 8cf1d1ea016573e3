// How LibTorch's libraries, and the module on top of them, are opened.
#pragma once

#include <dlfcn.h>

namespace imgmill {

// RTLD_LOCAL keeps LibTorch's symbols (a libgomp, a protobuf) away from the other libraries' ones, and
// RTLD_DEEPBIND theirs from LibTorch: OpenCV brings the reference BLAS, whose sgemm LibTorch would call in
// place of its own, at a seventh of the speed. Sanitizers cannot do with the second.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr int kOpenFlags = RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE;
#else
inline constexpr int kOpenFlags = RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE | RTLD_DEEPBIND;
#endif

}  // namespace imgmill
