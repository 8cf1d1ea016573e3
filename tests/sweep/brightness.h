// A command of the tests' own: the example in CONTRIBUTING.md, word for word.
#pragma once

#include "imgmill/base/path_text.h"
#include "imgmill/commands/command.h"

namespace imgmill {

struct Brightness final : Payload {
  double mean = 0;  ///< of all samples: 0 (black) to 255
};

class BrightnessTask final : public ItemTask {
 public:
  Status Map(const Region& region) override {
    const Layout& layout = region.view.layout;
    for (int64_t y = 0; y < layout.height; ++y) {
      for (size_t i = 0; i < layout.row_bytes(); ++i, ++count_) sum_ += region.view.row(y)[i];
    }
    return {};
  }
  Status Finish(Outcome& outcome) override {
    auto found = std::make_unique<Brightness>();
    found->mean = static_cast<double>(sum_) / static_cast<double>(count_);
    outcome.payload = std::move(found);
    return {};
  }

 private:
  uint64_t sum_ = 0, count_ = 0;
};

class BrightnessRun final : public CommandRun, public Operation {
 public:
  explicit BrightnessRun(const CommandServices& services)
      : CommandRun(services), Operation({"brightness", "brightness/1"}) {}
  Operation& operation() override { return *this; }
  Result<ItemPlan> Plan(const Item& item) const override {
    ReadOptions reading;
    reading.to_8bit = true;
    return ItemPlan(item.main.header, reading, RegionPlan{});
  }
  Result<std::unique_ptr<ItemTask>> Start(const Item&, const ItemPlan&) override {
    return std::unique_ptr<ItemTask>(std::make_unique<BrightnessTask>());
  }
  void Collect(Outcome& outcome) override {
    if (outcome.payload == nullptr) return;  // it failed
    const double mean = static_cast<const Brightness&>(*outcome.payload).mean;
    lines_.Add(std::to_string(mean) + "  " + PrintablePath(outcome.file.path) + "\n");
  }
  Result<CommandResult> Reduce(CommandResult result) override {
    result.text = [lines = lines_](const TextSink& put) { return lines.ForEach(put); };
    return result;
  }

 private:
  RecordTable<std::string> lines_;
};

class BrightnessCommand final : public Command {
  Result<std::unique_ptr<CommandRun>> Begin(ItemSource&, const CommandServices& services) override {
    return std::unique_ptr<CommandRun>(std::make_unique<BrightnessRun>(services));
  }
};

}  // namespace imgmill
