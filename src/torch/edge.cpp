// Exceptions of LibTorch, of our pools and of the standard library as error codes.
#include "torch/edge.h"

#include <new>
#include <string_view>

#include "imgmill/memory/out_of_memory.h"
#include "torch/torch_headers.h"

namespace imgmill {
namespace {

bool HasAny(std::string_view text, std::initializer_list<std::string_view> parts) {
  for (const std::string_view part : parts) {
    if (text.find(part) != std::string_view::npos) return true;
  }
  return false;
}

/// Some backends report exhaustion and loss as plain errors, told apart by their text alone.
Code CodeFromText(std::string_view text) {
  if (HasAny(text, {"out of memory", "Out of memory", "CUBLAS_STATUS_ALLOC_FAILED",
                    "CUDNN_STATUS_ALLOC_FAILED", "HIPBLAS_STATUS_ALLOC_FAILED", "can't allocate memory",
                    "could not create a memory object", "UR_RESULT_ERROR_OUT_OF"})) {
    return Code::kOutOfMemory;
  }
  if (HasAny(text, {"device-side assert", "unspecified launch failure", "illegal memory access",
                    "illegal instruction", "misaligned address", "device lost", "DEVICE_LOST", "ECC error",
                    "driver shutting down", "no CUDA-capable device", "GPU is lost", "launch timed out"})) {
    return Code::kDeviceLost;
  }
  return Code::kModelError;
}

/// The first line: LibTorch appends a C++ stack trace.
std::string FirstLine(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

Error FromText(Stage stage, std::string_view text) {
  return {stage, CodeFromText(text), FirstLine(text)};
}

Error Translate(Stage stage) {
  try {
    throw;
  } catch (const OutOfMemory& error) {
    return {stage, Code::kOutOfMemory, error.what()};
  } catch (const std::bad_alloc&) {
    return {stage, Code::kOutOfMemory, "the system refused memory"};
  } catch (const c10::OutOfMemoryError& error) {
    return {stage, Code::kOutOfMemory, FirstLine(error.what_without_backtrace())};
  } catch (const c10::Error&
               error) {  // AcceleratorError, too, tells its kind by text only: codes differ by vendor
    return FromText(stage, error.what_without_backtrace());
  } catch (const std::exception& error) {
    return FromText(stage, error.what());
  } catch (...) {
    return {stage, Code::kModelError, "an exception of unknown type"};
  }
}

}  // namespace

Error TranslateException(Stage stage) noexcept {
  try {
    return Translate(stage);
  } catch (...) {  // not even memory for the message
    return {stage, Code::kOutOfMemory, {}};
  }
}

}  // namespace imgmill
