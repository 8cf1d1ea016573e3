// Whether AskForHelp may be answered: the engine says so around Operation::Start.
#pragma once

#include "imgmill/memory/memory_manager.h"

namespace imgmill {

/// While it lives, what this thread starts may be helped, by leases of `memory`.
class HelpScope {
 public:
  explicit HelpScope(MemoryManager& memory);
  ~HelpScope();
  HelpScope(const HelpScope&) = delete;
  HelpScope& operator=(const HelpScope&) = delete;
};

}  // namespace imgmill
