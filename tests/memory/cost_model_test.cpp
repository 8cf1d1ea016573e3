// The cost model's promise: never below what was observed, monotone, exact where peaks are.
#include "imgmill/memory/cost_model.h"

#include <fstream>
#include <random>
#include <sstream>

#include "memory/cost_envelope.h"
#include "memory_fixture.h"

namespace imgmill {
namespace {

using memory_test::ScratchFolder;
using memory_test::WriteFile;

const CostKey kKey = {"model", "float32", "cpu", 2, "libtorch 2.13.0"};

TEST_CASE("two probes of different size make it able to predict, and affine peaks are met exactly") {
  CostModel costs;
  CHECK_FALSE(costs.CanPredict());
  costs.Observe({1, 64, 64}, 5 * kMiB + 64 * 64 * 100);
  costs.Observe({1, 64, 64}, 5 * kMiB + 64 * 64 * 100);
  CHECK_FALSE(costs.CanPredict());
  costs.Observe({2, 128, 128}, 5 * kMiB + 2 * 128 * 128 * 100);
  CHECK(costs.CanPredict());
  // By hand: 5 MiB + 100 bytes a pixel; beyond the largest shape seen, 5 % more.
  const double inside = 5.0 * kMiB + 128 * 128 * 100;
  CHECK(static_cast<double>(costs.Predict({1, 128, 128})) == doctest::Approx(inside).epsilon(1e-6));
  const double beyond = (5.0 * kMiB + 8 * 128 * 128 * 100) * 1.05;
  CHECK(static_cast<double>(costs.Predict({8, 128, 128})) == doctest::Approx(beyond).epsilon(1e-6));
}

TEST_CASE("whatever was observed, in any order and number, no prediction is below it") {
  std::mt19937 random(5);
  for (int round = 0; round < 20; ++round) {
    CostModel costs;
    std::vector<std::pair<BatchShape, size_t>> seen;
    for (int i = 0; i < 60; ++i) {
      const BatchShape shape{1 + static_cast<int64_t>(random() % 8),
                             16 + static_cast<int64_t>(random() % 500),
                             16 + static_cast<int64_t>(random() % 500)};
      // Noise of all kinds: libraries choose algorithms by shape.
      const size_t bytes = random() % (round < 10 ? 1000000000 : 5000) +
                           static_cast<size_t>(shape.n * shape.height * shape.width) * (1 + random() % 9);
      costs.Observe(shape, bytes);
      seen.emplace_back(shape, bytes);
    }
    for (const auto& [shape, bytes] : seen) CHECK(costs.Predict(shape) >= bytes);
    for (int i = 0; i < 50; ++i) {
      BatchShape small = seen[random() % seen.size()].first;
      BatchShape large = small;
      large.n += static_cast<int64_t>(random() % 3);
      large.height += static_cast<int64_t>(random() % 300);
      CHECK(costs.Predict(small) <= costs.Predict(large));
    }
  }
}

TEST_CASE("the envelope is tight: a brute-force search finds none with less excess") {
  const std::vector<CostPoint> points = {{1, 10}, {2, 11}, {4, 18}, {8, 21}};
  const auto excess = [&](const CostEnvelope& e) {
    double sum = 0;
    for (const CostPoint& p : points) {
      if (e.At(p.pixels) < p.bytes - 1e-6) return 1e9;
      sum += e.At(p.pixels) - p.bytes;
    }
    return sum;
  };
  double best = 1e9;
  for (double fixed = 0; fixed < 25; fixed += 0.05) {
    for (double slope = 0; slope < 10; slope += 0.01) best = std::min(best, excess({fixed, slope}));
  }
  CHECK(excess(FitEnvelope(points)) <= best + 1e-9);
}

TEST_CASE("what was learned is there again, also what another run learned meanwhile") {
  const ScratchFolder folder;
  const std::string path = folder / "state/costs";
  CostKey odd = kKey;
  odd.device = "cuda NVIDIA\tH200 100%\n";
  odd.dtype = "";
  {
    CostStore mine(path);
    CostStore other(path);
    mine.Open(kKey)->Observe({1, 64, 64}, 1000000);
    mine.Open(kKey)->Observe({1, 128, 128}, 3000000);
    other.Open(odd)->Observe({1, 64, 64}, 77);
    other.Open(odd)->Observe({2, 64, 64}, 99);
    REQUIRE(mine.Save().ok());
    REQUIRE(other.Save().ok());
  }
  CostStore again(path);
  CHECK(again.warnings().empty());
  CHECK(again.Open(kKey)->Predict({1, 64, 64}) == 1000000);
  CHECK(again.Open(kKey) == again.Open(kKey));
  CHECK(again.Open(odd)->Predict({1, 64, 64}) == 77);
  CostKey newer = kKey;
  newer.library = "libtorch 2.14.0";
  CHECK_FALSE(again.Open(newer)->CanPredict());
}

TEST_CASE("a file cut off or changed at any place is set aside or read whole, never half") {
  const ScratchFolder folder;
  const std::string path = folder / "costs";
  {
    CostStore store(path);
    store.Open(kKey)->Observe({1, 64, 64}, 1000000);
    store.Open(kKey)->Observe({1, 128, 128}, 3000000);
    REQUIRE(store.Save().ok());
  }
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  const std::string whole = text.str();
  REQUIRE(whole.size() > 50);
  for (size_t length = 1; length + 1 < whole.size(); ++length) {
    WriteFile(path, whole.substr(0, length));
    CostStore store(path);
    CHECK(store.warnings().size() == 1);
    CHECK_FALSE(store.Open(kKey)->CanPredict());
    CHECK_FALSE(std::filesystem::exists(path));
    CHECK(std::filesystem::exists(path + ".corrupt"));
    std::filesystem::remove(path + ".corrupt");
  }
  WriteFile(path, "imgmill-costs 99\n" + whole.substr(whole.find('\n') + 1));
  CostStore foreign(path);
  CHECK(foreign.warnings().size() == 1);
}

TEST_CASE("a file of an earlier version is no damage: it is learned anew, and written over") {
  const ScratchFolder folder;
  const std::string path = folder / "costs";
  WriteFile(path, "imgmill-costs 1\nmodel\tm\tfloat32\tcpu\t1\tl\npeak\t64\t0\t100\nend\t3\n");
  {
    CostStore store(path);
    CHECK(store.warnings().empty());
    CHECK_FALSE(store.Open(kKey)->CanPredict());
    store.Open(kKey)->Observe({1, 64, 64}, 1000000);
    store.Open(kKey)->Observe({1, 128, 128}, 3000000);
    REQUIRE(store.Save().ok());
  }
  CHECK(CostStore(path).Open(kKey)->CanPredict());
}

TEST_CASE("an empty path keeps nothing, an impossible one is an error") {
  CostStore none("");
  none.Open(kKey)->Observe({1, 1, 1}, 1);
  CHECK(none.Save().ok());
  CostStore impossible("/proc/imgmill/costs");
  const Status status = impossible.Save();
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code == Code::kNotFound);
}

TEST_CASE("a shape that was seen is remembered by its own highest peak") {
  CostModel model;
  CHECK_FALSE(model.Seen({8, 224, 224}));
  model.Observe({8, 224, 224}, 5 * kMiB);
  model.Observe({8, 224, 224}, 4 * kMiB);
  CHECK(model.Seen({8, 224, 224}) == 5 * kMiB);
  CHECK(model.Seen({4, 448, 224}) == 5 * kMiB);  // as many pixels
  CHECK_FALSE(model.Seen({4, 224, 224}));
}

TEST_CASE("a formula is taken at its word until it was seen twice, then corrected") {
  CostModel model;
  CHECK(model.PredictFrom(10 * kMiB) == 10 * kMiB);
  model.ObserveFrom(10 * kMiB, 8 * kMiB);
  CHECK(model.PredictFrom(10 * kMiB) == 10 * kMiB);
  model.ObserveFrom(20 * kMiB, 15 * kMiB);
  // A line through both: 1 MiB + 0.7 of the formula, by hand; beyond, the formula's own slope continues.
  const auto near = [](size_t bytes, double mib) {
    return std::abs(static_cast<double>(bytes) / kMiB - mib) < 1e-3;
  };
  CHECK(near(model.PredictFrom(10 * kMiB), 8));
  CHECK(near(model.PredictFrom(15 * kMiB), 11.5));
  CHECK(near(model.PredictFrom(120 * kMiB), 115));
  // A peak above the line lifts it.
  model.ObserveFrom(15 * kMiB, 13 * kMiB);
  CHECK(model.PredictFrom(15 * kMiB) >= 13 * kMiB);
  CHECK(model.PredictFrom(10 * kMiB) >= 8 * kMiB);
}

TEST_CASE("of many peaks near a line those stay that matter: none is above the prediction, none far below") {
  CostModel model;
  uint32_t seed = 1;
  std::vector<std::pair<size_t, size_t>> seen;
  for (int i = 0; i < 400; ++i) {
    seed = seed * 1664525u + 1013904223u;
    const size_t formula = kMiB + (seed >> 8) % (100 * kMiB);
    const size_t peak = formula / 2 + 300 * kKiB + (seed >> 4) % (200 * kKiB);
    model.ObserveFrom(formula, peak);
    seen.emplace_back(formula, peak);
  }
  for (const auto& [formula, peak] : seen) {
    CHECK(model.PredictFrom(formula) + 1 >= peak);
    CHECK(model.PredictFrom(formula) <= peak + 260 * kKiB);
  }
}

}  // namespace
}  // namespace imgmill
