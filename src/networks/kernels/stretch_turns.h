// How the stages of one stretch of a graph take turns.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "networks/kernels/graph_shape.h"
#include "networks/kernels/graph_stretches.h"

namespace imgmill {

/// In each step the stages make some rows one after the other, each as late as the others allow, so that few
/// rows wait to be read. What is read around a row makes the first stages run ahead of the last ones.
class StretchTurns {
 public:
  /// @param last_reads  of each map, the last stage that reads it
  /// @param steps       that the rows of a map that no stage of the stretch reads are made in
  StretchTurns(const GraphShape& shape, const GraphStretch& stretch, const std::vector<int>& last_reads,
               int steps);

  int steps() const { return static_cast<int>(made_.front().size()); }
  /// Which rows a stage makes in a step.
  RowRange Rows(int stage, int step) const { return {Made(stage, step - 1), Made(stage, step)}; }
  /// How many rows of a stage's map have to be kept: all, where later stretches read it; else the newest.
  int Kept(int stage) const;

 private:
  size_t At(int stage) const { return static_cast<size_t>(stage - stretch_.first); }
  bool Within(int stage) const { return stage >= stretch_.first && stage < stretch_.end; }
  /// How many rows are there at the end of a step.
  int Made(int stage, int step) const {
    return step < 0 ? 0 : std::max(0, made_[At(stage)][static_cast<size_t>(step)]);
  }
  void Plan(int own_steps, int ahead);
  bool Begun(std::ptrdiff_t step) const;
  int ReadUpTo(int stage, int step) const;
  int FirstNeeded(int stage, int step) const;

  const GraphShape& shape_;
  const GraphStretch stretch_;
  std::vector<std::vector<int>> readers_;  ///< of each stage's map, in this stretch
  std::vector<bool> whole_;
  /// By stage and step; below zero where rows before a map's first would be read.
  std::vector<std::vector<int>> made_;
};

}  // namespace imgmill
