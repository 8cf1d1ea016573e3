// A GPU's bad days, on a card made of host memory: a budget that its context takes part of, neighbours,
// errors with texts of their own. Every picture comes out right, the budget is kept, and the run settles on
// what works.
#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "engine/repeating_model.h"
#include "engine/stand_in_card.h"

using namespace imgmill;
using namespace imgmill::engine_test;

namespace {

constexpr size_t kMiB = size_t{1} << 20;
constexpr size_t kContext = 300 * kMiB;

/// A card of 1 GiB, a model that takes 64 MiB for a tile of 256x256 (256 MiB for a batch of four), and a
/// scheduler.
struct OneCard {
  explicit OneCard(StandInCard::Facts facts, size_t budget = 0, size_t neighbour = 0, size_t appetite = 1)
      : manager(ManagerOf1GiB()), model(*manager, 1024) {
    auto owned = std::make_unique<StandInCard>("cuda:0", facts);
    card = owned.get();
    card->SetNeighbour(neighbour);
    manager->AddDevice(std::move(owned), budget);
    model.appetite = appetite;
    auto opened = BatchScheduler::Open(model, PlanOf(kSide, kBatch), kSide, *manager, stop);
    REQUIRE(opened.ok());
    scheduler = *std::move(opened);
  }
  ~OneCard() {
    scheduler.reset();
    CHECK(card->pool()->Stats().live == 0);
    CHECK(HostPool().Stats().live == host_before);
  }

  /// Runs so many pictures, one after another. @return the lowest rung of each
  std::vector<Rung> Run(int count) {
    std::vector<Rung> rungs;
    for (int i = 0; i < count; ++i) {
      const BatchScheduler::Visit visit(*scheduler);
      Picture picture(kSide, kSide, i);
      std::vector<TileJob> jobs = {picture.job};
      const Status ran = scheduler->Run(jobs);
      CHECK_MESSAGE(ran.ok(), (ran ? "" : ran.error().message));
      CHECK(picture.Right());
      rungs.push_back(jobs[0].rung);
    }
    return rungs;
  }
  MemoryInfo::NamedDevice info() const { return manager->Info().devices[0]; }
  bool Warns(const std::string& part) const {
    for (const std::string& warning : manager->Info().warnings) {
      if (warning.find(part) != std::string::npos) return true;
    }
    return false;
  }

  static constexpr int kSide = 256;
  static constexpr int kBatch = 4;
  const size_t host_before = HostPool().Stats().live;
  std::unique_ptr<MemoryManager> manager;
  RepeatingModel model;
  StandInCard* card = nullptr;
  StopFlag stop;
  std::unique_ptr<BatchScheduler> scheduler;
};

StandInCard::Facts Card() {
  StandInCard::Facts facts;
  facts.total = 1024 * kMiB;
  facts.context = kContext;
  facts.forecast = kContext + 20 * kMiB;
  return facts;
}

bool All(const std::vector<Rung>& rungs, Rung rung) {
  return std::all_of(rungs.begin(), rungs.end(), [rung](Rung one) { return one == rung; });
}

}  // namespace

TEST_CASE(
    "a card's budget holds its context, too: what does not fit beside it is planned smaller, unrefused") {
  struct Given {
    size_t budget;
    Rung rung;
  };
  // 300 MiB are the context's. 256 MiB for the batch, 128 for half of it, 64 for one tile.
  for (const Given& given : {Given{600 * kMiB, Rung::kNone}, Given{512 * kMiB, Rung::kHalfBatch},
                             Given{400 * kMiB, Rung::kHalfBatch}, Given{360 * kMiB, Rung::kHalfTile}}) {
    CAPTURE(given.budget / kMiB);
    OneCard one(Card(), given.budget);
    CHECK(All(one.Run(4), given.rung));
    CHECK(one.info().budget == given.budget);
    CHECK(one.info().stats.context == kContext);
    CHECK(one.info().stats.peak_held > kContext);
    CHECK(one.info().stats.peak_held <= given.budget);
    CHECK(one.info().stats.out_of_memory_count == 0);
    CHECK(one.model.Computed(kCpuRung) == 0);
  }
}

TEST_CASE(
    "a budget that the context alone would break: it is not made, the CPU does all, and the flag is named") {
  OneCard one(Card(), 256 * kMiB);
  CHECK(All(one.Run(6), Rung::kCpu));
  CHECK(one.card->wakings() == 0);
  CHECK(one.info().stats.peak_held == 0);
  CHECK_FALSE(one.info().lost);
  // 320 MiB expected for the context.
  CHECK(one.Warns(
      "--device-memory 256 MiB is too little for cuda:0, of which the driver's context takes 320 MiB"));
  CHECK(one.manager->Info().warnings.size() == 1);
}

TEST_CASE("a library that takes more than was forecast is refused at the budget, and a rung is taken") {
  OneCard one(Card(), 700 * kMiB, 0, /*appetite=*/2);
  const std::vector<Rung> rungs = one.Run(4);
  CHECK(All(rungs, Rung::kHalfBatch));
  CHECK(one.info().stats.out_of_memory_count > 0);
  CHECK(one.info().stats.peak_held <= 700 * kMiB);
}

TEST_CASE("where nothing enforces the budget, it is said, and the plan keeps it") {
  StandInCard::Facts facts = Card();
  facts.enforces = false;
  OneCard one(facts, 512 * kMiB);
  CHECK(All(one.Run(4), Rung::kHalfBatch));
  CHECK(one.info().stats.peak_held <= 512 * kMiB);
  CHECK(one.Warns("nothing but the plan keeps cuda:0 from taking more than --device-memory 512 MiB: "));
}

TEST_CASE("a neighbour who is there before: all is done, and the card is used once there is room") {
  for (const size_t left : {700 * kMiB, 200 * kMiB, 50 * kMiB}) {
    CAPTURE(left / kMiB);
    OneCard one(Card(), 0, 1024 * kMiB - left);
    const std::vector<Rung> beside = one.Run(5);
    CHECK(one.card->awake() == (left == 700 * kMiB));
    CHECK(All(beside, left == 700 * kMiB ? Rung::kNone : Rung::kCpu));
    CHECK(one.info().errors.empty());
    one.card->SetNeighbour(0);
    const std::vector<Rung> alone = one.Run(12);
    CHECK(alone.back() == Rung::kNone);
    CHECK(one.card->awake());
  }
}

TEST_CASE(
    "a neighbour who comes during the run: all is done on what is left, and the card comes back after") {
  for (const size_t left : {200 * kMiB, 50 * kMiB, size_t{0}}) {
    CAPTURE(left / kMiB);
    OneCard one(Card());
    CHECK(All(one.Run(3), Rung::kNone));
    one.card->SetNeighbour(1024 * kMiB - kContext - left);
    const int before = one.model.forwards_on_devices_;
    const std::vector<Rung> beside = one.Run(30);
    for (const Rung rung : beside) CHECK(rung >= Rung::kHalfBatch);
    CHECK(beside.back() == beside[10]);
    one.card->SetNeighbour(0);
    CHECK(one.Run(40).back() == Rung::kNone);
    // With nothing left, each try costs a few calls; without settling it would be all of them each time.
    if (left == 0) CHECK(one.model.forwards_on_devices_ - before < 100);
  }
}

TEST_CASE(
    "no error of a card, whatever its text, fails a picture: the CPU does it, and the text is counted") {
  for (const char* text :
       {"cuDNN error: CUDNN_STATUS_INTERNAL_ERROR", "CUDA error: CUBLAS_STATUS_NOT_INITIALIZED",
        "CUDA error: no kernel image is available for execution on the device",
        "CUDA error: unspecified launch failure", "?"}) {
    CAPTURE(text);
    OneCard one(Card());
    CHECK(All(one.Run(2), Rung::kNone));
    // Some by the name of a lost device: it is not, as the canary says.
    const bool sounds_lost = std::string(text).find("launch failure") != std::string::npos;
    one.model.fails = [&](WorkPlace place) -> std::optional<Error> {
      if (place == kCpuRung) return std::nullopt;
      return Error{Stage::kCompute, sounds_lost ? Code::kDeviceLost : Code::kModelError, text};
    };
    const int before = one.model.forwards_on_devices_;
    CHECK(All(one.Run(40), Rung::kCpu));
    CHECK_FALSE(one.info().lost);
    REQUIRE(one.info().errors.size() == 1);
    CHECK(one.info().errors[0].text == text);
    const int tried = one.model.forwards_on_devices_ - before;
    CHECK(one.info().errors[0].count == static_cast<uint64_t>(tried));
    // The first three, and one after 8 more and after 16 more: three calls each.
    CHECK(tried == 3 * (3 + 2));
    one.model.fails = nullptr;
    CHECK(one.Run(40).back() == Rung::kNone);
  }
}

TEST_CASE("an error without a name while the card is short: smaller work is tried before the CPU") {
  OneCard one(Card());
  one.Run(1);
  one.card->SetNeighbour(1024 * kMiB - kContext - 210 * kMiB);
  // As cuDNN does, whose own allocations fail inside.
  one.model.fails = [&](WorkPlace place) -> std::optional<Error> {
    if (place == kCpuRung || one.card->Stats().free >= 256 * kMiB || one.model.batch_now_ <= 2)
      return std::nullopt;
    return Error{Stage::kCompute, Code::kModelError, "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR"};
  };
  CHECK(one.Run(1)[0] >= Rung::kHalfBatch);
  CHECK(one.model.Computed(kCpuRung) == 0);
}

TEST_CASE("a card that is lost in the end is found out by its canary") {
  OneCard one(Card());
  one.Run(1);
  one.card->Lose();
  one.model.fails = [](WorkPlace place) -> std::optional<Error> {
    if (place == kCpuRung) return std::nullopt;
    return Error{Stage::kCompute, Code::kModelError, "CUDA error: something new"};
  };
  CHECK(All(one.Run(5), Rung::kCpu));
  CHECK(one.info().lost);
  CHECK(one.Warns("cuda:0 no longer answers"));
  CHECK(one.info().errors[0].count == 1);
}

TEST_CASE("a card that cannot be made ready, for whatever reason, is none for now") {
  OneCard asleep(Card());
  asleep.card->SetWakeError("CUDA error: CUDA-capable device(s) is/are busy or unavailable");
  CHECK(All(asleep.Run(4), Rung::kCpu));
  CHECK(asleep.info().errors[0].text == "CUDA error: CUDA-capable device(s) is/are busy or unavailable");
  CHECK(asleep.Warns("cuda:0 cannot be used: CUDA error: CUDA-capable device(s)"));
  asleep.card->SetWakeError("");
  CHECK(asleep.Run(12).back() == Rung::kNone);
}

TEST_CASE("a card that lies about what is free, or does not say: refused at what there is, all is done") {
  StandInCard::Facts facts = Card();
  facts.lie = 4096 * kMiB;
  OneCard liar(facts, 0, 1024 * kMiB - kContext - 210 * kMiB);
  CHECK(All(liar.Run(12), Rung::kHalfBatch));
  facts.lie = 0;
  facts.tells = false;
  OneCard silent(facts, 0, 1024 * kMiB - kContext - 210 * kMiB);
  CHECK(All(silent.Run(12), Rung::kHalfBatch));
  CHECK(silent.Warns("cuda:0 does not report how much memory is free; 512 MiB is assumed"));
}

TEST_CASE("two streams of a card overlap, but a batch of a size not seen before is watched alone") {
  auto manager = ManagerOf1GiB();
  auto owned = std::make_unique<StandInCard>("cuda:0", Card());
  manager->AddDevice(std::move(owned), 0);
  RepeatingModel model(*manager, 256);
  model.exact = false;
  model.streams = 2;
  const StopFlag stop;
  auto scheduler = BatchScheduler::Open(model, PlanOf(256, 1), 256, *manager, stop);
  REQUIRE(scheduler.ok());
  for (const int side : {256, 192}) {
    std::mutex mutex;
    std::condition_variable overlapping;
    int running = 0, begun = 0, most = 0, beside_the_first = 0;
    model.during = [&](WorkPlace place) {
      CHECK(place == WorkPlace::Device(0));
      std::unique_lock lock(mutex);
      const bool first = begun++ == 0;
      most = std::max(most, ++running);
      overlapping.notify_all();
      if (first) {
        overlapping.wait_for(lock, std::chrono::milliseconds(100), [&] { return begun > 1; });
        beside_the_first = begun - 1;
      } else {
        // Until two were seen to overlap, each waits for a second one, however slowly that is woken.
        overlapping.wait_for(lock, std::chrono::seconds(10), [&] { return most > 1; });
      }
      --running;
    };
    std::vector<std::thread> workers;
    std::atomic<int> right = 0;
    for (int i = 0; i < 8; ++i) {
      workers.emplace_back([&, i] {
        const BatchScheduler::Visit visit(**scheduler);
        Picture picture(side, side, i);
        std::vector<TileJob> jobs = {picture.job};
        right += (*scheduler)->Run(jobs).ok() && picture.Right();
      });
    }
    for (std::thread& worker : workers) worker.join();
    CHECK(right == 8);
    CHECK(beside_the_first == 0);
    CHECK(most == 2);
  }
}
