// Dot products, one text for all instruction sets: Highway compiles this file once for each, and the best
// that the machine has is chosen at run time. All round alike: IEEE 754 defines what a fused multiply-add
// gives, and where there is no instruction for it, it is computed in doubles.
#include "similarity/dot_kernels.h"

#include <algorithm>
#include <cmath>

#include "similarity/dot_queries.h"
#include "similarity/instruction_sets.h"
#include "similarity/row_windows.h"

// The vectors of SVE have no size that panels could be laid out for, and NEON is always there as well. What
// came after the first AVX-512 is not used.
#define HWY_DISABLED_TARGETS (HWY_AVX3_DL | HWY_SSSE3 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "similarity/dot_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace imgmill::HWY_NAMESPACE {
namespace {

#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128

/// As DotScalar. @param query  in a panel
float DotOf(const float* row, const float* query, size_t n) {
  float sums[4] = {};
  for (size_t i = 0; i < PanelSize(n) / kPanelQueries; ++i)
    sums[i % 4] = std::fma(i < n ? row[i] : 0, query[i / 4 * 4 * kPanelQueries + i % 4], sums[i % 4]);
  return (sums[0] + sums[2]) + (sums[1] + sums[3]);
}

void AllDots(const float* const* rows, size_t row_count, const float* panels, size_t n, size_t skip,
             size_t count, float* dots) {
  for (size_t r = 0; r < row_count; ++r) {
    for (size_t q = skip; q < skip + count; ++q)
      *dots++ = DotOf(rows[r], panels + q / kPanelQueries * PanelSize(n) + q % kPanelQueries * 4, n);
  }
}

#else

namespace hn = hwy::HWY_NAMESPACE;

/// A piece of a panel: four numbers of four queries, of two or of one.
using Part = hn::CappedTag<float, 4 * kPanelQueries>;
constexpr size_t kWidth = hn::MaxLanes(Part());
constexpr size_t kParts = 4 * kPanelQueries / kWidth;

/// As many sums as registers have room for, beside a piece of each panel and one of a row.
#if HWY_TARGET == HWY_AVX3
constexpr size_t kRowsAtOnce = 8, kPanelsAtOnce = 3;
#elif HWY_NATIVE_FMA
constexpr size_t kRowsAtOnce = 6, kPanelsAtOnce = 1;
#else
constexpr size_t kRowsAtOnce = 2, kPanelsAtOnce = 1;
#endif
static_assert(kRowsTogether % kRowsAtOnce == 0);
/// With one row, so that additions need not wait for one another.
constexpr size_t kPanelsOfOne = 4;

#if HWY_NATIVE_FMA

HWY_INLINE hn::Vec<Part> Fused(hn::Vec<Part> a, hn::Vec<Part> b, hn::Vec<Part> sum) {
  return hn::MulAdd(a, b, sum);
}

#else

using Pair = hn::Half<Part>;

/// The product of two floats is exact in a double. The sum is rounded to odd, which rounding it to a float
/// once more does not show: Boldo and Melquiond, "Emulation of a FMA and correctly rounded sums: proved
/// algorithms using rounding to odd", 2008.
HWY_INLINE hn::Vec<Pair> FusedOfPair(hn::Vec<Pair> a, hn::Vec<Pair> b, hn::Vec<Pair> add) {
  const hn::Rebind<double, Pair> doubles;
  const hn::Rebind<int64_t, Pair> words;
  const auto product = hn::Mul(hn::PromoteTo(doubles, a), hn::PromoteTo(doubles, b));
  const auto added = hn::PromoteTo(doubles, add);
  const auto sum = hn::Add(product, added);
  // What rounding has taken from the sum, exactly: Knuth's TwoSum. NaN where the sum is no finite number.
  const auto part = hn::Sub(sum, product);
  const auto lost = hn::Add(hn::Sub(product, hn::Sub(sum, part)), hn::Sub(added, part));
  // Of the two doubles around the exact sum one is odd. It is the other one if the sum is even: away from
  // zero if what was lost has the sum's sign, else towards it.
  const auto inexact = hn::BitCast(words, hn::VecFromMask(doubles, hn::Lt(hn::Zero(doubles), hn::Abs(lost))));
  const auto bits = hn::BitCast(words, sum);
  const auto one = hn::Set(words, 1);
  const auto is_even = hn::Sub(hn::And(bits, one), one);  // all ones, or none
  const auto step = hn::Or(hn::BroadcastSignBit(hn::Xor(bits, hn::BitCast(words, lost))), one);
  const auto odd = hn::Add(bits, hn::And(step, hn::And(inexact, is_even)));
  return hn::DemoteTo(Pair(), hn::BitCast(doubles, odd));
}

HWY_INLINE hn::Vec<Part> Fused(hn::Vec<Part> a, hn::Vec<Part> b, hn::Vec<Part> sum) {
  const Pair pair;
  const auto low = FusedOfPair(hn::LowerHalf(a), hn::LowerHalf(b), hn::LowerHalf(sum));
  const auto high = FusedOfPair(hn::UpperHalf(pair, a), hn::UpperHalf(pair, b), hn::UpperHalf(pair, sum));
  return hn::Combine(Part(), high, low);
}

#endif

/// The four sums of each of kRows x kPanels x 4 dot products.
/// @param to  those of a row one panel after the other
template <size_t kRows, size_t kPanels>
HWY_INLINE void SumProducts(const float* const* rows, const float* panels, size_t n, float* to) {
  const Part part;
  constexpr size_t kVectors = kPanels * kParts;
  const size_t whole = n / 4 * 4, panel_size = PanelSize(n);
  hn::Vec<Part> sums[kRows][kVectors];
  for (auto& of_row : sums) {
    for (auto& sum : of_row) sum = hn::Zero(part);
  }
  const auto add = [&](size_t i, const auto& row_at) HWY_ATTR {
    hn::Vec<Part> b[kVectors];
    for (size_t v = 0; v < kVectors; ++v)
      b[v] = hn::LoadU(part, panels + v / kParts * panel_size + i * kPanelQueries + v % kParts * kWidth);
    for (size_t r = 0; r < kRows; ++r) {
      const auto a = hn::LoadDup128(part, row_at(r));
      for (size_t v = 0; v < kVectors; ++v) sums[r][v] = Fused(a, b[v], sums[r][v]);
    }
  };
  for (size_t i = 0; i < whole; i += 4) add(i, [&](size_t r) { return rows[r] + i; });
  if (whole < n) {  // the rest, zeros behind it
    HWY_ALIGN float rests[kRows][4] = {};
    for (size_t r = 0; r < kRows; ++r) std::copy(rows[r] + whole, rows[r] + n, rests[r]);
    add(whole, [&](size_t r) { return rests[r]; });
  }
// Without being told, GCC 12 copies them all at once, and keeps them in memory for that.
#pragma GCC unroll 8
  for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (size_t v = 0; v < kVectors; ++v) hn::StoreU(sums[r][v], part, to + (r * kVectors + v) * kWidth);
  }
}

/// Adds the four sums of each of a panel's dot products: those that are 2 apart, then 1.
HWY_INLINE void AddSums(const float* sums, float* dots) {
  const hn::FixedTag<float, 4> four;
  const auto two_apart = [&](const float* its) HWY_ATTR {  // of two, in turns
    const auto first = hn::LoadU(four, its), second = hn::LoadU(four, its + 4);
    return hn::Add(hn::InterleaveLower(four, first, second), hn::InterleaveUpper(four, first, second));
  };
  const auto low = two_apart(sums), high = two_apart(sums + 8);
  hn::StoreU(hn::Add(hn::ConcatLowerLower(four, high, low), hn::ConcatUpperUpper(four, high, low)), four,
             dots);
}

/// What a call of AllDots is asked.
struct Asked {
  const float* const* rows;
  const float* panels;
  size_t n, skip, count;
  float* dots;
};

/// Some rows with some whole panels, all at once, so that a piece that is loaded is used several times.
template <size_t kRows, size_t kPanels>
HWY_INLINE void DotsOf(const Asked& asked, size_t row, size_t panel) {
  HWY_ALIGN float sums[kRows * kPanels * 4 * kPanelQueries];
  SumProducts<kRows, kPanels>(asked.rows + row, asked.panels + panel * PanelSize(asked.n), asked.n, sums);
  float* const dots = asked.dots + row * asked.count + panel * kPanelQueries - asked.skip;
  for (size_t r = 0; r < kRows; ++r) {
    for (size_t p = 0; p < kPanels; ++p)
      AddSums(sums + (r * kPanels + p) * 4 * kPanelQueries, dots + r * asked.count + p * kPanelQueries);
  }
}

/// Those of a panel's queries that are asked.
template <size_t kRows>
HWY_INLINE void DotsOfSome(const Asked& asked, size_t row, size_t panel) {
  HWY_ALIGN float sums[kRows * 4 * kPanelQueries];
  SumProducts<kRows, 1>(asked.rows + row, asked.panels + panel * PanelSize(asked.n), asked.n, sums);
  const size_t end = asked.skip + asked.count, before = panel * kPanelQueries;
  const size_t first = std::max(asked.skip, before), last = std::min(end, before + kPanelQueries);
  for (size_t r = 0; r < kRows; ++r) {
    float dots[kPanelQueries];
    AddSums(sums + r * 4 * kPanelQueries, dots);
    std::copy(dots + (first - before), dots + (last - before),
              asked.dots + (row + r) * asked.count + (first - asked.skip));
  }
}

/// Some rows, which stay in the nearest cache, with all queries.
template <size_t kRows, size_t kPanels>
HWY_INLINE void DotsOfRows(const Asked& asked, size_t row) {
  size_t panel = 0;
  if (asked.skip > 0) DotsOfSome<kRows>(asked, row, panel++);
  const size_t end = asked.skip + asked.count, whole = end / kPanelQueries;
  for (; panel + kPanels <= whole; panel += kPanels) DotsOf<kRows, kPanels>(asked, row, panel);
  for (; panel < whole; ++panel) DotsOf<kRows, 1>(asked, row, panel);
  if (panel * kPanelQueries < end) DotsOfSome<kRows>(asked, row, panel);
}

void AllDots(const float* const* rows, size_t row_count, const float* panels, size_t n, size_t skip,
             size_t count, float* dots) {
  const Asked asked{rows, panels, n, skip, count, dots};
  size_t row = 0;
  for (; row + kRowsAtOnce <= row_count; row += kRowsAtOnce)
    DotsOfRows<kRowsAtOnce, kPanelsAtOnce>(asked, row);
  for (; row < row_count; ++row) DotsOfRows<1, kPanelsOfOne>(asked, row);
}

#endif

DotKernel Kernel() {
  return {hwy::TargetName(HWY_TARGET), &AllDots};
}

}  // namespace
}  // namespace imgmill::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace imgmill {
namespace {

DotKernel& Chosen() {
  static DotKernel chosen = AvailableDotKernels().front();
  return chosen;
}

}  // namespace

const DotKernel& BestDotKernel() {
  return Chosen();
}

std::vector<DotKernel> AvailableDotKernels() {
  std::vector<DotKernel> found;
#if HWY_ARCH_X86
  const InstructionSets machine = MachinesInstructionSets();
  AddKernels(found, machine.avx512, HWY_CHOOSE_AVX3(Kernel));
  AddKernels(found, machine.avx2, HWY_CHOOSE_AVX2(Kernel));
  AddKernels(found, machine.sse4, HWY_CHOOSE_SSE4(Kernel));
#endif
  AddKernels(found, true, HWY_CHOOSE_NEON(Kernel));
  AddKernels(found, true, HWY_CHOOSE_FALLBACK(Kernel));
  return found;
}

bool ChooseDotKernel(std::string_view name) {
  return ChooseByName(AvailableDotKernels(), name, Chosen());
}

}  // namespace imgmill
#endif
