// Exceptions of all origins as error codes.
#include "torch/edge.h"

#include <c10/util/Exception.h>

#include <new>
#include <stdexcept>

#include "imgmill/memory/out_of_memory.h"
#include "torch/doctest_beside_torch.h"

using namespace imgmill;

namespace {

template <typename Throw>
Error Translated(Throw body) {
  TranslateBy(&TranslateLibTorch);
  const Status status = AtEdge(Stage::kCompute, [&]() -> Status {
    body();
    return {};
  });
  REQUIRE(!status.ok());
  CHECK(status.error().stage == Stage::kCompute);
  return status.error();
}

}  // namespace

TEST_CASE("exceptions become codes at the edge") {
  CHECK(Translated([] { throw OutOfMemory("host", 1000, 500, 1200); }).code == Code::kOutOfMemory);
  CHECK(Translated([] { throw std::bad_alloc(); }).code == Code::kOutOfMemory);
  CHECK(Translated([] { TORCH_CHECK_WITH(OutOfMemoryError, false, "tried to allocate 2 GiB"); }).code ==
        Code::kOutOfMemory);
  CHECK(Translated([] { throw std::runtime_error("CUDA error: out of memory"); }).code == Code::kOutOfMemory);
  CHECK(Translated([] {
          TORCH_CHECK(false, "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling x");
        }).code == Code::kOutOfMemory);
  CHECK(Translated([] { TORCH_CHECK(false, "CUDA error: device-side assert triggered"); }).code ==
        Code::kDeviceLost);
  CHECK(Translated([] { throw std::runtime_error("CUDA error: unspecified launch failure"); }).code ==
        Code::kDeviceLost);
  // An accelerator's own error number tells, whatever its text.
  const auto accelerator = [](int32_t number, const char* text) {
    return Translated([&] {
             throw c10::AcceleratorError({__func__, __FILE__, __LINE__}, number, text);
           })
        .code;
  };
  CHECK(accelerator(2, "CUDA error: 2") == Code::kOutOfMemory);
  CHECK(accelerator(2, "HIP error: hipError 2") == Code::kOutOfMemory);
  CHECK(accelerator(719, "CUDA error: 719") == Code::kDeviceLost);
  CHECK(accelerator(9, "CUDA error: invalid configuration argument") == Code::kModelError);
  CHECK(accelerator(2, "XPU error: something else") == Code::kModelError);
  CHECK(accelerator(98, "CUDA error: out of memory") == Code::kOutOfMemory);
  CHECK(Translated([] { TORCH_CHECK(false, "size mismatch"); }).code == Code::kModelError);
  CHECK(Translated([] { throw 7; }).code == Code::kModelError);
}

TEST_CASE("messages are one line, without LibTorch's stack trace") {
  CHECK(Translated([] { TORCH_CHECK(false, "size mismatch\nmore"); }).message == "size mismatch");
  const Error error = Translated([] { throw OutOfMemory("cpu:0", 1000, 500, 1200); });
  CHECK(error.message.find("cpu:0") != std::string::npos);
}
