// Exceptions of LibTorch, of our pools and of the standard library as error codes.
#include "torch/edge.h"

#include <new>
#include <string_view>

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

/// The error numbers of CUDA's runtime, which HIP shares. LibTorch gives no other vendor's.
Code CodeFromNumber(int32_t number, std::string_view text) {
  if (!HasAny(text, {"CUDA", "HIP"})) return CodeFromText(text);
  switch (number) {
    case 2:  // cudaErrorMemoryAllocation
      return Code::kOutOfMemory;
    case 46:   // cudaErrorDevicesUnavailable
    case 100:  // cudaErrorNoDevice
    case 214:  // cudaErrorECCUncorrectable
    case 700:  // cudaErrorIllegalAddress
    case 702:  // cudaErrorLaunchTimeout
    case 709:  // cudaErrorContextIsDestroyed
    case 710:  // cudaErrorAssert
    case 714:  // cudaErrorHardwareStackError
    case 715:  // cudaErrorIllegalInstruction
    case 716:  // cudaErrorMisalignedAddress
    case 717:  // cudaErrorInvalidAddressSpace
    case 718:  // cudaErrorInvalidPc
    case 719:  // cudaErrorLaunchFailure
      return Code::kDeviceLost;
    default:
      return CodeFromText(text);
  }
}

Error FromText(Stage stage, std::string_view text) {
  return {stage, CodeFromText(text), FirstLine(text)};
}

}  // namespace

Error TranslateLibTorch(Stage stage) {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return TranslateStandard(stage);
  } catch (const c10::OutOfMemoryError& error) {
    return {stage, Code::kOutOfMemory, FirstLine(error.what_without_backtrace())};
  } catch (const c10::AcceleratorError& error) {
    const std::string_view text = error.what_without_backtrace();
    return {stage, CodeFromNumber(error.get_error_code(), text), FirstLine(text)};
  } catch (const c10::Error& error) {
    return FromText(stage, error.what_without_backtrace());
  } catch (const std::exception& error) {
    return FromText(stage, error.what());
  } catch (...) {
    return TranslateStandard(stage);
  }
}

}  // namespace imgmill
