// Rows of the images that are still there, then blocks of queries over them.
#include "match_search.h"

#include <algorithm>

#include "base/try.h"
#include "commands/pack/packed_fact.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "imgmill/catalog/upkeep.h"
#include "imgmill/memory/pool_array.h"

namespace imgmill {
namespace {

constexpr size_t kQueriesAtOnce = 256;
constexpr size_t kListBytes = 16 * kMiB;  ///< for what they find; at least one query's
/// Of the first lists of an assignment: few queries want what so many nearer ones have.
constexpr size_t kAssignmentDepth = 16;

bool IsBelow(const std::vector<std::string>& folders, const std::string& path) {
  return folders.empty() || std::any_of(folders.begin(), folders.end(), [&](const std::string& folder) {
           return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
         });
}

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
    found = {};
    searched_.clear();
    uint64_t known = 0;
    for (const MatchSource& source : sources_) {
      const uint64_t files = TRY(source.store.catalog->CountFiles());
      known += files;
    }
    Lease lease = TRY(services_.memory->Acquire(Needs(known), *services_.stop));
    for (const MatchSource& source : sources_) TRY(FindRows(source));
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
    return found.neighbours.ForEach([this](const std::vector<Neighbour>& list) {
      found.count += list.size();
      return Status();
    });
  }

  FoundMatches found;

 private:
  struct Searched {
    const VectorStore* store;
    PoolArray<SearchRow> rows;
    size_t count = 0;
    uint32_t first = 0;  ///< id of its images
    uint32_t end = 0;
  };

  /// What one query finds, in each thread's list, of each source, and of all.
  size_t ListBytes(size_t top) const {
    return top * sizeof(Neighbour) * (static_cast<size_t>(services_.workers()) + sources_.size() + 1);
  }
  size_t AtOnce(size_t top) const {
    return std::clamp<size_t>(kListBytes / ListBytes(top), 1, kQueriesAtOnce);
  }
  /// Of an assignment, lists may become as long as there are images.
  Footprint Needs(uint64_t known) const {
    const size_t most =
        std::max<size_t>(1, question_.unique ? known : std::min<size_t>(known, question_.top));
    const size_t at_once =
        std::clamp<size_t>(queries_.size(), 1, question_.unique ? kQueriesAtOnce : AtOnce(most));
    const size_t lists = question_.unique ? std::max(kListBytes, ListBytes(most)) : at_once * ListBytes(most);
    return {known * sizeof(SearchRow) + (at_once + 1) * dimension() * sizeof(float) +
                (question_.unique ? AssignmentBytes(queries_.size(), known) : 0),
            SearchWindowBytes(static_cast<int>(dimension()), services_.workers()) + lists};
  }

  /// What was only renamed to and fro, or linked, is looked at by content once, and noted.
  bool StillThere(const std::string& path, const KnownFile& file, Catalog& catalog) {
    const Result<FileStamp> now = StampOf(path);
    if (!now) {
      ++found.gone;
      return false;
    }
    if (*now == file.stamp) return true;
    const Result<bool> same = IsAsSeen(path, file.stamp, file.content);
    if (!same || !*same) {
      ++found.changed;
      return false;
    }
    if (Status put = catalog.PutFile(path, {*now, file.content}); !put && noted_) noted_ = put;
    return true;
  }

  /// Whether the row is as it was written: one that was lost to a power cut, or with its file, may hold
  /// anything.
  bool IsWhole(const VectorFile::Place& place, const VectorFile& file, std::span<float> vector) {
    const Status read = file.Read(place, vector);
    if (!read && read.error().code != Code::kMalformed && read_) read_ = read;
    return read.ok();
  }

  void TellDamaged(uint64_t images, const std::string& file) const {
    const std::string whose =
        images == 1 ? "the vector of 1 image is" : "the vectors of " + std::to_string(images) + " images are";
    services_.log(LogLevel::kWarning,
                  PrintablePath(file) + ": " + whose +
                      " lost or damaged, and not searched: run imgmill embed on the images again");
  }

  /// Whether no source before this one searches that file.
  bool IsNew(const MatchSource& source, const std::string& path) const {
    for (const MatchSource& earlier : sources_) {
      if (&earlier == &source) break;
      if (IsBelow(earlier.folders, path)) return false;
    }
    return IsBelow(source.folders, path);
  }

  /// Files that the source's catalog knows and that no source before it searches.
  Result<uint64_t> CountNew(const MatchSource& source) const {
    Catalog& catalog = *source.store.catalog;
    uint64_t files = 0;
    if (catalog.folder().empty()) return files;
    TRY(catalog.Flush());
    TRY(ForEachKnownFile(catalog.folder(), [&](const std::string& path) {
      files += IsNew(source, path) ? 1 : 0;
      return !services_.stop->StopRequested();
    }));
    return files;
  }

  /// The rows and paths of a source's images, in order of path: an image's id is its place among all.
  Status FindRows(const MatchSource& source) {
    const uint64_t known = TRY(source.store.catalog->CountFiles());
    Searched here{&source.store, PoolArray<SearchRow>(known)};
    here.first = here.end = static_cast<uint32_t>(found.images.size());
    PoolArray<float> vector(dimension());
    uint64_t embedded = 0, damaged = 0;
    Status scanned = source.store.catalog->ForEachFileWithFact(
        question_.fact, [&](const std::string& path, const KnownFile& file, std::string_view value) {
          VectorFile::Place place;
          if (!IsNew(source, path)) return !services_.stop->StopRequested();
          ++embedded;
          const bool listed =
              Unpack(std::string(value), place) && StillThere(path, file, *source.store.catalog);
          if (listed && !IsWhole(place, *source.store.file, vector.span())) {
            ++damaged;
          } else if (listed && here.count < known) {
            here.rows[here.count++] = {place.row, here.end++};
            found.images.Add(path);
          }
          return !services_.stop->StopRequested();
        });
    if (!scanned) return scanned;
    if (!noted_) return noted_;
    if (services_.stop->StopRequested())
      return Error{Stage::kReduce, Code::kInterrupted, "stopped while looking for the images to search"};
    if (!read_) return read_;
    if (damaged > 0) TellDamaged(damaged, source.store.file->path());
    const uint64_t files = TRY(CountNew(source));
    found.without_vector += files - std::min(files, embedded);
    std::sort(here.rows.data(), here.rows.data() + here.count,
              [](const SearchRow& a, const SearchRow& b) { return a.row < b.row; });
    if (here.count > 0) searched_.push_back(std::move(here));
    return {};
  }

  Result<NeighbourTable> NearestTo(const std::vector<uint32_t>& wanted, size_t depth) const {
    if (wanted.size() == queries_.size()) return Nearest(queries_, depth);
    MatchQueryTable some;
    for (const uint32_t query : wanted) {
      const MatchQuery each = TRY(queries_.At(query));
      some.Add(each);
    }
    return Nearest(some, depth);
  }

  Result<NeighbourTable> Nearest(const MatchQueryTable& queries, size_t top) const {
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
                     NeighbourTable& nearest) const {
    std::vector<std::vector<Neighbour>> lists(selves.size());
    for (const Searched& here : searched_) {
      const VectorFile& file = *here.store->file;
      const VectorRows vectors{file.dimension(), [&](uint64_t first, uint64_t n, const auto& see) {
                                 return file.View(first, n, see);
                               }};
      std::vector<uint32_t> leave_out;
      for (const std::string& self : selves) {
        const uint32_t id = TRY(question_.exclude_self ? IdOf(self, here) : kNobody);
        leave_out.push_back(id);
      }
      const std::vector<std::vector<Neighbour>> its =
          TRY(NearestByCosine(vectors, {here.rows.data(), here.count}, block, leave_out, top, question_.least,
                              services_.workers(), *services_.stop));
      for (size_t i = 0; i < its.size(); ++i) lists[i] = Merged(lists[i], its[i], top);
    }
    for (const std::vector<Neighbour>& list : lists) nearest.Add(list);
    return {};
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
  Result<uint32_t> IdOf(const std::string& path, const Searched& here) const {
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
  std::vector<Searched> searched_;
  Status noted_;  // the first failure to note a file in the catalog
  Status read_;   // the first vector that could not be read
};

}  // namespace

Result<FoundMatches> SearchMatches(const std::vector<MatchSource>& sources, const MatchQuestion& question,
                                   const MatchQueryTable& queries, const CommandServices& services) {
  Search search(sources, question, queries, services);
  const LadderOutcome searched = services.memory->Guarded(search, kHostWork, *services.stop);
  if (!searched.status) return searched.status.error();
  return std::move(search.found);
}

}  // namespace imgmill
