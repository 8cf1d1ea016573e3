// The table at the end of a pipeline's run, and of its dry run: a line for each step.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "imgmill/commands/command.h"

namespace imgmill {

/// What a dry run foresees of one step. Prospects count files or images.
struct StepForecast {
  Prospect listed;
  std::optional<uint64_t>
      known;         ///< of these: nothing is computed, as the catalog has it, or the outputs are there
  Prospect to_read;  ///< the others, but for those that fail
  Prospect kept;
  std::optional<uint64_t> dropped, failed;
  Prospect to_write;                  ///< files
  std::optional<Prospect> to_remove;  ///< files of earlier runs, with --prune

  /// Of a step that was gone through. `ahead` images beside those are not there yet.
  static StepForecast Of(const CommandResult& result, const Prospect& ahead, const Command& command);
  /// Of a step that needs files that are not there yet, `there` are.
  static StepForecast OfUnseen(uint64_t there, const Prospect& ahead, const Command& command);

  nlohmann::ordered_json Json() const;
};

/// Of two groups of files.
Prospect Sum(const Prospect& a, const Prospect& b);
/// What a step makes of so many files that are not there yet.
Prospect MadeOf(const Prospect& ahead, const Command& command);

class PipelineTable {
 public:
  /// @param prunes  a dry run says what would be removed
  PipelineTable(bool dry_run, bool prunes);
  void Add(const std::string& step, const CommandResult& result);
  void Add(const std::string& step, const StepForecast& forecast);
  std::string text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace imgmill
