// The rule by which LibTorch is found, the check of its version, and the mapping of its libraries.
#include "imgmill/infer/libtorch_location.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <optional>
#include <vector>

#include "base/python_packages.h"
#include "imgmill/base/path_text.h"
#include "infer/open_flags.h"

namespace imgmill {
namespace {

/// Written once, under the lock of whoever opens the module.
std::optional<LibTorchLocation> mapped;

struct Candidate {
  std::string root;
  std::string found_by;
};

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

bool IsThere(const std::string& path) {
  return access(path.c_str(), F_OK) == 0;
}

/// "2.13" of "2.13.0+cpu".
std::string Series(const std::string& version) {
  const size_t dot = version.find('.');
  return dot == std::string::npos ? version : version.substr(0, version.find('.', dot + 1));
}

/// A wheel's version.py says __version__ = '2.13.0+cpu', the C++ archive's build-version is one line.
std::string VersionOf(const std::string& root) {
  std::ifstream python(root + "/version.py");
  for (std::string line; std::getline(python, line);) {
    if (!line.starts_with("__version__")) continue;
    const size_t start = line.find_first_of("'\"");
    if (start == std::string::npos) break;
    return line.substr(start + 1, line.find_last_of("'\"") - start - 1);
  }
  std::ifstream archive(root + "/build-version");
  std::string line;
  return std::getline(archive, line) && !line.empty() ? line : "unknown";
}

/// Why this folder will not do; empty if it will.
std::string WhatIsWrong(const std::string& root, std::string& version) {
  if (!IsThere(root + "/lib/libtorch_cpu.so")) return "has no lib/libtorch_cpu.so";
  version = VersionOf(root);
  const std::string wanted = LibTorchWanted();
  // A build against one without a version has nothing to compare: the loader decides.
  if (wanted == "unknown" || Series(version) == Series(wanted)) return {};
  return "is version " + version;
}

}  // namespace

std::string LibTorchWanted() {
  return IMGMILL_LIBTORCH_VERSION;
}

Result<LibTorchLocation> FindLibTorch(const std::string& module_folder) {
  std::vector<Candidate> candidates;
  std::string tried;
  const std::string named = Environment("LIBTORCH");
  if (!named.empty()) {
    candidates.push_back({named, "$LIBTORCH"});
  } else {
    tried = "$LIBTORCH: not set; ";
    candidates.push_back({module_folder + "libtorch", "beside the module"});
    for (const std::string& folder : PythonPackageFolders()) {
      if (IsThere(folder + "/torch")) candidates.push_back({folder + "/torch", "the active python3"});
    }
  }
  for (const Candidate& candidate : candidates) {
    LibTorchLocation location{candidate.root, {}, candidate.found_by};
    const std::string wrong = WhatIsWrong(candidate.root, location.version);
    if (wrong.empty()) return location;
    tried += candidate.found_by + ": " + PrintablePath(candidate.root) + " " + wrong + "; ";
  }
  if (named.empty() && candidates.size() == 1) tried += "the active python3: has no torch; ";
  tried.resize(tried.size() - 2);
  const std::string series = Series(LibTorchWanted());
  return Error{
      Stage::kConfigure, Code::kNotFound,
      "LibTorch " + series + " is needed, and was not found (" + tried +
          "). Set LIBTORCH to the folder that holds lib/libtorch_cpu.so, or install it for the active "
          "python3: pip install torch==" +
          series + ".*"};
}

Status MapLibTorch(const LibTorchLocation& location) {
  // Each after the ones it needs. Those of a device may be missing; nothing of ours names their symbols: they
  // register their kernels when they are mapped.
  for (const char* name :
       {"c10", "torch_cpu", "c10_cuda", "torch_cuda", "c10_hip", "torch_hip", "c10_xpu", "torch_xpu"}) {
    const std::string path = location.root + "/lib/lib" + name + ".so";
    if (!IsThere(path)) continue;
    if (dlopen(path.c_str(), kOpenFlags) != nullptr) continue;
    const char* reason = dlerror();
    return Error{Stage::kConfigure, Code::kModelError,
                 "LibTorch in " + PrintablePath(location.root) + " (" + location.found_by +
                     ") cannot be used: " + (reason != nullptr ? reason : "unknown reason") +
                     ". Set LIBTORCH to the folder of another one"};
  }
  mapped = location;
  return {};
}

const LibTorchLocation* MappedLibTorch() {
  return mapped ? &*mapped : nullptr;
}

}  // namespace imgmill
