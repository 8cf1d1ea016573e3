// Blocks of queries over the rows of the images that are still there.
#include "match_search.h"

#include <algorithm>

#include "base/try.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "imgmill/memory/pool_array.h"
#include "match_rows.h"

namespace imgmill {
namespace {

constexpr size_t kQueriesAtOnce = 256;
constexpr size_t kListBytes = 16 * kMiB;  ///< for what they find; at least one query's
/// Of the first lists of an assignment: few queries want what so many nearer ones have.
constexpr size_t kAssignmentDepth = 16;

/// Vectors of one source that were lost to a power cut, or with their file.
struct DamagedVectors {
  uint64_t images = 0;
  std::string file;
};

/// The nearer first, of equals the smaller id, which lists of one source after another have.
std::vector<Neighbour> Merged(const std::vector<Neighbour>& a, const std::vector<Neighbour>& b, size_t top) {
  std::vector<Neighbour> both(a.size() + b.size());
  std::merge(a.begin(), a.end(), b.begin(), b.end(), both.begin(),
             [](const Neighbour& x, const Neighbour& y) { return x.similarity > y.similarity; });
  both.resize(std::min(both.size(), top));
  return both;
}

class Search final : public LadderWork {
 public:
  Search(const std::vector<MatchSource>& sources, const MatchQuestion& question,
         const MatchQueryTable& queries, const CommandServices& services)
      : sources_(sources), question_(question), queries_(queries), services_(services) {}

  bool has_cpu_rung() const override { return false; }

  Status Run(const Attempt&) override {
    std::vector<uint64_t> known;  // files of each source
    uint64_t all = 0, vectors = 0;
    for (const MatchSource& source : sources_) {
      const uint64_t files = TRY(source.store.catalog->CountFiles());
      known.push_back(files);
      all += files;
      vectors = std::max(vectors, source.store.file->rows());
    }
    Lease lease = TRY(services_.memory->Acquire(Needs(all, vectors), *services_.stop));
    const bool look = question_.look_at_all.value_or(all <= kLookedAtUnasked);
    TRY(SearchAll(known, look));
    const bool sound = TRY(look ? Result<bool>(true) : FoundAreThere());
    if (!sound) TRY(SearchAll(known, /*look=*/true));
    return found.neighbours.ForEach([this](const std::vector<Neighbour>& list) {
      found.count += list.size();
      return Status();
    });
  }

  FoundMatches found;
  std::vector<DamagedVectors> damaged;

 private:
  /// What one query finds, in each thread's list, of each source, and of all.
  size_t ListBytes(size_t top) const {
    return top * sizeof(Neighbour) * (static_cast<size_t>(services_.workers()) + sources_.size() + 1);
  }
  size_t AtOnce(size_t top) const {
    return std::clamp<size_t>(kListBytes / ListBytes(top), 1, kQueriesAtOnce);
  }
  /// Of an assignment, lists may become as long as there are images.
  /// @param known    files of all catalogs
  /// @param vectors  of one catalog
  Footprint Needs(uint64_t known, uint64_t vectors) const {
    const size_t most =
        std::max<size_t>(1, question_.unique ? known : std::min<size_t>(known, question_.top));
    const size_t at_once =
        std::clamp<size_t>(queries_.size(), 1, question_.unique ? kQueriesAtOnce : AtOnce(most));
    const size_t lists = question_.unique ? std::max(kListBytes, ListBytes(most)) : at_once * ListBytes(most);
    const size_t to_search = (at_once + 1) * dimension() * sizeof(float) +
                             (question_.unique ? AssignmentBytes(queries_.size(), known) : 0);
    const auto n = static_cast<int>(dimension());
    const size_t searching = SearchWindowBytes(n, services_.workers()) + SearchQueryBytes(at_once, n) + lists;
    return {known * sizeof(SearchRow) + to_search,
            std::max(RowFinder::Bytes(vectors), searching) + known / 8};
  }

  Status SearchAll(const std::vector<uint64_t>& known, bool look) {
    found = {};
    found.looked_at_all = look;
    searched_.clear();
    damaged.clear();
    RowFinder finder(sources_, question_.fact, look, services_, found);
    for (size_t i = 0; i < sources_.size(); ++i) {
      SearchedRows here = TRY(finder.Find(sources_[i], known[i]));
      searched_.push_back(std::move(here));
    }
    if (found.images.size() == 0) return NothingThere();
    if (question_.unique) {
      const NearestOf nearest_of = [this](const std::vector<uint32_t>& wanted, size_t depth) {
        return NearestTo(wanted, depth);
      };
      NeighbourTable assigned = TRY(AssignUniquely(queries_.size(), found.images.size(), kAssignmentDepth,
                                                   nearest_of, *services_.stop));
      found.neighbours = std::move(assigned);
    } else {
      NeighbourTable nearest = TRY(Nearest(queries_, question_.top));
      found.neighbours = std::move(nearest);
    }
    return CountSearched();
  }

  Status CountSearched() {
    found.searched = found.images.size();
    for (const SearchedRows& here : searched_) {
      if (here.damaged == 0) continue;
      found.searched -= here.damaged;
      damaged.push_back({here.damaged, here.source->store.file->path()});
    }
    return found.searched > 0 ? Status() : NothingThere();
  }

  /// Whether all that was found is there as it was. What is not could stand in the way of others, so that all
  /// are looked at then.
  Result<bool> FoundAreThere() {
    std::vector<bool> wanted(found.images.size());
    TRY(found.neighbours.ForEach([&](const std::vector<Neighbour>& list) {
      for (const Neighbour& each : list) wanted[each.id] = true;
      return Status();
    }));
    RowFinder finder(sources_, question_.fact, /*look=*/true, services_, found);
    for (const SearchedRows& here : searched_) {
      for (uint32_t id = here.first; id < here.end; ++id) {
        if (!wanted[id]) continue;
        const std::string path = TRY(found.images.At(id));
        const bool there = TRY(finder.IsThere(*here.source, path));
        if (!there) return false;
      }
    }
    return true;
  }

  Result<NeighbourTable> NearestTo(const std::vector<uint32_t>& wanted, size_t depth) {
    if (wanted.size() == queries_.size()) return Nearest(queries_, depth);
    MatchQueryTable some;
    for (const uint32_t query : wanted) {
      const MatchQuery each = TRY(queries_.At(query));
      some.Add(each);
    }
    return Nearest(some, depth);
  }

  Result<NeighbourTable> Nearest(const MatchQueryTable& queries, size_t top) {
    NeighbourTable nearest;
    if (queries.size() == 0) return nearest;
    top = std::clamp<size_t>(found.images.size(), 1, top);
    PoolArray<float> block(std::min<size_t>(queries.size(), AtOnce(top)) * dimension());
    MatchQueryTable::Reader reader(queries);
    while (true) {
      const std::vector<std::string> selves = TRY(FillBlock(reader, block.span()));
      if (selves.empty()) return nearest;
      TRY(SearchBlock(block.span().first(selves.size() * dimension()), selves, top, nearest));
    }
  }

  Status SearchBlock(std::span<const float> block, const std::vector<std::string>& selves, size_t top,
                     NeighbourTable& nearest) {
    std::vector<std::vector<Neighbour>> lists(selves.size());
    for (SearchedRows& here : searched_) {
      std::vector<uint32_t> leave_out;
      for (const std::string& self : selves) {
        const uint32_t id = TRY(question_.exclude_self ? IdOf(self, here) : kNobody);
        leave_out.push_back(id);
      }
      const std::vector<std::vector<Neighbour>> its = TRY(SearchRows(here, block, leave_out, top));
      for (size_t i = 0; i < its.size(); ++i) lists[i] = Merged(lists[i], its[i], top);
    }
    for (const std::vector<Neighbour>& list : lists) nearest.Add(list);
    return {};
  }

  /// The first time, each vector's checksum says whether it is as it was written.
  Result<std::vector<std::vector<Neighbour>>> SearchRows(SearchedRows& here, std::span<const float> block,
                                                         const std::vector<uint32_t>& leave_out, size_t top) {
    const VectorFile& file = *here.source->store.file;
    const VectorRows vectors{file.dimension(), [&](uint64_t first, uint64_t n, const auto& see) {
                               return file.View(first, n, see);
                             }};
    const IsWholeRow is_whole = [&](const SearchRow& row, const float* vector) {
      const bool whole = VectorFile::ChecksumOf({vector, dimension()}) == row.checksum;
      if (!whole) here.rows[static_cast<size_t>(&row - here.rows.data())].id = kNobody;  // nobody else has it
      return whole;
    };
    std::vector<std::vector<Neighbour>> nearest =
        TRY(NearestByCosine(vectors, {here.rows.data(), here.count}, block, leave_out, top, question_.least,
                            services_.workers(), *services_.stop, here.checked ? IsWholeRow() : is_whole));
    if (!here.checked) here.LeaveOutDamaged();
    here.checked = true;
    return nearest;
  }

  /// Reads the vectors of the next queries, as many as the block has room for. @return their own files
  Result<std::vector<std::string>> FillBlock(MatchQueryTable::Reader& queries, std::span<float> block) const {
    std::vector<std::string> selves;
    for (; !block.empty(); block = block.subspan(dimension())) {
      const std::optional<MatchQuery> query = TRY(queries.Next());
      if (!query) break;
      TRY(query->vectors->Read(query->place, block.first(dimension())));
      selves.push_back(query->absolute);
    }
    return selves;
  }

  /// Of an image that is searched there; kNobody for others.
  Result<uint32_t> IdOf(const std::string& path, const SearchedRows& here) const {
    uint32_t first = here.first, end = here.end;
    while (first < end) {
      const uint32_t middle = first + (end - first) / 2;
      const std::string there = TRY(found.images.At(middle));
      if (there == path) return middle;
      there < path ? first = middle + 1 : end = middle;
    }
    return kNobody;
  }

  size_t dimension() const { return static_cast<size_t>(sources_.front().store.file->dimension()); }

  Status NothingThere() const {
    return Error{
        Stage::kReduce, Code::kUsage,
        "none of the catalog's images exists any more, or none is below --in (run imgmill embed again)"};
  }

  const std::vector<MatchSource>& sources_;
  const MatchQuestion& question_;
  const MatchQueryTable& queries_;
  const CommandServices& services_;
  std::vector<SearchedRows> searched_;
};

void Tell(const DamagedVectors& damaged, const CommandServices& services) {
  const std::string whose = damaged.images == 1
                                ? "the vector of 1 image is"
                                : "the vectors of " + std::to_string(damaged.images) + " images are";
  services.log(LogLevel::kWarning,
               PrintablePath(damaged.file) + ": " + whose +
                   " lost or damaged, and not searched: run imgmill embed on the images again");
}

}  // namespace

Result<FoundMatches> SearchMatches(const std::vector<MatchSource>& sources, const MatchQuestion& question,
                                   const MatchQueryTable& queries, const CommandServices& services) {
  Search search(sources, question, queries, services);
  const LadderOutcome searched = services.memory->Guarded(search, kHostWork, *services.stop);
  // Not by the search, which may be tried more than once.
  for (const DamagedVectors& damaged : search.damaged) Tell(damaged, services);
  if (!searched.status) return searched.status.error();
  return std::move(search.found);
}

}  // namespace imgmill
