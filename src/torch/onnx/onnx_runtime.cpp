#include "torch/onnx/onnx_runtime.h"

#include <dlfcn.h>
#include <glob.h>

#include <cstdlib>
#include <mutex>
#include <vector>

#include "base/python_packages.h"
#include "base/try.h"
#include "imgmill/base/path_text.h"
#include "imgmill/memory/pool.h"

namespace imgmill {
namespace {

/// That of ONNX Runtime 1.10; newer ones give it too.
constexpr uint32_t kInterface = 10;

struct OrtApiBase {
  const void* const* (*GetApi)(uint32_t version);
  const char* (*GetVersionString)();
};

thread_local bool refused = false;

OrtMemoryInfo* host_memory = nullptr;

/// What it throws, ONNX Runtime makes a status of; it does not look whether it was given null.
void* Allocate(OrtAllocator*, size_t bytes) {
  refused = true;
  void* block = CurrentPool().Allocate(bytes);
  refused = false;
  return block;
}

void Free(OrtAllocator*, void* block) {
  Pool::Free(block);
}

const OrtMemoryInfo* MemoryOf(const OrtAllocator*) {
  return host_memory;
}

OrtAllocator pool_allocator = {kInterface, &Allocate, &Free, &MemoryOf};

/// Places in the table, as onnxruntime_c_api.h has them.
OrtFunctions FunctionsOf(const void* const* table) {
  OrtFunctions call{};
  const auto take = [&](auto& function, size_t place) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(const_cast<void*>(table[place]));
  };
  take(call.GetErrorMessage, 2);
  take(call.CreateEnv, 3);
  take(call.CreateSession, 7);
  take(call.Run, 9);
  take(call.CreateSessionOptions, 10);
  take(call.DisableMemPattern, 17);
  take(call.DisableCpuMemArena, 19);
  take(call.SetSessionLogSeverityLevel, 22);
  take(call.SetIntraOpNumThreads, 24);
  take(call.SetInterOpNumThreads, 25);
  take(call.SessionGetInputCount, 30);
  take(call.SessionGetOutputCount, 31);
  take(call.SessionGetInputTypeInfo, 33);
  take(call.SessionGetInputName, 36);
  take(call.SessionGetOutputName, 37);
  take(call.CreateTensorWithDataAsOrtValue, 49);
  take(call.IsTensor, 50);
  take(call.GetTensorMutableData, 51);
  take(call.CastTypeInfoToTensorInfo, 55);
  take(call.GetTensorElementType, 60);
  take(call.GetDimensionsCount, 61);
  take(call.GetDimensions, 62);
  take(call.GetTensorTypeAndShape, 65);
  take(call.CreateCpuMemoryInfo, 69);
  take(call.AllocatorFree, 76);
  take(call.GetAllocatorWithDefaultOptions, 78);
  take(call.ReleaseStatus, 93);
  take(call.ReleaseSession, 95);
  take(call.ReleaseValue, 96);
  take(call.ReleaseTypeInfo, 98);
  take(call.ReleaseTensorTypeAndShapeInfo, 99);
  take(call.ReleaseSessionOptions, 100);
  take(call.AddSessionConfigEntry, 130);
  take(call.RegisterAllocator, 176);
  return call;
}

/// libonnxruntime.so in that folder, with whatever version in its name; empty if there is none.
std::string LibraryIn(const std::string& folder) {
  glob_t found = {};
  std::string path;
  if (glob((folder + "/libonnxruntime.so*").c_str(), 0, nullptr, &found) == 0 && found.gl_pathc > 0)
    path = found.gl_pathv[0];
  globfree(&found);
  return path;
}

/// The folder of this module, which LibTorch's rule names too.
std::string ModuleFolder() {
  Dl_info info = {};
  if (dladdr(reinterpret_cast<const void*>(&pool_allocator), &info) == 0 || info.dli_fname == nullptr)
    return ".";
  const std::string path = info.dli_fname;
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

Result<std::string> FindLibrary() {
  std::vector<std::string> folders;
  if (const char* named = std::getenv("ONNXRUNTIME"); named != nullptr && *named != '\0') {
    folders = {named, std::string(named) + "/lib"};
  } else {
    folders = {ModuleFolder() + "/onnxruntime"};
    for (const std::string& packages : PythonPackageFolders())
      folders.push_back(packages + "/onnxruntime/capi");
  }
  std::string tried;
  for (const std::string& folder : folders) {
    if (std::string path = LibraryIn(folder); !path.empty()) return path;
    tried += (tried.empty() ? "" : ", ") + PrintablePath(folder);
  }
  return Error{
      Stage::kConfigure, Code::kNotFound,
      "an .onnx file needs ONNX Runtime, whose libonnxruntime.so was not found (looked in " + tried +
          "). Set ONNXRUNTIME to its folder, or install it for the active python3: pip install onnxruntime"};
}

Result<OnnxRuntime> OpenLibrary() {
  std::string path = TRY(FindLibrary());
  const auto failed = [&](const std::string& why) {
    return Error{Stage::kConfigure, Code::kModelError,
                 "ONNX Runtime in " + PrintablePath(path) + " cannot be used: " + why};
  };
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return failed(dlerror());
  const auto base = reinterpret_cast<const OrtApiBase* (*)()>(dlsym(library, "OrtGetApiBase"));
  if (base == nullptr) return failed("it has no OrtGetApiBase");
  const void* const* table = base()->GetApi(kInterface);
  OnnxRuntime runtime;
  runtime.version = base()->GetVersionString();
  if (table == nullptr) return failed("version " + runtime.version + " is older than 1.10");
  runtime.call = FunctionsOf(table);
  constexpr int kErrors = 3, kDeviceAllocator = 0, kDefaultMemory = 0;
  TRY(runtime.Check(runtime.call.CreateEnv(kErrors, "imgmill", &runtime.env)));
  TRY(runtime.Check(runtime.call.CreateCpuMemoryInfo(kDeviceAllocator, kDefaultMemory, &runtime.host)));
  TRY(runtime.Check(runtime.call.GetAllocatorWithDefaultOptions(&runtime.names)));
  host_memory = runtime.host;
  TRY(runtime.Check(runtime.call.RegisterAllocator(runtime.env, &pool_allocator)));
  return runtime;
}

}  // namespace

Result<const OnnxRuntime*> OnnxRuntime::Open() {
  static std::mutex mutex;
  static const OnnxRuntime* opened = nullptr;
  const std::lock_guard lock(mutex);
  if (opened == nullptr) {
    OnnxRuntime runtime = TRY(OpenLibrary());
    opened = new OnnxRuntime(std::move(runtime));  // for the rest of the process, as the library itself
  }
  return opened;
}

bool OnnxRuntime::WasRefused() {
  return refused;
}

Status OnnxRuntime::Check(OrtStatus* status) const {
  if (status == nullptr) return {};
  std::string text = call.GetErrorMessage(status);
  call.ReleaseStatus(status);
  text.resize(std::min(text.find('\n'), text.size()));
  const Code code = refused ? Code::kOutOfMemory : Code::kModelError;
  refused = false;
  return Error{Stage::kConfigure, code, std::move(text)};
}

}  // namespace imgmill
