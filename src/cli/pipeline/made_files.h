// What became of the files that the steps of a pipeline have made, for the last line of a run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "imgmill/commands/command.h"

namespace imgmill {

class MadeFiles {
 public:
  /// A step that was given these files, or some of them if it was stopped, has ended.
  void Take(const CommandResult& step);
  /// And has made so many of its own.
  void Add(const std::string& step, uint64_t files);

  /// Files that later steps have dropped.
  uint64_t dropped() const;
  /// "; frames made 31 files from them: 17 kept, 14 dropped; tile made 68 files from those". What is kept is
  /// what the next step that makes files has made them from, or what is left at the end.
  std::string Text() const;

 private:
  struct OfStep {
    std::string step;
    uint64_t files = 0;
    uint64_t dropped = 0, failed = 0;
    bool all_seen = true;  ///< by the steps behind it
  };
  std::vector<OfStep> made_;
};

}  // namespace imgmill
