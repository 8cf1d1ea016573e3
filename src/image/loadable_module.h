// Our own libraries that are opened when a file first needs them, so that runs without such files start
// without.
#pragma once

#include <string>

namespace imgmill {

struct LoadableModule {
  void* handle = nullptr;  ///< for dlsym; never closed: FFmpeg's libraries are not made to be
  std::string tried;       ///< where it was looked for, and why it was not opened there
};

/// Looks beside the program and beside libimgmill.so, in a build as in an installation.
LoadableModule OpenLoadableModule(const std::string& name);

}  // namespace imgmill
