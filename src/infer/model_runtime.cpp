// Finds and opens the LibTorch module on first need.
#include "imgmill/infer/model_runtime.h"

#include <dlfcn.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <mutex>

#include "base/code_folders.h"
#include "base/try.h"
#include "imgmill/base/path_text.h"
#include "imgmill/infer/library_pages.h"
#include "imgmill/infer/libtorch_location.h"
#include "infer/open_flags.h"

namespace imgmill {
namespace {

constexpr char kModuleName[] = "libimgmill_torch.so";

std::vector<std::string> Candidates() {
  // Whoever names a module wants that one: no other is tried in its place.
  if (const char* named = std::getenv("IMGMILL_TORCH_MODULE"); named != nullptr && *named != '\0') {
    return {named};
  }
  const std::string folder = ProgramFolder();
  std::vector<std::string> paths;
  for (const char* relative : {"", "../lib/", "../lib/imgmill/"})
    paths.push_back(folder + relative + kModuleName);
  if (const std::string library = LibraryFolder(reinterpret_cast<const void*>(&OpenModelRuntime));
      !library.empty())
    paths.push_back(library + "imgmill/" + kModuleName);
  return paths;
}

Error CannotOpen(const std::string& tried) {
  return {Stage::kConfigure, Code::kNotFound,
          "the LibTorch module " + std::string(kModuleName) +
              " is needed, and could not be opened (tried: " + tried +
              "). Build it with scripts/quickstart.sh, which fetches LibTorch, or set IMGMILL_TORCH_MODULE "
              "to its "
              "path. What needs no model, and networks of convolutions that enlarge images, work without it"};
}

/// Of the module, once it is open. It is never closed: LibTorch cannot be unloaded.
std::atomic<CreateModelRuntimeFn> opened = nullptr;

bool IsMapped(const char* library) {
  void* const handle = dlopen(library, RTLD_LAZY | RTLD_NOLOAD);
  if (handle != nullptr) dlclose(handle);
  return handle != nullptr;
}

bool IsThere(const std::string& path) {
  return access(path.c_str(), F_OK) == 0;
}

bool HasNvidiaDriver() {
  void* const driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (driver != nullptr) dlclose(driver);
  return driver != nullptr;
}
constexpr char kAmdDriver[] = "/dev/kfd", kGraphics[] = "/dev/dri";

/// Whether this machine has a driver for a kind of device that the libraries in a folder are for.
bool HasDriverFor(const std::string& libraries) {
  return (IsThere(libraries + "libc10_cuda.so") && HasNvidiaDriver()) ||
         (IsThere(libraries + "libc10_hip.so") && IsThere(kAmdDriver)) ||
         (IsThere(libraries + "libc10_xpu.so") && IsThere(kGraphics));
}

/// Opens the first candidate that exists.
Result<CreateModelRuntimeFn> OpenModule() {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  if (opened != nullptr) return opened.load();

  std::string tried;
  for (const std::string& path : Candidates()) {
    if (!tried.empty()) tried += "; ";
    tried += PrintablePath(path);
    if (access(path.c_str(), F_OK) != 0) {
      tried += ": no such file";
      continue;
    }
    const LibTorchLocation libtorch = TRY(FindLibTorch(path.substr(0, path.rfind('/') + 1)));
    TRY(MapLibTorch(libtorch));
    void* handle = dlopen(path.c_str(), kOpenFlags);
    if (handle == nullptr) {
      const char* reason = dlerror();
      tried += std::string(": ") + (reason != nullptr ? reason : "unknown reason");
      continue;
    }
    opened = reinterpret_cast<CreateModelRuntimeFn>(dlsym(handle, kCreateModelRuntime));
    if (opened != nullptr) return opened.load();
    tried += std::string(": has no ") + kCreateModelRuntime;
  }
  return CannotOpen(tried);
}

}  // namespace

bool LibTorchIsMapped() {
  return opened != nullptr;
}

bool MayHaveAccelerators() {
  if (IsMapped("libtorch_cpu.so")) return true;
  for (const std::string& path : Candidates()) {
    if (access(path.c_str(), F_OK) != 0) continue;
    const Result<LibTorchLocation> libtorch = FindLibTorch(path.substr(0, path.rfind('/') + 1));
    // Where there is a card and LibTorch is not found, that is to be told, not passed over.
    return libtorch ? HasDriverFor(libtorch->root + "/lib/") : HasNvidiaDriver() || IsThere(kAmdDriver);
  }
  return false;
}

Result<std::unique_ptr<ModelRuntime>> OpenModelRuntime(MemoryManager& manager, int threads,
                                                       KernelChoice kernels) {
  CreateModelRuntimeFn create = TRY(OpenModule());
  std::string why;
  std::unique_ptr<ModelRuntime> runtime((create)(kModelInterface, &manager, threads, kernels, &why));
  if (runtime == nullptr)
    return Error{Stage::kConfigure, Code::kModelError, "LibTorch cannot be used: " + why};
  ReleaseLibraryPages();  // most of what the loader has read is not needed again
  return runtime;
}

}  // namespace imgmill
