// Rows are found as for a search, and told by path instead of by row.
#include "embedded_queries.h"

#include <algorithm>
#include <span>

#include "base/try.h"
#include "match_output.h"
#include "match_rows.h"
#include "match_sources.h"

namespace imgmill {
namespace {

class AddingQueries final : public LadderWork {
 public:
  AddingQueries(const std::string& fact, const DescribedMatches& names, const CommandServices& services,
                EmbeddedQueries& from)
      : fact_(fact), names_(names), services_(services), from_(from) {}
  bool has_cpu_rung() const override { return false; }

  Status Run(const Attempt&) override {
    added = {};
    from_.count = from_.damaged = 0;
    FoundMatches found;
    RowFinder finder(from_.sources, fact_, /*look=*/true, services_, found);
    for (const MatchSource& source : from_.sources) TRY(Add(source, finder, found));
    from_.changed = found.changed, from_.gone = found.gone, from_.without_vector = found.without_vector;
    return {};
  }

  MatchQueryTable added;

 private:
  Status Add(const MatchSource& source, RowFinder& finder, const FoundMatches& found) {
    const VectorFile& file = *source.store.file;
    const uint64_t known = TRY(source.store.catalog->CountFiles());
    const Lease lease = TRY(services_.memory->Acquire(
        {known * sizeof(SearchRow), RowFinder::Bytes(file.rows())}, *services_.stop));
    SearchedRows here = TRY(finder.Find(source, known));
    const std::span<SearchRow> rows = here.rows.span().first(here.count);
    std::sort(rows.begin(), rows.end(), [](const SearchRow& a, const SearchRow& b) { return a.id < b.id; });
    std::vector<float> vector(static_cast<size_t>(file.dimension()));
    from_.damaged += here.damaged;
    for (const SearchRow& row : rows) {
      if (services_.stop->StopRequested())
        return Error{Stage::kReduce, Code::kInterrupted, "stopped while looking for queries"};
      const VectorFile::Place place = {row.row, row.checksum};
      if (const Status read = file.Read(place, vector); !read) {
        if (read.error().code != Code::kMalformed) return read;
        ++from_.damaged;
        continue;
      }
      const std::string path = TRY(found.images.At(row.id));
      added.Add({names_.AsGiven(path), path, place, &file});
      ++from_.count;
    }
    return {};
  }

  const std::string& fact_;
  const DescribedMatches& names_;
  const CommandServices& services_;
  EmbeddedQueries& from_;
};

}  // namespace

Status AddEmbeddedQueries(const std::string& fact, const std::vector<std::string>& named,
                          const CommandServices& services, EmbeddedQueries& from, MatchQueryTable& queries) {
  DescribedMatches names;
  names.NameFolders(named);
  AddingQueries work(fact, names, services, from);
  TRY(services.memory->Guarded(work, kHostWork, *services.stop).status);
  if (from.count == 0)
    return Error{Stage::kReduce, Code::kUsage,
                 "none of the images that --queries names is there as it was embedded (run imgmill embed on "
                 "them again)"};
  return work.added.ForEach([&](const MatchQuery& query) {
    queries.Add(query);
    return Status();
  });
}

}  // namespace imgmill
