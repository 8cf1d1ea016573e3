// Rows of the images that are still there, then blocks of queries over them, then the names of what was
// found.
#include "match_search.h"

#include <algorithm>
#include <map>

#include "imgmill/memory/pool_array.h"
#include "imgmill/similarity/cosine.h"
#include "packed_fact.h"

namespace imgmill {
namespace {

constexpr size_t kQueriesAtOnce = 256;

class Search final : public LadderWork {
 public:
  Search(const VectorStore& store, const MatchQuestion& question, const std::vector<EmbeddedImage>& queries,
         const CommandServices& services)
      : store_(store), question_(question), queries_(queries), services_(services) {}

  bool has_cpu_rung() const override { return false; }

  Status Run(const Attempt&) override {
    matches.assign(queries_.size(), {});
    const Result<uint64_t> known = store_.catalog->CountFiles();
    if (!known) return known.error();
    const auto dimension = static_cast<size_t>(store_.file->dimension());
    const size_t block_floats = std::min(kQueriesAtOnce, std::max<size_t>(queries_.size(), 1)) * dimension;
    const int threads = services_.workers();
    const size_t found =
        kQueriesAtOnce * question_.top * sizeof(Neighbour) * static_cast<size_t>(threads + 1);
    Result<Lease> lease =
        services_.memory->Acquire({*known * sizeof(SearchRow) + block_floats * sizeof(float),
                                   SearchWindowBytes(store_.file->dimension(), threads) + found},
                                  *services_.stop);
    if (!lease) return lease.error();
    PoolArray<SearchRow> rows(*known);
    Result<size_t> count = FindRows(rows);
    if (!count) return count.error();
    if (*count == 0) return NothingThere();
    std::sort(rows.begin(), rows.begin() + *count,
              [](const SearchRow& a, const SearchRow& b) { return a.row < b.row; });

    const VectorRows vectors{store_.file->dimension(), [this](uint64_t first, uint64_t n, const auto& see) {
                               return store_.file->Look(first, n, see);
                             }};
    PoolArray<float> block(block_floats);
    std::vector<std::vector<Neighbour>> nearest(queries_.size());
    for (size_t first = 0; first < queries_.size(); first += kQueriesAtOnce) {
      const size_t some = std::min(kQueriesAtOnce, queries_.size() - first);
      std::vector<uint32_t> selves;
      for (size_t q = 0; q < some; ++q) {
        const EmbeddedImage& query = queries_[first + q];
        if (Status read = query.vectors->Read(query.place, {block.data() + q * dimension, dimension}); !read)
          return read;
        const auto self = selves_.find(query.absolute);
        selves.push_back(self == selves_.end() ? kNobody : self->second);
      }
      Result<std::vector<std::vector<Neighbour>>> searched =
          NearestByCosine(vectors, {rows.data(), *count}, {block.data(), some * dimension}, selves,
                          question_.top, question_.least, threads, *services_.stop);
      if (!searched) return searched.error();
      std::move(searched->begin(), searched->end(), nearest.begin() + static_cast<std::ptrdiff_t>(first));
    }
    return Name(nearest);
  }

  std::vector<std::vector<MatchedImage>> matches;  // of each query

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

  /// Fills `rows`; an image's id is its place among all files with a vector, in order of path.
  Result<size_t> FindRows(PoolArray<SearchRow>& rows) {
    selves_.clear();
    if (question_.exclude_self) {
      for (const EmbeddedImage& query : queries_) selves_.emplace(query.absolute, kNobody);
    }
    uint32_t id = 0;
    size_t count = 0;
    Status scanned = store_.catalog->ForEachFileWithFact(
        question_.fact, [&](const std::string& path, const KnownFile& file, std::string_view value) {
          VectorFile::Place place;
          const bool searched = Below(path) && Unpack(std::string(value), place) &&
                                place.row < store_.file->rows() && StillThere(path, file);
          if (searched && count < rows.size()) {
            rows[count++] = {place.row, id};
            if (const auto self = selves_.find(path); self != selves_.end()) self->second = id;
          }
          ++id;
          return !services_.stop->StopRequested();
        });
    if (!scanned) return scanned.error();
    if (!noted_) return noted_.error();
    if (services_.stop->StopRequested())
      return Error{Stage::kReduce, Code::kInterrupted, "stopped while looking for the images to search"};
    return count;
  }

  /// The paths of what was found, by a second look through the catalog: to keep all of them would cost more
  /// than the search.
  Status Name(const std::vector<std::vector<Neighbour>>& nearest) {
    std::map<uint32_t, std::string> paths;
    for (const auto& list : nearest) {
      for (const Neighbour& found : list) paths.emplace(found.id, std::string());
    }
    uint32_t id = 0;
    auto next = paths.begin();
    Status scanned = store_.catalog->ForEachFileWithFact(
        question_.fact, [&](const std::string& path, const KnownFile&, std::string_view) {
          if (next != paths.end() && next->first == id) (next++)->second = path;
          ++id;
          return next != paths.end();
        });
    if (!scanned) return scanned;
    for (size_t q = 0; q < nearest.size(); ++q) {
      for (const Neighbour& found : nearest[q]) matches[q].push_back({paths[found.id], found.similarity});
    }
    return {};
  }

  Status NothingThere() const {
    return Error{
        Stage::kReduce, Code::kUsage,
        "none of the catalog's images is there any more, or none is below --in (run imgmill embed again)"};
  }

  const VectorStore& store_;
  const MatchQuestion& question_;
  const std::vector<EmbeddedImage>& queries_;
  const CommandServices& services_;
  Status noted_;                            // the first failure to note a file in the catalog
  std::map<std::string, uint32_t> selves_;  // id of each query among the images searched
};

}  // namespace

Result<std::vector<std::vector<MatchedImage>>> SearchMatches(const VectorStore& store,
                                                             const MatchQuestion& question,
                                                             const std::vector<EmbeddedImage>& queries,
                                                             const CommandServices& services) {
  Search search(store, question, queries, services);
  const LadderOutcome searched = services.memory->Guarded(search, kHostWork, *services.stop);
  if (!searched.status) return searched.status.error();
  return std::move(search.matches);
}

}  // namespace imgmill
