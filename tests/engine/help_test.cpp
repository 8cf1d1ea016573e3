// How many helpers an image gets: as many as threads are idle and memory allows.
#include "imgmill/engine/help.h"

#include <doctest/doctest.h>

#include <optional>

#include "engine/help_scope.h"
#include "image/work_crew.h"
#include "imgmill/image/writer.h"

using namespace imgmill;

namespace {

class Busy final : public WorkCrew::Member {
 public:
  Busy() { WorkCrew::Get().Join(); }
  ~Busy() { WorkCrew::Get().Leave(*this); }
  void Help() override {}
};

}  // namespace

TEST_CASE("helpers are leased for idle threads, fewer where memory is short, and none where nobody is idle") {
  SetWritingThreads(9);
  auto manager = MemoryManager::Create({});
  REQUIRE(manager.ok());
  MemoryManager& memory = **manager;
  const size_t room = memory.LargestLease();
  HelpOffer offer{20, {0, 1000}, {0, 100}};
  CHECK(AskForHelp(offer).threads == 0);  // outside of an engine's work
  const HelpScope scope(memory);
  {
    const Help help = AskForHelp(offer);  // the ninth thread is the caller's
    CHECK(help.threads == 8);
    CHECK(help.lease.footprint().untracked == 1000 + 8 * 100);
  }
  CHECK(AskForHelp({}).threads == 0);
  offer.most = 3;
  CHECK(AskForHelp(offer).threads == 3);

  offer = {20, {0, room / 8}, {0, room / 6}};  // 8 are too many, 4 fit
  {
    const Help help = AskForHelp(offer);
    CHECK(help.threads == 4);
    const Help other = AskForHelp(offer);  // the room is taken
    CHECK(other.threads == 0);
    CHECK_FALSE(other.lease);
  }
  CHECK(AskForHelp({20, {0, 2 * room}, {}}).threads == 0);

  const Busy members[8];
  CHECK(AskForHelp({20, {}, {0, 100}}).threads == 0);
  SetWritingThreads(0);
}
