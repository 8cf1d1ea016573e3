// Partners that no image asked for: told at the end of a listing, and not where a stop has ended it.
#include "commands/paired_source.h"

#include <doctest/doctest.h>

#include "dataset/test_folder.h"
#include "imgmill/base/stop_flag.h"

namespace imgmill {
namespace {

class NoImages final : public ItemSource {
 public:
  std::optional<ListedFile> Next() override { return std::nullopt; }
};

}  // namespace

TEST_CASE("a listing that a stop has ended tells of no partner that nobody asked for") {
  const TestFolder where;
  where.Write("partners/a.png", "not read");
  ListOptions folder;
  folder.paths = {where / "partners"};
  const Result<PairIndex> partners = PairIndex::Read(folder);
  REQUIRE(partners.ok());
  for (const bool stopped : {false, true}) {
    CAPTURE(stopped);
    StopFlag stop;
    if (stopped) stop.RequestStop();
    NoImages none;
    const std::unique_ptr<ItemSource> paired = PairedSource(none, {&*partners}, /*complete=*/true, stop);
    CHECK_FALSE(paired->Next().has_value());
    CHECK(paired->Problems().size() == (stopped ? 0 : 1));
  }
}

}  // namespace imgmill
