#include "torch/executors/staging.h"

#include <bit>

namespace imgmill {
namespace {

torch::Tensor PageLocked(int64_t count) {
  try {
    return torch::empty({count}, torch::TensorOptions().dtype(torch::kFloat32).pinned_memory(true));
  } catch (const c10::Error&) {
    return {};  // a backend without it, or a host that can lock no more
  }
}

}  // namespace

torch::Tensor Staging::Floats(int64_t count) {
  if (!held_.defined() || held_.numel() < count) {
    held_ = torch::Tensor();
    held_ = PageLocked(count);
    if (!held_.defined()) held_ = torch::empty({count}, torch::kFloat32);
  }
  return held_.narrow(0, 0, count);
}

size_t Staging::BytesFor(size_t count) {
  return std::bit_ceil(count * sizeof(float));
}

}  // namespace imgmill
