// Rows of the images that are still there, then blocks of queries over them.
#include "match_search.h"

#include <algorithm>

#include "base/try.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/memory/pool_array.h"
#include "imgmill/similarity/cosine.h"
#include "packed_fact.h"

namespace imgmill {
namespace {

constexpr size_t kQueriesAtOnce = 256;
constexpr size_t kListBytes = 16 * kMiB;  ///< for what they find; at least one query's

class Search final : public LadderWork {
 public:
  Search(const VectorStore& store, const MatchQuestion& question, const MatchQueryTable& queries,
         const CommandServices& services)
      : store_(store), question_(question), queries_(queries), services_(services) {}

  bool has_cpu_rung() const override { return false; }

  Status Run(const Attempt&) override {
    found = {};
    const uint64_t known = TRY(store_.catalog->CountFiles());
    const int threads = services_.workers();
    const size_t top = std::clamp<size_t>(known, 1, question_.top);
    const size_t query_bytes = top * sizeof(Neighbour) * static_cast<size_t>(threads + 1);
    const size_t at_once = std::clamp<size_t>(kListBytes / query_bytes, 1, kQueriesAtOnce);
    const size_t block_floats = std::clamp<size_t>(queries_.size(), 1, at_once) * dimension();
    const size_t lists = at_once * query_bytes;
    Lease lease =
        TRY(services_.memory->Acquire({known * sizeof(SearchRow) + block_floats * sizeof(float),
                                       SearchWindowBytes(store_.file->dimension(), threads) + lists},
                                      *services_.stop));
    PoolArray<SearchRow> rows(known);
    size_t count = TRY(FindRows(rows));
    if (count == 0) return NothingThere();
    std::sort(rows.begin(), rows.begin() + count,
              [](const SearchRow& a, const SearchRow& b) { return a.row < b.row; });
    PoolArray<float> block(block_floats);
    return SearchBlocks({rows.data(), count}, block.span());
  }

  FoundMatches found;

 private:
  bool Below(const std::string& path) const {
    const std::string& folder = question_.folder;
    return folder.empty() ||
           (path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/');
  }

  /// What was only renamed to and fro, or linked, is looked at by content once, and noted.
  bool StillThere(const std::string& path, const KnownFile& file) {
    const Result<FileStamp> now = StampOf(path);
    if (!now) return false;
    if (*now == file.stamp) return true;
    const Result<bool> same = IsAsSeen(path, file.stamp, file.content);
    if (!same || !*same) return false;
    if (Status put = store_.catalog->PutFile(path, {*now, file.content}); !put && noted_) noted_ = put;
    return true;
  }

  /// Fills `rows` and the paths of their images, in order of path: an image's id is its place there.
  Result<size_t> FindRows(PoolArray<SearchRow>& rows) {
    uint32_t count = 0;
    Status scanned = store_.catalog->ForEachFileWithFact(
        question_.fact, [&](const std::string& path, const KnownFile& file, std::string_view value) {
          VectorFile::Place place;
          const bool searched = Below(path) && Unpack(std::string(value), place) &&
                                place.row < store_.file->rows() && StillThere(path, file);
          if (searched && count < rows.size()) {
            rows[count] = {place.row, count};
            ++count;
            found.images.Add(path);
          }
          return !services_.stop->StopRequested();
        });
    if (!scanned) return scanned.error();
    if (!noted_) return noted_.error();
    if (services_.stop->StopRequested())
      return Error{Stage::kReduce, Code::kInterrupted, "stopped while looking for the images to search"};
    return size_t{count};
  }

  Status SearchBlocks(std::span<const SearchRow> rows, std::span<float> block) {
    const VectorRows vectors{store_.file->dimension(), [this](uint64_t first, uint64_t n, const auto& see) {
                               return store_.file->View(first, n, see);
                             }};
    MatchQueryTable::Reader queries(queries_);
    while (true) {
      const std::vector<uint32_t> selves = TRY(FillBlock(queries, block));
      if (selves.empty()) return {};
      const std::vector<std::vector<Neighbour>> nearest =
          TRY(NearestByCosine(vectors, rows, block.first(selves.size() * dimension()), selves, question_.top,
                              question_.least, services_.workers(), *services_.stop));
      for (const std::vector<Neighbour>& list : nearest) {
        found.neighbours.Add(list);
        found.count += list.size();
      }
    }
  }

  /// Reads the vectors of the next queries, as many as the block has room for.
  /// @return the image that each of them is not to find.
  Result<std::vector<uint32_t>> FillBlock(MatchQueryTable::Reader& queries, std::span<float> block) const {
    std::vector<uint32_t> selves;
    for (; !block.empty(); block = block.subspan(dimension())) {
      const std::optional<MatchQuery> query = TRY(queries.Next());
      if (!query) break;
      TRY(query->vectors->Read(query->place, block.first(dimension())));
      const uint32_t self = TRY(question_.exclude_self ? IdOf(query->absolute) : kNobody);
      selves.push_back(self);
    }
    return selves;
  }

  /// Of an image that is searched; kNobody for others.
  Result<uint32_t> IdOf(const std::string& path) const {
    uint32_t first = 0;
    auto end = static_cast<uint32_t>(found.images.size());
    while (first < end) {
      const uint32_t middle = first + (end - first) / 2;
      const std::string there = TRY(found.images.At(middle));
      if (there == path) return middle;
      there < path ? first = middle + 1 : end = middle;
    }
    return kNobody;
  }

  size_t dimension() const { return static_cast<size_t>(store_.file->dimension()); }

  Status NothingThere() const {
    return Error{
        Stage::kReduce, Code::kUsage,
        "none of the catalog's images exists any more, or none is below --in (run imgmill embed again)"};
  }

  const VectorStore& store_;
  const MatchQuestion& question_;
  const MatchQueryTable& queries_;
  const CommandServices& services_;
  Status noted_;  // the first failure to note a file in the catalog
};

}  // namespace

Result<FoundMatches> SearchMatches(const VectorStore& store, const MatchQuestion& question,
                                   const MatchQueryTable& queries, const CommandServices& services) {
  Search search(store, question, queries, services);
  const LadderOutcome searched = services.memory->Guarded(search, kHostWork, *services.stop);
  if (!searched.status) return searched.status.error();
  return std::move(search.found);
}

}  // namespace imgmill
