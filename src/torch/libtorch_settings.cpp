// Sets LibTorch up once a process.
#include "torch/libtorch_settings.h"

#include <ATen/Parallel.h>

#include <mutex>
#include <stdexcept>

#include "imgmill/memory/pool.h"
#include "imgmill/memory/stop_scope.h"
#include "torch/even_shares.h"
#include "torch/torch_headers.h"

// oneDNN is inside libtorch_cpu and its header is not shipped; weak, since a build of LibTorch may lack it.
extern "C" int dnnl_set_primitive_cache_capacity(int capacity) __attribute__((weak));

namespace imgmill {
namespace {

/// Each tensor of the CPU comes from the pool of the thread that makes it.
class PoolAllocator final : public c10::Allocator {
 public:
  /// @throws OutOfMemory, which passes through LibTorch like any other exception; and, between two layers of
  /// a network that is to be left, an exception that whoever made the StopScope takes for that
  c10::DataPtr allocate(size_t bytes) override {
    const StopFlag* const stop = StopScope::Current();
    if (stop != nullptr && stop->StopRequested()) throw std::runtime_error("stopped");
    if (bytes == 0) return {nullptr, nullptr, &Pool::Free, c10::DeviceType::CPU};
    void* block = CurrentPool().Allocate(bytes);
    return {block, block, &Pool::Free, c10::DeviceType::CPU};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &Pool::Free; }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }
};

/// Of LibTorch's elementwise functions; without it LibTorch computes on one thread.
bool shares_are_even = false;

void SetUpOnce() {
  // Lives as long as the process: tensors of LibTorch's own statics come from it.
  static PoolAllocator* const allocator = new PoolAllocator;
  c10::SetCPUAllocator(allocator, /*priority=*/255);

  shares_are_even = ShareElementwiseWorkEvenly();

  // oneDNN keeps a compiled primitive, with its scratch memory, for each shape it has seen; 1024 by default.
  if (dnnl_set_primitive_cache_capacity != nullptr) dnnl_set_primitive_cache_capacity(16);

  at::set_num_interop_threads(1);
  at::Context& context = at::globalContext();
  context.setBenchmarkCuDNN(false);  // a choice by timing: other kernels, other last bits, from run to run
  context.setDeterministicCuDNN(true);
  context.setDeterministicMkldnn(true);
  context.setAllowTF32CuDNN(false);
  context.setAllowTF32CuBLAS(false);
}

int Allowed(int threads) {
  return shares_are_even ? threads : 1;
}

}  // namespace

void SetUpLibTorch(int threads) {
  static std::once_flag once;
  std::call_once(once, SetUpOnce);
  at::set_num_threads(Allowed(threads));
}

LibTorchThreads::LibTorchThreads(int threads) : before_(at::get_num_threads()) {
  if (Allowed(threads) != before_) at::set_num_threads(Allowed(threads));
}

LibTorchThreads::~LibTorchThreads() {
  if (at::get_num_threads() != before_) at::set_num_threads(before_);
}

std::string LibTorchVersion() {
  return "libtorch " IMGMILL_LIBTORCH_VERSION;
}

}  // namespace imgmill
