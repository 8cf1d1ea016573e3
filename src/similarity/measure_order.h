// Which of two pairs of items is the more alike one, whatever is measured.
#pragma once

#include "imgmill/similarity/grouping.h"
#include "imgmill/similarity/posed_cosine.h"

namespace imgmill {

inline bool IsNearer(int bits, int than) {
  return bits < than;
}
inline bool IsNearer(float cosine, float than) {
  return cosine > than;
}
inline bool IsNearer(const PosedCosine& measure, const PosedCosine& than) {
  return measure.cosine > than.cosine;
}
inline bool IsNearer(const VerifiedMeasure& measure, const VerifiedMeasure& than) {
  if (measure.look.difference != than.look.difference) return measure.look.difference < than.look.difference;
  return measure.distance < than.distance;
}

/// The weakest pair of a group so far, of equal ones the first.
template <typename Measure>
void NoteWeakest(KeeperGroup<Measure>& group, const typename KeeperGroup<Measure>::Pair& pair) {
  if (!group.weakest || IsNearer(group.weakest->measure, pair.measure)) group.weakest = pair;
}

}  // namespace imgmill
