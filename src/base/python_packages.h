// Where the active Python keeps its packages: LibTorch and ONNX Runtime come as such.
#pragma once

#include <string>
#include <vector>

namespace imgmill {

/// The package folders of the python3 that comes first in PATH, and the user's own. Python is not run: that
/// would cost more than all the rest, and folders tell enough, since the libraries are the same for each
/// version of Python.
std::vector<std::string> PythonPackageFolders();

}  // namespace imgmill
