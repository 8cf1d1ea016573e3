// Where LibTorch is on this machine. The module does not know: it is built here and may run anywhere.
#pragma once

#include <string>

#include "imgmill/base/result.h"

namespace imgmill {

struct LibTorchLocation {
  std::string root;      ///< the folder that holds lib/libtorch_cpu.so
  std::string version;   ///< "2.13.0+cpu"; "unknown" where no file says it
  std::string found_by;  ///< "$LIBTORCH", "beside the module" or "the active python3"
};

/// The version that the module was built with, as "2.13.0+cpu"; empty in a build without it.
std::string LibTorchWanted();

/// Looks for LibTorch, without loading anything: in $LIBTORCH and nowhere else if that is set; else in
/// libtorch/ in the folder of the module; else the torch package of the python3 that comes first in PATH, or
/// the user's own. One of another version than 2.13.x, if 2.13.0 was built with, is passed over: its binary
/// interface differs. The error (kNotFound) says what was tried and what helps.
/// @param module_folder  with a trailing slash
Result<LibTorchLocation> FindLibTorch(const std::string& module_folder);

/// Maps LibTorch's libraries, so that the module finds them in place: the loader takes a library that is
/// mapped for the one of that name that another needs.
Status MapLibTorch(const LibTorchLocation& location);

/// Whether LibTorch might find a device besides the CPU: it was built for one, and that one's driver is here;
/// or this process has mapped LibTorch already, and with it what others made for it.
bool MayHaveAccelerators();

/// The one that this process uses; null until the module was opened.
const LibTorchLocation* MappedLibTorch();

}  // namespace imgmill
