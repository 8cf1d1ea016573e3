#include "torch/even_shares.h"

#include <ATen/Parallel.h>
#include <ATen/TensorIterator.h>
#include <ATen/native/Activation.h>
#include <ATen/native/Pow.h>
#include <ATen/native/UnaryOps.h>
#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <string>
#include <typeinfo>
#include <utility>

#include "torch/executors/openmp_team.h"
#include "torch/torch_headers.h"

namespace imgmill {
namespace {

/// Values: a multiple of what any of the loops takes at once, two vectors of any type.
constexpr int64_t kWholeVectors = 128;

/// Runs the kernel on all of it: wherever LibTorch may have several threads do it, on as many.
template <typename Iterator, typename Kernel>
void InEvenShares(Iterator& all, const Kernel& kernel) {
  constexpr int64_t kLeastShare = 16384;  // of GELU; of the others twice that
  const int threads = at::get_num_threads();
  if (threads == 1 || all.numel() <= kLeastShare || at::in_parallel_region()) return kernel(all);
  const auto count = std::min<int64_t>(threads, (all.numel() + kLeastShare - 1) / kLeastShare);
  // Along the dimension that can be cut most finely. The first is that of the loops; rows of the others stay
  // whole.
  int dimension = 0;
  int64_t unit = kWholeVectors, units = (all.shape()[0] + unit - 1) / unit;
  for (int each = 1; each < all.ndim(); ++each) {
    const int64_t side = all.shape()[static_cast<size_t>(each)];
    if (side < units) continue;
    dimension = each;
    unit = 1;
    units = side;
  }
  const int64_t share = (units + count - 1) / count * unit,
                size = all.shape()[static_cast<size_t>(dimension)];
  const auto take = [&](int64_t number) {
    at::TensorIterator part(all);
    const int64_t first = number * share;
    part.narrow(dimension, first, std::min(share, size - first));
    kernel(part);
  };
  if (!ForEachOnOpenMpThreads(threads, (size + share - 1) / share, take)) kernel(all);
}

/// LibTorch has a kernel of each function for each of these sets of instructions, or for some.
constexpr std::array<const char*, 7> kSets = {"DEFAULT", "AVX2", "AVX512", "SVE128",
                                              "SVE256",  "VSX",  "ZVECTOR"};

/// The kernels of one function. LibTorch keeps pointers to them, and looks at those when the function is
/// first called.
template <typename Function, typename Type>
class Kernels;
template <typename Type, typename Iterator, typename... Arguments>
class Kernels<void (*)(Iterator&, Arguments...), Type> {
  using Function = void (*)(Iterator&, Arguments...);

 public:
  /// @return whether there was one
  template <size_t... kSet>
  static bool Wrap(std::index_sequence<kSet...> /*all*/) {
    return (int{WrapOne<kSet>()} + ...) > 0;
  }

 private:
  template <size_t kSet>
  static bool WrapOne() {
    // The pointers that there are differ from build to build, and headers do not tell: they are looked up.
    // at::native::DispatchStub<Function, Type>::AVX2, in the way that names of members are made of names of
    // classes.
    const std::string set = kSets[kSet];
    std::string name = std::string("_Z") + typeid(at::native::DispatchStub<Function, Type>).name();
    name.insert(name.size() - 1, std::to_string(set.size()) + set);
    auto* const pointer = static_cast<Function*>(dlsym(RTLD_DEFAULT, name.c_str()));
    if (pointer == nullptr || *pointer == nullptr) return false;
    original_<kSet> = *pointer;
    *pointer = [](Iterator& all, Arguments... arguments) {
      InEvenShares(all, [&](auto& part) { original_<kSet>(part, arguments...); });
    };
    return true;
  }
  template <size_t kSet>
  static inline Function original_ = nullptr;
};

template <typename Function, typename Type>
bool Wrap(at::native::DispatchStub<Function, Type>& /*function*/) {
  return Kernels<Function, Type>::Wrap(std::make_index_sequence<kSets.size()>());
}

}  // namespace

// Sums, products, comparisons, roots and what Intel's library computes (exponentials, logarithms, tanh) have
// the same bits in either code.
bool ShareElementwiseWorkEvenly() {
  const bool wrapped[] = {
      Wrap(at::native::elu_stub),
      Wrap(at::native::GeluKernel),
      Wrap(at::native::glu_stub),
      Wrap(at::native::mish_stub),
      Wrap(at::native::pow_tensor_scalar_stub),
      Wrap(at::native::pow_tensor_tensor_stub),
      Wrap(at::native::sigmoid_stub),
      Wrap(at::native::silu_stub),
      Wrap(at::native::softplus_stub),
  };
  return std::all_of(std::begin(wrapped), std::end(wrapped), [](bool each) { return each; });
}

}  // namespace imgmill
