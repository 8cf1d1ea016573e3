// A step of dedup's reduce under the ladder, as the map phase's work is.
#pragma once

#include <functional>
#include <utility>

#include "base/try.h"
#include "imgmill/commands/command.h"

namespace imgmill {

/// A step of the reduce, as work that a refused allocation does not end.
template <typename Found>
class ReduceStep final : public LadderWork {
 public:
  using Find = std::function<Result<Found>()>;

  static Result<Found> Guarded(const CommandServices& services, const Find& find) {
    ReduceStep step(find);
    const LadderOutcome outcome = services.memory->Guarded(step, kHostWork, *services.stop);
    if (!outcome.status) return outcome.status.error();
    return std::move(step.found_);
  }

  explicit ReduceStep(const Find& find) : find_(find) {}
  Status Run(const Attempt&) override {
    Found found = TRY(find_());
    found_ = std::move(found);
    return {};
  }
  bool has_cpu_rung() const override { return false; }

 private:
  const Find& find_;
  Found found_;
};

}  // namespace imgmill
