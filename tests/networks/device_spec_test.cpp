// The user's words for devices.
#include "networks/device_spec.h"

#include <doctest/doctest.h>

using namespace imgmill;
using Kind = DeviceChoice::Kind;

namespace {

const AcceleratorFacts kNone{"", 0};
const AcceleratorFacts kTwoCuda{"cuda", 2};

std::vector<DeviceChoice> Parse(const std::string& spec, const AcceleratorFacts& facts) {
  const Result<std::vector<DeviceChoice>> parsed = ParseDevices(spec, facts, "libtorch");
  REQUIRE(parsed.ok());
  return *parsed;
}

std::string Refusal(const std::string& spec, const AcceleratorFacts& facts) {
  const Result<std::vector<DeviceChoice>> parsed = ParseDevices(spec, facts, "libtorch 2.13.0+cpu");
  REQUIRE(!parsed.ok());
  CHECK(parsed.error().code == Code::kUsage);
  return parsed.error().message;
}

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("words for devices") {
  CHECK(Parse("auto", kNone) == std::vector<DeviceChoice>{{Kind::kHost, 0}});
  CHECK(Parse("auto", kTwoCuda) == std::vector<DeviceChoice>{{Kind::kAccelerator, 0}});
  CHECK(Parse("all", kNone) == std::vector<DeviceChoice>{{Kind::kHost, 0}});
  CHECK(Parse("all", kTwoCuda) ==
        std::vector<DeviceChoice>{{Kind::kAccelerator, 0}, {Kind::kAccelerator, 1}});
  CHECK(Parse("cpu", kTwoCuda) == std::vector<DeviceChoice>{{Kind::kHost, 0}});
  CHECK(Parse("cpu:0,cpu:1", kNone) ==
        std::vector<DeviceChoice>{{Kind::kHostBacked, 0}, {Kind::kHostBacked, 1}});
  CHECK(Parse("cuda", kTwoCuda) == std::vector<DeviceChoice>{{Kind::kAccelerator, 0}});
  CHECK(Parse("cuda:1,cuda:0", kTwoCuda) ==
        std::vector<DeviceChoice>{{Kind::kAccelerator, 1}, {Kind::kAccelerator, 0}});
}

TEST_CASE("cards of different models are not mixed") {
  const size_t gib = size_t{1} << 30;
  CHECK(SameModel({"cuda:0", 80 * gib}, {"cuda:1", 79 * gib}));
  CHECK(SameModel({"cuda:0", 80 * gib}, {"cuda:1", 0}));  // does not say
  const Status mixed = SameModel({"cuda:0", 80 * gib}, {"cuda:1", 24 * gib});
  REQUIRE_FALSE(mixed.ok());
  CHECK(mixed.error().code == Code::kUsage);
  CHECK(Has(mixed.error().message, "cuda:0 (80 GiB) and cuda:1 (24 GiB) are different models"));
}

TEST_CASE("words for devices that are not there say what is") {
  CHECK(Has(Refusal("cuda", kNone), "libtorch 2.13.0+cpu has no support for cuda; available: cpu"));
  CHECK(Has(Refusal("cuda:2", kTwoCuda), "available: cpu, cuda:0, cuda:1"));
  CHECK(Has(Refusal("cuda", {"cuda", 0}), "its driver does not work"));
  CHECK(Has(Refusal("cdua", kTwoCuda), "did you mean \"cuda\"?"));
  CHECK(Has(Refusal("cpu:0,cpu:0", kNone), "named twice"));
  CHECK(Has(Refusal("auto,cpu", kNone), "named twice"));
  for (const char* mixed : {"cuda:1,cpu", "cpu:0,cuda:0", "all,cpu", "auto,cpu:0"})
    CHECK(Has(Refusal(mixed, kTwoCuda), "a GPU and the CPU round differently"));
  for (const char* bad :
       {"", ",", "cpu,", "cpu:", "cpu:x", "cpu:-1", "cpu:1x", "cpu:99999", "cuda:1:2", "\n"}) {
    CAPTURE(bad);
    CHECK(!Refusal(bad, kTwoCuda).empty());
  }
}
