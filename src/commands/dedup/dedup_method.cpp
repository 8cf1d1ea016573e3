// The table of methods.
#include "dedup_method.h"

#include <algorithm>

namespace imgmill {
namespace {

using enum DedupBy;
using enum HashKind;

// ahash and whash say less than others of 64 bits. 31 is what Meta says of PDQ alone; few strangers are near
// by it, so what limits it is the search.
constexpr DedupMethod kMethods[] = {
    {"exact", kContent, std::nullopt},
    {"phash", kHash, kPhash},
    {"dhash", kHash, kDhash},
    {"ahash", kHash, kAhash, {10, 10, 10}},
    {"whash", kHash, kWhash, {10, 10, 10}},
    {"pdq", kHash, kPdq, {80, 64, 31}, 31},
    {"blockmean", kHash, kBlockMean, {40, 24, 16}, 8},
    {"embedding", kVectors, std::nullopt},
    {"lpips", kNetwork, kPhash, {16, 16, 16}, 16},
};

}  // namespace

std::span<const DedupMethod> DedupMethods() {
  return kMethods;
}

std::vector<std::string> DedupMethodNames() {
  std::vector<std::string> names;
  for (const DedupMethod& method : kMethods) names.emplace_back(method.name);
  return names;
}

const DedupMethod& DedupMethodOf(std::string_view name) {
  const auto* found = std::ranges::find(kMethods, name, &DedupMethod::name);
  return found == std::end(kMethods) ? kMethods[0] : *found;
}

}  // namespace imgmill
