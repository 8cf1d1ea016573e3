// Functions of a library that is in memory already because a module of libvips brought it: imgmill links to
// none of these, as it starts without them.
#pragma once

#include <dlfcn.h>

#include <type_traits>

namespace imgmill {

/// Sets `function` to what `library` calls `symbol`; null if there is no such thing.
template <typename Function>
bool FindFunction(void* library, const char* symbol, Function& function) {
  function = reinterpret_cast<std::remove_reference_t<Function>>(dlsym(library, symbol));
  return function != nullptr;
}

}  // namespace imgmill
