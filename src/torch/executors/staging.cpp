#include "torch/executors/staging.h"

#include <bit>

namespace imgmill {
namespace {

torch::Tensor PageLocked(int64_t count) {
  try {
    return torch::empty({count}, torch::TensorOptions().dtype(torch::kUInt8).pinned_memory(true));
  } catch (const c10::Error&) {
    return {};  // a backend without it, or a host that can lock no more
  }
}

}  // namespace

torch::Tensor Staging::Bytes(size_t count) {
  const auto bytes = static_cast<int64_t>(count);
  if (!held_.defined() || held_.numel() < bytes) {
    held_ = torch::Tensor();
    held_ = PageLocked(bytes);
    if (!held_.defined()) held_ = torch::empty({bytes}, torch::kUInt8);
  }
  return held_.narrow(0, 0, bytes);
}

size_t Staging::ChargeFor(size_t count) {
  return std::bit_ceil(count);
}

}  // namespace imgmill
