// A command of the tests' own: the example of CONTRIBUTING.md, from where it is taken word by word.
#pragma once

#include "imgmill/base/path_text.h"
#include "imgmill/commands/command.h"

namespace imgmill {

/// What is kept of an image until the end; it is also what its outcome carries.
struct Brightness final : Payload {
  std::string path;
  double mean = 0;  ///< of all samples, 0 (black) to 255

  template <typename Self, typename Each>
  static void EachField(Self& self, Each& each) {
    each(self.path), each(self.mean);
  }
};

class BrightnessTask final : public ItemTask {
 public:
  Status Map(const Region& region) override {
    const Layout& layout = region.view.layout;
    for (int64_t y = 0; y < layout.height; ++y) {
      for (size_t i = 0; i < layout.row_bytes(); ++i) sum_ += region.view.row(y)[i];
    }
    samples_ += layout.row_bytes() * static_cast<size_t>(layout.height);
    return {};
  }
  Status Finish(Outcome& outcome) override {
    auto found = std::make_unique<Brightness>();
    found->path = outcome.file.path;
    found->mean = static_cast<double>(sum_) / static_cast<double>(samples_);
    outcome.payload = std::move(found);
    return {};
  }

 private:
  uint64_t sum_ = 0, samples_ = 0;
};

class BrightnessRun final : public CommandRun, public Operation {
 public:
  explicit BrightnessRun(const CommandServices& services) : CommandRun(services), log_(services) {}
  Operation& operation() override { return *this; }
  OutcomeLog& log() override { return log_; }
  std::string name() const override { return "brightness"; }
  std::string Fingerprint() const override { return "brightness/1"; }
  Result<ItemPlan> Plan(const Item& item) const override {
    ReadOptions reading;
    reading.to_8bit = true;
    reading.alpha = ReadOptions::Alpha::kFlattenWhite;
    return ItemPlan(item.main.header, reading, RegionPlan{});
  }
  Result<bool> Recall(const Item&, Outcome&) override { return false; }
  Result<std::unique_ptr<ItemTask>> Start(const Item&, const ItemPlan&) override {
    return std::unique_ptr<ItemTask>(std::make_unique<BrightnessTask>());
  }
  void Collect(Outcome& outcome) override {
    log_.Record(outcome);
    if (outcome.payload) found_.Add(static_cast<const Brightness&>(*outcome.payload));
  }
  Result<CommandResult> Reduce(CommandResult result) override {
    result.text = [found = found_](const TextSink& put) {
      return found.ForEach([&](const Brightness& each) {
        return put(std::to_string(each.mean) + "  " + PrintablePath(each.path) + "\n");
      });
    };
    return result;
  }

 private:
  OutcomeLog log_;
  RecordTable<Brightness> found_;
};

}  // namespace imgmill
