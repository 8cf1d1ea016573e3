// ONNX Runtime's C library, found and opened when the first .onnx file is read. What is declared here is the
// part of its interface that is used: a table of functions, whose places never change (onnxruntime_c_api.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "imgmill/base/result.h"

namespace imgmill {

struct OrtStatus;
struct OrtEnv;
struct OrtMemoryInfo;
struct OrtSession;
struct OrtSessionOptions;
struct OrtRunOptions;
struct OrtValue;
struct OrtTypeInfo;
struct OrtTensorInfo;

/// Memory that ONNX Runtime asks for.
struct OrtAllocator {
  uint32_t version;
  void* (*Alloc)(OrtAllocator*, size_t);
  void (*Free)(OrtAllocator*, void*);
  const OrtMemoryInfo* (*Info)(const OrtAllocator*);
};

constexpr int kOrtFloat = 1;  ///< of ONNX's types of elements

/// Each function gives null, or a status that says what went wrong and is to be released.
struct OrtFunctions {
  const char* (*GetErrorMessage)(const OrtStatus*);
  OrtStatus* (*CreateEnv)(int log_level, const char* id, OrtEnv**);
  OrtStatus* (*CreateSession)(const OrtEnv*, const char* path, const OrtSessionOptions*, OrtSession**);
  OrtStatus* (*Run)(OrtSession*, const OrtRunOptions*, const char* const* input_names,
                    const OrtValue* const* inputs, size_t input_count, const char* const* output_names,
                    size_t output_count, OrtValue** outputs);
  OrtStatus* (*CreateSessionOptions)(OrtSessionOptions**);
  OrtStatus* (*DisableMemPattern)(OrtSessionOptions*);
  OrtStatus* (*DisableCpuMemArena)(OrtSessionOptions*);
  OrtStatus* (*SetSessionLogSeverityLevel)(OrtSessionOptions*, int);
  OrtStatus* (*SetIntraOpNumThreads)(OrtSessionOptions*, int);
  OrtStatus* (*SetInterOpNumThreads)(OrtSessionOptions*, int);
  OrtStatus* (*SessionGetInputCount)(const OrtSession*, size_t*);
  OrtStatus* (*SessionGetOutputCount)(const OrtSession*, size_t*);
  OrtStatus* (*SessionGetInputTypeInfo)(const OrtSession*, size_t, OrtTypeInfo**);
  OrtStatus* (*SessionGetInputName)(const OrtSession*, size_t, OrtAllocator*, char**);
  OrtStatus* (*SessionGetOutputName)(const OrtSession*, size_t, OrtAllocator*, char**);
  OrtStatus* (*CreateTensorWithDataAsOrtValue)(const OrtMemoryInfo*, void*, size_t bytes,
                                               const int64_t* shape, size_t dimensions, int type, OrtValue**);
  OrtStatus* (*IsTensor)(const OrtValue*, int*);
  OrtStatus* (*GetTensorMutableData)(OrtValue*, void**);
  OrtStatus* (*CastTypeInfoToTensorInfo)(const OrtTypeInfo*, const OrtTensorInfo**);
  OrtStatus* (*GetTensorElementType)(const OrtTensorInfo*, int*);
  OrtStatus* (*GetDimensionsCount)(const OrtTensorInfo*, size_t*);
  OrtStatus* (*GetDimensions)(const OrtTensorInfo*, int64_t*, size_t);
  OrtStatus* (*GetTensorTypeAndShape)(const OrtValue*, OrtTensorInfo**);
  OrtStatus* (*CreateCpuMemoryInfo)(int allocator_type, int memory_type, OrtMemoryInfo**);
  OrtStatus* (*AllocatorFree)(OrtAllocator*, void*);
  OrtStatus* (*GetAllocatorWithDefaultOptions)(OrtAllocator**);
  void (*ReleaseStatus)(OrtStatus*);
  void (*ReleaseSession)(OrtSession*);
  void (*ReleaseValue)(OrtValue*);
  void (*ReleaseTypeInfo)(OrtTypeInfo*);
  void (*ReleaseTensorTypeAndShapeInfo)(OrtTensorInfo*);
  void (*ReleaseSessionOptions)(OrtSessionOptions*);
  OrtStatus* (*AddSessionConfigEntry)(OrtSessionOptions*, const char* key, const char* value);
  OrtStatus* (*RegisterAllocator)(OrtEnv*, OrtAllocator*);
};

/// The library, one in a process, never closed.
struct OnnxRuntime {
  OrtFunctions call;
  std::string version;  ///< "1.32.0"
  OrtEnv* env = nullptr;
  OrtMemoryInfo* host = nullptr;
  OrtAllocator* names = nullptr;  ///< of the texts that functions give

  /// Opens it on the first call: from $ONNXRUNTIME, the folder onnxruntime/ beside the module, or the
  /// onnxruntime package of the python3 that comes first in PATH. Tensors come from the current pool. Errors:
  /// kNotFound, with what was tried and what helps; kModelError.
  static Result<const OnnxRuntime*> Open();

  /// Whether the allocation that this thread made last was refused by its pool.
  static bool WasRefused();

  /// A kModelError with the text of the status, or kOutOfMemory if a pool refused; nothing for null. Releases
  /// it.
  Status Check(OrtStatus* status) const;
};

}  // namespace imgmill
