#include "networks/kernels/stretch_turns.h"

#include <algorithm>
#include <cstdint>

namespace imgmill {
namespace {

/// Of rows that no step is about yet; what strides make of it is an int still.
constexpr int kLongBefore = -(1 << 24);

int CeilDivided(int64_t value, int64_t by) {
  return static_cast<int>(value / by + (value % by > 0 ? 1 : 0));
}

}  // namespace

StretchTurns::StretchTurns(const GraphShape& shape, const GraphStretch& stretch,
                           const std::vector<int>& last_reads, int steps)
    : shape_(shape),
      stretch_(stretch),
      readers_(static_cast<size_t>(stretch.end - stretch.first)),
      whole_(readers_.size(), true) {
  for (int stage = stretch.first; stage < stretch.end; ++stage) {
    for (const GraphShape::Read& read : shape.ReadsOf(stage, {0, 1})) {
      if (Within(read.map)) readers_[At(read.map)].push_back(stage);
    }
  }
  for (int stage = stretch.first; stage < stretch.end; ++stage)
    whole_[At(stage)] = readers_[At(stage)].empty() || last_reads[static_cast<size_t>(stage)] >= stretch.end;
  // Enough steps ahead for all to begin; those in which nothing is made are left out.
  int ahead = stretch.end - stretch.first;
  for (Plan(steps, ahead); Begun(0); Plan(steps, ahead)) ahead *= 2;
  std::ptrdiff_t idle = 0;
  while (idle < ahead && !Begun(idle)) ++idle;
  for (std::vector<int>& made : made_) made.erase(made.begin(), made.begin() + idle);
}

bool StretchTurns::Begun(std::ptrdiff_t step) const {
  return std::any_of(made_.begin(), made_.end(), [step](const auto& made) { return made.begin()[step] > 0; });
}

void StretchTurns::Plan(int own_steps, int ahead) {
  const int count = own_steps + ahead;
  made_.assign(readers_.size(), std::vector<int>(static_cast<size_t>(count)));
  for (int stage = stretch_.end - 1; stage >= stretch_.first; --stage) {
    std::vector<int>& made = made_[At(stage)];
    const int rows = shape_.Rows(stage);
    for (int step = 0; step + 1 < count; ++step) {
      // A map that no stage here reads sets the pace.
      const int own = readers_[At(stage)].empty() ? CeilDivided(int64_t{rows} * (step + 1 - ahead), own_steps)
                                                  : ReadUpTo(stage, step);
      made[static_cast<size_t>(step)] = std::min(rows, 4 * CeilDivided(own, 4));
    }
    made.back() = rows;
  }
}

/// The rows of a stage's map that are read in a step, counted from the map's first.
int StretchTurns::ReadUpTo(int stage, int step) const {
  int end = kLongBefore;
  for (const int reader : readers_[At(stage)]) {
    const int made = made_[At(reader)][static_cast<size_t>(step)];
    // A single pixel is not run ahead for.
    if (made <= 0 && shape_.Rows(stage) == 1) continue;
    for (const GraphShape::Read& read : shape_.ReadsOf(reader, {made - 1, made})) {
      if (read.map == stage) end = std::max(end, read.rows.end);
    }
  }
  return std::max(end, kLongBefore);
}

int StretchTurns::Kept(int stage) const {
  if (whole_[At(stage)]) return shape_.Rows(stage);
  int kept = 0;
  for (int step = 0; step < steps(); ++step)
    kept = std::max(kept, Made(stage, step) - FirstNeeded(stage, step));
  return kept;
}

/// The first row of a stage's map that is read in a step or in later ones.
int StretchTurns::FirstNeeded(int stage, int step) const {
  int first = shape_.Rows(stage);
  for (const int reader : readers_[At(stage)]) {
    const int made = Made(reader, step - 1);
    if (made == shape_.Rows(reader)) continue;
    for (const GraphShape::Read& read : shape_.ReadsOf(reader, {made, made + 1})) {
      if (read.map == stage) first = std::min(first, std::max(0, read.rows.first));
    }
  }
  return first;
}

}  // namespace imgmill
