// What becomes of samples of many files.
#include "commands/pack/sample_gatherer.h"

#include <doctest/doctest.h>

#include <map>

using namespace imgmill;

namespace {

PackedImage PackedOf(const std::string& member) {
  PackedImage image;
  image.files.push_back({"in/" + member, member, {}, 1});
  image.files.front().index = 0;
  return image;
}

}  // namespace

TEST_CASE("a sample whose files there is no room for is left out, and the others are put") {
  std::map<std::string, size_t> put, lost;
  size_t left = 2, lost_images = 0;
  SampleGatherer gatherer(
      [&](const ShardSample& sample) {
        put[sample.key] = sample.files.size();
        return Status();
      },
      [&](const ShardSample& sample, const std::string& path, const Error& error) {
        CHECK(sample.key == "c");
        lost_images += sample.files.size();
        if (!path.empty()) ++lost[path];
        CHECK(error.code == Code::kTooLarge);
        CHECK(error.message.find("files is too large to be put together: no more") != std::string::npos);
      },
      [&](size_t bytes) -> Result<Lease> {
        CHECK(bytes == SampleGatherer::kStep);
        if (left == 0) return Error{Stage::kAdmit, Code::kTooLarge, "no more"};
        --left;
        return Lease();
      });
  // A KiB and more for each: within three steps are 2,500 of them, and not 3,000.
  const auto add = [&](const std::string& key, int count) {
    for (int i = 0; i < count; ++i)
      REQUIRE(gatherer.Add(PackedOf(key + "." + std::to_string(10'000 + i))).ok());
  };
  add("a", 500);
  CHECK(left == 2);
  add("b", 2500);
  CHECK(left == 0);
  add("c", 3000);
  add("d", 2500);
  add("e", 1);
  REQUIRE(gatherer.Finish().ok());
  CHECK(put == std::map<std::string, size_t>{{"a", 500}, {"b", 2500}, {"d", 2500}, {"e", 1}});
  CHECK(lost.size() == 1);
  CHECK(lost.begin()->second == 1);
  CHECK(lost.begin()->first.starts_with("in/c."));
  CHECK(lost_images == 3000);  // those before there was no room, and those after
}
