// What an act remembers of its partners is on lease, and told apart from side-cars.
#include "commands/partner_count.h"

#include <doctest/doctest.h>

using namespace imgmill;

namespace {

FileAction Going(const std::string& path) {
  FileAction action;
  action.path = path;
  action.sidecar = true;
  return action;
}

}  // namespace

TEST_CASE("partners that were planned are counted, and what remembers them is leased") {
  const auto memory = MemoryManager::Create({});
  REQUIRE(memory);
  const StopFlag stop;
  {
    PartnerCount partners(**memory, stop);
    for (int i = 0; i < 5000; ++i) REQUIRE(partners.Plan(Going("/lq/" + std::to_string(i) + ".png")));
    partners.EndPlan();
    CHECK((*memory)->Info().leases_now == 1);
    CHECK((*memory)->Info().leased >= 5000 * sizeof(size_t));
    partners.Add(Going("/lq/4999.png"));
    partners.Add(Going("/lq/0.png"));
    partners.Add(Going("/lq/0.txt"));
    FileAction image = Going("/lq/1.png");
    image.sidecar = false;
    partners.Add(image);
    CHECK(partners.count() == 2);
  }
  CHECK((*memory)->Info().leases_now == 0);
}
