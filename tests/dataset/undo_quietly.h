// Takes back what an undo file says, and asks for the counts only.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "imgmill/dataset/journal.h"

namespace imgmill {

inline UndoSummary UndoQuietly(const std::string& undo_file) {
  const StopFlag no_stop;
  const auto undone = UndoActions(undo_file, no_stop, [](const FileAction&, const Status&) {});
  REQUIRE(undone);
  return *undone;
}

}  // namespace imgmill
