// Groups by vectors: of images as they are, or of keepers in several poses.
#include "dedup_group_search.h"
#include "imgmill/similarity/posed_cosine.h"

namespace imgmill {
namespace {

VectorRows RowsOf(const VectorFile& file) {
  return {file.dimension(),
          [&](uint64_t first, uint64_t count, const auto& see) { return file.View(first, count, see); }};
}

Result<DuplicateGroups> FindPosedVectors(const DedupTable& entries, const GroupRules& rules,
                                         const DedupVectors& vectors, const VectorSearch& how, int threads,
                                         MemoryManager& memory, const StopFlag& stop) {
  const VectorRows look = RowsOf(*vectors.own);
  const PosedRows posed{how.other_poses, RowsOf(*vectors.posed).look};
  SimilaritySearch<uint64_t, PosedCosine> search;
  PoolArray<uint64_t> posed_rows;
  search.key = [](const DedupEntry& entry) { return entry.vector_row; };
  search.bytes = [&](size_t count) { return how.Needs(count, look.dimension, threads); };
  search.begin = [&](size_t count) { posed_rows = PoolArray<uint64_t>(count); };
  search.see = [&](size_t place, const DedupEntry& entry) { posed_rows[place] = entry.posed_row; };
  search.group = [&](RankedKeys rows, std::span<const uint32_t>, const PairRule& allows) {
    return GroupByPosedCosine(look, posed, {std::move(rows), std::move(posed_rows)},
                              static_cast<float>(how.min_similarity), threads, stop, allows, how.group_by);
  };
  search.describe = [&](const PosedCosine& measure) {
    return DuplicateGroups::Member{.distance = 1 - static_cast<double>(measure.cosine),
                                   .pose = static_cast<uint32_t>(rules.poses[measure.pose])};
  };
  return FindGroups(entries, true, search, {rules, memory, stop});
}

}  // namespace

Footprint VectorSearch::Needs(size_t vectors, int dimension, int threads) const {
  if (other_poses > 0) {
    const size_t row_of_poses = other_poses * static_cast<size_t>(dimension) * sizeof(float);
    return {GroupByPosedCosineBytes(vectors, other_poses, dimension, threads, group_by),
            SearchWindowBytes(dimension, threads) + row_of_poses};
  }
  const size_t held = ByLists(vectors) ? GroupByIvfBytes(vectors, dimension, threads, group_by)
                                       : GroupByCosineBytes(vectors, dimension, threads, group_by);
  return {held, SearchWindowBytes(dimension, threads)};
}

Result<DuplicateGroups> FindSimilarVectors(const DedupTable& entries, const GroupRules& rules,
                                           const DedupVectors& vectors, const VectorSearch& how, int threads,
                                           MemoryManager& memory, const StopFlag& stop,
                                           std::optional<IvfReport>& report) {
  report.reset();
  if (how.other_poses > 0) return FindPosedVectors(entries, rules, vectors, how, threads, memory, stop);
  const VectorRows look = RowsOf(*vectors.own);
  SimilaritySearch<uint64_t, float> search;
  search.key = [](const DedupEntry& entry) { return entry.vector_row; };
  const auto least = static_cast<float>(how.min_similarity);
  search.bytes = [&](size_t count) { return how.Needs(count, look.dimension, threads); };
  search.group = [&](RankedKeys rows, std::span<const uint32_t>, const PairRule& allows) {
    if (!how.ByLists(rows.keys.size()))
      return GroupByCosine(look, std::move(rows), least, threads, stop, allows, how.group_by);
    return GroupByIvf(look, std::move(rows), least, threads, stop, allows, report.emplace(), how.group_by);
  };
  search.describe = [](float cosine) {
    return DuplicateGroups::Member{.distance = 1 - static_cast<double>(cosine)};
  };
  return FindGroups(entries, true, search, {rules, memory, stop});
}

}  // namespace imgmill
